"""Which of a teacher's tokens a student says: those that the teacher's texts have most often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from skerry.bundles.gguf.draft_tokens import DraftTokens, Ids
from skerry.cloud.hints.vocabulary import digest
from skerry.export.distill.corpus import Text
from skerry.export.distill.errors import DistillError

_ORDINARY = 1  # GGUF's token type "normal"
_ROWS = 2048


def chosen(
    texts: Iterable[Text], written: list[str], kinds: list[int], embedding: Tensor, size: int
) -> DraftTokens:
    """`size` tokens of a vocabulary `written`, whose GGUF types are `kinds`: all that are not
    ordinary text, all single characters, and then the most frequent ones in `texts`; of equals the
    lower ids, which a tokenizer's merges made first. Others are read as the token whose `embedding`
    [vocabulary, width] is nearest by cosine.

    Raises:
        DistillError: the size leaves no room, or is more than there are.
    """
    always = {
        token
        for token, (text, kind) in enumerate(zip(written, kinds, strict=True))
        if kind != _ORDINARY or len(text) == 1
    }
    if not len(always) < size <= len(written):
        raise DistillError(
            f"a student cannot have {size} of {len(written)} tokens",
            hint=f"give --tokens of more than {len(always)}",
        )
    counts = Counter(token for text in texts for token in text.tokens)
    order = sorted(range(len(written)), key=lambda token: (token not in always, -counts[token]))
    said = np.array(sorted(order[:size]), np.int32)
    vocabulary = digest(text.encode() for text in written)
    return DraftTokens(said, _nearest(embedding, said), vocabulary)


def _nearest(embedding: Tensor, said: Ids) -> Ids:
    """For each token the index in `said` of the one that is nearest: itself where it is said."""
    rows = functional.normalize(embedding.float(), dim=-1)
    among = rows[torch.from_numpy(said).long()].T
    found = torch.cat([(part @ among).argmax(-1) for part in rows.split(_ROWS)])
    read_as: Ids = found.numpy().astype(np.int32)
    read_as[said] = np.arange(len(said))
    return read_as
