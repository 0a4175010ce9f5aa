"""Reading `policy.toml`: the defaults, overlays, and every way a file can be wrong."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.errors import ConfigError
from skerry.edge.policy import load_policy, parse_policy
from skerry.edge.policy.load import DEFAULTS, MAX_BYTES
from skerry.edge.policy.overlay import STRICTER_ONLY
from skerry.edge.types import RequestClass, Sensitivity, Tier
from skerry.guardrails.safety import CLASSES

DENY = "[[deny]]\nname = 'mine'\nreason = 'r'\ntiers = ['cloud']\n"


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "policy.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_the_defaults_are_the_shipped_file() -> None:
    policy = load_policy()
    assert policy == parse_policy(DEFAULTS.read_text(), "policy.toml")
    assert policy.sensitivity.device_only_from is Sensitivity.CLINICAL
    assert not policy.cloud.allow_cloud_fallback
    assert policy.classes[RequestClass.LOOKUP].budget.ttft_ms == 500


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    assert load_policy(write(tmp_path, "")) == load_policy()


def test_an_overlay_replaces_only_what_it_says(tmp_path: Path) -> None:
    text = "version = 'ward 3'\n[classes.lookup]\nttft_ms = 90\n[cloud]\nallow_metered = true\n"
    policy, base = load_policy(write(tmp_path, text)), load_policy()

    assert policy.version == "ward 3"
    assert policy.cloud.allow_metered
    lookup = replace(base.classes.lookup, ttft_ms=90)
    assert policy.classes == replace(base.classes, lookup=lookup)
    assert (policy.router, policy.deny) == (base.router, base.deny)


def test_an_overlay_adds_deny_rules_and_removes_none(tmp_path: Path) -> None:
    policy = load_policy(write(tmp_path, DENY))
    assert [rule.name for rule in policy.deny] == ["mine", "payment-data", "secrets", "unscreened"]
    assert load_policy(write(tmp_path, "deny = []")).deny == load_policy().deny


def test_an_overlay_adds_clinical_labels(tmp_path: Path) -> None:
    policy = load_policy(write(tmp_path, "[sensitivity]\nclinical_labels = ['ward']"))
    assert policy.sensitivity.clinical_labels == (
        "ward",
        *load_policy().sensitivity.clinical_labels,
    )


def test_a_file_may_stand_alone(tmp_path: Path) -> None:
    text = DEFAULTS.read_text().replace(
        'device_only_from = "clinical"', 'device_only_from = "never"'
    )
    policy = load_policy(write(tmp_path, text))
    assert policy.sensitivity.device_only_from == "never"
    assert policy.deny == load_policy().deny


@dataclass(frozen=True)
class Guard:
    key: str
    stricter: str
    looser: str


GUARDS = [
    Guard("sensitivity.device_only_from", "'personal'", "'never'"),
    Guard("sensitivity.preview_from", "'public'", "'clinical'"),
    Guard("sensitivity.redact", "true", "false"),
    Guard("injection.score", "0.1", "0.9"),
    Guard("injection.action", "'refuse'", ""),
    Guard("safety.class_score", "0.2", "0.31"),
    Guard("safety.seconded_score", "0.1", "0.16"),
    Guard("safety.finding_score", "0.0", "1.0"),
    Guard("safety.network_score", "0.8", "0.95"),
    *(Guard(f"safety.question.{name}", "0.5", "0.91") for name in CLASSES),
    *(Guard(f"safety.answer.{name}", "0.5", "") for name in CLASSES),
    Guard("safety.answer.hate", "0.5", "0.95"),
    Guard("gate.words", "0.9", "0.5"),
    Guard("gate.new_words", "1.0", "0.69"),
    Guard("gate.number_words", "0.61", "0.0"),
    Guard("gate.without_documents", "false", ""),
]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.key)
def test_a_guard_is_tightened_and_never_loosened(guard: Guard) -> None:
    table, _, key = guard.key.rpartition(".")
    tightened = parse_policy(f"[{table}]\n{key} = {guard.stricter}\n", "mine.toml")
    assert tightened.version == load_policy().version
    if guard.looser:
        with pytest.raises(ConfigError, match=rf"mine.toml, line 3: {guard.key} .*stricter"):
            parse_policy(f"[{table}]\n\n{key} = {guard.looser}\n", "mine.toml")


def test_every_guard_is_tried() -> None:
    assert {guard.key for guard in GUARDS} == {*STRICTER_ONLY}


@dataclass(frozen=True)
class Wrong:
    """A file, and the line and the words that its error must have."""

    name: str
    text: str
    line: int
    words: str


WRONG = [
    Wrong("unknown key", "\ncolour = 3\n", 2, "colour: unknown key"),
    Wrong("unknown table", "[[rules]]\nx = 1\n", 1, "rules: unknown key"),
    Wrong("unknown key in a table", "[cloud]\n# no\nalow = true\n", 3, "cloud.alow: unknown key"),
    Wrong("unknown class", "[classes.poetry]\nttft_ms = 1\n", 1, "classes.poetry: unknown key"),
    Wrong("a hard rule has no tiers", "[classes.unsupported]\ntiers = []\n", 2, "tiers: unknown"),
    Wrong("text for a number", "[classes.lookup]\nttft_ms = 'fast'\n", 2, 'integer, not "fast"'),
    Wrong("a fraction of a millisecond", "classes.lookup.ttft_ms = 1.5\n", 1, "integer, not 1.5"),
    Wrong("a negative time", "[classes.lookup]\nttft_ms = -4\n", 2, "greater than 0, not -4"),
    Wrong("a switch for a number", "[device]\nmemory_low_mb = true\n", 2, "integer, not true"),
    Wrong("a number for a switch", "[cloud]\nallow = 1\n", 2, "cloud.allow: should be"),
    Wrong("a score above one", "[injection]\nscore = 1.2\n", 2, "less than or equal to 1"),
    Wrong("not a number", "[injection]\nscore = nan\n", 2, "not NaN"),
    Wrong("infinity", "[device]\nbattery_low_percent = inf\n", 2, "less than or equal to 100"),
    Wrong("a date", "version = 2026-01-01\n", 1, "version: should be a valid string"),
    Wrong("a word that is not known", "[device]\nhot_from = 'boiling'\n", 2, "'critical'"),
    Wrong("never, or a sensitivity", "[sensitivity]\npreview_from = 1\n", 2, "'never', not 1"),
    Wrong("a remote tier here", "[classes.lookup]\ntiers = ['cloud']\n", 2, "tiers[1]: should be"),
    Wrong("a local tier there", "[classes.lookup]\nescalate = [\n'device']\n", 2, "escalate[1]"),
    Wrong("first text after the end", "[classes.lookup]\nttft_ms = 9000\n", 1, "total_ms 5000"),
    Wrong("the end before first text", "\n[classes.lookup]\ntotal_ms = 1\n", 2, "than total_ms 1"),
    Wrong("a deny rule without reason", f"{DENY}[[deny]]\nname = 'x'\n", 5, "deny[2].reason"),
    Wrong("refusing cannot be denied", DENY.replace("cloud", "refuse"), 4, "deny[1].tiers[1]"),
    Wrong("a condition that nothing meets", f"{DENY}classes = []\n", 5, "deny[1].classes"),
    Wrong("deny is a table", "[deny]\nname = 'x'\n", 1, "deny: should be a valid array"),
    Wrong("classes is a number", "classes = 3\n", 1, "classes: should be an object, not 3"),
    Wrong("another schema", "schema = 'skerry.policy/2'\n", 1, "'skerry.policy/1'"),
    Wrong("extends what", "x = 1\nextends = 'theirs'\n", 2, "extends is 'theirs'"),
    Wrong("extends a list", "extends = []\n", 1, "extends is []"),
    Wrong("alone but not whole", "extends = 'nothing'\n", 1, "schema: missing (and 9 more)"),
    Wrong("twice the same key", "version = 'a'\nversion = 'b'\n", 2, "not TOML"),
    Wrong("a bracket left open", "[cloud\nallow = true\n", 1, "not TOML"),
    Wrong("a string left open", "[cloud]\nallow = 'tr\n", 2, "not TOML"),
    Wrong("cut off", "[cloud]\nallow = ", 2, "not TOML"),
    Wrong("NUL", "version = '\x00'\n", 1, "not TOML"),
    Wrong("too deep", "a = " + "[" * 5000, 1, "nested"),
    Wrong("quoted and dotted", "[ 'classes' ]\n\"lookup\" . 'ttft_ms' = 0\n", 2, "lookup.ttft_ms"),
    Wrong("inline", "x = 1\nclasses = { lookup = { ttft_ms = 0 } }\n", 1, "x: unknown key (and 1"),
    Wrong("in a string", "version = '''\n[cloud]\nalow = 1\n'''\n[cloud]\nalow=1\n", 6, "alow"),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_a_wrong_file_is_refused_with_file_line_and_key(wrong: Wrong, tmp_path: Path) -> None:
    path = write(tmp_path, wrong.text)
    with pytest.raises(ConfigError) as caught:
        load_policy(path)
    assert str(caught.value).startswith(f"{path}, line {wrong.line}: ")
    assert wrong.words in str(caught.value)
    assert caught.value.hint


def test_windows_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    content = "version = 'w'\r\n[cloud]\r\nallow = false\r\n".encode("utf-8-sig")
    assert not load_policy(write(tmp_path, content)).cloud.allow
    with pytest.raises(ConfigError, match=r"line 3: cloud\.x: unknown key"):
        load_policy(write(tmp_path, content.replace(b"allow", b"x")))


def test_what_is_not_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="line 2: not UTF-8"):
        load_policy(write(tmp_path, b"version = 'a'\n# \xff\xfe\n"))


def test_what_is_far_too_large(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="more than 256 KiB"):
        load_policy(write(tmp_path, b"#" * (MAX_BYTES + 1)))


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file") as caught:
        load_policy(tmp_path / "absent.toml")
    assert caught.value.hint
    with pytest.raises(ConfigError, match="Is a directory"):
        load_policy(tmp_path)


def test_the_last_line_of_a_large_file_is_found_soon(tmp_path: Path) -> None:
    text = DENY * 3500 + "colour = 1\n"
    assert len(text) < MAX_BYTES
    start = time.perf_counter()
    with pytest.raises(ConfigError, match=r"line 14001: deny\[3500\].colour: unknown key"):
        load_policy(write(tmp_path, text))
    assert time.perf_counter() - start < 20


def test_the_digest_is_of_content_not_of_text() -> None:
    base = load_policy()
    assert parse_policy("# a remark\n", "a.toml").digest == base.digest
    assert parse_policy("[cloud]\nallow = true\n", "a.toml").digest == base.digest
    assert parse_policy("[cloud]\nallow = false\n", "a.toml").digest != base.digest
    assert len(bytes.fromhex(base.digest)) == 32


@given(st.sampled_from([tier for tier in Tier if tier is not Tier.REFUSE]), st.text(min_size=1))
def test_no_deny_rule_of_a_user_removes_one_of_ours(tier: Tier, name: str) -> None:
    printable = "".join(char for char in name if char.isprintable() and char not in "'\\") or "x"
    text = f"[[deny]]\nname = '{printable}'\nreason = 'r'\ntiers = ['{tier}']\n"
    assert {*load_policy().deny} < {*parse_policy(text, "mine.toml").deny}
