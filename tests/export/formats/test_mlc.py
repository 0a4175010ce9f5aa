"""The commands that MLC-LLM is driven with. It is not on PyPI, so that none of them runs here."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.export.errors import OutputFailed, Unsupported
from skerry.export.formats.mlc.llm import MlcLlm, _run
from skerry.export.formats.mlc.plan import LIBRARIES, PRECISIONS, Step, conversation, plan

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
