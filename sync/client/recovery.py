"""What is done first, always: whatever was stopped is finished or undone, and damage is healed.

After `recover`, `current` names a bundle that is whole by its names and sizes (by every byte, where
that was asked for), if the device has one at all.
"""

from __future__ import annotations

from collections.abc import Callable

from skerry.bundles import BundleError, read_bundle
from skerry.sync.client import journal as journal_file
from skerry.sync.client.device import Device
from skerry.sync.client.journal import Installed, Journal, Phase
from skerry.sync.client.pointer import SLOTS
from skerry.sync.client.state import State
from skerry.sync.durable import make_folder, remove_tree


def recover(device: Device, clock: Callable[[], float], *, verify: bool = False) -> State:
    """The state of a device, mended.

    Raises:
        OSError: the disk cannot be written.
    """
    for folder in (device.slots, device.incoming, device.metadata):
        make_folder(folder)
    found = journal_file.read(device.journal)
    state = State(device, found or Journal(), clock)
    if found is None:
        state.write(_from_slots(state))
    _finish(state, clock)
    if verify:
        _heal(state)
    _ensure_current(state)
    for slot in SLOTS:
        remove_tree(device.slots / f".{slot}")
    return state


def finish_revert(state: State) -> bool:
    """Goes back to the slot before, when that is whole; whether it was."""
    journal = state.journal
    target = journal.slots.get(journal.previous)
    back = target is not None and state.slots.sound(journal.previous, target.digest)
    if back:
        state.slots.switch(journal.previous)
    if journal.offer is not None:
        state.uses.forget(journal.offer.digest)
    state.write(journal.changed(phase=Phase.IDLE, offer=None, until=0.0, tries=0))
    return back


def _finish(state: State, clock: Callable[[], float]) -> None:
    """Finishes or undoes the step that the journal names."""
    journal = state.journal
    if journal.phase is Phase.REVERTING:
        finish_revert(state)
    elif journal.phase is Phase.SWITCHING and _switched(state):
        assert journal.offer is not None, "an offer is under way"
        state.on_probation(clock() + journal.offer.probation_s)
    elif journal.phase is Phase.PROBATION and not _switched(state):
        state.enter(Phase.IDLE, offer=None, until=0.0)  # somebody put the link back
    else:
        state.stopped()  # what came so far lies in `incoming`, and the next try goes on


def _switched(state: State) -> bool:
    return state.slots.current() == state.journal.slot


def _heal(state: State) -> None:
    """Reads every byte of the slots; a damaged one is given up, and its content fetched again."""
    slots = dict(state.journal.slots)
    for slot, installed in state.journal.slots.items():
        wrong = state.slots.faults(slot, installed.digest)
        if wrong:
            bundle = state.slots.bundle(slot)
            if bundle is not None:
                state.drop_content(bundle.manifest, wrong)
            del slots[slot]
    if slots != state.journal.slots:
        state.write(state.journal.changed(slots=slots))


def _ensure_current(state: State) -> None:
    """Makes `current` name a slot that has a bundle, when there is one."""
    slot = state.slots.current()
    if slot in state.journal.slots and state.slots.bundle(slot or "") is not None:
        return
    slots = {name: one for name, one in state.journal.slots.items() if name != slot}
    for name, one in slots.items():
        if state.slots.sound(name, one.digest):
            state.slots.switch(name)
            break
    if slots != state.journal.slots or state.journal.phase is Phase.PROBATION:
        state.write(state.journal.changed(phase=Phase.IDLE, offer=None, until=0.0, slots=slots))


def _from_slots(state: State) -> Journal:
    """A journal of what lies in the slots. What was refused, and reports, are lost with the old."""
    slots = {}
    for slot in SLOTS:
        try:
            digest = read_bundle(state.slots.folder(slot)).digest
        except (BundleError, OSError):
            continue
        if state.slots.sound(slot, digest):
            slots[slot] = Installed(digest=digest)
    return Journal(slots=slots)
