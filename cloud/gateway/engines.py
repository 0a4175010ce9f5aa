"""The engines of a gateway's models, for devices that draft."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from skerry.cloud.engines.base import Verifier
from skerry.cloud.gateway.config import Gateway, Model
from skerry.cloud.gateway.replicas import Replicated
from skerry.cloud.gateway.upstream import upstream_key
from skerry.cloud.service import Service

_SESSIONS = 64


def services(config: Gateway, folder: Path, *, threads: int = 0) -> Mapping[str, Service]:
    """By the model's name. Blocks while models are read and servers are asked.

    Args:
        folder: what relative paths of the file are relative to.

    Raises:
        TargetError: a model cannot be loaded, or a server cannot verify.
    """
    found = dict[str, Service]()
    for name, model in config.models.items():
        if model.path is not None:
            found[name] = Service(_llama(model, folder / Path(model.path).expanduser(), threads))
        elif model.tokenizer is not None:
            found[name] = Service(_server(model, folder / Path(model.tokenizer).expanduser()))
    return found


def _llama(model: Model, path: Path, threads: int) -> Verifier:
    from skerry.cloud.engines.llama.verifier import LlamaVerifier

    return LlamaVerifier.load(
        path,
        sessions=model.most_places or 1,
        context_tokens=model.context_tokens,
        threads=threads,
    )


def _server(model: Model, tokenizer: Path) -> Verifier:
    from skerry.cloud.engines.completions.options import EndpointOptions
    from skerry.cloud.engines.vllm.verifier import connect

    def connected(url: str) -> Verifier:
        options = EndpointOptions(
            url=url,
            model=model.upstream_model or "",
            api_key=upstream_key(model),
            sessions=model.most_places or _SESSIONS,
        )
        return connect(options, tokenizer)[0]

    return Replicated(model.replicas or (), connected)
