"""What the commands of `skerry export` are given, as `skerry.export` wants it.

MODEL is a name from `skerry models`, a GGUF file, or a Hugging Face folder; profiles go by name.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from skerry.edge.engines.models import ModelSpec, catalogue, is_path
from skerry.edge.folders import expanded

if TYPE_CHECKING:
    from skerry.device_profiles import Profile
    from skerry.edge.settings import Settings
    from skerry.export.exporter import Exporter, Kind
    from skerry.export.planning import Subject

ALL = "all"


def find_subject(wanted: str, settings: Settings) -> Subject:
    """The model to export.

    Raises:
        ModelNotFound: there is no such name or path.
        ModelInvalid, SourceRefused: it is no model that can be exported.
    """
    from skerry.edge.errors import ModelNotFound
    from skerry.export.planning import read_folder

    path = expanded(Path(wanted))
    if path.is_dir():
        return read_folder(path)
    if is_path(wanted) and not path.exists():
        raise ModelNotFound(f"there is no model at '{path}'", hint="check the path")
    return _gguf_subject(catalogue(settings.models_dir).find(wanted))


def find_profiles(names: tuple[str, ...], settings: Settings) -> list[Profile]:
    """The device profiles of those names, each once; all of them for `all` or no name."""
    from skerry.device_profiles import find_profile, load_profiles

    known = load_profiles(settings.profiles_dir)
    wanted = [one.strip() for name in names for one in name.split(",") if one.strip()]
    if not wanted or ALL in wanted:
        return list(known)
    return [find_profile(name, known) for name in dict.fromkeys(wanted)]


def exporters(kind: Kind) -> list[Exporter]:
    """Every exporter of models of this kind; none of their tools is imported."""
    from skerry.export.formats import registry

    every = registry.keys()
    return [registry.find(made, of) for made, of in every if of is kind]


def _gguf_subject(spec: ModelSpec) -> Subject:
    from skerry.edge.engines.llama.files import check_model, read_gguf, read_header
    from skerry.export.errors import SourceRefused
    from skerry.export.exporter import Kind
    from skerry.export.planning import Subject

    if spec.engine != "llama":
        what = (
            f"'{spec.path}' is what an export made for the engine {spec.engine}, no source of one"
        )
        raise SourceRefused(what, hint="give a GGUF file, or a Hugging Face folder")
    header = read_header(spec.path)
    check_model(header)
    forward = header.metadata.get(f"{header.architecture}.feed_forward_length", 0)
    layers = forward if isinstance(forward, tuple) else (forward,)
    template = header.metadata.get("tokenizer.chat_template", "")
    return Subject(
        name=spec.name,
        path=spec.path,
        format="gguf",
        kind=Kind.LLM,
        architecture=header.architecture,
        licence=spec.licence or header.licence or "unknown",
        size=sum(tensor.size_bytes for tensor in read_gguf(spec.path).tensors),
        parameters=header.parameters,
        kv_values=header.kv_values,
        embedding=header.embedding,
        feed_forward=max(int(layer) for layer in layers),
        vocabulary=header.vocabulary,
        context_tokens=header.context_tokens,
        chat_template=template if isinstance(template, str) else "",
    )
