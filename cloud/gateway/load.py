"""Reads `gateway.toml`, or says which line of it is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from skerry.cloud.gateway.config import DEFAULT_CLASS, Gateway
from skerry.cloud.gateway.errors import GatewayConfigError
from skerry.device_profiles.located_toml import KeyPath, LocatedToml, TomlFault, parse, read

MOST_BYTES = 1 << 20
_MEND = "docs/gateway.md describes every key"


def load(path: Path) -> Gateway:
    """The gateway that the file `path` describes.

    Raises:
        GatewayConfigError: it cannot be read, or is none; names file, line and key.
    """
    try:
        return _checked(read(path, max_bytes=MOST_BYTES), str(path))
    except OSError as error:
        what = f"{path}: cannot be read: {error.strerror}"
        raise GatewayConfigError(what, hint="check the path after --config") from error
    except TomlFault as fault:
        raise _error(str(path), fault.line, fault.what) from None


def parsed(text: str, name: str = "gateway.toml") -> Gateway:
    """The gateway that `text` describes; `name` is what errors call it.

    Raises:
        GatewayConfigError: it is none.
    """
    try:
        return _checked(parse(text), name)
    except TomlFault as fault:
        raise _error(name, fault.line, fault.what) from None


def _checked(located: LocatedToml, name: str) -> Gateway:
    content = json.dumps(located.data, default=str)
    try:
        config = Gateway.model_validate_json(content, strict=True)
    except ValidationError as error:
        fault = located.fault(error)
        raise _error(name, fault.line, f"{fault.key}: {fault.what}".lstrip(": ")) from None
    for path, what in _unknown(config):
        raise _error(name, located.line(path), f"{'.'.join(map(str, path))}: {what}")
    return config


def _unknown(config: Gateway) -> Iterator[tuple[KeyPath, str]]:
    """Names that nothing has: the place, and the complaint."""
    for path, name in _models_named(config):
        if name not in config.models:
            yield path, f"there is no model '{name}'"
        elif config.models[name].replicas is None and not _drafts_too(config, path):
            yield path, f"'{name}' is in this process, and answers only devices that draft"
    for path, name in _classes_named(config):
        if name not in config.classes and name != DEFAULT_CLASS:
            yield path, f"there is no class '{name}'; make it with [classes.{name}]"
    for name, request_class in config.classes.items():
        if config.model_of(request_class.tier) is None:
            yield ("classes", name, "tier"), f"no model is of the tier '{request_class.tier}'"
    for name, collection in config.collections.items():
        for tenant in collection.tenants or ():
            if tenant not in config.tenants:
                yield ("collections", name, "tenants"), f"there is no tenant '{tenant}'"
    yield from _keys_twice(config)


def _models_named(config: Gateway) -> Iterator[tuple[KeyPath, str]]:
    for name, model in config.models.items():
        for other in model.fallback:
            yield ("models", name, "fallback"), other
        for key in ("canary", "shadow"):
            if (part := getattr(model, key)) is not None:
                yield ("models", name, key), part.model


def _drafts_too(config: Gateway, path: KeyPath) -> bool:
    """Whether a key is the canary of a model that answers only devices that draft, or the fallback
    of one that answers them, too."""
    _, name, key = path
    model = config.models[str(name)]
    return (key == "canary" and model.path is not None) or (key == "fallback" and model.drafts)


def _classes_named(config: Gateway) -> Iterator[tuple[KeyPath, str]]:
    for name, model in config.models.items():
        for request_class in model.adapters:
            yield ("models", name, "adapters", request_class), request_class
    for name, tenant in config.tenants.items():
        for request_class in tenant.classes or ():
            yield ("tenants", name, "classes"), request_class


def _keys_twice(config: Gateway) -> Iterator[tuple[KeyPath, str]]:
    seen = set[str]()
    for name, tenant in config.tenants.items():
        for key in tenant.keys:
            if key.digest in seen:
                yield ("tenants", name, "keys"), "this key is another's, too"
            seen.add(key.digest)
        for model in tenant.models or ():
            if model not in config.models:
                yield ("tenants", name, "models"), f"there is no model '{model}'"


def _error(name: str, line: int, what: str) -> GatewayConfigError:
    return GatewayConfigError(f"{name}, line {line}: {what}", hint=_MEND)
