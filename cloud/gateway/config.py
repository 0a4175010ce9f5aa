"""What a gateway serves and to whom, as plain data: one class per table of `gateway.toml`.

Reading a file into these is `load`'s work. docs/gateway.md describes every key.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, model_validator

DEFAULT_CLASS = "default"
"""Of requests that name no class."""
_OWN_PLACES = 4

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
CollectionName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Price = Annotated[float, Ge(0), Le(1e6)]
Share = Annotated[float, Ge(0), Le(1)]
Count = Annotated[int, Ge(1), Le(1_000_000)]
Seconds = Annotated[float, Gt(0), Le(86_400)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise ValueError(
            "should be an http:// or https:// base URL such as http://10.0.0.4:8000/v1"
        )
    if parts.username or parts.password:
        raise ValueError("a URL holds no password; name the variable with a key in key_env")
    return text.rstrip("/")


Url = Annotated[str, AfterValidator(_url)]


class Tier(StrEnum):
    MID = "mid"
    LARGE = "large"
    REASONING = "reasoning"


class Role(StrEnum):
    """`USER` asks and sees its own usage; `OPERATOR` also sees metrics and everybody's usage, and
    drains replicas; `ADMIN` also manages keys."""

    USER = "user"
    OPERATOR = "operator"
    ADMIN = "admin"

    def covers(self, other: Role) -> bool:
        order = list(Role)
        return order.index(self) >= order.index(other)


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Limits(_Table):
    """What holds for everybody together.

    `places` requests are under way at once, `waiting` may wait for `wait_seconds`. No request
    takes longer than `deadline_seconds`, no body has more than `body_kib`, all bodies together no
    more than `bodies_mib`. A gateway that is told to stop lets requests go on for
    `drain_seconds`.
    """

    places: Count = 256
    waiting: Annotated[int, Ge(0), Le(100_000)] = 512
    wait_seconds: Seconds = 10.0
    deadline_seconds: Seconds = 600.0
    body_kib: Annotated[int, Ge(1), Le(65_536)] = 4_096
    bodies_mib: Annotated[int, Ge(1), Le(1 << 20)] = 256
    drain_seconds: Seconds = 30.0

    @model_validator(mode="after")
    def _one_body_fits(self) -> Self:
        if self.body_kib > self.bodies_mib * 1024:
            raise ValueError("one body may be larger than all: body_kib is more than bodies_mib")
        return self


class Portion(_Table):
    """A part of the sessions of a model goes to another model, by a hash of the session."""

    model: Name
    share: Share


class Thinking(_Table):
    """How the upstream is told how many tokens it may think: the name of a field of the request,
    and the most that it may say."""

    field: Name
    tokens: Count


class Model(_Table):
    """A model by its internal name: where it is, what it costs, what takes its place.

    Either `replicas` (base URLs of an OpenAI-compatible server) or `path` (a GGUF model in this
    process, which verifies the drafts of devices). With a `tokenizer` the replicas verify
    drafts, too. Prices are for 1,000 tokens. `adapters` are names of LoRA adapters there, by
    request class.
    """

    tier: Tier
    template: Name
    replicas: Annotated[tuple[Url, ...], MinLen(1)] | None = None
    upstream_model: Annotated[str, MinLen(1)] | None = None
    key_env: Variable | None = None
    path: Annotated[str, MinLen(1)] | None = None
    tokenizer: Annotated[str, MinLen(1)] | None = None
    context_tokens: Annotated[int, Ge(64), Le(1 << 20)] = 4_096
    places: Count | None = None
    price_in: Price = 0.0
    price_out: Price = 0.0
    adapters: dict[Name, Annotated[str, MinLen(1)]] = {}
    fallback: tuple[Name, ...] = ()
    read_seconds: Seconds = 120.0
    stream_usage: bool = True
    thinking: Thinking | None = None
    canary: Portion | None = None
    shadow: Portion | None = None

    @property
    def drafts(self) -> bool:
        """Whether it verifies the drafts of devices."""
        return self.path is not None or self.tokenizer is not None

    @property
    def most_places(self) -> int | None:
        """Requests to it at once; one in this process always has a number."""
        return self.places or (_OWN_PLACES if self.path is not None else None)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.replicas is None) == (self.path is None):
            raise ValueError("give either replicas (URLs) or path (a GGUF file)")
        if self.path is not None and self.tokenizer is not None:
            raise ValueError("a GGUF file has its own tokens; tokenizer is for replicas")
        if self.replicas and len(set(self.replicas)) < len(self.replicas):
            raise ValueError("a replica is named twice")
        return self


class TierTable(_Table):
    """The most tokens that an answer of a tier may have, thinking included."""

    max_tokens: Count


class RequestClass(_Table):
    """A kind of request: the tier that answers it, where the client names no model."""

    tier: Tier


class TenantKey(_Table):
    """A key by its SHA-256, in hex. `skerry cloud keys add` keeps keys beside the file instead."""

    digest: Digest
    role: Role = Role.USER


class Tenant(_Table):
    """Who asks. `classes` and `models` are what it may ask for; None is all of them."""

    keys: tuple[TenantKey, ...] = ()
    requests_per_minute: Count = 600
    burst: Count = 60
    places: Count = 32
    tokens_per_day: Annotated[int, Ge(1)] | None = None
    classes: tuple[Name, ...] | None = None
    models: tuple[Name, ...] | None = None


class Collection(_Table):
    """Documents that devices search by a vector. `tenants` may search it; None is all of them.

    What is in it is published by an operator (`skerry cloud collections publish`), `most_passages`
    at most.
    """

    tenants: tuple[Name, ...] | None = None
    most_passages: Count = 200_000

    def is_open_to(self, tenant: str) -> bool:
        return self.tenants is None or tenant in self.tenants


class Gateway(_Table):
    """A whole file. `state` is a file beside it, or a `postgresql://` URL."""

    format: Literal["skerry.gateway/1"]
    state: Annotated[str, MinLen(1)] = "gateway.db"
    limits: Limits = Limits()
    models: dict[Name, Model] = {}
    tenants: Annotated[dict[Name, Tenant], MinLen(1)]
    tiers: dict[Tier, TierTable] = {}
    classes: dict[Name, RequestClass] = {}
    collections: dict[CollectionName, Collection] = {}

    @model_validator(mode="after")
    def _serves_something(self) -> Self:
        if not (self.models or self.collections):
            raise ValueError("give models or collections, for there is nothing to serve")
        return self

    def model_of(self, tier: Tier) -> str | None:
        """The first model of a tier that answers requests, in the order of the file."""
        found = (name for name, one in self.models.items() if one.tier is tier and one.replicas)
        return next(found, None)
