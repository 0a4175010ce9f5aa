"""What runs inside vLLM: a scheduler that looks at drafts, and routes that take them.

It uses private parts of vLLM, so it is for one version, `TESTED`, and refuses others.
"""

from __future__ import annotations

TESTED = "0.32.0"
PACKAGE = "skerry.cloud.engines.vllm.plugin"
SCHEDULER = f"{PACKAGE}.scheduler.HintScheduler"
PROPOSER = f"{PACKAGE}.proposer.NoProposer"
HEAR = "skerry_hear"
"""The method of vLLM's engine core that takes hints."""


def version_fault(found: str) -> str:
    """Why the plugin does not run in this version of vLLM; empty: it does."""
    if found.partition("+")[0] == TESTED:
        return ""
    return (
        f"Skerry's plugin is for vLLM {TESTED}, and this is {found}: install vllm=={TESTED}, "
        "or start it without the plugin (Skerry then verifies by a batch of prefixes)"
    )


def check_version() -> None:
    """Raises RuntimeError: this vLLM is another one."""
    from vllm import __version__

    if fault := version_fault(__version__):
        raise RuntimeError(fault)
