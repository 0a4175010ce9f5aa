"""Reads a request as far as a gateway must: who is to answer, how, and for whom. Pure.

Everything else passes as it came: values are kept as the bytes that they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from skerry.cloud.gateway.config import DEFAULT_CLASS, Gateway, Model, Tenant, Tier
from skerry.cloud.gateway.errors import Refusal, bad
from skerry.cloud.gateway.fleet import part

CLASS = "x-skerry-class"
SESSION = "x-skerry-session"
TEMPLATE = "x-skerry-template"
DEADLINE = "x-skerry-deadline-ms"
_ANY = (None, "", "auto")
_PROMPTS = ("messages", "prompt", "input")
_CAPS = ("max_completion_tokens", "max_tokens")
_BEGINNING = 1_024
_LONGEST_SESSION = 256

Fields = dict[str, msgspec.Raw]
_fields: msgspec.json.Decoder[Fields] = msgspec.json.Decoder(Fields)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. `session` is what replicas and shares are chosen by; `tells` whether the client
    wants to be told of usage while it streams."""

    model: str
    request_class: str
    fields: Fields
    session: bytes
    stream: bool
    tells: bool


def read(
    body: bytes, headers: Mapping[str, str], config: Gateway, who: tuple[str, Tenant]
) -> Asked:
    """What the tenant `who` asks for with a request.

    Raises:
        Refusal: 400, 403, 404 or 409: what is wrong with it.
    """
    fields = _read_fields(body)
    tenant, rules = who
    request_class = _class(headers, fields, config, rules)
    session = _session(tenant, headers, fields)
    model = _model(fields, request_class, config, rules)
    canary = config.models[model].canary
    if canary is not None and part(session, "canary") < canary.share:
        model = canary.model
    check_template(headers, model, config.models[model])
    stream = _typed(fields, "stream", bool)
    options = _typed(fields, "stream_options", dict)
    tells = isinstance(options, dict) and options.get("include_usage") is True
    return Asked(model, request_class, fields, session, stream is True, tells)


def body_for(asked: Asked, name: str, config: Gateway, *, generates: bool) -> bytes:
    """The request as the model `name` takes it: the model's own name or an adapter's, at most as
    many tokens as its tier may have; `generates`: it is one for text, not for vectors."""
    model = config.models[name]
    fields = {key: value for key, value in asked.fields.items() if key != CLASS}
    upstream = model.adapters.get(asked.request_class) or model.upstream_model or name
    fields["model"] = _raw(upstream)
    if generates:
        _cap(fields, model, config)
        if asked.stream and model.stream_usage and not asked.tells:
            options = _typed(fields, "stream_options", dict) or {}
            fields["stream_options"] = _raw({**options, "include_usage": True})
    return msgspec.json.encode(fields)


def deadline_s(headers: Mapping[str, str], config: Gateway) -> float:
    """Seconds that a request may take: the client's, within the gateway's.

    Raises:
        Refusal: 400: it is no number.
    """
    most = config.limits.deadline_seconds
    given = headers.get(DEADLINE)
    if given is None:
        return most
    if not given.isdecimal() or len(given) > 12 or not int(given):
        raise bad(f"{DEADLINE} is a whole number of milliseconds, from 1 on", DEADLINE)
    return min(most, int(given) / 1e3)


def _read_fields(body: bytes) -> Fields:
    try:
        body.decode()  # values are kept as they are, also what is no text
        return _fields.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        no_object = isinstance(error, msgspec.ValidationError)
        what = "the body is no JSON object" if no_object else "the body is not JSON"
        raise Refusal(400, "invalid_json", what) from None


def _typed(fields: Fields, name: str, kind: type) -> Any:
    """The value of a field, or None where it is missing or null. Raises Refusal: another type."""
    if name not in fields:
        return None
    try:
        return msgspec.json.decode(fields[name], type=kind | None)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        words = {str: "a text", bool: "true or false", int: "a whole number", dict: "an object"}
        raise bad(f"'{name}' should be {words[kind]}", name) from None


def _class(headers: Mapping[str, str], fields: Fields, config: Gateway, rules: Tenant) -> str:
    given: str = headers.get(CLASS) or _typed(fields, CLASS, str) or DEFAULT_CLASS
    if given != DEFAULT_CLASS and given not in config.classes:
        known = ", ".join(config.classes) or "none"
        raise bad(f"there is no request class of that name; there are: {known}", CLASS)
    if rules.classes is not None and given not in rules.classes:
        what = f"requests of the class '{given}' are not open to you"
        hint = f"name one of yours in {CLASS}: {', '.join(rules.classes)}"
        raise Refusal(403, "class_not_allowed", what, hint=hint, param=CLASS)
    return given


def _model(fields: Fields, request_class: str, config: Gateway, rules: Tenant) -> str:
    given: str | None = _typed(fields, "model", str)
    name: str | None = None
    if given in config.models:
        name = given
    elif given in _ANY or given in list(Tier):
        name = _of_tier(given, request_class, config)
    if name is None or (rules.models is not None and name not in rules.models):
        what = "there is no such model for you; GET /v1/models lists those that there are"
        raise Refusal(404, "model_not_found", what, param="model")
    if config.models[name].replicas is None:
        what = f"'{name}' answers only devices that draft, at /v1/split"
        raise Refusal(400, "wrong_endpoint", what, param="model")
    return name


def _of_tier(given: str | None, request_class: str, config: Gateway) -> str | None:
    """The model of the tier that is asked for, or of the class's; else the first of all."""
    if given not in _ANY:
        return config.model_of(Tier(given))
    if request_class in config.classes:
        return config.model_of(config.classes[request_class].tier)
    return next((name for name, one in config.models.items() if one.replicas), None)


def _session(tenant: str, headers: Mapping[str, str], fields: Fields) -> bytes:
    """By its name, or else by how the prompt begins; never the same for two tenants."""
    named = headers.get(SESSION, "")[:_LONGEST_SESSION]
    begins = next((bytes(fields[name])[:_BEGINNING] for name in _PROMPTS if name in fields), b"")
    content = b"name " + named.encode(errors="replace") if named else b"text " + begins
    return hashlib.blake2b(content, digest_size=16, key=tenant.encode()).digest()


def check_template(headers: Mapping[str, str], name: str, model: Model) -> None:
    """Raises Refusal: 409: prompts were made for another template than the model has now."""
    wanted = headers.get(TEMPLATE)
    if wanted is not None and wanted != model.template:
        what = f"'{name}' has the prompt template '{model.template}' now"
        hint = "update what builds the prompts, or leave the header out"
        raise Refusal(409, "template_changed", what, hint=hint, param=TEMPLATE)


def _cap(fields: Fields, model: Model, config: Gateway) -> None:
    tier = config.tiers.get(model.tier)
    if tier is not None:
        for name in [name for name in _CAPS if name in fields] or _CAPS[1:]:
            _limit(fields, name, tier.max_tokens, least=1)
    if model.thinking is not None:
        _limit(fields, model.thinking.field, model.thinking.tokens, least=0)


def _limit(fields: Fields, name: str, most: int, *, least: int) -> None:
    given = _typed(fields, name, int)
    if given is None or not least <= given <= most:
        fields[name] = _raw(most)


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
