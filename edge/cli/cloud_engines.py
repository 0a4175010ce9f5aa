"""Which engine `skerry cloud serve` serves, and where its model is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from skerry.edge.cli.options import option
from skerry.edge.errors import ConfigError

if TYPE_CHECKING:
    from skerry.cloud.engines.base import Verifier
    from skerry.cloud.engines.completions.options import EndpointOptions
    from skerry.edge.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

LLAMA, VLLM = "llama", "vllm"
_OF_SERVERS = ("url", "tokenizer", "target_model", "target_key_file")
_MOST_KEY_BYTES = 4096


def engine_options(command: Command) -> Command:
    """The options that `make_verifier` reads."""
    for decorate in reversed(_OPTIONS):
        command = decorate(command)
    return command


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    option(
        "--engine",
        type=click.Choice([LLAMA, "completions", VLLM]),
        default=LLAMA,
        show_default=True,
        help="What runs the target: llama.cpp here, a server that takes token ids for prompts, or "
        "vLLM, by its plugin where it has it.",
    ),
    option("--url", help="Address of the target's server."),
    option(
        "--tokenizer",
        type=click.Path(path_type=Path),
        help="Tokens of the target's server: its tokenizer.json or folder, or a GGUF model. "
        "Without it no drafts are read.",
    ),
    option("--target-model", help="Model of the target's server, where it has several."),
    option(
        "--target-key-file",
        type=click.Path(path_type=Path),
        help="File of the API key of the target's server.",
    ),
    option(
        "--drafts",
        type=click.IntRange(1, 32),
        default=8,
        show_default=True,
        help="Drafted tokens that the target's server looks at together.",
    ),
)


def taken(given: dict[str, Any]) -> dict[str, Any]:
    """Takes these options out of a command's keywords: they are no settings."""
    return {name: given.pop(name) for name in ("engine", "drafts", *_OF_SERVERS)}


def make_verifier(
    wanted: Settings, given: dict[str, Any], *, sessions: int, context_tokens: int
) -> Verifier:
    """The engine that `given`, of `taken`, describes. `context_tokens` 0: what it has by itself.

    Raises:
        click.UsageError: options that do not belong together.
        ConfigError: the key cannot be read.
        EdgeError: the model is not here.
        CloudTierError: the target cannot be used.
    """
    if given["engine"] == LLAMA:
        return _llama(wanted, given, sessions, context_tokens)
    return _served(given, sessions, context_tokens)


def _llama(wanted: Settings, given: dict[str, Any], sessions: int, context_tokens: int) -> Verifier:
    from skerry.cloud.engines.llama.verifier import LlamaVerifier
    from skerry.edge.engines.models import catalogue

    for name in _OF_SERVERS:
        if given[name] is not None:
            flag = "--" + name.replace("_", "-")
            raise click.UsageError(
                f"{flag} is for a target's server; give --engine completions or vllm"
            )
    path = catalogue(wanted.models_dir).find(wanted.model).path
    return LlamaVerifier.load(
        path, sessions=sessions, context_tokens=context_tokens, threads=wanted.threads or 0
    )


def _served(given: dict[str, Any], sessions: int, context_tokens: int) -> Verifier:
    from skerry.cloud.engines.completions.options import EndpointOptions

    if not given["url"]:
        raise click.UsageError(f"--engine {given['engine']} needs --url")
    options = EndpointOptions(
        url=given["url"],
        model=given["target_model"] or "",
        api_key=_key(given["target_key_file"]),
        context_tokens=context_tokens,
        sessions=sessions,
        drafts=given["drafts"],
    )
    return _connected(options, given["tokenizer"], plugin=given["engine"] == VLLM)


def _connected(options: EndpointOptions, tokenizer: Path | None, *, plugin: bool) -> Verifier:
    if not plugin:
        from skerry.cloud.engines.completions.verifier import CompletionsVerifier

        return CompletionsVerifier.connect(options, tokenizer)
    from skerry.cloud.engines.vllm.verifier import connect

    verifier, why = connect(options, tokenizer)
    if why:
        click.echo(f"drafts are verified by a batch of prefixes: {why}", err=True)
    return verifier


def _key(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        with path.open("rb") as file:
            key = file.read(_MOST_KEY_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the target's API key cannot be read from {path}: {error}", hint="check the path"
        ) from error
    if not key:
        raise ConfigError(f"{path} is empty", hint="write the target's API key into it")
    return key
