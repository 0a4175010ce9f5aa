"""The pool: what to unload is decided right, and loading, leases and threads keep to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.engines.base import Engine, EngineOptions, FinishReason, Generation
from skerry.edge.engines.eviction import Held, idle, next_look_s, to_make_room
from skerry.edge.engines.genai import load_genai
from skerry.edge.engines.models import Catalogue
from skerry.edge.engines.pool import ModelPool
from skerry.edge.engines.registry import EngineKind
from skerry.edge.errors import ModelBusy, ModelError, ModelInvalid, ModelNotFound

TINY = Path(__file__).parents[2] / "data" / "tiny-genai"
HELD = st.lists(st.builds(Held, st.uuids().map(str), st.booleans(), st.floats(0, 100)), max_size=8)


# What to unload: pure decisions


@given(HELD, st.integers(1, 8))
def test_room_is_made_of_the_least_recently_used(held: list[Held], max_loaded: int) -> None:
    victims = to_make_room(held, max_loaded)
    leased = sum(one.leased for one in held)
    assert (victims is None) == (leased >= max_loaded)
    if victims is None:
        return
    assert len(held) - len(victims) < max_loaded or not victims
    assert len(held) - len(victims) + 1 == min(len(held) + 1, max_loaded)
    gone = [one for one in held if one.key in victims]
    kept = [one for one in held if one.key not in victims and not one.leased]
    assert not any(one.leased for one in gone)
    assert all(a.last_used_s <= b.last_used_s for a in gone for b in kept)


@given(HELD, st.floats(0, 200), st.floats(0.1, 100))
def test_idle_models_are_those_past_their_time(
    held: list[Held], now_s: float, idle_unload_s: float
) -> None:
    gone = idle(held, now_s=now_s, idle_unload_s=idle_unload_s)
    for one in held:
        due = not one.leased and now_s - one.last_used_s >= idle_unload_s
        assert (one.key in gone) is due
    look = next_look_s(held, now_s=now_s, idle_unload_s=idle_unload_s)
    assert (look is None) == all(one.leased for one in held)
    if look is not None and not gone:
        assert idle(held, now_s=now_s + look + 1e-6, idle_unload_s=idle_unload_s)


# The pool, on the tiny model under several names


@dataclass
class Loads:
    """The real loader, counting; `engines` are the loaded engines by name."""

    count: int = 0
    most: int = 0
    pause_s: float = 0.0
    engines: dict[str, list[Engine]] = field(default_factory=dict)
    options: list[EngineOptions] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, path: Path, options: EngineOptions, *, name: str) -> Engine:
        with self.lock:
            self.count += 1
        time.sleep(self.pause_s)
        engine = load_genai(path, options, name=name)
        with self.lock:
            self.engines.setdefault(name, []).append(engine)
            self.options.append(options)
            self.most = max(self.most, sum(map(is_open, self.all())))
        return engine

    def all(self) -> list[Engine]:
        return [engine for engines in self.engines.values() for engine in engines]


def is_open(engine: Engine) -> bool:
    try:
        engine.tokenize("x")
    except ModelError:
        return False
    return True


MakePool = Callable[..., ModelPool]


@pytest.fixture
def loads() -> Loads:
    return Loads()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "models"
    for name in ("a", "b", "c"):
        (made / name).mkdir(parents=True)
        for file in TINY.iterdir():
            (made / name / file.name).hardlink_to(file)
    return made


@pytest.fixture
def make_pool(folder: Path, loads: Loads) -> Iterator[MakePool]:
    def recognises(path: Path) -> bool:
        return (path / "genai_config.json").is_file()

    engines = {"genai": EngineKind(recognises, loads, ".onnx_adapter")}
    with ExitStack() as stack:

        def make(**settings: object) -> ModelPool:
            options = EngineOptions(context_tokens=256, threads=1)
            specs = Catalogue(folder, engines)
            pool = ModelPool(specs, options, engines=engines, **settings)  # type: ignore[arg-type]  # the caller's
            return stack.enter_context(closing(pool))

        yield make


def loaded(pool: ModelPool) -> set[str]:
    return {status.spec.name for status in pool.list() if status.loaded}


def soon(condition: Callable[[], bool], *, within_s: float = 5.0) -> bool:
    end = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def test_loaded_on_first_use_and_once(make_pool: MakePool, loads: Loads) -> None:
    pool = make_pool()
    assert loads.count == 0
    with pool.engine("a") as first, pool.engine("a") as second:
        assert first is second
        assert first.info.name == "a"
    with pool.engine("a") as third:
        assert third is first
    assert loads.count == 1


def test_a_path_and_a_name_are_one_model(make_pool: MakePool, folder: Path, loads: Loads) -> None:
    pool = make_pool()
    with pool.engine("a") as named, pool.engine(str(folder / "a")) as direct:
        assert named is direct


def test_many_threads_load_once(make_pool: MakePool, loads: Loads) -> None:
    pool = make_pool(max_loaded=2)
    loads.pause_s = 0.05

    def one(number: int) -> str:
        with pool.engine("ab"[number % 2]) as engine:
            pieces = list(engine.generate(Generation(prompt="One, two,", max_tokens=3)))
        return "".join(piece.text for piece in pieces)

    with ThreadPoolExecutor(8) as threads:
        texts = set(threads.map(one, range(16)))
    assert len(texts) == 1
    assert loads.count == 2


def test_the_least_recently_used_goes_first(make_pool: MakePool, loads: Loads) -> None:
    pool = make_pool(max_loaded=2)
    for name in "abac":
        with pool.engine(name):
            pass
    assert loaded(pool) == {"a", "c"}
    assert not is_open(loads.engines["b"][0])
    assert loads.most == 2


def test_memory_is_free_before_the_next_is_loaded(make_pool: MakePool, loads: Loads) -> None:
    pool = make_pool(max_loaded=1)
    for name in "abcabc":
        with pool.engine(name) as engine:
            assert is_open(engine)
    assert loads.most == 1
    assert loads.count == 6


def test_never_unloaded_while_leased(make_pool: MakePool) -> None:
    pool = make_pool(max_loaded=1, wait_s=0.1)
    with pool.engine("a") as engine:
        with pytest.raises(ModelBusy) as caught, pool.engine("b"):
            pass
        assert is_open(engine)
    assert caught.value.retryable
    assert "max_loaded" in caught.value.hint
    with pool.engine("b") as other:
        assert is_open(other)


def test_a_lease_waits_for_room(make_pool: MakePool) -> None:
    pool = make_pool(max_loaded=1, wait_s=10)
    with ThreadPoolExecutor(1) as thread:
        with pool.engine("a") as first:
            waiting = thread.submit(lambda: _name_of(pool, "b"))
            time.sleep(0.05)
            assert not waiting.done()
            assert is_open(first)
        assert waiting.result(timeout=10) == "b"


def _name_of(pool: ModelPool, name: str) -> str:
    with pool.engine(name) as engine:
        return engine.info.name


def test_idle_models_are_unloaded(make_pool: MakePool, loads: Loads) -> None:
    before = threading.active_count()
    pool = make_pool(idle_unload_s=0.05)
    assert threading.active_count() == before
    with pool.engine("a") as engine:
        time.sleep(0.1)
        assert is_open(engine)  # in use is not idle
    assert soon(lambda: not loaded(pool))
    assert not is_open(engine)
    assert soon(lambda: threading.active_count() == before)  # no thread waits for nothing
    with pool.engine("a") as again:
        assert is_open(again)
    assert loads.count == 2


def test_without_an_idle_time_models_stay(make_pool: MakePool) -> None:
    before = threading.active_count()
    pool = make_pool(idle_unload_s=0)
    with pool.engine("a"):
        pass
    assert threading.active_count() == before
    assert loaded(pool) == {"a"}


def test_list_says_what_is_loaded(make_pool: MakePool) -> None:
    now = [100.0]
    pool = make_pool(max_loaded=3, clock=lambda: now[0])
    with pool.engine("a"), pool.engine("b"):
        pass
    now[0] = 130.0
    with pool.engine("b"):
        statuses = {status.spec.name: status for status in pool.list()}
    assert statuses["a"].loaded
    assert statuses["a"].idle_s == 30
    assert (statuses["b"].leases, statuses["b"].idle_s) == (1, None)
    assert not statuses["c"].loaded
    assert statuses["c"].spec.size_bytes > 200_000


def test_a_model_from_elsewhere_is_listed(make_pool: MakePool) -> None:
    pool = make_pool()
    with pool.engine(str(TINY)):
        assert loaded(pool) == {"tiny-genai"}


def test_a_failed_load_leaves_no_trace(make_pool: MakePool, folder: Path) -> None:
    broken = folder / "broken"
    broken.mkdir()
    (broken / "genai_config.json").write_text("{")
    pool = make_pool(max_loaded=1, wait_s=0.1)
    for _ in range(2):
        with pytest.raises(ModelInvalid), pool.engine("broken"):
            pass
    with pool.engine("a") as engine:
        assert is_open(engine)


def test_an_unknown_model(make_pool: MakePool) -> None:
    with pytest.raises(ModelNotFound, match="nobody"), make_pool().engine("nobody"):
        pass


def test_adapters_of_the_model_are_added(make_pool: MakePool, folder: Path, loads: Loads) -> None:
    file = folder / "adapters" / "a" / "kind.onnx_adapter"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no adapter")
    pool = make_pool()
    with pytest.raises(ModelError, match="kind"), pool.engine("a"):
        pass
    with pool.engine("b"):
        pass
    assert [dict(options.adapters) for options in loads.options] == [{}]


def test_close_ends_everything(make_pool: MakePool, loads: Loads) -> None:
    pool = make_pool(max_loaded=2, idle_unload_s=60)
    before = threading.active_count()
    with pool.engine("b"):
        pass
    with pool.engine("a") as engine:
        pieces = engine.generate(Generation(prompt="One, two,", max_tokens=100))
        next(pieces)
        pool.close()
        *_, last = pieces
        assert last.finish is FinishReason.CANCELLED
    pool.close()
    assert not any(map(is_open, loads.all()))
    assert soon(lambda: threading.active_count() <= before)
    with pytest.raises(ModelError, match="closed"), pool.engine("a"):
        pass


def test_close_while_one_is_loading(make_pool: MakePool, loads: Loads) -> None:
    pool = make_pool()
    loads.pause_s = 0.2
    with ThreadPoolExecutor(1) as thread:
        lease = thread.submit(lambda: _name_of(pool, "a"))
        assert soon(lambda: loads.count == 1)
        pool.close()
        with pytest.raises(ModelError, match="closed"):
            lease.result(timeout=10)
    assert not any(map(is_open, loads.all()))


def test_random_use_keeps_to_the_limit(make_pool: MakePool, loads: Loads) -> None:
    pool = make_pool(max_loaded=2, idle_unload_s=0.01)

    def one(number: int) -> None:
        with pool.engine("abc"[(number * 7) % 3]) as engine:
            assert is_open(engine)
            time.sleep(0.001 * (number % 4))
            assert is_open(engine)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(one, range(60)))
    assert loads.most <= 2
