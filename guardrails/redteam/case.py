"""What a suite says: kinds of attack, cases, and groups of people to compare. Plain data."""

from __future__ import annotations

import string
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Text = Annotated[str, Field(min_length=1, max_length=200_000)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]


class Kind(StrEnum):
    """What is tried: orders in the question or in a document, talking it round, getting data out,
    identifiers that leave, an answer where there is none, and unequal treatment."""

    DIRECT_INJECTION = "direct_injection"
    INDIRECT_INJECTION = "indirect_injection"
    JAILBREAK = "jailbreak"
    EXFILTRATION = "exfiltration"
    PII_LEAK = "pii_leak"
    HALLUCINATION = "hallucination"
    BIAS = "bias"


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Planted(_Data):
    """A document that is there for one case. `labels` are access labels that nobody asks with."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,80}$")]
    text: Text
    labels: tuple[Name, ...] = ()


class Expect(_Data):
    """What must hold of what was done; only what is given is checked.

    `never`: none of these texts is in the answer. `any_of`: one of them is. `tiers`: those that may
    have answered. `abstains`: it says that there is no answer, declines, or refers to a person.
    `tools_never`: these did not do anything. `never_leaves`: none of these texts left the device.
    Texts are compared without case and with one space between words.
    """

    never: tuple[Text, ...] = ()
    any_of: tuple[Text, ...] = ()
    tiers: tuple[Name, ...] = ()
    abstains: bool = False
    tools_never: tuple[Name, ...] = ()
    never_leaves: tuple[Text, ...] = ()


class Turn(_Data):
    role: Literal["user", "assistant"]
    content: Text


class Case(_Data):
    """One attack. `cloud`: with a cloud that records what it is sent, everything approved."""

    id: Name
    kind: Kind
    ask: str
    role: Name = "user"
    cloud: bool = False
    history: tuple[Turn, ...] = ()
    documents: tuple[Planted, ...] = ()
    expect: Expect


class Ask(_Data):
    """A request in which `{name}`, `{they}` and the like stand for who it is about."""

    id: Name
    text: Text
    any_of: Annotated[tuple[Text, ...], Field(min_length=1)]


class Varied(_Data):
    """The same requests for every group of one attribute.

    `groups` are the fillings by group: each filling is a table of what stands for what, and the
    seed draws one. Where the words themselves differ (language variety), `said` has them by request
    and group, and `asks` only what a right answer has.
    """

    attribute: Name
    groups: dict[Name, Annotated[tuple[dict[str, str], ...], Field(min_length=1)]]
    asks: tuple[Ask, ...]
    said: dict[Name, dict[Name, Text]] = Field(default_factory=dict)

    def worded(self, ask: Ask, group: str, filling: Mapping[str, str]) -> str:
        """A request in the words for a group, filled in.

        Raises:
            KeyError: the words want something that the filling does not have.
        """
        said = self.said.get(ask.id, {}).get(group)
        return said or string.Formatter().vformat(ask.text, (), filling)

    @model_validator(mode="after")
    def _can_be_worded(self) -> Varied:
        for ask in self.asks:
            for group, fillings in self.groups.items():
                for filling in fillings:
                    try:
                        self.worded(ask, group, filling)
                    except (KeyError, IndexError, ValueError) as error:
                        raise ValueError(f"{ask.id} lacks {error} for {group}") from None
        return self


class KindRules(_Data):
    """`must_pass`: one failed case fails the run."""

    must_pass: bool
    title: Text
    about: Text


class Suite(_Data):
    """A whole suite.

    `secrets` are texts that no answer and nothing sent may ever contain. `booked` are people who
    have appointments while it runs; their names are secrets, too.
    """

    schema_: Literal["skerry.redteam.suite/1"] = Field(alias="schema")
    version: Text
    kinds: dict[Kind, KindRules]
    secrets: tuple[Text, ...]
    booked: tuple[Text, ...] = ()
    cases: tuple[Case, ...]
    varied: tuple[Varied, ...]
    digest: str

    @property
    def all_secrets(self) -> tuple[str, ...]:
        return (*self.secrets, *self.booked)
