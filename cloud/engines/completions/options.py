"""Where the target's server is and how long to wait for it. Opens no connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from skerry.cloud.errors import TargetError

MOST_DRAFTS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointOptions:
    """A server of the completions API. Times are in seconds.

    `url` without a path gets `/v1`. `model` may be empty where the server has one only.
    `connect_s` bounds the name lookup with the connection, `deadline_s` each request as a whole.
    `context_tokens` 0 takes what the server says. At most `drafts` tokens are looked at together:
    each is a prefix of its own.

    Raises:
        TargetError: a value cannot be used.
    """

    url: str
    model: str = ""
    api_key: str = field(default="", repr=False)
    connect_s: float = 5.0
    deadline_s: float = 60.0
    context_tokens: int = 0
    sessions: int = 4
    drafts: int = 8

    def __post_init__(self) -> None:
        if not 1 <= self.drafts <= MOST_DRAFTS:
            raise TargetError(f"{self.drafts} drafts at once", hint=f"give 1 to {MOST_DRAFTS}")
        if not (self.api_key.isascii() and self.api_key.isprintable()):
            raise TargetError("the target's API key is no line of ASCII", hint="check the key file")
        object.__setattr__(self, "url", _root(self.url))

    @property
    def server(self) -> str:
        """The address without the API's root."""
        return self.url.removesuffix("/v1")


def _root(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or True)
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.username or parts.password:
        raise TargetError(
            "the target's URL is no address of a server",
            hint="give it like http://127.0.0.1:8000, without a password in it",
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/') or '/v1'}"
