"""Becomes the command: `python launch.py LIMITS COMMAND…`, where LIMITS is JSON.

A file that is run, not imported: it loads nothing, so that it is small and starts fast.
"""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    limits = json.loads(sys.argv[1])
    for group in limits["groups"]:
        with open(os.path.join(group, "cgroup.procs"), "w", encoding="ascii") as file:  # noqa: PTH118, PTH123
            file.write(str(os.getpid()))
    if limits["cores"] and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, limits["cores"])
    if limits["data_bytes"]:
        import resource

        most = limits["data_bytes"]
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606  what the caller asked for


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.stderr.write(f"skerry: {sys.argv[2]}: {error.strerror}\n")
        sys.exit(127)
