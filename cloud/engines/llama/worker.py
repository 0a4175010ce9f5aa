"""The thread that owns a context: it puts the passes of all sequences into one batch.

A sequence's cells stay in the order of its tokens: sums over them are then the same whatever was
drafted, to the last bit, and so is what is chosen. A rejected token whose cell lies before that of
an accepted one is buried: it keeps its cell until room is short, lest a later token be put there.

Short passes go first, then as much as fits of the prompts that wait. A prompt's last token is
always decoded apart from the rest, so that what follows does not depend on what was held already.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from skerry.cloud.engines.base import Pass
from skerry.cloud.engines.llama.branches import leaves, owners, with_leaves
from skerry.cloud.engines.llama.native import Context
from skerry.cloud.engines.llama.slots import Slot
from skerry.cloud.errors import TargetError
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.tree import ROOT, Tree
from skerry.cloud.hints.verdict import Verdict, judged


@dataclass(slots=True, eq=False)
class Job:
    """One pass of one sequence: `feed` are its tokens that are not in memory yet, at least one."""

    slot: Slot
    feed: list[int]
    tree: Tree
    sampling: Sampling
    generated: Sequence[int]
    ends: frozenset[int]
    done: Future[Pass] = field(default_factory=Future)


@dataclass(slots=True, eq=False)
class _Placed:
    """A job in the batch: `sequences` of its leaves, `rows` of the last token fed and the nodes."""

    job: Job
    sequences: list[int]
    rows: dict[int, int]


class Worker:
    """Decodes until it is closed.

    `branches` are sequences that trees may use for a pass; at most `spare` cells are `grave`'s.
    """

    def __init__(
        self, context: Context, branches: Sequence[int], *, grave: int, spare: int
    ) -> None:
        self._context = context
        self._grave, self._spare, self._buried = grave, spare, 0
        self._every_branch = tuple(branches)
        self._branches = list(branches)
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._open = True
        self._tidies = False
        self._thread = threading.Thread(target=self._run, name="skerry-target", daemon=True)
        self._thread.start()

    def tidy(self) -> None:
        """Frees the cells of rejected tokens before the next decode: of use between generations,
        while the order of cells is nobody's."""
        self._tidies = True

    def submit(self, job: Job) -> Future[Pass]:
        if not self._open:
            raise TargetError("the engine is closed")
        self._jobs.put(job)
        return job.done

    def close(self) -> None:
        """Ends the thread; jobs that wait fail."""
        if self._open:
            self._open = False
            self._jobs.put(None)
            self._thread.join()

    def _run(self) -> None:
        waiting: list[Job] = []
        while True:
            if not self._gather(waiting):
                break
            try:
                waiting = self._turn(waiting)
            except Exception as error:  # noqa: BLE001  # told to everyone who waits
                waiting = self._fail(waiting, error)
        self._fail(waiting, TargetError("the engine is closed"))

    def _gather(self, waiting: list[Job]) -> bool:
        """Adds all jobs that there are, and waits for one if there is none. False: closed."""
        while True:
            try:
                job = self._jobs.get(block=not waiting)
            except queue.Empty:
                return True
            if job is None:
                return False
            waiting.append(job)

    def _turn(self, waiting: list[Job]) -> list[Job]:
        """One decode. Returns the jobs that go on waiting."""
        self._clear_grave()
        batch = self._context.batch
        batch.clear()
        whole: list[_Placed] = []
        parts: list[tuple[Job, int]] = []
        rest: list[Job] = []
        for job in sorted(waiting, key=lambda one: len(one.feed)):
            self._trim(job.slot)
            if len(job.feed) == 1 and batch.room > len(job.tree):
                whole.append(self._place(job))
            elif len(job.feed) > 1 and batch.room:
                parts.append((job, self._prefill(job)))
                rest.append(job)
            else:
                rest.append(job)
        began = time.perf_counter()
        self._context.decode()
        seconds = time.perf_counter() - began
        for job, count in parts:
            job.slot.tokens += job.feed[:count]
            del job.feed[:count]
        for placed in whole:
            self._finish(placed, seconds)
        return rest

    def _trim(self, slot: Slot) -> None:
        if slot.long:
            self._context.cut(slot.sequence, len(slot.tokens))
            slot.long = False

    def _prefill(self, job: Job) -> int:
        """Puts what fits of a prompt into the batch, but for its last token; how many."""
        batch, start = self._context.batch, len(job.slot.tokens)
        count = min(batch.room, len(job.feed) - 1)
        for i, token in enumerate(job.feed[:count]):
            batch.add(token, start + i, (job.slot.sequence,), logits=False)
        return count

    def _place(self, job: Job) -> _Placed:
        """Puts a token and the tree that follows it into the batch."""
        job.tree = with_leaves(job.tree, 1 + len(self._branches))
        base, start = job.slot.sequence, len(job.slot.tokens)
        more = max(0, len(leaves(job.tree)) - 1)
        taken = [self._branches.pop() for _ in range(more)]
        for sequence in taken:
            self._context.copy(base, sequence)
        sequences = [base, *taken]
        batch = self._context.batch
        rows = {ROOT: batch.add(job.feed[0], start, sequences, logits=True)}
        depths = job.tree.depths()
        for node, numbers in enumerate(owners(job.tree)):
            own = [sequences[number] for number in numbers]
            place = start + 1 + depths[node]
            rows[node] = batch.add(job.tree.tokens[node], place, own, logits=True)
        return _Placed(job, sequences, rows)

    def _finish(self, placed: _Placed, seconds: float) -> None:
        job = placed.job
        position = len(job.slot.tokens) + 1
        verdict = judged(
            job.tree,
            lambda node: self._context.logits(placed.rows[node]),
            job.sampling,
            position,
            generated=job.generated,
            ends=job.ends,
        )
        self._settle(placed, verdict)
        job.slot.tokens += [*job.feed, *verdict.tokens[: len(verdict.path)]]
        job.done.set_result(Pass(verdict.tokens, len(verdict.path), seconds))

    def _settle(self, placed: _Placed, verdict: Verdict) -> None:
        """Keeps the accepted path in the base sequence, and forgets all else."""
        base, fed = placed.sequences[0], len(placed.job.slot.tokens) + 1
        end = fed + len(verdict.path)
        if verdict.path:
            owner = placed.sequences[owners(placed.job.tree)[verdict.path[-1]][0]]
            self._bury(placed, verdict, fed)
            if owner != base:
                self._context.cut(base, fed)
                self._context.cut(owner, end)
                self._context.copy(owner, base, fed)
        self._context.cut(base, end)
        self._give_back(placed.sequences[1:])

    def _bury(self, placed: _Placed, verdict: Verdict, fed: int) -> None:
        """Keeps the cells of rejected nodes that lie before that of the last accepted one."""
        last = placed.rows[verdict.path[-1]]
        tree, accepted = placed.job.tree, set(verdict.path)
        depths, numbers = tree.depths(), owners(tree)
        for node in range(len(tree)):
            if node not in accepted and placed.rows[node] < last:
                place, owner = fed + depths[node], placed.sequences[numbers[node][0]]
                self._context.copy(owner, self._grave, place, place + 1)
                self._buried += 1

    def _clear_grave(self) -> None:
        if self._tidies or self._buried > self._spare:
            self._tidies = False
            self._context.cut(self._grave, -1)
            self._buried = 0

    def _give_back(self, sequences: Sequence[int]) -> None:
        for sequence in sequences:
            self._context.cut(sequence, -1)
        self._branches += sequences

    def _fail(self, waiting: Sequence[Job], error: Exception) -> list[Job]:
        """Forgets what of the failed pass may be in memory."""
        self._branches = []
        self._give_back(self._every_branch)
        for job in waiting:
            self._context.cut(job.slot.sequence, len(job.slot.tokens))
            if not job.done.done():
                job.done.set_exception(error)
        return []
