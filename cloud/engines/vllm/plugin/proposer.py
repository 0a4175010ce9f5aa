"""The proposer that proposes nothing: it has vLLM's model runner take drafts at all.

`--speculative-config '{"method": "custom_class", "model": "skerry.….proposer.NoProposer", …}'`
"""

from __future__ import annotations

from typing import Any

from skerry.cloud.engines.vllm.plugin import check_version
from skerry.cloud.engines.vllm.plugin.sampling import install


class NoProposer:
    """See `vllm.v1.spec_decode.custom_class_proposer`. Made once in each worker."""

    def __init__(self, _config: Any) -> None:
        from vllm.v1.worker.gpu_model_runner import GPUModelRunner

        check_version()
        install(GPUModelRunner)

    def load_model(self, _target: Any) -> None:
        """There is none."""

    def propose(self, sampled: list[list[int]], *_: Any, **__: Any) -> list[list[int]]:
        """No draft for any request."""
        return [[] for _ in sampled]
