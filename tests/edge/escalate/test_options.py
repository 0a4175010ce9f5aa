from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from skerry.edge.errors import ConfigError
from skerry.edge.escalate import CloudOptions, CloudTier, Secret

URLS = {
    "https://api.example.org": "https://api.example.org/v1/chat/completions",
    "https://api.example.org/": "https://api.example.org/v1/chat/completions",
    "https://api.example.org/v1/": "https://api.example.org/v1/chat/completions",
    "https://api.example.org/v1?": "https://api.example.org/v1/chat/completions",
    "https://example.org/openai/v1": "https://example.org/openai/v1/chat/completions",
    "http://127.0.0.1:8080": "http://127.0.0.1:8080/v1/chat/completions",
    "http://127.9.9.9": "http://127.9.9.9/v1/chat/completions",
    "http://[::1]:8080/v1": "http://[::1]:8080/v1/chat/completions",
    "http://localhost:8080": "http://localhost:8080/v1/chat/completions",
}


@pytest.mark.parametrize(("base_url", "completions_url"), URLS.items())
def test_urls(base_url: str, completions_url: str) -> None:
    assert CloudOptions(base_url=base_url, model="m").completions_url == completions_url


@dataclass(frozen=True)
class Bad:
    name: str
    says: str
    base_url: str = "https://api.example.org"
    fields: dict[str, Any] = field(default_factory=dict)


BAD = [
    Bad("plain http", "unencrypted", "http://api.example.org"),
    Bad("looks like loopback", "unencrypted", "http://127.0.0.1.example.org"),
    Bad("localhost as a label", "unencrypted", "http://localhost.example.org"),
    Bad("other machine", "unencrypted", "http://192.168.0.7:8080"),
    Bad("no scheme", "not an http", "api.example.org/v1"),
    Bad("no host", "not an http", "https://"),
    Bad("file", "not an http", "file:///etc/passwd"),
    Bad("empty", "not an http", ""),
    Bad("NUL", "cannot be read", "https://api.example.org/\0"),
    Bad("no such port", "port", "https://api.example.org:99999"),
    Bad("port is a word", "cannot be read", "https://api.example.org:http"),
    Bad("password", "password", "https://user:secret@api.example.org"),
    Bad("query", "query", "https://api.example.org/v1?key=secret"),
    Bad("fragment", "fragment", "https://api.example.org/v1#x"),
    Bad("no model", "model is empty", fields={"model": " "}),
    Bad("key with a line break", "api_key", fields={"api_key": Secret("sk-1\n")}),
    Bad("key is not ASCII", "api_key", fields={"api_key": Secret("schlüssel")}),
    Bad("forged header", "X-Org", fields={"headers": {"X-Org": "a\r\nX-Evil: b"}}),
    Bad("forged header name", "headers", fields={"headers": {"X-A: b\r\nX-Evil": "c"}}),
    Bad("no time", "ttft_s", fields={"ttft_s": 0}),
    Bad("no end", "total_s", fields={"total_s": float("inf")}),
    Bad("no number", "idle_s", fields={"idle_s": float("nan")}),
    Bad("negative retries", "max_retries", fields={"max_retries": -1}),
    Bad("anyone may pose", "verify_tls", fields={"verify_tls": False}),
    Bad("odd proxy", "proxy", fields={"proxy": "ftp://proxy.example.org"}),
]


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_bad_options_are_refused_by_name(case: Bad) -> None:
    with pytest.raises(ConfigError, match=case.says) as caught:
        CloudOptions(**({"base_url": case.base_url, "model": "m"} | case.fields))
    assert caught.value.hint or "must" in caught.value.what
    assert "secret" not in str(caught.value)


def test_insecure_only_when_said_so() -> None:
    options = CloudOptions(
        base_url="http://10.0.0.7:8000", model="m", allow_insecure=True, verify_tls=False
    )
    assert options.destination == "10.0.0.7:8000"


def test_secrets_are_never_printed() -> None:
    options = CloudOptions(
        base_url="https://api.example.org",
        model="m",
        api_key=Secret("sk-hidden"),
        headers={"X-Token": "also-hidden"},
        proxy="http://user:hidden@proxy.example.org",
    )
    shown = f"{options!r} {options} {options.api_key!r} {options.api_key}"
    assert "hidden" not in shown
    assert options.request_headers()["authorization"] == "Bearer sk-hidden"


def test_no_key_no_header() -> None:
    options = CloudOptions(base_url="http://127.0.0.1", model="m")
    assert "authorization" not in options.request_headers()
    assert "authorization" in replace(options, api_key=Secret("k")).request_headers()


@pytest.mark.parametrize("content", [None, "not a certificate"], ids=["missing", "malformed"])
def test_bad_ca_bundle(tmp_path: Path, content: str | None) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content)
    options = CloudOptions(base_url="https://api.example.org", model="m", ca_bundle=bundle)
    with pytest.raises(ConfigError, match=r"ca\.pem"):
        CloudTier(options)
