"""Makes every check, each apart from the others, and says what fits.

A new check is one row of `CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from skerry.device_profiles import ProfileError
from skerry.edge.doctor import parts, sharing, surroundings
from skerry.edge.doctor.bundle import check_bundle, with_bundle
from skerry.edge.doctor.collections import check_collections
from skerry.edge.doctor.device import check_profile, look
from skerry.edge.doctor.models import check_model, fit_models
from skerry.edge.doctor.report import Check, Report, Status
from skerry.edge.errors import EdgeError
from skerry.guardrails.errors import GuardrailError

if TYPE_CHECKING:
    from skerry.edge.settings import Settings

Result = TypeVar("Result")

CHECKS: dict[str, Callable[[Settings], Check]] = {
    "python": surroundings.check_python,
    "sqlite": surroundings.check_sqlite,
    "settings": surroundings.check_settings,
    "folders": surroundings.check_folders,
    "disk": surroundings.check_disk,
    "clock": surroundings.check_clock,
    "device": surroundings.check_device,
    "profile": check_profile,
    "llama.cpp": parts.check_llama,
    "bundle": check_bundle,
    "model": lambda settings: check_model(with_bundle(settings)),
    "encoder": parts.check_encoder,
    "guardrails": parts.check_guardrails,
    "index": parts.check_index,
    "state": parts.check_state,
    "policy": parts.check_policy,
    "cloud": parts.check_cloud,
    "split": sharing.check_split,
    "collections": check_collections,
    "port": surroundings.check_port,
}


def examine(settings: Settings) -> Report:
    """Checks everything that Skerry stands on. Raises nothing; takes a few seconds.

    Sends nothing, but asks the cloud for its list of models, the gateway for that of its
    collections, and pings the cloud tier that verifies drafts, where they are configured and
    `settings.offline` is not set.
    """
    checks = tuple(_make(name, check, settings) for name, check in CHECKS.items())
    device = _attempt(lambda: look(settings))
    if isinstance(device, Exception):  # the check of the profile says why
        return Report(checks, None, None, ())
    models = _attempt(lambda: fit_models(with_bundle(settings), device))
    if isinstance(models, Exception):
        checks, models = (*checks, _failed("fit", models)), ()
    return Report(checks, device.machine, device.picked.profile, models)


def _make(name: str, check: Callable[[Settings], Check], settings: Settings) -> Check:
    result = _attempt(lambda: check(settings))
    return _failed(name, result) if isinstance(result, Exception) else result


def _failed(name: str, fault: Exception) -> Check:
    if isinstance(fault, EdgeError | GuardrailError | ProfileError):
        return Check(name, Status.FAIL, fault.what, fault.hint)
    hint = "this is a fault of Skerry's or of the installation: report it"
    return Check(name, Status.FAIL, f"{type(fault).__name__}: {fault}", hint)


def _attempt(work: Callable[[], Result]) -> Result | Exception:
    try:
        return work()
    except Exception as fault:  # noqa: BLE001  whatever fails is shown, and must not hide the rest
        return fault
