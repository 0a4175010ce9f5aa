"""What a draft would change, in lines that a person reads before signing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp

from skerry.sync.repository.repository import Repository
from skerry.sync.repository.roles import kind_of


def review(repository: Repository) -> list[str]:
    """All drafts of a repository against what is signed."""
    lines: list[str] = []
    for role in repository.roles.drafted():
        draft = repository.roles.draft(role)
        assert draft is not None, "it was listed"
        lines += describe(role, draft, repository.roles.current(role, kind_of(role)))
        missing = repository.missing(role)
        lines.append(f"  needs {missing} more signatures" if missing else "  has its signatures")
    return lines


def describe(role: str, draft: Metadata[Any], before: Metadata[Any] | None) -> list[str]:
    """One draft against the version before it."""
    signed, old = draft.signed, before.signed if before else None
    head = f"{role}: version {signed.version}, good until {signed.expires:%Y-%m-%d}"
    if isinstance(signed, Root):
        return [head, *_root(signed, old if isinstance(old, Root) else None)]
    if isinstance(signed, Targets):
        return [head, *_targets(signed, old if isinstance(old, Targets) else None)]
    if isinstance(signed, Snapshot):
        return [head, *(f"  {name} {meta.version}" for name, meta in sorted(signed.meta.items()))]
    assert isinstance(signed, Timestamp)
    return [head, f"  snapshot.json {signed.snapshot_meta.version}"]


def _root(new: Root, old: Root | None) -> Iterator[str]:
    for name, role in new.roles.items():
        before = old.roles[name] if old else None
        yield from _keys(name, role.keyids, before.keyids if before else [])
        if before is None or before.threshold != role.threshold:
            yield f"  {name}: {role.threshold} of {len(role.keyids)} keys must sign"


def _targets(new: Targets, old: Targets | None) -> Iterator[str]:
    now, then = new.delegations, old.delegations if old else None
    roles, before = (one.roles or {} if one else {} for one in (now, then))
    for name in sorted(roles.keys() | before.keys()):
        if name not in roles:
            yield f"  role '{name}' is taken away"
            continue
        was = before[name].keyids if name in before else []
        yield from _keys(name, roles[name].keyids, was)
        if name not in before or roles[name].to_dict() != before[name].to_dict():
            paths = ", ".join(roles[name].paths or [])
            yield f"  role '{name}' ({roles[name].threshold} must sign) for {paths}"
    yield from _files(new.targets, old.targets if old else {})


def _keys(role: str, now: list[str], before: list[str]) -> Iterator[str]:
    yield from (f"  {role}: new key {one}" for one in now if one not in before)
    yield from (f"  {role}: key {one} is revoked" for one in before if one not in now)


def _files(now: dict[str, TargetFile], before: dict[str, TargetFile]) -> Iterator[str]:
    for path in sorted(now.keys() | before.keys()):
        if path not in now:
            yield f"  - {path}"
        elif path not in before or now[path] != before[path]:
            file = now[path]
            sign = "+" if path not in before else "~"
            yield f"  {sign} {path}  sha256 {file.hashes['sha256']}"
            custom = file.custom if isinstance(file.custom, dict) else {}
            yield from (f"      {name}: {value}" for name, value in sorted(custom.items()))
