"""The gateway's own routes: models, usage, health; replicas and metrics for operators."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from starlette.responses import Response

from skerry.cloud.gateway import metrics
from skerry.cloud.gateway.config import Gateway, Role
from skerry.cloud.gateway.errors import Refusal, bad
from skerry.cloud.gateway.fleet import Fleet
from skerry.cloud.gateway.gate import Gate
from skerry.cloud.gateway.keeping import Keeper
from skerry.cloud.gateway.keys import Holder, check_role
from skerry.cloud.gateway.ledger import day_of
from skerry.cloud.gateway.metrics import Metrics
from skerry.cloud.gateway.requests import Json, asked_by, small_body
from skerry.cloud.gateway.state import State

_DAY_S = 86_400
_MOST_DAYS = 366
_DRAINING = '{"model": NAME, "replica": URL, "drained": true or false}'


class Draining(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /admin/replicas`."""

    model: str
    replica: str
    drained: bool


@dataclass(frozen=True, slots=True)
class Routes:
    config: Gateway
    gate: Gate
    fleet: Fleet
    state: State
    keeper: Keeper
    metrics: Metrics

    def add_to(self, app: FastAPI) -> None:
        app.add_api_route("/health", self.health, methods=["GET"])
        app.add_api_route("/metrics", self.counts, methods=["GET"])
        app.add_api_route("/v1/models", self.models, methods=["GET"])
        app.add_api_route("/v1/models/{name}", self.model, methods=["GET"])
        app.add_api_route("/v1/usage", self.usage, methods=["GET"])
        app.add_api_route("/admin/replicas", self.replicas, methods=["GET"])
        app.add_api_route("/admin/replicas", self.drain, methods=["POST"])

    def health(self) -> Json:
        """Needs no key: it names nothing but the state of affairs."""
        if self.gate.closing or self.keeper.fault is not None:
            why = "stopping" if self.gate.closing else "state"
            return Json({"status": "degraded", "why": why}, status_code=503)
        return Json({"status": "ok"})

    async def counts(self, request: Request) -> Response:
        with asked_by(self.gate, request, Role.OPERATOR):
            return Response(self.metrics.text(), media_type=metrics.TYPE)

    async def models(self, request: Request) -> Json:
        with asked_by(self.gate, request, Role.USER) as holder:
            names = self._names(holder)
            return Json({"object": "list", "data": [self._model(name) for name in names]})

    async def model(self, request: Request, name: str) -> Json:
        with asked_by(self.gate, request, Role.USER) as holder:
            if name not in self._names(holder):
                raise Refusal(404, "model_not_found", "there is no such model for you")
            return Json(self._model(name))

    async def usage(self, request: Request) -> Json:
        """A tenant's own; of an operator everybody's, or that of `?tenant=`."""
        with asked_by(self.gate, request, Role.USER) as holder:
            days = _days(request.query_params.get("days", "30"))
            tenant: str | None = request.query_params.get("tenant", "")
            if not holder.role.covers(Role.OPERATOR):
                if tenant not in ("", holder.tenant):
                    check_role(holder, Role.OPERATOR)
                tenant = holder.tenant
            since = day_of(time.time() - (days - 1) * _DAY_S)
            rows = await asyncio.to_thread(self.state.usage, since, tenant=tenant or None)
            return Json({"object": "list", "since": since, "data": [asdict(row) for row in rows]})

    async def replicas(self, request: Request) -> Json:
        with asked_by(self.gate, request, Role.OPERATOR):
            return Json({"object": "list", "data": self._replicas()})

    async def drain(self, request: Request) -> Json:
        """Lets a replica take no new requests, or again; those under way go on. All gateways of
        one state follow within seconds."""
        with asked_by(self.gate, request, Role.OPERATOR):
            asked = await small_body(request, Draining, _DRAINING)
            if not any(one.url == asked.replica for one in self.fleet.of(asked.model)):
                what = f"the model '{asked.model}' has no replica '{asked.replica}'"
                raise Refusal(404, "replica_not_found", what, hint="see GET /admin/replicas")
            await asyncio.to_thread(self.state.drain, asked.model, asked.replica, on=asked.drained)
            await self.keeper.step()
            return Json({"object": "list", "data": self._replicas()})

    def _names(self, holder: Holder) -> list[str]:
        allowed = holder.rules.models
        return [name for name in self.config.models if allowed is None or name in allowed]

    def _model(self, name: str) -> dict[str, Any]:
        model = self.config.models[name]
        own = {"tier": model.tier, "template": model.template, "split": model.drafts}
        return {"id": name, "object": "model", "created": 0, "owned_by": "skerry", "skerry": own}

    def _replicas(self) -> list[dict[str, Any]]:
        now = time.monotonic()
        return [
            {
                "model": one.model,
                "replica": one.url,
                "under_way": one.under_way,
                "drained": one.drained,
                "healthy": one.healthy,
                "open": not one.breaker.lets(now),
            }
            for one in self.fleet
        ]


def _days(given: str) -> int:
    if not (given.isascii() and given.isdecimal() and len(given) < 5):
        raise bad(f"'days' is a whole number from 1 to {_MOST_DAYS}", "days")
    if not 1 <= int(given) <= _MOST_DAYS:
        raise bad(f"'days' is a whole number from 1 to {_MOST_DAYS}", "days")
    return int(given)
