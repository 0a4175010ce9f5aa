"""Whether the default model is there and sound, and which known model fits on which device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.device_profiles import (
    Fit,
    KvType,
    Loading,
    ModelFacts,
    Profile,
    fit,
    measure_read_gb_s,
    room_of,
)
from skerry.device_profiles.repack import Matrix, matrix_bytes
from skerry.edge.doctor.report import THIS_MACHINE, Check, ModelFits, Status
from skerry.edge.errors import ModelError

if TYPE_CHECKING:
    from skerry.bundles.gguf.header import GgufHeader
    from skerry.edge.doctor.device import Device
    from skerry.edge.engines.models import ModelSpec
    from skerry.edge.settings import Settings

_MOST_THREADS = 16
"""More add nothing to the speed at which memory is read."""


def check_model(settings: Settings) -> Check:
    """The model in the settings: whether it exists, and what its engine's reader says of it."""
    from skerry.edge.engines.models import catalogue

    spec = catalogue(settings.models_dir).find(settings.model)
    size = f"{spec.size_bytes / 1e6:.0f} MB"
    return Check("model", Status.OK, f"{spec.name}: {_describe(spec)}, {size}, '{spec.path}'")


def fit_models(settings: Settings, device: Device) -> tuple[ModelFits, ...]:
    """Every model of the catalogue, and the one in the settings, on every device.

    Measures the speed of this machine's memory, which takes a fraction of a second.
    """
    threads = min(device.machine.cores, _MOST_THREADS)
    read_gb_s = measure_read_gb_s(threads)
    return tuple(_fit_model(spec, settings, device, read_gb_s) for spec in _known(settings))


def facts_of(header: GgufHeader, size_bytes: int) -> ModelFacts:
    """What `fit` needs of a GGUF file's header; `size_bytes` is that of all the model's files."""
    forward = header.metadata.get(f"{header.architecture}.feed_forward_length", 0)
    layers = forward if isinstance(forward, tuple) else (forward,)
    return ModelFacts(
        name=header.name,
        weights_bytes=size_bytes,
        kv_values=header.kv_values,
        embedding=header.embedding,
        feed_forward=max(int(layer) for layer in layers),
        vocabulary=header.vocabulary,
        context_tokens=header.context_tokens,
        matrices=matrices_of(header.path),
    )


def matrices_of(path: Path) -> dict[str, int]:
    """Bytes of a GGUF file's matrices by type; those of further files are not counted."""
    from skerry.edge.engines.llama.files import read_gguf

    tensors = (tensor for tensor in read_gguf(path).tensors if len(tensor.shape) > 1)
    return matrix_bytes(
        Matrix(one.name, one.kind.name, one.shape[1], one.size_bytes) for one in tensors
    )


def _describe(spec: ModelSpec) -> str:
    if spec.engine == "genai":
        from skerry.edge.engines.genai.folder import read_folder

        return read_folder(spec.path).architecture
    header = _read_header(spec.path)
    return f"{header.architecture} {header.quantization}, {header.context_tokens} tokens of context"


def _read_header(path: Path) -> GgufHeader:
    """Raises ModelError unless the file is a whole language model."""
    from skerry.edge.engines.llama.files import check_model as check_header
    from skerry.edge.engines.llama.files import read_header

    header = read_header(path)
    check_header(header)
    return header


def _known(settings: Settings) -> list[ModelSpec]:
    from skerry.edge.engines.models import catalogue

    found = catalogue(settings.models_dir)
    known = found.models()
    try:
        default = found.find(settings.model)
    except ModelError:  # its check says why
        return known
    return known if any(spec.path == default.path for spec in known) else [*known, default]


def _fit_model(spec: ModelSpec, settings: Settings, device: Device, read_gb_s: float) -> ModelFits:
    if spec.engine != "llama":
        return ModelFits(spec.name, {}, f"the memory of {spec.engine} models is not estimated")
    try:
        model = facts_of(_read_header(spec.path), spec.size_bytes)
    except ModelError as error:
        return ModelFits(spec.name, {}, error.what)
    return ModelFits(spec.name, dict(_fits(model, settings, device, read_gb_s)))


def _fits(
    model: ModelFacts, settings: Settings, device: Device, read_gb_s: float
) -> Iterator[tuple[str, Fit]]:
    here = _loading(settings, device.picked.profile)
    room = room_of(device.machine, read_gb_s=read_gb_s)
    yield (
        THIS_MACHINE,
        fit(model, room, min(here.context_tokens, model.context_tokens), loading=here),
    )
    for profile in device.profiles:
        yield profile.name, fit(model, profile, min(profile.context_tokens, model.context_tokens))


def _loading(settings: Settings, profile: Profile) -> Loading:
    """How models are loaded here: by the settings, else by the profile."""
    return Loading(
        context_tokens=settings.context_tokens or profile.context_tokens,
        batch_tokens=settings.batch_tokens or profile.batch_tokens,
        kv_type=KvType(settings.kv_type or profile.kv_type),
        parallel=settings.parallel or profile.parallel,
    )
