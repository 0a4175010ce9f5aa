"""Where the cloud is and how long to wait for it. Checks every value; opens no connection."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.edge.errors import ConfigError

if TYPE_CHECKING:
    from httpx2 import URL

_API_ROOT = "/v1"
_LAST_PORT = 65535
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that is never printed: `repr` and `str` hide it, `reveal` gives it."""

    _text: str = field(repr=False)

    def reveal(self) -> str:
        return self._text

    def __str__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._text)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudOptions:
    """An OpenAI-compatible service and the limits on talking to it. Times are in seconds.

    `base_url` without a path gets `/v1`. `reasoning_model` answers what needs several steps of
    thought; None lets `model` do it. `headers` are sent with every request, and their
    values are as secret as `api_key`. `proxy` is the only proxy ever used: those of the
    environment are not. `ca_bundle` (PEM) replaces the system's certificate authorities.

    `connect_s` bounds the name lookup with the connection, and again the TLS handshake;
    `ttft_s` one attempt up to its first token; `idle_s` the gap between two tokens; `total_s`
    everything, with retries and waits. `breaker_failures` in a row open the circuit for
    `breaker_cooldown_s`.

    Raises:
        ConfigError: a value cannot be used; the message names the field.
    """

    base_url: str
    model: str
    reasoning_model: str | None = None
    api_key: Secret = Secret("")
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    connect_s: float = 5.0
    ttft_s: float = 20.0
    idle_s: float = 15.0
    total_s: float = 120.0
    max_retries: int = 2
    backoff_base_s: float = 0.25
    backoff_max_s: float = 8.0
    breaker_failures: int = 3
    breaker_cooldown_s: float = 30.0
    max_response_bytes: int = 8 << 20
    max_line_bytes: int = 256 << 10
    ca_bundle: Path | None = None
    verify_tls: bool = True
    proxy: str | None = field(default=None, repr=False)
    allow_insecure: bool = False

    def __post_init__(self) -> None:
        _check_security(self)
        _check_proxy(self.proxy)
        _check_numbers(self)
        _check_sendable("model", self.model)
        _check_header_value("api_key", self.api_key.reveal())
        for name, value in self.headers.items():
            _check_header_name(name)
            _check_header_value(f"headers[{name!r}]", value)

    @property
    def url(self) -> URL:
        """The API's root, such as `https://api.example.org/v1`."""
        url = parse_url(self.base_url)
        path = url.path.rstrip("/")
        return url.copy_with(path=path or _API_ROOT, query=None, fragment=None)

    @property
    def completions_url(self) -> str:
        return f"{self.url}/chat/completions"

    @property
    def models_url(self) -> str:
        return f"{self.url}/models"

    @property
    def destination(self) -> str:
        """Host and port, as a person would name them."""
        return self.url.netloc.decode()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every text that no message may show."""
        return tuple(text for text in (self.api_key.reveal(), *self.headers.values()) if text)

    def request_headers(self) -> dict[str, str]:
        """What is sent with every request, beside what HTTP itself needs."""
        own = {"accept-encoding": "identity", "user-agent": "skerry"}
        key = {"authorization": f"Bearer {self.api_key.reveal()}"} if self.api_key else {}
        return own | key | {name.lower(): value for name, value in self.headers.items()}


def parse_url(text: str) -> URL:
    """Reads the URL of a service, with the parser that later sends to it.

    Raises:
        ConfigError: not an http(s) URL of a host, or it holds a password, a query or a fragment.
    """
    from httpx2 import URL, InvalidURL

    try:
        url = URL(text)
    except InvalidURL as error:
        raise _bad_url(f"cannot be read: {error}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise _bad_url("is not an http or https address with a host")
    if url.port is not None and url.port > _LAST_PORT:
        raise _bad_url(f"has the port {url.port}, which does not exist")
    if url.userinfo or url.query or url.fragment:
        raise _bad_url("holds a password, a query or a fragment")
    return url


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine, judged by name and number without looking anything up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bad_url(problem: str) -> ConfigError:
    return ConfigError(
        f"the cloud's base_url {problem}", hint="write it like https://api.example.org/v1"
    )


def check_url(text: str) -> URL:
    """Reads the URL of a service that text may be sent to: https, or on this machine.

    Raises:
        ConfigError: it is neither, or `parse_url` cannot read it.
    """
    url = parse_url(text)
    if url.scheme != "https" and not is_loopback(url.host):
        raise ConfigError(
            f"the cloud's base_url would send text to {url.host} unencrypted",
            hint="use https; CloudOptions(allow_insecure=True) is for networks that are protected",
        )
    return url


def _check_security(options: CloudOptions) -> None:
    if options.allow_insecure:
        parse_url(options.base_url)
        return
    url = check_url(options.base_url)
    if not options.verify_tls and not is_loopback(url.host):
        raise ConfigError(
            f"verify_tls is off, so anyone could pose as {url.host}",
            hint="set ca_bundle to the certificate authority of the server instead",
        )


def _check_proxy(proxy: str | None) -> None:
    from httpx2 import URL, InvalidURL

    try:
        usable = proxy is None or URL(proxy).scheme in ("http", "https")
    except InvalidURL:
        usable = False
    if not usable:
        raise ConfigError(
            "the cloud's proxy is not an http or https address",
            hint="write it like http://proxy.example.org:3128",
        )


def _check_numbers(options: CloudOptions) -> None:
    positive = (
        "connect_s", "ttft_s", "idle_s", "total_s", "backoff_base_s", "backoff_max_s",
        "breaker_failures", "breaker_cooldown_s", "max_response_bytes", "max_line_bytes",
    )  # fmt: skip
    for name in positive:
        value = getattr(options, name)
        if not (value > 0 and math.isfinite(value)):
            raise ConfigError(f"the cloud's {name} must be a number above zero, not {value!r}")
    if options.max_retries < 0:
        raise ConfigError("the cloud's max_retries must not be negative")


def _check_sendable(name: str, text: str) -> None:
    if not text.strip():
        raise ConfigError(f"the cloud's {name} is empty", hint="name a model that the server has")


def _check_header_name(name: str) -> None:
    if not _TOKEN.fullmatch(name):
        raise ConfigError(
            f"the cloud's headers hold the name {name!a}, which HTTP cannot send",
            hint="use letters, digits and dashes",
        )


def _check_header_value(name: str, text: str) -> None:
    """HTTP takes visible ASCII here (RFC 9110, section 5.5); a line break would forge headers."""
    if not text.isascii() or not text.isprintable():
        raise ConfigError(
            f"the cloud's {name} holds a line break or a character that HTTP cannot send",
            hint="a key that was read from a file often ends in a line break: strip it",
        )
