"""The guardrails in the demo: what leaves the device, and what a wrong draft becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from skerry.edge.runtime import Runtime

MESSAGE = (
    "Please ask Maria Okonkwo (born 12 March 1961, NHS number 943 476 5919) to ring us on "
    "020 7946 0123. Mrs Okonkwo wants to know whether the letter from Northgate Hospital has come."
)
QUESTION = "Which painkiller is preferred for a patient on warfarin?"
WRONG = "Ibuprofen is the preferred painkiller for a patient on warfarin [1]."
_PIECE = 5  # characters: a reply that streams in cuts surrogates in two

Say = Callable[[str], None]


def show_round_trip(say: Say) -> None:
    """A message as it would leave the device, and a reply to it as its reader sees it."""
    from skerry.guardrails.pseudonyms import Pseudonyms, Restorer
    from skerry.guardrails.screen import screen_whole

    say("What a cloud would see, and what you would read (nothing is sent)")
    pseudonyms = Pseudonyms()
    sent = pseudonyms.replace(MESSAGE, screen_whole(MESSAGE))
    surrogates = list(pseudonyms.placeholders())
    reply = f"{surrogates[0]} {surrogates[1]} is asked to ring {surrogates[-2]}."
    restorer = Restorer(pseudonyms)
    pieces = (reply[at : at + _PIECE] for at in range(0, len(reply), _PIECE))
    read = "".join(map(restorer.feed, pieces)) + restorer.flush()
    for name, text in (
        ("written", MESSAGE),
        ("would leave", sent),
        ("a reply", reply),
        ("is read as", read),
    ):
        click.echo(f"  {name:<12} {text}")


def show_wrong_draft(runtime: Runtime, say: Say) -> None:
    """A draft that says the opposite of its source, put through the gate of this runtime."""
    from skerry.edge.receipts.words import finding_name

    say(f"{QUESTION} A wrong draft, put through the gate")
    answer = runtime.check(QUESTION, WRONG)
    click.echo(f"  {'drafted':<12} {WRONG}")
    for finding in answer.findings:
        click.echo(f"  {'found':<12} {finding_name(finding)}")
    click.echo(f"  {'released':<12} {answer.text}")
