"""A span for each request (OpenTelemetry), with names of the GenAI conventions; never any text.

Costs next to nothing where no SDK is set up.
https://opentelemetry.io/docs/specs/semconv/gen-ai/
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from skerry.cloud.gateway.errors import GatewayConfigError
from skerry.cloud.gateway.exchange import Ended

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


@contextmanager
def spanned(route: str, headers: Mapping[str, str]) -> Iterator[Span]:
    """The current span while a request is served; a child of the caller's, if it names one."""
    context = propagate.extract(headers)
    tracer = trace.get_tracer("skerry.gateway")
    with tracer.start_as_current_span(
        route, context, SpanKind.SERVER, record_exception=False, set_status_on_exception=False
    ) as span:
        yield span


def describe(span: Span, ended: Ended) -> None:
    """What a request came to."""
    if not span.is_recording():
        return
    span.set_attributes(
        {
            "http.response.status_code": ended.status,
            "gen_ai.request.model": ended.asked_model,
            "gen_ai.response.model": ended.model,
            "gen_ai.usage.input_tokens": ended.tokens.prompt,
            "gen_ai.usage.output_tokens": ended.tokens.completion,
            "skerry.tenant": ended.tenant,
            "skerry.request_class": ended.request_class,
            "skerry.waited_s": ended.waited_s,
            "skerry.tries": ended.tries,
            "skerry.drafted": ended.drafted,
            "skerry.accepted": ended.accepted,
        }
    )
    if ended.status >= 500:
        span.set_status(Status(StatusCode.ERROR))


def upward(headers: Mapping[str, str]) -> dict[str, str]:
    """`headers`, with the current span as the parent of what follows upstream."""
    carrier = dict(headers)
    propagate.inject(carrier)
    return carrier


def export() -> bool:
    """Sends spans to the collector that the environment names (OTEL_EXPORTER_OTLP_ENDPOINT).

    Returns whether it names one.

    Raises:
        GatewayConfigError: it does, and the exporter is not installed.
    """
    if not any(os.environ.get(name) for name in _ENDPOINTS):
        return False
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise GatewayConfigError(
            f"{_ENDPOINTS[0]} is set, and the exporter of traces is not installed",
            hint="pip install 'skerry[traces]', or unset the variable",
        ) from error
    provider = TracerProvider(resource=Resource.create({"service.name": "skerry-gateway"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return True
