"""Every command, as a person or a program calls it, against the written JSON contract."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.model

TROLLEY = "# Emergency trolley\n\nThe emergency trolley is checked every day before 08:00.\n"
QUESTION = "How often is the emergency trolley checked?"


@pytest.fixture(scope="module")
def handbook(home: Path, skerry) -> Path:
    """A folder of documents that has been indexed."""
    folder = home / "handbook"
    folder.mkdir()
    (folder / "trolley.md").write_text(TROLLEY)
    (folder / "broken.pdf").write_text("this is no PDF")
    done = skerry("index", "add", str(folder), "--json")
    assert done.code == 5, "one document could not be taken"
    report = done.json["report"]
    assert [Path(source).name for source in report["added"]] == ["trolley.md"]
    assert [Path(failure["source"]).name for failure in report["failed"]] == ["broken.pdf"]
    return folder


@pytest.fixture(scope="module")
def answer(handbook: Path, skerry) -> dict[str, object]:
    done = skerry("ask", QUESTION, "--offline", "--json", "--max-tokens", "40")
    assert done.code == 0, done.err
    return done.json


def test_ask(answer) -> None:
    assert "every day" in answer["answer"]
    assert answer["citations"][0]["title"] == "Emergency trolley"
    assert answer["receipt"]["egress"] == []
    assert (answer["doubtful"], answer["unfounded"]) == (False, False)


def test_ask_prints_the_answer_and_its_sources(handbook: Path, skerry) -> None:
    done = skerry("ask", "-", "--offline", "--max-tokens", "40", "--receipt", stdin=QUESTION)
    assert done.code == 0, done.err
    assert "every day" in done.out
    assert "[1] Emergency trolley" in done.out
    assert "othing left this device" in done.out


def test_without_documents_that_is_said_first(skerry, tmp_path: Path) -> None:
    place = ("--index", str(tmp_path / "none.db"), "--offline", "--max-tokens", "8")
    done = skerry("ask", QUESTION, *place)
    assert done.code == 0, done.err
    assert "(there are no documents yet: `skerry index add PATH` takes some in)" in done.err
    assert "a model's own words, and unchecked" in done.out
    events = skerry("ask", QUESTION, *place, "--json", "--stream").json_lines
    assert [one["no_documents"] for one in events if one["event"] == "sources"] == [True]
    assert events[-1]["unfounded"] is True


def test_ask_streams_json(handbook: Path, skerry) -> None:
    done = skerry("ask", QUESTION, "--offline", "--json", "--stream", "--max-tokens", "40")
    events = done.json_lines
    assert [event["event"] for event in events][:2] == ["route", "sources"]
    shown = "".join(event["text"] for event in events if event["event"] == "text")
    assert events[-1]["event"] == "finished"
    assert shown.strip() == events[-1]["answer"]


def test_explain_and_receipts(answer, skerry) -> None:
    identity = answer["receipt"]["id"]
    assert skerry("explain", identity[:20], "--json").json["id"] == identity
    assert "Emergency trolley" in skerry("explain", identity).out
    listed = skerry("receipts", "--json").json["receipts"]
    assert identity in [receipt["id"] for receipt in listed]


def test_receipts_are_completed_with_their_times(answer, skerry) -> None:
    typed = {"COMP_WORDS": "skerry explain 0", "COMP_CWORD": "2"}
    offered = skerry(env={**typed, "_SKERRY_COMPLETE": "zsh_complete"}).out
    assert answer["receipt"]["id"][:18] in offered
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", offered)


def test_the_receipt_says_which_section_is_cited(answer, skerry) -> None:
    (chunk,) = answer["receipt"]["chunks"]
    assert chunk["heading"] == ["Emergency trolley"]
    assert chunk["cited"]
    assert "(cited)" in skerry("explain", answer["receipt"]["id"]).out


def test_replay_under_another_policy(answer, home: Path, skerry) -> None:
    policy = home / "closed.toml"
    policy.write_text(
        '[[deny]]\nname = "closed"\nreason = "The clinic is closed."\n'
        'tiers = ["rules", "device", "cloud", "cloud_reasoning", "split"]\n'
    )
    done = skerry("replay", answer["receipt"]["id"], "--policy", str(policy), "--json").json
    assert done["after"]["tier"] == "refuse"
    assert "tier" in done["changed"]
    assert "The clinic is closed" in json.dumps(done["after"]["reasons"])


def test_route_decides_only(handbook: Path, skerry) -> None:
    assert skerry("route", QUESTION, "--json", "--offline").json["tier"] in {"device", "rules"}
    assert "because" in skerry("route", QUESTION, "--offline").out


def test_words_that_the_shell_has_parted_are_one_question(handbook: Path, skerry) -> None:
    parted = skerry("route", *QUESTION.split(), "--json", "--offline").json
    assert parted == skerry("route", QUESTION, "--json", "--offline").json
    place = ("--offline", "--json")
    asked = [skerry("ask", *words, *place).json for words in (QUESTION.split(), [QUESTION])]
    assert asked[0]["answer"] == asked[1]["answer"] != ""


def test_index_commands(handbook: Path, skerry) -> None:
    (document,) = skerry("index", "ls", "--json").json["documents"]
    assert document["title"] == "Emergency trolley"
    assert "in force" in skerry("index", "ls").out
    hits = skerry("index", "search", "trolley", "--json").json["hits"]
    assert hits[0]["chunk"]["document_id"] == document["id"]
    assert skerry("index", "verify", "--json").json["ok"]
    assert skerry("index", "reembed", "--json").json["chunks"] == 0
    again = skerry("index", "add", str(handbook / "trolley.md"), "--json").json["report"]
    assert len(again["unchanged"]) == 1


def test_index_rm(skerry, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "note.md"
    file.write_text("# Note\n\nA note about gulls.\n")
    place = ("--index", str(tmp_path / "other.sqlite"))
    assert skerry("index", "add", str(file), *place).code == 0
    assert skerry("index", "rm", str(file), "--json", *place).json["removed"] == 1
    assert skerry("index", "rm", "77", *place).code == 2


def test_ingest(skerry, tmp_path: Path) -> None:
    place = ("--index", str(tmp_path / "fluid.sqlite"))
    record = {"source": "rota", "key": "today", "text": "The duty doctor is Dr Lund."}
    done = skerry("index", "ingest", "-", "--json", *place, stdin=json.dumps(record))
    assert done.code == 0, done.err
    hits = skerry("index", "search", "duty doctor", "--json", *place).json["hits"]
    assert "Lund" in hits[0]["chunk"]["text"]
    bad = skerry("index", "ingest", "-", *place, stdin='{"source": 1}\n')
    assert bad.code == 2
    assert "line 1" in bad.err


def test_chat_keeps_a_session(handbook: Path, skerry) -> None:
    done = skerry("chat", "--offline", "--json", "--max-tokens", "40", stdin=f"{QUESTION}\n/quit\n")
    assert done.code == 0, done.err
    assert "every day" in done.json["answer"]
    (session, *_) = skerry("sessions", "ls", "--json").json["sessions"]
    assert session["turns"] == 2
    shown = skerry("sessions", "show", session["id"], "--json").json["session"]
    assert shown["turns"][0]["text"] == QUESTION
    assert skerry("sessions", "rm", session["id"], "--json").json["id"] == session["id"]
    assert skerry("sessions", "show", session["id"]).code == 2


def test_models(skerry) -> None:
    (model,) = skerry("models", "--json").json["models"]
    assert model["licence"] == "Apache-2.0"
    assert "135M" in skerry("models").out
    assert re.search(r"aliases +smollm2$", skerry("models", "show", "smollm2").out, re.MULTILINE)
    assert skerry("models", "show", "smollm2", "--json").json["model"]["architecture"] == "llama"
    missing = skerry("models", "show", "gpt-17")
    assert missing.code == 4
    assert "smollm2" in missing.err


def test_licences_come_from_what_the_files_say(skerry, tmp_path: Path) -> None:
    for name, manifest in (("told", '{"licence": "MIT"}'), ("silent", "{}"), ("broken", "{")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "genai_config.json").write_text("{}")
        (folder / "skerry.json").write_text(manifest)
    done = skerry("models", "--models-dir", str(tmp_path), "--json").json["models"]
    licences = {model["name"]: model["licence"] for model in done if model["engine"] == "genai"}
    assert licences == {"told": "MIT", "silent": None, "broken": None}
    rows = skerry("models", "--models-dir", str(tmp_path)).out.splitlines()
    assert [row.split("\t")[3] for row in rows[1:4]] == ["-", "-", "Apache-2.0"]


def test_doctor(skerry) -> None:
    done = skerry("doctor", "--json")
    report = done.json
    assert {"python", "sqlite", "model", "encoder"} <= {check["name"] for check in report["checks"]}
    assert done.code == (1 if report["status"] == "fail" else 0)
    assert "Will it fit" in skerry("doctor").out or "smollm2" in skerry("doctor").out


def test_a_json_schema_shapes_the_answer(skerry, tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    shape = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    schema.write_text(json.dumps(shape))
    place = ("--index", str(tmp_path / "none.sqlite"), "--offline", "--max-tokens", "24")
    done = skerry("ask", "Give the number 7 as JSON.", "--schema", str(schema), "--json", *place)
    assert isinstance(json.loads(done.json["answer"])["n"], int)


def test_receipts_are_pruned_and_listed_by_what_they_are_about(answer, skerry) -> None:
    assert skerry("receipts", "prune", "--json").json == {
        "schema": "skerry.receipts.prune/1",
        "deleted": 0,
    }
    head, *rows = skerry("receipts").out.splitlines()
    assert head.split("\t")[-1] == "about"
    assert "Emergency trolley" in {row.split("\t")[-1] for row in rows}


def test_the_policy_in_force_and_where_it_comes_from(skerry, tmp_path: Path) -> None:
    shown = skerry("policy", "show", "--json").json
    assert shown["file"] is None
    assert {one["line"] for one in shown["values"]} == {None}
    own = tmp_path / "ward.toml"
    own.write_text(
        '[cloud]\nallow = false\n\n[sensitivity]\nclinical_labels = ["ward"]\n\n[[deny]]\n'
        'name = "rota"\nreason = "Stays."\ntiers = ["cloud"]\n'
    )
    shown = skerry("policy", "show", str(own), "--json").json
    values = {one["key"]: one for one in shown["values"]}
    assert values["cloud.allow"] == {
        "key": "cloud.allow",
        "value": False,
        "line": 2,
        "added": False,
    }
    assert values["cloud.allow_metered"]["line"] is None
    assert values["sensitivity.clinical_labels"]["added"]
    assert values["deny.rota"]["line"] == 7
    assert values["deny.secrets"]["line"] is None
    table = skerry("policy", "show", "--policy", str(own)).out
    assert f"cloud.allow\tfalse\t{own}, line 2" in table
    assert skerry("policy", "show", "nowhere.toml").code == 3


def test_policy(skerry, tmp_path: Path) -> None:
    assert len(skerry("policy", "check", "--json").json["digest"]) == 64
    own = tmp_path / "own.toml"
    own.write_text(skerry("policy", "defaults").out)
    assert skerry("policy", "check", str(own)).code == 0
    own.write_text("[classes.lookup]\nttft_ms = -4\n")
    bad = skerry("policy", "check", str(own), "--json")
    assert bad.code == 3
    assert "line 2" in bad.json["error"]["what"]
