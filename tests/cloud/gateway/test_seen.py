"""Metrics, shadows and traces: counts and times, never a word of what was said."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from skerry.cloud.gateway import traces
from skerry.cloud.gateway.errors import GatewayConfigError
from tests.cloud.gateway.configured import BASE, OPERATOR, USER, configured
from tests.cloud.gateway.upstreams import FakeUpstream, Running, gateway, upstream

SECRET = "the patient of bed nine"
ASKED = {"model": "mid", "messages": [{"role": "user", "content": SECRET}]}
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def fakes() -> Iterator[tuple[FakeUpstream, FakeUpstream]]:
    with upstream() as one, upstream() as two:
        yield one, two


@pytest.fixture
def running(fakes: tuple[FakeUpstream, FakeUpstream], tmp_path: Path) -> Iterator[Running]:
    shadow = 'shadow = { model = "next", share = 1.0 }\nprice_in = 1.0'
    base = BASE.replace('["http://127.0.0.1:1/v1"]', f'["{fakes[0].url}"]\n{shadow}')
    other = f'[models.next]\ntier = "large"\ntemplate = "b"\nreplicas = ["{fakes[1].url}"]\n'
    with gateway(configured(other, base=base), tmp_path) as one:
        yield one


def _ask(running: Running, **headers: str) -> httpx2.Response:
    shown = {"authorization": f"Bearer {USER}", **headers}
    url = f"{running.url}/v1/chat/completions"
    return httpx2.post(url, json=ASKED, headers=shown, timeout=20)


def _metrics(running: Running, key: str = OPERATOR) -> httpx2.Response:
    return httpx2.get(f"{running.url}/metrics", headers={"authorization": f"Bearer {key}"})


def _until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def test_metrics_are_counts_for_operators(running: Running) -> None:
    assert _metrics(running, USER).status_code == 403
    _ask(running)
    _ask(running, authorization="Bearer none")
    text = _metrics(running).text
    who = 'model="mid",request_class="default"'
    route = 'route="/v1/chat/completions"'
    done = f'skerry_gateway_requests_total{{{who},{route},status="200",tenant="clinic"}} 1.0'
    assert done in text
    assert 'status="401",tenant=""} 1.0' in text
    kinds = f'skerry_gateway_tokens_total{{kind="prompt",{who},tenant="clinic"}} 7.0'
    assert kinds in text
    assert f'skerry_gateway_cost_total{{{who},tenant="clinic"}} 0.007' in text
    assert 'skerry_gateway_replica_up{model="mid"' in text
    assert SECRET not in text


def test_a_shadow_is_asked_the_same_and_only_counted(
    running: Running, fakes: tuple[FakeUpstream, FakeUpstream]
) -> None:
    answer = _ask(running)
    assert answer.headers["x-skerry-model"] == "mid"
    _until(lambda: fakes[1].bodies)
    assert fakes[1].last == {**ASKED, "model": "next"}
    assert USER not in str(fakes[1].headers)
    counted = 'skerry_gateway_shadow_answers_total{model="mid",shadow="next",status="200"} 1.0'
    _until(lambda: counted in _metrics(running).text)
    _until(lambda: len(running.state.usage("")) == 2)
    shadow, own = running.state.usage("")
    assert (shadow.tenant, shadow.model) == ("(shadow)", "next")
    assert (own.tenant, own.model, own.requests) == ("clinic", "mid", 1)
    text = _metrics(running).text
    assert 'shadow_length_ratio_sum{model="mid",shadow="next"} 1.0' in text


def test_a_shadow_that_fails_harms_nobody(
    running: Running, fakes: tuple[FakeUpstream, FakeUpstream]
) -> None:
    fakes[1].status = 500
    assert _ask(running).status_code == 200
    _until(lambda: 'shadow="next",status="500"} 1.0' in _metrics(running).text)


@pytest.fixture(scope="module")
def spans() -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


def test_a_span_is_a_child_of_the_callers_and_the_servers_parent(
    running: Running, fakes: tuple[FakeUpstream, FakeUpstream], spans: InMemorySpanExporter
) -> None:
    spans.clear()
    _ask(running, traceparent=PARENT)
    _until(lambda: any(one.name.startswith("/v1/") for one in spans.get_finished_spans()))
    (span,) = [one for one in spans.get_finished_spans() if one.name.startswith("/v1/")]
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"
    assert span.context is not None
    assert f"{span.context.span_id:016x}" in fakes[0].headers[0]["traceparent"]
    assert span.attributes is not None
    assert span.attributes["gen_ai.usage.input_tokens"] == 7
    assert span.attributes["skerry.tenant"] == "clinic"
    assert SECRET not in span.to_json()
    assert USER not in span.to_json()


def test_traces_without_their_exporter_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert not traces.export()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter", None)
    with pytest.raises(GatewayConfigError, match="not installed"):
        traces.export()
