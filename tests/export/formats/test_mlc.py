"""The commands that MLC-LLM is driven with. It is not on PyPI: a stand-in takes them here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from skerry.export.errors import OutputFailed, Unsupported
from skerry.export.exporter import Kind
from skerry.export.formats.mlc.llm import MlcLlm, _run
from skerry.export.formats.mlc.plan import LIBRARIES, PRECISIONS, Step, conversation, plan
from skerry.export.formats.needs import Needs
from tests.export.conformance.conftest import stand_in

__all__ = ["stand_in"]  # the fixture

SOURCE, OUT = Path("/in/smol"), Path("/out/smol")


def test_the_commands() -> None:
    steps = plan(SOURCE, OUT, "q4f16_1", "android", template="chatml", program=("mlc_llm",))
    assert [" ".join(step.command) for step in steps] == [
        "mlc_llm convert_weight /in/smol --quantization q4f16_1 -o /out/smol",
        "mlc_llm gen_config /in/smol --quantization q4f16_1 --conv-template chatml -o /out/smol",
        "mlc_llm compile /out/smol/mlc-chat-config.json --device android -o /out/smol/model.tar",
    ]


@pytest.mark.parametrize("device", LIBRARIES)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_device_and_precision(device: str, precision: str) -> None:
    steps = plan(SOURCE, OUT, precision, device, template="LM", program=("mlc_llm",))
    assert steps[-1].command[-1] == str(OUT / LIBRARIES[device])
    assert all(precision in step.command for step in steps[:2])


@pytest.mark.parametrize(("precision", "device"), [("q9", "android"), ("q0f16", "toaster")])
def test_what_mlc_has_not(precision: str, device: str) -> None:
    with pytest.raises(Unsupported, match=r"q9|toaster") as caught:
        plan(SOURCE, OUT, precision, device, template="LM", program=("mlc_llm",))
    assert "there are" in caught.value.hint


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{{ '<|im_start|>' + message['role'] }}", "chatml"),
        ("<|start_header_id|>", "llama-3"),
        ("", "LM"),
    ],
)
def test_chat_templates(template: str, name: str) -> None:
    assert conversation(template) == name


def test_a_command_that_fails_is_shown() -> None:
    with pytest.raises(OutputFailed, match=r"MLC failed at looking: .*nowhere") as caught:
        _run(Step("looking", ("ls", "/nowhere")))
    assert caught.value.hint == "ls /nowhere"


def test_how_it_is_installed() -> None:
    line = MlcLlm().missing()
    assert line is None or "https://mlc.ai/wheels" in line


_STAND_IN = """
import json, sys
from pathlib import Path

step, source, *rest = sys.argv[1:]
options = dict(zip(rest[::2], rest[1::2]))
out = Path(options["-o"])
if step == "convert_weight":
    assert Path(source, "model.safetensors").is_file()
    (out / "params_shard_0.bin").write_text(options["--quantization"])
elif step == "gen_config":
    (out / "mlc-chat-config.json").write_text(json.dumps(options["--conv-template"]))
else:
    assert json.loads(Path(source).read_text()) == "chatml"
    out.write_text(options["--device"])
"""


@pytest.fixture
def stand_in_for_mlc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlcLlm:
    """The exporter, and an `mlc_llm` that takes the same commands and computes nothing."""
    package = tmp_path / "tools" / "mlc_llm"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(_STAND_IN)
    monkeypatch.syspath_prepend(str(package.parent))
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    monkeypatch.setattr(MlcLlm, "needs", Needs(("mlc_llm",), "pip install mlc_llm"))
    return MlcLlm()


def test_the_commands_are_run_in_turn(
    stand_in_for_mlc: MlcLlm, stand_in: Callable[[Kind], Path], tmp_path: Path
) -> None:
    source, told = stand_in(Kind.LLM), list[float]()
    (source / "chat_template.jinja").write_text("<|im_start|>")
    out = tmp_path / "out"
    made = stand_in_for_mlc.export(
        source, "q4f16_1", out, progress=lambda _, done: told.append(done)
    )
    assert {str(one) for one in made.files} == {
        "export.json", "mlc-chat-config.json", "model.tar", "params_shard_0.bin",
    }  # fmt: skip
    assert made.facts == {"device": "android", "conversation": "chatml"}
    assert told == sorted(told)
    with pytest.raises(Unsupported, match="cannot run here"):
        stand_in_for_mlc.load(out)


def test_stopped_between_two_commands_nothing_is_left(
    stand_in_for_mlc: MlcLlm, stand_in: Callable[[Kind], Path], tmp_path: Path
) -> None:
    def stop(_what: str, done: float) -> None:
        if done > 0.3:
            raise KeyboardInterrupt

    source = stand_in(Kind.LLM)
    with pytest.raises(KeyboardInterrupt):
        stand_in_for_mlc.export(source, "q4f16_1", tmp_path / "out", progress=stop)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["llm-source", "tools"]
