"""The application: endpoints, the guard in front of them, and errors in OpenAI's shape."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi import Request as HttpRequest
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from skerry.edge.errors import EdgeError
from skerry.edge.runtime import Runtime
from skerry.edge.server import (
    chat,
    completions,
    conversations,
    embeddings,
    models,
    page,
    page_api,
    responses,
)
from skerry.edge.server.admission import Admission
from skerry.edge.server.errors import (
    ApiError,
    as_api_error,
    is_json,
    not_json,
    unreadable,
    validation_error,
)
from skerry.edge.server.guard import Guard
from skerry.edge.server.metrics import Metrics
from skerry.edge.server.options import ServerOptions
from skerry.edge.server.service import Service, service_of
from skerry.edge.server.sse import Json, error_response
from skerry.edge.server.threads import Threads
from skerry.guardrails.errors import GuardrailError

_ROUTERS = (
    chat.router,
    completions.router,
    responses.router,
    embeddings.router,
    models.router,
    page_api.router,
    conversations.router,
    page.router,
)
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def create_app(runtime: Runtime, options: ServerOptions) -> FastAPI:
    """The server as an ASGI application. It leaves `runtime` open; the caller closes it."""
    service = make_service(runtime, options)
    app = FastAPI(title="Skerry", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.service = service
    for router in _ROUTERS:
        app.include_router(router)
    app.get("/health")(_health)
    app.get("/metrics")(_metrics)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(EdgeError, _known)
    app.add_exception_handler(GuardrailError, _known)
    app.add_middleware(Guard, options=options, metrics=service.metrics)
    if options.allow_origins:  # outermost, so that pages can read refusals too
        _allow(app, options.allow_origins)
    return app


def make_service(runtime: Runtime, options: ServerOptions) -> Service:
    admission = Admission(runtime.parts.engine_options.parallel + options.waiting)
    return Service(
        runtime=runtime,
        options=options,
        admission=admission,
        metrics=Metrics(lambda: len(admission)),
        threads=Threads(runtime.parts),
        started_at=int(time.time()),
    )


def _allow(app: FastAPI, origins: tuple[str, ...]) -> None:
    """CORS for the origins that were named, and no others; a key travels in a header, no cookie.

    Any header is theirs to send: OpenAI's client for browsers has a dozen of its own. So is a
    call from a public address to this machine, which browsers ask about by themselves.
    """
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["*"],
        allow_private_network=True,
    )


def _health(service: Annotated[Service, Depends(service_of)]) -> Json:
    """Whoever has no key hears which file it is, and no name of it."""
    faults = service.runtime.parts.faults()
    if not faults:
        return Json({"status": "ok"})
    codes = {name: error.code for name, error in faults.items()}
    return Json({"status": "degraded", "faults": codes}, status_code=503)


def _metrics(service: Annotated[Service, Depends(service_of)]) -> Response:
    return Response(service.metrics.text(), media_type=_METRICS_TYPE)


async def _invalid(request: HttpRequest, error: Exception) -> Json:
    assert isinstance(error, RequestValidationError)
    sent_as = request.headers.get("content-type", "")
    if isinstance(error.body, bytes) and not is_json(sent_as):  # nobody has read it
        return error_response(not_json(sent_as))
    return error_response(validation_error(error.errors()))


async def _http_error(request: HttpRequest, error: Exception) -> Json:
    """An `ApiError` as it is; of the framework's own (no such route, a body that it cannot read),
    the status."""
    if isinstance(error, ApiError):
        return error_response(error)
    assert isinstance(error, HTTPException)
    if error.status_code == 400:
        return error_response(unreadable(error.__cause__))
    what = f"{request.method} {request.url.path[:200]}: {error.detail}."
    return error_response(
        ApiError(error.status_code, what, code="http_error", headers=error.headers)
    )


async def _known(request: HttpRequest, error: Exception) -> Json:  # noqa: ARG001
    return error_response(as_api_error(error))
