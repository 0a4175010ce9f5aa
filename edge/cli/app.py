"""The command group: lazily imported commands, and one way for every error to end.

A new command is one row of `COMMANDS`.
"""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

import click

from skerry.edge.cli import ending
from skerry.edge.cli.errors import leave_at_once, report
from skerry.edge.cli.lazy import LazyGroup
from skerry.edge.cli.streams import prepare, styled

COMMANDS: dict[str, tuple[str, str]] = {
    "appointments": ("appointments:appointments", "Keep the appointment book of the tools."),
    "ask": ("ask:ask", "Ask one question."),
    "bundle": ("bundle:bundle", "Verify, show and compare bundles."),
    "chat": ("chat:chat", "Talk, keeping the conversation on this device."),
    "cloud": ("cloud:cloud", "Serve a larger model that verifies the drafts of devices."),
    "demo": ("demo:demo", "Index a small handbook and ask it a few questions."),
    "doctor": ("doctor:doctor", "Check this machine, and what fits on it."),
    "explain": ("receipts:explain", "Show why an answer was given where it was."),
    "export": ("export:export", "Make what devices run, from a trained model."),
    "guard": ("guard:guard", "Try the guardrails by themselves."),
    "index": ("index:index", "Manage the documents."),
    "models": ("models:models", "List, fetch and inspect models."),
    "policy": ("policy:policy", "Show or check the policy."),
    "receipts": ("receipts:receipts", "List the receipts of recent answers."),
    "redteam": ("redteam:redteam", "Attack the runtime, and report what worked."),
    "replay": ("receipts:replay", "Show what another policy would have done."),
    "review": ("review:review", "See what waits for a person; answer it; correct answers."),
    "route": ("route:route", "Decide only: where would this be answered, and why?"),
    "serve": ("serve:serve", "Serve the OpenAI API and the chat page on this machine."),
    "sessions": ("sessions:sessions", "List and delete conversations."),
    "split": ("split:split", "Measure split inference with a cloud tier."),
    "sync": ("sync:sync", "Publish updates, and take them on a device."),
    "tools": ("tools:tools", "List the tools, and who may run them."),
}


@click.group(
    cls=LazyGroup,
    rows=COMMANDS,
    context_settings={"auto_envvar_prefix": "SKERRY", "help_option_names": ["-h", "--help"]},
    epilog="Every option can be set by the environment variable that its help names. "
    'Shell completion: eval "$(_SKERRY_COMPLETE=bash_source skerry)" (or zsh_source, fish_source).',
)
@click.version_option(package_name="skerry", prog_name="skerry")
def app() -> None:
    """A device answers by itself, and reaches for the cloud only when policy allows it.

    \b
    Exit codes: 0 done, 1 a fault of Skerry's, 2 wrong usage or input, 3 settings,
    4 model, 5 index, document or state, 6 cloud, 7 policy, 8 guardrail, 130 interrupted,
    143 terminated.
    """
    click.get_current_context().color = styled()


def run() -> NoReturn:
    """Runs the command line and exits; no error ends in a traceback."""
    prepare()
    ending.watch()
    out = sys.stdout
    try:
        app(prog_name="skerry", standalone_mode=False)
    except SystemExit as done:
        # click puts another in its place when its reader has gone, such as `head`: no fault
        sys.exit(done.code if sys.stdout is out else 0)
    except (KeyboardInterrupt, click.exceptions.Abort) as error:
        # click makes an Abort of the one and of the other
        leave_at_once(ending.signal_of(error) or signal.SIGINT)
    except Exception as error:  # noqa: BLE001  the last stop: everything is reported here
        if number := ending.signal_of(error):
            leave_at_once(number)
        sys.exit(report(error))
    sys.exit(0)
