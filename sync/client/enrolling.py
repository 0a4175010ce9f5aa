"""Makes a device: the root that it trusts from now on, and where it takes updates from."""

from __future__ import annotations

import uuid
from pathlib import Path

from skerry.sync.client.device import Device, Enrolment
from skerry.sync.client.source import Source, open_source
from skerry.sync.client.trust import Latest, Trust
from skerry.sync.errors import DeviceFault

MAX_ROOT_BYTES = 512_000


def enroll(
    folder: Path, enrolment: Enrolment, root: bytes, *, source: Source | None = None
) -> Latest | None:
    """Enrols the device in `folder`, or gives it another source or channel; bundles stay.

    Args:
        folder: of the device; made where it is not there.
        enrolment: where updates come from.
        root: the operator's `root.json`, which came by a way that is trusted.
        source: where to look; None takes that of the enrolment.

    Returns:
        What the channel has now.

    Raises:
        Untrusted: the root is none, or the source is not signed by it. Nothing was changed.
        SourceFault: the source cannot be reached. Nothing was changed.
        DeviceFault: the folder cannot be used, or trusts another root.
    """
    device = Device(folder.resolve())
    if len(root) > MAX_ROOT_BYTES:
        raise DeviceFault("the file given as the root of trust is too large to be one")
    if device.enrolled and device.trusted_root() != root:
        what = f"the device '{folder}' trusts another root already"
        raise DeviceFault(what, hint="enrol in another folder; the operator rotates keys otherwise")
    trial = device.folder / "trust" / f"trial-{uuid.uuid4().hex[:8]}"
    found = _try_source(trial, root, source or open_source(enrolment.source), enrolment)
    device.enrol(enrolment, root)
    return found


def _try_source(folder: Path, root: bytes, source: Source, enrolment: Enrolment) -> Latest | None:
    import shutil

    try:
        trust = Trust(folder, root, source)
        trust.refresh()
        return trust.latest(enrolment.channel, enrolment.bundle)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_id() -> str:
    """A name for a device that has none."""
    return uuid.uuid4().hex
