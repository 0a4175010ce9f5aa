"""Every error that the runtime raises on purpose.

```
EdgeError
├── ConfigError            a setting or a file of settings is wrong (names file, line, key)
├── InputError             the request itself cannot be used (empty, too long, not text)
│   ├── ContextOverflow    the prompt does not fit in the model's context
│   ├── SessionNotFound    no conversation of that id
│   ├── ReceiptNotFound    no receipt, or more than one, goes by that id
│   └── ReceiptInvalid     the text is not a receipt that this version reads
├── ModelError             a model cannot be used
│   ├── ModelNotFound      no file or no name like that
│   ├── ModelInvalid       the file is truncated, not a model, or of an unknown architecture
│   ├── BundleRefused      a bundle is damaged, was changed, or has nothing that runs here
│   ├── ModelBusy          there is no room for it while other models are in use
│   ├── PullError          a model could not be fetched
│   │   ├── PullInterrupted    the connection broke; what has arrived is kept
│   │   └── PullFull           the disk is full
│   └── AdapterError       a LoRA adapter is missing or does not fit the model
├── GrammarError           a GBNF grammar or JSON schema cannot be compiled
├── EncoderError           the embedding model is missing or was tampered with
├── IndexFault             the index cannot be used
│   ├── IndexCorrupt       the file is damaged
│   ├── IndexLocked        another process holds it
│   ├── IndexFull          the disk is full
│   ├── IndexReplaced      another file took its place while it was in use
│   └── EmbedderMismatch   it was built with another encoder
├── StateError             the file of sessions and receipts cannot be used
│   ├── StateCorrupt       the file is damaged, or is another program's
│   ├── StateLocked        another process holds it
│   └── StateFull          the disk is full
├── DocumentError          one document cannot be parsed
├── CloudError             the cloud tier did not answer
│   ├── CloudUnavailable   unreachable, overloaded or circuit open
│   └── CloudRefused       it answered with an error that a retry cannot mend
├── PolicyDenied           policy forbids every tier for this request
├── ApprovalRequired       policy wants a person's consent before anything leaves
├── Closed                 the runtime was closed, or belongs to the process that forked this one
└── Cancelled              the caller stopped it, or its deadline passed
```

`str(error)` says what happened and to which thing; `hint` says what to do next;
`retryable` says whether the same call may work later without a change.
"""

from __future__ import annotations

from typing import ClassVar


class EdgeError(Exception):
    """Root of the runtime's errors.

    Args:
        what: one sentence: what happened, to which thing.
        hint: one sentence: what to do next; empty when there is nothing to do.
    """

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class ConfigError(EdgeError):
    code = "config"
    exit_code = 3


class InputError(EdgeError):
    code = "input"
    exit_code = 2


class ContextOverflow(InputError):
    code = "context_length_exceeded"


class SessionNotFound(InputError):
    code = "session_not_found"


class ReceiptNotFound(InputError):
    code = "receipt_not_found"


class ReceiptInvalid(InputError):
    code = "receipt_invalid"


class ModelError(EdgeError):
    code = "model"
    exit_code = 4


class ModelNotFound(ModelError):
    code = "model_not_found"


class ModelInvalid(ModelError):
    code = "model_invalid"


class BundleRefused(ModelError):
    code = "bundle_refused"


class ModelBusy(ModelError):
    code = "model_busy"
    retryable = True


class PullError(ModelError):
    code = "pull"


class PullInterrupted(PullError):
    code = "pull_interrupted"
    retryable = True


class PullFull(PullError):
    code = "pull_full"


class AdapterError(ModelError):
    code = "adapter"


class GrammarError(EdgeError):
    code = "grammar"
    exit_code = 2


class EncoderError(EdgeError):
    code = "encoder"
    exit_code = 4


class IndexFault(EdgeError):
    code = "index"
    exit_code = 5


class IndexCorrupt(IndexFault):
    code = "index_corrupt"


class IndexLocked(IndexFault):
    code = "index_locked"
    retryable = True


class IndexFull(IndexFault):
    code = "index_full"


class IndexReplaced(IndexFault):
    code = "index_replaced"
    retryable = True


class EmbedderMismatch(IndexFault):
    code = "embedder_mismatch"


class StateError(EdgeError):
    code = "state"
    exit_code = 5


class StateCorrupt(StateError):
    code = "state_corrupt"


class StateLocked(StateError):
    code = "state_locked"
    retryable = True


class StateFull(StateError):
    code = "state_full"


class DocumentError(EdgeError):
    code = "document"
    exit_code = 5


class CloudError(EdgeError):
    """`status` is the HTTP status that the server answered with; None if none arrived."""

    code = "cloud"
    exit_code = 6

    def __init__(self, what: str, *, hint: str = "", status: int | None = None) -> None:
        super().__init__(what, hint=hint)
        self.status = status


class CloudUnavailable(CloudError):
    code = "cloud_unavailable"
    retryable = True


class CloudRefused(CloudError):
    code = "cloud_refused"


class PolicyDenied(EdgeError):
    code = "policy_denied"
    exit_code = 7


class ApprovalRequired(PolicyDenied):
    code = "approval_required"


class Closed(EdgeError):
    code = "closed"


class Cancelled(EdgeError):
    code = "cancelled"
    exit_code = 130
