"""The check of split inference: the cloud that verifies, and what drafts here."""

from __future__ import annotations

from dataclasses import replace

from skerry.edge import making
from skerry.edge.doctor.report import Check, Status
from skerry.edge.errors import EdgeError
from skerry.edge.settings import Settings

_NAME = "split"
_LIMIT_S = 3.0


def check_split(settings: Settings) -> Check:
    """Asks the cloud tier only if one is configured and Skerry is not offline. No text is sent."""
    if settings.split_url is None:
        return Check(_NAME, Status.OK, "none is configured: no cloud verifies drafts")
    path, _ = making.draft_model(settings)
    if path is not None and not path.is_file():
        hint = "set split_draft to a GGUF file, to auto or to off"
        return Check(_NAME, Status.FAIL, f"there is no draft model '{path}'", hint)
    drafts = "drafts are copied" if path is None else f"{path.name} drafts"
    if settings.offline:
        return Check(_NAME, Status.OK, f"offline: not asked; {drafts}")
    from skerry.edge.split.bench import round_trip_ms
    from skerry.edge.split.kinship import why_streamed

    try:
        options = replace(making.split_options(settings), connect_s=_LIMIT_S)
        took = round_trip_ms(options)
        vocabulary = _vocabulary(settings)
        why = why_streamed(options, vocabulary, deadline_s=_LIMIT_S) if vocabulary else ""
    except EdgeError as error:
        return Check(_NAME, Status.FAIL, error.what, error.hint)
    if why:
        drafts = f"its answers are streamed and nothing is drafted, for {why}"
    return Check(_NAME, Status.OK, f"{options.destination} answers in {took:.0f} ms; {drafts}")


def _vocabulary(settings: Settings) -> bytes:
    """The digest of the device's tokens; empty where its model, which is checked apart, tells none
    of them."""
    from skerry.cloud.engines.llama.native import Model
    from skerry.cloud.errors import TargetError
    from skerry.edge.engines.models import catalogue

    try:
        path = catalogue(settings.models_dir).find(settings.model).path
        model = Model(path, vocabulary_only=True)
    except (EdgeError, TargetError):
        return b""
    try:
        return model.vocabulary()
    finally:
        model.close()
