"""The DDI's JSON, as hawkBit 0.9 writes and reads it."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from skerry.sync.hawkbit.tar import Hashes

_Details = Annotated[
    list[Annotated[str, msgspec.Meta(max_length=512)]], msgspec.Meta(max_length=50)
]


class Finished(StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"
    NONE = "none"


class Execution(StrEnum):
    CLOSED = "closed"
    PROCEEDING = "proceeding"
    CANCELED = "canceled"
    SCHEDULED = "scheduled"
    REJECTED = "rejected"
    RESUMED = "resumed"
    DOWNLOADED = "downloaded"
    DOWNLOAD = "download"


class FeedbackResult(msgspec.Struct, frozen=True):
    finished: Finished


class Status(msgspec.Struct, frozen=True):
    execution: Execution
    result: FeedbackResult
    details: _Details | None = None


class Feedback(msgspec.Struct, frozen=True):
    """Body of a feedback; `id` and `time` are of older versions, and not looked at."""

    status: Status


class ConfigData(msgspec.Struct, frozen=True):
    """Body of `PUT configData`: attributes of the device."""

    data: Annotated[
        dict[
            Annotated[str, msgspec.Meta(max_length=128)],
            Annotated[str, msgspec.Meta(max_length=512)],
        ],
        msgspec.Meta(max_length=64),
    ]


def action_id(device: str, offer: str) -> int:
    """The number of an action: the same for the same offer to the same device, 48 bits."""
    return int.from_bytes(hashlib.sha256(f"{device}\0{offer}".encode()).digest()[:6])


def sleep(seconds: float) -> str:
    """`HH:MM:SS`, at most a day."""
    whole = min(86_399, max(1, round(seconds)))
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def polled(base: str, poll_s: float, action: int | None, stops: int | None) -> dict[str, Any]:
    """Answer to a poll: `action` is a deployment to take, `stops` one to give up."""
    links = {"configData": {"href": f"{base}/configData"}}
    if stops is not None:
        links["cancelAction"] = {"href": f"{base}/cancelAction/{stops}"}
    elif action is not None:
        links["deploymentBase"] = {"href": f"{base}/deploymentBase/{action}"}
    return {"config": {"polling": {"sleep": sleep(poll_s)}}, "_links": links}


def deployment(
    base: str, action: int, *, name: str, version: str, filename: str, hashes: Hashes, key: str
) -> dict[str, Any]:
    """Answer to `deploymentBase`: one chunk with one artifact."""
    href = f"{base}/softwaremodules/{key}/artifacts/{filename}"
    links = {
        "download": {"href": href},
        "download-http": {"href": href},
        "md5sum": {"href": f"{href}.MD5SUM"},
        "md5sum-http": {"href": f"{href}.MD5SUM"},
    }
    artifact = {
        "filename": filename,
        "hashes": {"sha1": hashes.sha1, "md5": hashes.md5, "sha256": hashes.sha256},
        "size": hashes.size,
        "_links": links,
    }
    chunk = {"part": "bApp", "version": version, "name": name, "artifacts": [artifact]}
    return {
        "id": str(action),
        "deployment": {"download": "forced", "update": "forced", "chunks": [chunk]},
    }
