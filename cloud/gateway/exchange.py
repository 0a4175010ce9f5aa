"""What a request came to: one frozen event, for the ledger, metrics and traces."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from skerry.cloud.gateway.config import Gateway
from skerry.cloud.gateway.ledger import Ledger, cost, day_of
from skerry.cloud.gateway.metering import Tokens
from skerry.cloud.gateway.state.base import Use

NOTHING = Tokens(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Ended:
    """A request that has ended. `model` gave the answer, `asked_model` was to give it.

    `status` is what the client was told; 499: it went away. Times are seconds since it came;
    `first_s` is that of the answer's first byte. `drafted`, `accepted` and `passes` are of devices
    that draft.
    """

    route: str
    tenant: str
    request_class: str
    asked_model: str
    model: str
    status: int
    seconds: float
    waited_s: float = 0.0
    first_s: float | None = None
    tries: int = 0
    tokens: Tokens = NOTHING
    drafted: int = 0
    accepted: int = 0
    passes: int = 0


Observer = Callable[[Ended], None]


def booked(config: Gateway, ledger: Ledger, clock: Callable[[], float] = time.time) -> Observer:
    """An observer that books what was used. What used nothing is not booked."""

    def book(ended: Ended) -> None:
        tokens, model = ended.tokens, config.models.get(ended.model)
        if model is None or not (tokens.prompt or tokens.completion):
            return
        ledger.add(
            Use(
                day_of(clock()),
                ended.tenant,
                ended.request_class,
                ended.model,
                requests=1,
                prompt_tokens=tokens.prompt,
                completion_tokens=tokens.completion,
                estimated=tokens.estimated,
                drafted=ended.drafted,
                accepted=ended.accepted,
                cost=cost(model, tokens.prompt, tokens.completion),
            )
        )

    return book
