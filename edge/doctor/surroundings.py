"""Checks of what Skerry stands on: Python, SQLite, folders, disk, clock, port, device, network.

A check reads and changes nothing. One that cannot be made raises, which `examine` reports.
"""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.edge.device import device_state
from skerry.edge.doctor.report import Check, Status
from skerry.edge.settings import config_path, unknown_variables
from skerry.edge.types import Thermal

if TYPE_CHECKING:
    from skerry.edge.settings import Settings

MIB = 1 << 20
MIN_PYTHON = (3, 11)
MIN_SQLITE = (3, 33, 0)  # the index reads `sqlite_schema`, which is that old
DISK_WARN_MB = 1024
DISK_FAIL_MB = 100
MEMORY_WARN_MB = 512
_DAY_S = 86_400


def check_python(_: Settings) -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < MIN_PYTHON:  # an installer forced past requires-python
        hint = "install Python 3.11 or later"
        return Check("python", Status.FAIL, f"{found} is too old", hint)
    if sys.maxsize < 1 << 32:
        return Check("python", Status.WARN, f"{found}, 32 bit", "models beyond 2 GB will not load")
    return Check("python", Status.OK, f"{found} ({sys.executable})")


def check_sqlite(_: Settings) -> Check:
    found = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info < MIN_SQLITE:
        wanted = ".".join(map(str, MIN_SQLITE))
        what = f"{found} is too old"
        return Check("sqlite", Status.FAIL, what, f"use a Python with SQLite {wanted} or later")
    if not _has_fts5():
        hint = "use a Python whose SQLite has FTS5: the index splits text into words with it"
        return Check("sqlite", Status.FAIL, f"{found} without FTS5", hint)
    return Check("sqlite", Status.OK, f"{found} with FTS5")


def _has_fts5() -> bool:
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute("CREATE VIRTUAL TABLE words USING fts5(text)")
        except sqlite3.OperationalError:
            return False
    return True


def check_settings(_: Settings) -> Check:
    path = config_path()
    source = str(path) if path.exists() else f"no file of settings at {path}"
    wrong = unknown_variables()
    if not wrong:
        return Check("settings", Status.OK, source)
    names = ", ".join(one.name for one in wrong)
    meant = ", ".join(one.nearest for one in wrong)
    return Check("settings", Status.WARN, f"nothing reads {names}", f"did you mean {meant}?")


def check_folders(settings: Settings) -> Check:
    blocked = list(_blocked(settings))
    if not blocked:
        return Check("folders", Status.OK, "every folder of Skerry's can be written")
    hint = "change their permissions, or name other places in the settings"
    return Check("folders", Status.FAIL, "; ".join(blocked), hint)


def _blocked(settings: Settings) -> Iterator[str]:
    places = {
        "models_dir": settings.models_dir,
        "index": settings.index.parent,
        "state": settings.state.parent,
        "api_key_file": settings.api_key_file.parent,
    }
    for name, folder in places.items():
        there = _nearest_existing(folder)
        if not there.is_dir():
            yield f"{name}: '{there}' is no folder"
        elif not os.access(there, os.W_OK | os.X_OK):
            yield f"{name}: '{there}' cannot be written"


def _nearest_existing(folder: Path) -> Path:
    """`folder`, or the closest folder above it that is there already."""
    folder = folder.absolute()
    return next(place for place in (folder, *folder.parents) if place.exists())


def check_disk(settings: Settings) -> Check:
    folder = _nearest_existing(settings.index.parent)
    free_mb = shutil.disk_usage(folder).free // MIB
    detail = f"{free_mb} MB free for '{folder}'"
    if free_mb >= DISK_WARN_MB:
        return Check("disk", Status.OK, detail)
    status = Status.FAIL if free_mb < DISK_FAIL_MB else Status.WARN
    return Check("disk", status, detail, "free some space: an index grows with its documents")


def check_clock(_: Settings) -> Check:
    """Expiry and versions depend on the clock: it must not be before this file was installed."""
    installed = Path(__file__).stat().st_mtime
    now = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    if time.time() >= installed - _DAY_S:
        return Check("clock", Status.OK, now)
    hint = "set the clock: documents expire by it"
    return Check("clock", Status.FAIL, f"{now} is before Skerry was installed", hint)


def check_port(settings: Settings) -> Check:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    where = f"{settings.host}:{settings.port}"
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name == "posix":  # elsewhere it would take a port from another program
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            hint = "is `skerry serve` running? If not, set another port"
            return Check("port", Status.WARN, f"{where} cannot be used: {error.strerror}", hint)
    return Check("port", Status.OK, f"{where} is free")


def check_device(_: Settings) -> Check:
    state = device_state()
    battery = "" if state.battery_percent is None else f", battery {state.battery_percent:.0f} %"
    power = "" if state.on_power else ", off the mains"
    heat = state.thermal.word
    detail = f"{state.memory_free_mb} MB of memory free, heat {heat}{battery}{power}"
    if state.thermal >= Thermal.HOT:
        return Check("device", Status.WARN, detail, "let it cool: it answers slowly now")
    if state.memory_free_mb < MEMORY_WARN_MB:
        return Check("device", Status.WARN, detail, "close other programs")
    return Check("device", Status.OK, detail)
