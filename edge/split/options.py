"""Where the cloud that verifies is, and how far the device drafts ahead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from skerry.edge.escalate.options import Secret, check_url

Transport = Literal["auto", "websocket", "http"]

_NO_KEY = Secret("")
_PATH = "/v1/split"
_HTTP_PATH = "/v1/split/http"
_SCHEMES = {"http": "ws", "https": "wss"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitOptions:
    """A cloud tier and the limits on talking to it. Times are in seconds.

    `base_url` is an http(s) address; `model` empty takes what is there. `depth` is how many tokens
    the device guesses beyond what is verified, `burst` how many it guesses before it looks for
    news. `patience_ms` 0 is latency mode; more is thrift mode: the cloud waits so long for guesses.
    None waits where that is faster: where the way is short, and guesses are mostly right.
    The first token may take `first_s`, for the target has to read the prompt; later ones `idle_s`.
    A broken connection is made anew `resumes` times. `transport` names the way of the frames:
    `websocket`, `http`, or `auto`, which takes HTTP where WebSockets do not get through.

    Raises:
        ConfigError: `base_url` cannot be used, or text may not be sent to it unencrypted.
    """

    base_url: str
    api_key: Secret = _NO_KEY
    model: str = ""
    depth: int = 32
    burst: int = 4
    resumes: int = 3
    transport: Transport = "auto"
    patience_ms: int | None = None
    connect_s: float = 5.0
    first_s: float = 30.0
    idle_s: float = 15.0

    def __post_init__(self) -> None:
        check_url(self.base_url)

    @property
    def url(self) -> str:
        """The WebSocket's address."""
        url = check_url(self.base_url)
        path = url.path.rstrip("/").removesuffix("/v1")
        return str(url.copy_with(scheme=_SCHEMES[url.scheme], path=path + _PATH))

    @property
    def http_url(self) -> str:
        """Where frames go over plain HTTP."""
        url = check_url(self.base_url)
        return str(url.copy_with(path=url.path.rstrip("/").removesuffix("/v1") + _HTTP_PATH))

    @property
    def destination(self) -> str:
        """Host and port, as a person would name them."""
        return check_url(self.base_url).netloc.decode()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every text that no message may show."""
        return tuple(text for text in (self.api_key.reveal(),) if text)

    def headers(self) -> dict[str, str]:
        key = self.api_key.reveal()
        return {"Authorization": f"Bearer {key}"} if key else {}
