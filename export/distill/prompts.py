"""What the teacher is asked, so that it writes the text that the student learns from.

Templates of our own, prompts that the teacher makes up itself (Xu et al. 2024, arXiv:2406.08464),
and texts of public sets where their folder is given. Each prompt is of a family; acceptance is
measured by family.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TypeVar

from skerry.export.distill.sources import Passage, Sources

Message = Mapping[str, str]
T = TypeVar("T")

GROUNDED = (
    "You answer questions from the numbered sources below, and from nothing else. "
    "Answer in one to three short sentences. After each sentence put the number of its source "
    "in brackets, like [1]. If the sources do not hold the answer, say: "
    "The documents do not say."
)
"""The instructions of a device that answers from documents."""
_PLAIN = ("", "", "You are a helpful assistant. Answer briefly and plainly.")
_MADE_UP = {
    "chat": ("", "", "", "How", "What", "Can you", "I ", "Write", "Explain", "Give me"),
    "code": ("Write a Python", "Write a function", "How do I write code", "Implement"),
    "reasoning": ("If ", "A train", "A shop sells", "Solve"),
}


@dataclass(frozen=True, slots=True)
class Prompt:
    """`messages` to answer. With `starts` the teacher first writes the last one itself, from these
    words on."""

    family: str
    messages: tuple[Message, ...]
    starts: str | None = None


def lines(name: str) -> list[str]:
    """The lines of one of the templates' files; `\\n` in them is a line's end."""
    text = files(__package__).joinpath("texts", f"{name}.txt").read_text("utf-8")
    return [line.replace("\\n", "\n") for line in text.splitlines() if line]


class Prompts:
    """An endless, seeded stream of prompts."""

    def __init__(self, sources: Sources, *, seed: int) -> None:
        self._sources, self._random = sources, random.Random(seed)
        makers: list[tuple[int, Callable[[], Prompt]]] = [
            (22, self._made_up("chat")),
            (10, self._chat),
            (10, self._code),
            (8, self._made_up("code")),
            (3, self._made_up("reasoning")),
        ]
        if sources.passages:
            makers += [(17, self._grounded), (5, self._question), (17, self._summary)]
        if sources.messages:
            makers += [(6, self._message)]
        self._weights, self._makers = zip(*makers, strict=True)

    def __iter__(self) -> Iterator[Prompt]:
        while True:
            (maker,) = self._random.choices(self._makers, self._weights)
            yield maker()

    def _made_up(self, family: str) -> Callable[[], Prompt]:
        def make() -> Prompt:
            return Prompt(family, self._asked(""), self._one(_MADE_UP[family]))

        return make

    def _chat(self) -> Prompt:
        text = self._one(lines("forms")).format(topic=self._one(lines("topics")))
        return Prompt("chat", self._asked(text))

    def _message(self) -> Prompt:
        return Prompt("chat", self._asked(self._one(self._sources.messages)))

    def _code(self) -> Prompt:
        text = self._one(lines("code_forms")).format(task=self._one(lines("tasks")))
        return Prompt("code", self._asked(text))

    def _summary(self) -> Prompt:
        text = self._one(lines("summary_forms")).format(text=self._passage().text)
        return Prompt("summary", self._asked(text))

    def _question(self) -> Prompt:
        passage = self._passage(asked=True)
        form = self._one(lines("question_forms"))
        text = form.format(text=passage.text, question=passage.question)
        return Prompt("grounded", self._asked(text))

    def _grounded(self) -> Prompt:
        """Numbered sources and a question, as a device puts them."""
        passage = self._passage(asked=True)
        others = [self._passage() for _ in range(self._random.choice((0, 0, 1, 1, 2)))]
        shown = self._random.sample([passage, *others], 1 + len(others))
        sources = (
            f"[{mark}] {one.title} (version {self._random.randint(1, 4)}, "
            f"20{self._random.randint(18, 26)}-{self._random.randint(1, 12):02d}-01)\n{one.text}"
            for mark, one in enumerate(shown, 1)
        )
        system = {"role": "system", "content": "\n\n".join((GROUNDED, *sources))}
        return Prompt("grounded", (system, {"role": "user", "content": passage.question}))

    def _passage(self, *, asked: bool = False) -> Passage:
        chosen = self._one(self._sources.asked if asked else self._sources.passages)
        return chosen.cut(self._random.choice((60, 90, 120)))

    def _asked(self, text: str) -> tuple[Message, ...]:
        system = self._one(_PLAIN)
        before = ({"role": "system", "content": system},) if system else ()
        return (*before, {"role": "user", "content": text})

    def _one(self, among: Sequence[T]) -> T:
        return among[self._random.randrange(len(among))]
