"""An index becomes a cloud collection, on a real gateway, and a device answers from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from skerry.cloud.collections.wire import MOST_IN_PART
from skerry.edge.collections import publishing as publishing_module
from skerry.edge.collections.direct import look_in
from skerry.edge.collections.link import LaterError, Link
from skerry.edge.collections.parting import Folder, parts_of
from skerry.edge.collections.publishing import Publisher
from skerry.edge.encoder import OnnxEncoder
from skerry.edge.errors import CloudError, CloudRefused, InputError
from skerry.edge.index import Event, Index, Progress
from skerry.edge.request import Request
from skerry.edge.types import RequestClass
from tests.cloud.gateway.configured import OTHER, USER
from tests.cloud.gateway.upstreams import Running
from tests.edge.asking import route_as
from tests.edge.collections.gateways import ASKED
from tests.edge.collections.real import (
    link_to,
    publishing,
    running_gateway,
    write_pages,
)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with running_gateway(tmp_path) as one:
        yield one


@pytest.fixture
def publisher(running: Running, encoder: OnnxEncoder) -> Iterator[Publisher]:
    with publishing(running.url, encoder) as one:
        yield one


@pytest.fixture
def source(tmp_path: Path, encoder: OnnxEncoder) -> Iterator[Index]:
    folder = write_pages(tmp_path / "published")
    with Index.open(tmp_path / "published.sqlite", encoder) as index:
        index.add([folder])
        yield index


def device(make_runtime: Any, running: Running, **more: Any) -> Any:
    settings = {"collections": "formulary", "collections_api_key": USER, **more}
    return make_runtime(
        route_as(RequestClass.LOOKUP), collections_url=running.url, consent="granted", **settings
    )


def test_what_is_published_answers_a_device(
    publisher: Publisher, source: Index, running: Running, make_runtime: Any
) -> None:
    done = publisher.publish("formulary", source, None)
    assert (done.info.documents, done.parts, done.sent) == (2, 2, 2)
    assert done.kept_back == {"not in force any more": 1, "access label": 1}
    reply = device(make_runtime, running).ask(ASKED)
    (citation,) = reply.citations
    chunk = citation.chunk
    assert "2 and 8 degrees" in reply.text
    assert (chunk.source, chunk.version) == ("formulary/insulin/glargine.md", "3")
    assert (chunk.heading[-1], chunk.domain) == ("Storage", "pharmacy")
    assert chunk.expires_at is not None


def test_only_what_changed_is_sent_again(
    publisher: Publisher, source: Index, tmp_path: Path
) -> None:
    publisher.publish("formulary", source, None)
    assert publisher.publish("formulary", source, None).sent == 0
    assert publisher.problems("formulary", source) == []
    write_pages(tmp_path / "published", {"warfarin.md": "# Warfarin\n\nThe dose is 3 mg.\n"})
    source.add([tmp_path / "published"])
    assert publisher.problems("formulary", source) != []
    again = publisher.publish("formulary", source, None)
    assert (again.sent, again.info.documents) == (1, 2)
    assert again.kept_back["not in force any more"] == 2, "what was superseded stays here"
    source.remove(str(tmp_path / "published" / "warfarin.md"))
    assert publisher.publish("formulary", source, None).info.documents == 1


def test_no_path_of_this_machine_is_told(source: Index, encoder: OnnxEncoder) -> None:
    documents = source.documents()
    folder = Folder.of([one.source for one in documents])
    for document in documents:
        if not document.labels:
            for part in parts_of(source.shared(document.id), folder, encoder):
                assert part.document.source in ("insulin/glargine.md", "warfarin.md")
    assert Folder("").below("/home/ada/secret/x.md") == "x.md"


def test_long_documents_travel_in_parts(tmp_path: Path, encoder: OnnxEncoder) -> None:
    sections = (f"## Drug {n}\n\nDrug number {n} is given at {n} mg.\n" for n in range(300))
    path = tmp_path / "long.md"
    path.write_text("# Doses\n\n" + "\n".join(sections))
    with Index.open(tmp_path / "long.sqlite", encoder) as index:
        index.add([path])
        (document,) = index.documents()
        shared = index.shared(document.id)
        parts = list(parts_of(shared, Folder.of([document.source]), encoder))
    assert [len(part.passages) for part in parts][:-1] == [MOST_IN_PART] * (len(parts) - 1)
    assert sum(len(part.passages) for part in parts) == document.chunks
    assert b"".join(part.vectors for part in parts) == shared.codes.tobytes()
    huge = replace(shared.chunks[0], text="x" * 20_000)
    fewer = replace(shared, chunks=(huge, *shared.chunks[1:]))
    left = list(parts_of(fewer, Folder(""), encoder))
    assert sum(len(part.passages) for part in left) == document.chunks - 1
    assert b"".join(part.vectors for part in left) == shared.codes[1:].tobytes()


def test_fluid_records_are_not_published(
    publisher: Publisher, tmp_path: Path, encoder: OnnxEncoder
) -> None:
    with Index.open(tmp_path / "fluid.sqlite", encoder) as index:
        with pytest.raises(InputError, match="nothing to publish"):
            publisher.publish("formulary", index, None)
        index.ingest([Event("rota", "today", "Dr Lee is on call.", ttl_seconds=900)])
        with pytest.raises(InputError) as error:
            publisher.publish("formulary", index, None)
    assert "fluid record" in error.value.hint


class Interrupted(Exception):
    """Somebody pressed Ctrl-C."""


@dataclass
class Stopping:
    """A link that is interrupted after so many requests."""

    link: Link
    left: int

    def __getattr__(self, name: str) -> Any:
        return getattr(self.link, name)

    def ask(self, *arguments: Any, **options: Any) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise Interrupted
        return self.link.ask(*arguments, **options)


def test_parts_travel_together_up_to_a_size() -> None:
    parts = [b"x" * (200 << 10)] * 5 + [b"y" * (2 << 20), b"z"]
    together = list(publishing_module.batched(parts))
    assert [len(several) for several in together] == [2, 2, 1, 1, 1]
    assert [one for several in together for one in several] == parts
    assert [len(one) for one in publishing_module.batched([b""] * 1_500)] == [1_000, 500]


def test_an_interrupted_publisher_goes_on_where_it_was(
    publisher: Publisher, source: Index, encoder: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing_module, "_BATCH_BYTES", 1)
    halfway = Publisher(Stopping(publisher.link, 2), encoder)  # type: ignore[arg-type]
    steps: list[Progress] = []
    with pytest.raises(Interrupted):
        halfway.publish("formulary", source, steps.append)
    assert publisher.listed() == ()
    assert steps
    assert publisher.publish("formulary", source, None).sent == 1


@dataclass
class Busy:
    """A link whose gateway has no time, so many times."""

    link: Link
    times: int

    def __getattr__(self, name: str) -> Any:
        return getattr(self.link, name)

    def ask(self, *arguments: Any, **options: Any) -> bytes:
        self.times -= 1
        if self.times >= 0:
            raise LaterError("busy", hint="", status=429, wait_s=7.0)
        return self.link.ask(*arguments, **options)


def test_a_gateway_that_is_busy_is_waited_for(
    publisher: Publisher, source: Index, encoder: OnnxEncoder
) -> None:
    waits: list[float] = []
    patient = Publisher(Busy(publisher.link, 3), encoder, waits.append)  # type: ignore[arg-type]
    patient.publish("formulary", source, None)
    assert waits == [7.0, 7.0, 7.0]
    hopeless = Publisher(Busy(publisher.link, 99), encoder, waits.append)  # type: ignore[arg-type]
    with pytest.raises(LaterError):
        hopeless.publish("formulary", source, None)


def test_who_may_publish(running: Running, source: Index, encoder: OnnxEncoder) -> None:
    with publishing(running.url, encoder, USER) as user:
        with pytest.raises(CloudRefused, match="403"):
            user.publish("formulary", source, None)
        assert user.problems("formulary", source) != []
    with publishing(running.url, encoder, "wrong") as nobody, pytest.raises(CloudError):
        nobody.listed()


def test_a_name_that_the_gateway_does_not_have(publisher: Publisher, source: Index) -> None:
    with pytest.raises(CloudRefused, match="404") as error:
        publisher.publish("none", source, None)
    assert "[collections.NAME]" in error.value.what


class OtherEncoder:
    """The same vectors, by another name: a device of another release."""

    def __init__(self, encoder: OnnxEncoder) -> None:
        self._encoder = encoder
        self.id = "another-encoder@1"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)


def test_a_device_with_another_encoder_is_refused(
    publisher: Publisher, source: Index, running: Running, make_runtime: Any, encoder: OnnxEncoder
) -> None:
    publisher.publish("formulary", source, None)
    runtime = device(make_runtime, running)
    other = OtherEncoder(encoder)
    runtime.parts._made["encoder"] = other
    receipt = runtime.ask(ASKED).receipt
    (noted,) = receipt.collections
    assert noted.outcome == "failed"
    assert f"made with the encoder '{encoder.id}', not with 'another-encoder@1'" in noted.why
    with publishing(running.url, other) as another:  # type: ignore[arg-type]
        assert "encoder" in another.problems("formulary", None)[0]


def test_a_collection_that_is_not_open_to_a_tenant(
    publisher: Publisher, source: Index, running: Running, make_runtime: Any
) -> None:
    publisher.publish("handbook", source, None)
    for key, outcome in ((USER, "found"), (OTHER, "failed")):
        runtime = device(make_runtime, running, collections="handbook", collections_api_key=key)
        (noted,) = runtime.ask(ASKED).receipt.collections
        assert noted.outcome == outcome


def test_a_collection_is_searched_without_an_answer(
    publisher: Publisher, source: Index, running: Running, make_runtime: Any
) -> None:
    publisher.publish("formulary", source, None)
    runtime = device(make_runtime, running, collections="")
    looked = look_in("formulary", Request("loading dose of warfarin"), runtime.parts)
    assert "5 mg" in looked.hits[0].chunk.text
    assert runtime.parts.receipts.get("last") == looked.receipt
    assert looked.receipt.egress[0].what == ("vector",)
    refused = look_in("formulary", Request("warfarin", consent="never"), runtime.parts)
    assert (refused.asked.outcome, refused.receipt.egress) == ("not_sent", ())


def test_a_removed_collection_is_gone(publisher: Publisher, source: Index) -> None:
    publisher.publish("formulary", source, None)
    link = link_to(str(publisher.link.options.base_url))
    publisher.remove("formulary")
    assert publisher.listed() == ()
    with pytest.raises(CloudRefused, match="404"):
        publisher.remove("formulary")
    link.close()
