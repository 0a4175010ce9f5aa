"""Checks of Skerry's own parts: encoder, index, state, policy, models' engine, cloud.

Each part's own reader does the checking, so that the doctor and the runtime cannot disagree.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from skerry.edge.doctor.report import Check, Status

if TYPE_CHECKING:
    from skerry.edge.settings import Settings

_CHECK_LIMIT_S = 5.0
_LOCK_LIMIT_S = 1.0
_STEPS_BETWEEN_LOOKS = 10_000
_CLOUD_LIMIT_S = 5.0


def check_encoder(settings: Settings) -> Check:
    from skerry.edge.bundled import take_bundle
    from skerry.edge.encoder.files import DEFAULT_FOLDER, read_manifest

    bundled = take_bundle(settings)
    place = bundled.encoder if bundled else None
    folder, digest = (place.folder, place.sha256) if place else (DEFAULT_FOLDER, None)
    manifest = read_manifest(folder, sha256=digest)
    manifest.check()
    return Check("encoder", Status.OK, f"{manifest.id}: every digest is right")


def check_guardrails(settings: Settings) -> Check:
    """Loads each small model: of the guardrails, which have digests, router and confidence."""
    from skerry.edge import making
    from skerry.edge.bundled import take_bundle
    from skerry.edge.confidence.model import QUOTED, WEIGHTS, ConfidenceModel
    from skerry.guardrails.networks import fresh

    bundled = take_bundle(settings)
    networks = fresh(bundled.network_places if bundled else {})
    for load in (networks.table, networks.injection, networks.safety, networks.names):
        load()
    making.grounding(1, bundled)
    making.router(bundled)
    for weights in (WEIGHTS, QUOTED):
        ConfidenceModel.load(weights)
    return Check("guardrails", Status.OK, "every model loads, and every digest is right")


def check_policy(settings: Settings) -> Check:
    from skerry.edge import making
    from skerry.edge.bundled import take_bundle

    bundled = take_bundle(settings)
    policy = making.policy(settings, bundled)
    source = settings.policy or ("the bundle's policy" if bundled else "the default policy")
    return Check("policy", Status.OK, f"{source}, version {policy.version}")


def check_index(settings: Settings) -> Check:
    """Integrity first, then what opening it says: encoder, version, whose file it is."""
    from skerry.edge import making
    from skerry.edge.bundled import take_bundle
    from skerry.edge.index.database import faults

    if not _has_content(settings.index):
        hint = "add documents with `skerry index add PATH`"
        return Check("index", Status.OK, f"none yet at '{settings.index}'", hint)
    with faults(settings.index):
        sound = _integrity(settings.index)
    if sound[0] is Status.OK:
        bundled = take_bundle(settings)
        with closing(making.index(settings, making.encoder(1, bundled), bundled, read_only=True)):
            pass
    return Check("index", *sound)


def check_state(settings: Settings) -> Check:
    """Integrity first, then what opening it would say: whose file it is, and of which version."""
    from skerry.edge.receipts.tables import RECEIPTS
    from skerry.edge.review.schema import REVIEWS
    from skerry.edge.session.schema import SESSIONS
    from skerry.edge.state import check_file, state_faults

    if not _has_content(settings.state):
        return Check("state", Status.OK, f"none yet at '{settings.state}'")
    with state_faults(str(settings.state)):
        sound = _integrity(settings.state)
    if sound[0] is Status.OK:
        check_file(settings.state, (RECEIPTS, SESSIONS, REVIEWS))
    return Check("state", *sound)


def _has_content(path: Path) -> bool:
    """Whether something is there that is not an empty file, which opening takes for a new one."""
    return path.exists() and not (path.is_file() and path.stat().st_size == 0)


def _integrity(path: Path) -> tuple[Status, str, str]:
    """Status, detail and hint of SQLite's quick check, within a time limit.

    Raises:
        sqlite3.Error: the file is locked, damaged beyond opening, or not SQLite's.
    """
    if not path.is_file():  # a named pipe would be waited for
        return Status.FAIL, f"'{path}' is no ordinary file", "name another in the settings"
    deadline = time.monotonic() + _CHECK_LIMIT_S
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=_LOCK_LIMIT_S)) as connection:
        connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_LOOKS)
        try:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_INTERRUPT:
                raise
            detail = f"'{path}' opens; too large to be checked in {_CHECK_LIMIT_S:g} s"
            return Status.OK, detail, ""
    if found != "ok":
        hint = "restore a copy, or build it again"
        return Status.FAIL, f"'{path}' is damaged: {found}", hint
    return Status.OK, f"'{path}', {path.stat().st_size / (1 << 20):.1f} MB, sound", ""


def check_llama(_: Settings) -> Check:
    import llama_cpp

    llama_cpp.llama_backend_init()
    features = llama_cpp.llama_print_system_info().decode(errors="replace").strip()
    return Check("llama.cpp", Status.OK, f"{llama_cpp.__version__}: {features}")


def check_cloud(settings: Settings) -> Check:
    """Asks the cloud only if one is configured and Skerry is not offline."""
    if settings.cloud_url is None:
        left = "" if settings.split_url else ": nothing can leave this device"
        return Check("cloud", Status.OK, f"none is configured{left}")
    if settings.offline:
        return Check("cloud", Status.OK, "offline: not asked")
    from skerry.edge.escalate import CloudTier
    from skerry.edge.parts import Parts

    with closing(Parts(settings)) as runtime:
        tier = runtime.cloud
        if not isinstance(tier, CloudTier):
            return Check("cloud", Status.OK, "it cannot be asked whether it answers")
        probe = tier.probe(_CLOUD_LIMIT_S)
    if not probe.ok:
        return Check("cloud", Status.FAIL, probe.problem, probe.hint)
    return Check("cloud", Status.OK, f"{probe.destination} answers in {probe.latency_ms:.0f} ms")
