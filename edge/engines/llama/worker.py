"""The one thread that owns a llama.cpp context and decodes all generations together.

Other threads only submit tasks and read their outboxes. Each turn of the loop admits what fits,
plans one batch of running streams and waiting prompts, decodes it, and hands every task its row.
"""

from __future__ import annotations

import atexit
import threading
import time
from array import array
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import NamedTuple

from skerry.bundles.llama.tokens import TokenArray
from skerry.edge.engines.base import FinishReason
from skerry.edge.engines.llama.native import NativeAdapter, NativeContext
from skerry.edge.engines.llama.plan import next_group, prefill_room, share
from skerry.edge.engines.llama.slots import Choice, SlotView, choose_slot
from skerry.edge.engines.llama.task import Instruments, Task
from skerry.edge.errors import EdgeError, ModelError

_CLOCKED_TOKENS = 8


@dataclass(slots=True)
class _Slot:
    """A sequence of the context, the tokens in its cache, and the task that runs on it."""

    index: int
    tokens: TokenArray = field(default_factory=lambda: array("i"))
    session: str | None = None
    adapter: str | None = None
    used: int = 0
    task: Task | None = None


class _Share(NamedTuple):
    """A slot's part of one batch: tokens that follow what its task has in the cache."""

    slot: _Slot
    task: Task
    tokens: TokenArray

    @property
    def wants_logits(self) -> bool:
        return len(self.tokens) >= self.task.waiting


class Worker:
    """Runs tasks on `parallel` sequences until it is closed; closes the context at the end."""

    def __init__(
        self,
        context: NativeContext,
        tools: Instruments,
        adapters: Mapping[str, NativeAdapter],
        *,
        parallel: int,
    ) -> None:
        self._context = context
        self._tools = tools
        self._adapters = adapters
        self._slots = [_Slot(index) for index in range(parallel)]
        self._queue: deque[Task] = deque()
        self._inbox: SimpleQueue[Task | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._admitted = 0
        self._adapter = ""
        """The adapter of the last decode; empty for none."""
        self._ms_per_token = 1.0
        self._thread = threading.Thread(target=self._run, name="skerry-llama", daemon=True)
        self._thread.start()

    def submit(self, task: Task) -> None:
        """Queues a task.

        Raises:
            ModelError: the worker is closed.
        """
        with self._gate:
            if self._closed:
                raise ModelError("the model was closed", hint="load it again")
            self._inbox.put(task)

    def close(self) -> None:
        """Ends every task as cancelled and waits for the thread. May be called twice."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._inbox.put(None)
        try:
            self._thread.join()
        except BaseException:  # after Ctrl-C: the process may not end while llama.cpp computes
            atexit.register(self._thread.join)
            raise

    def _run(self) -> None:
        try:
            while self._receive():
                self._turn()
            for task in self._drain():
                task.end(FinishReason.CANCELLED)
        finally:
            self._leave()

    def _leave(self) -> None:
        """Nobody waits for ever, even when this thread dies of a fault of its own."""
        with self._gate:
            self._closed = True
        self._context.close()
        for task in self._drain():
            task.fail(ModelError("the engine stopped unexpectedly", hint="load the model again"))

    def _drain(self) -> Iterator[Task]:
        """Takes away every task that has not ended."""
        for slot in self._slots:
            if slot.task is not None:
                yield self._release(slot)
        while self._queue:
            yield self._queue.popleft()
        while not self._inbox.empty():
            if (task := self._inbox.get()) is not None:
                yield task

    def _receive(self) -> bool:
        """Takes in what was submitted; waits only if there is nothing to do. False to leave."""
        idle = not self._queue and all(slot.task is None for slot in self._slots)
        while idle or not self._inbox.empty():
            task = self._inbox.get()
            if task is None:
                return False
            self._queue.append(task)
            idle = False
        return True

    def _turn(self) -> None:
        self._sweep()
        self._admit()
        active = [slot for slot in self._slots if slot.task is not None]
        if active:
            self._step(active)

    def _sweep(self) -> None:
        """Ends what was cancelled."""
        for slot in self._slots:
            if slot.task is not None and slot.task.cancelled:
                self._release(slot).end(FinishReason.CANCELLED)
        for task in [task for task in self._queue if task.cancelled]:
            self._queue.remove(task)
            task.end(FinishReason.CANCELLED)

    def _admit(self) -> None:
        """Gives free sequences to queued tasks, first come, first served."""
        while self._queue:
            task = self._queue[0]
            choice = choose_slot(
                task.prompt,
                self._views(),
                session=task.request.session,
                adapter=task.request.adapter,
            )
            if choice is None:
                return
            self._place(self._queue.popleft(), choice)

    def _views(self) -> list[SlotView]:
        return [
            SlotView(
                index=slot.index,
                tokens=slot.tokens,
                busy=slot.task is not None,
                session=slot.session,
                adapter=slot.adapter,
                idle=self._admitted - slot.used,
            )
            for slot in self._slots
        ]

    def _place(self, task: Task, choice: Choice) -> None:
        slot = self._slots[choice.slot]
        if choice.copy_from is None:
            kept = self._context.keep(slot.index, choice.reused)
        else:
            kept = self._context.copy(choice.copy_from, slot.index, choice.reused)
        reused = choice.reused if kept else 0
        self._admitted += 1
        slot.used = self._admitted
        slot.tokens = task.prompt[:reused]
        slot.session, slot.adapter = task.request.session, task.request.adapter
        slot.task = task
        task.admit(reused)

    def _step(self, active: list[_Slot]) -> None:
        """One decode: a token of every running stream, and what fits of waiting prompts."""
        chosen = self._of_one_adapter(active) if self._adapters else active
        tasks = [(slot, task) for slot in chosen if (task := slot.task)]
        shares = [
            _Share(slot, task, array("i", (task.next_token,)))
            for slot, task in tasks
            if not task.waiting
        ]
        if len(shares) < len(tasks):
            shares += self._prefills([pair for pair in tasks if pair[1].waiting], len(shares))
        self._decode(shares)

    def _of_one_adapter(self, active: list[_Slot]) -> list[_Slot]:
        """The slots whose adapter has its turn; it is applied to the context."""
        self._adapter = next_group(sorted({slot.adapter or "" for slot in active}), self._adapter)
        self._context.use_adapter(self._adapters.get(self._adapter))
        return [slot for slot in active if (slot.adapter or "") == self._adapter]

    def _prefills(self, prompts: list[tuple[_Slot, Task]], running: int) -> list[_Share]:
        """What of the waiting prompts goes into a batch beside `running` streams."""
        prompts.sort(key=lambda pair: pair[0].used)
        room = prefill_room(
            running, batch_tokens=self._context.batch_tokens, ms_per_token=self._ms_per_token
        )
        counts = share(room, [_next_stretch(task) for _, task in prompts])
        return [
            _Share(slot, task, task.prompt[task.fed : task.fed + count])
            for (slot, task), count in zip(prompts, counts, strict=True)
            if count
        ]

    def _decode(self, shares: list[_Share]) -> None:
        rows = self._fill(shares)
        began = time.perf_counter()
        error = self._context.decode()
        if error:
            self._recover(shares, error)
            return
        self._clock(time.perf_counter() - began)
        for part, row in zip(shares, rows, strict=True):
            self._advance(part, row)

    def _fill(self, shares: list[_Share]) -> list[int]:
        """Puts the shares into the batch; returns where each one's logits will be."""
        batch = self._context.batch
        batch.clear()
        return [
            batch.add(part.tokens, part.task.fed, part.slot.index, logits=part.wants_logits)
            for part in shares
        ]

    def _clock(self, seconds: float) -> None:
        """Learns what a token of prefill takes, from batches that are large enough to tell."""
        tokens = self._context.batch.size
        if tokens >= _CLOCKED_TOKENS:
            self._ms_per_token += 0.3 * (seconds * 1e3 / tokens - self._ms_per_token)

    def _advance(self, part: _Share, row: int) -> None:
        wants_logits = part.wants_logits
        part.slot.tokens.extend(part.tokens)
        part.task.fed += len(part.tokens)
        if not wants_logits:
            return
        try:
            going = part.task.take(self._context.logits(row), self._tools)
        except EdgeError as error:
            self._release(part.slot).fail(error)
            return
        if not going:
            self._release(part.slot)

    def _recover(self, shares: list[_Share], error: int) -> None:
        """After a failed decode: tries everyone alone, so that only the culprit fails."""
        for part in shares:
            if not self._context.keep(part.slot.index, part.task.fed) or len(shares) == 1:
                self._forget(part.slot)
                self._release(part.slot).fail(_decode_error(error))
            else:
                self._decode([part])

    def _forget(self, slot: _Slot) -> None:
        self._context.keep(slot.index, 0)
        slot.tokens = array("i")

    def _release(self, slot: _Slot) -> Task:
        """Frees a slot; its cache stays for the next request with the same beginning."""
        task, slot.task = slot.task, None
        if task is None:
            raise RuntimeError("a free slot was released")
        return task


def _next_stretch(task: Task) -> int:
    """Prompt tokens that may be decoded together: all but the last, and then the last alone.

    So the first token's logits come from the same computation whether the rest of the prompt was
    cached or not, and a seed repeats its answer.
    """
    return max(1, task.waiting - 1)


def _decode_error(error: int) -> ModelError:
    return ModelError(
        f"llama.cpp failed to decode (error {error})",
        hint="try again; if it happens again, load the model anew or with less context",
    )
