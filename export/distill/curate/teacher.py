"""Who is asked: a GGUF model here, or a model behind an OpenAI-compatible server.

One method, so that a test or another engine is a teacher, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from skerry.export.distill.curate.records import Asked, Message, Said
from skerry.export.distill.curate.trace import split_trace
from skerry.export.distill.errors import DistillError

_TIMEOUT_S = 300.0
_MOST_ANSWER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Written:
    """What a teacher wrote, with its trace in it; `finished` is False where it was cut off.

    `trace` is what a server gives apart from the text.
    """

    text: str
    finished: bool
    trace: str = ""


class Teacher(Protocol):
    """Answers one chat."""

    name: str

    def write(self, messages: Sequence[Message], *, most_tokens: int, seed: int) -> Written:
        """Raises DistillError: it cannot answer."""
        ...


def answers(
    teacher: Teacher, prompts: Iterable[Asked], *, most_tokens: int, seed: int
) -> Iterator[Said]:
    """What the teacher says to each prompt, one by one."""
    for place, asked in enumerate(prompts):
        made = teacher.write(asked.messages(), most_tokens=most_tokens, seed=seed + place)
        trace, answer, whole = split_trace(made.text)
        yield Said(asked, answer, made.trace or trace, made.finished and whole, teacher.name)


class LocalTeacher:
    """A GGUF chat model by llama.cpp, in this process.

    Raises:
        DistillError: llama.cpp cannot load it.
    """

    def __init__(self, path: Path, *, context_tokens: int = 4096) -> None:
        import llama_cpp

        try:
            self._model = llama_cpp.Llama(str(path), n_ctx=context_tokens, verbose=False)
        except (ValueError, RuntimeError) as error:
            raise DistillError(
                f"llama.cpp cannot load '{path}'", hint="give a GGUF model"
            ) from error
        self.name = path.stem

    def write(self, messages: Sequence[Message], *, most_tokens: int, seed: int) -> Written:
        try:
            chat: list[Any] = list(messages)
            made: Any = self._model.create_chat_completion(
                chat, max_tokens=most_tokens, temperature=0.0, seed=seed
            )
        except (ValueError, RuntimeError) as error:
            raise DistillError(f"the teacher cannot answer: {error}") from error
        choice = made["choices"][0]
        return Written(choice["message"]["content"] or "", choice["finish_reason"] == "stop")


class ServedTeacher(AbstractContextManager["ServedTeacher"]):
    """A model behind an OpenAI-compatible server, such as vLLM or llama-server."""

    def __init__(self, url: str, model: str, *, key: str = "") -> None:
        import httpx2

        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx2.Client(headers=headers, timeout=_TIMEOUT_S)
        self._url, self.name = f"{url.rstrip('/')}/chat/completions", model

    def write(self, messages: Sequence[Message], *, most_tokens: int, seed: int) -> Written:
        import httpx2

        wanted = {"model": self.name, "messages": list(messages), "max_tokens": most_tokens,
                  "temperature": 0.0, "seed": seed}  # fmt: skip
        try:
            answer = self._client.post(self._url, json=wanted)
            answer.raise_for_status()
            if len(answer.content) > _MOST_ANSWER_BYTES:
                raise ValueError("it says too much")
            choice = answer.json()["choices"][0]
            said = choice["message"]
            trace = said.get("reasoning_content") or said.get("reasoning") or ""
            return Written(said["content"] or "", choice["finish_reason"] == "stop", trace)
        except (httpx2.HTTPError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise DistillError(
                f"the teacher at {self._url} does not answer: {error}",
                hint="check --url, --model and the server; what was answered is kept",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
