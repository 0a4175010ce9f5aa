"""GET /v1/models, and what a model's name in a request stands for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from skerry.edge.engines.models import catalogue
from skerry.edge.errors import ModelError
from skerry.edge.runtime import Runtime
from skerry.edge.server.errors import ApiError
from skerry.edge.server.service import Service, service_of
from skerry.edge.server.sse import Json

PIPELINE = "skerry"
EMBEDDING = "skerry-embedding"

router = APIRouter()


class Kind(StrEnum):
    PIPELINE = "pipeline"
    LOCAL = "local"
    EMBEDDING = "embedding"


@dataclass(frozen=True, slots=True)
class Target:
    """What a model's name stands for. `key` is what the runtime calls a local model."""

    name: str
    kind: Kind
    key: str = ""


def find(runtime: Runtime, name: str) -> Target:
    """What `name` stands for. Only names are known here, never paths: a client opens no files.

    Raises:
        ApiError: 404, there is no such model.
    """
    for target in targets(runtime):
        if target.name == name:
            return target
    raise ApiError(
        404,
        f"The model '{name[:200]}' does not exist; GET /v1/models lists those that do.",
        code="model_not_found",
        param="model",
    )


def find_generating(runtime: Runtime, name: str) -> Target:
    """As `find`, for an endpoint that generates text."""
    target = find(runtime, name)
    if target.kind is Kind.EMBEDDING:
        raise ApiError(
            400, f"'{name}' makes embeddings only.", code="unsupported_value", param="model"
        )
    return target


def targets(runtime: Runtime) -> list[Target]:
    """Everything that a request may name, the pipeline first; no name twice."""
    encoder = runtime.parts.encoder.id.partition("@")[0]
    found = [
        Target(PIPELINE, Kind.PIPELINE),
        *_local(runtime),
        Target(EMBEDDING, Kind.EMBEDDING),
        Target(encoder, Kind.EMBEDDING),
    ]
    return list({target.name: target for target in reversed(found)}.values())[::-1]


def _local(runtime: Runtime) -> list[Target]:
    """The default model first, by its name even if the settings give a path; then the others."""
    settings = runtime.parts.settings
    models = catalogue(settings.models_dir)
    found = [
        Target(name, Kind.LOCAL, spec.name)
        for spec in models.models()
        for name in (spec.name, *spec.aliases)
    ]
    try:
        default = Target(models.find(settings.model).name, Kind.LOCAL, settings.model)
    except ModelError:
        return found  # a request for it says what is wrong
    return [default, *found]


@router.get("/v1/models")
def list_models(service: Annotated[Service, Depends(service_of)]) -> Json:
    data = [_model(service, target) for target in targets(service.runtime)]
    return Json({"object": "list", "data": data})


@router.get("/v1/models/{name:path}")
def get_model(name: str, service: Annotated[Service, Depends(service_of)]) -> Json:
    return Json(_model(service, find(service.runtime, name)))


def _model(service: Service, target: Target) -> dict[str, Any]:
    return {
        "id": target.name,
        "object": "model",
        "created": service.started_at,
        "owned_by": "skerry",
        "skerry": {"kind": target.kind},
    }
