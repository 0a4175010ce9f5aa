"""`Offers` over HTTP: how a device asks a fleet server, and how it enrols."""

from __future__ import annotations

import email.utils
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import httpx2
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from skerry.sync.errors import SourceFault, SyncError
from skerry.sync.offers import DeviceFacts, Offer, Report
from skerry.sync.server.bodies import Answer, Enrolling
from skerry.sync.server.signing import sign

_log = logging.getLogger("skerry.sync")
_TIMEOUT_S = 30.0
_MOST_BYTES = 1 << 20
_MOST_POLL_S = 7 * 86_400.0
Kind = TypeVar("Kind")


class NotAdmitted(SourceFault):
    """The server does not take it from this device; asking again changes nothing."""

    code = "not_admitted"
    retryable = False
    exit_code = 2


class _Unfit(NotAdmitted):
    """The request itself is what the server does not take."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a device is after it has enrolled."""

    device: str
    tenant: str


class HttpOffers:
    """See `skerry.sync.offers.Offers`. `url` is the server's base, such as
    `https://fleet.example.org`.

    A device whose clock is wrong takes the server's from the answer, and asks again once. Offers
    to run a version in the shadow go to `shadow`, which reports how it compares; where there is
    none, the device has none to take.
    """

    def __init__(
        self,
        url: str,
        device: str,
        key: Ed25519PrivateKey,
        *,
        client: httpx2.Client | None = None,
        clock: Callable[[], float] = time.time,
        shadow: Callable[[Offer], None] = lambda _: None,
    ) -> None:
        self._shadow = shadow
        self._link = _Link(url, key, client or httpx2.Client(timeout=_TIMEOUT_S), clock)
        self._device = device
        self._poll_s = 900.0

    @property
    def poll_after_s(self) -> float:
        return self._poll_s

    def next(self, facts: DeviceFacts) -> Offer | None:
        """Raises SourceFault, NotAdmitted."""
        answer = self._link.post("/v1/checkin", self._device, facts, Answer)
        self._poll_s = min(max(1.0, answer.poll_s), _MOST_POLL_S)
        if answer.offer is not None and answer.offer.mode == "shadow":
            self._shadow(answer.offer)
            return None
        return answer.offer

    def report(self, report: Report) -> None:
        """A report that the server can never take, such as of an offer of somebody else, is
        dropped: none may keep those behind it waiting for ever.

        Raises:
            SourceFault: it could not be delivered; the same may work later.
        """
        try:
            self._link.post("/v1/reports", self._device, report, dict)
        except _Unfit as error:
            _log.warning("a report was dropped: %s", error.what)

    def close(self) -> None:
        self._link.client.close()


def enrol(
    url: str,
    token: str,
    name: str,
    key: Ed25519PrivateKey,
    *,
    profile: str = "",
    tags: Sequence[str] = (),
    client: httpx2.Client | None = None,
) -> Identity:
    """Enrols a device with a one-time token. The same again with the same key is the same device.

    Raises:
        SourceFault: the server cannot be reached; the same may work later.
        NotAdmitted: the token or the name is not good.
    """
    public = key.public_key().public_bytes_raw().hex()
    asked = Enrolling(token, name, public, profile, tuple(tags))
    with client or httpx2.Client(timeout=_TIMEOUT_S) as http:
        answer = _Link(url, key, http, time.time).post("/v1/enroll", public, asked, dict[str, str])
    return Identity(answer["device"], answer["tenant"])


@dataclass(slots=True)
class _Link:
    url: str
    key: Ed25519PrivateKey
    client: httpx2.Client
    clock: Callable[[], float]
    ahead_s: float = 0.0

    def post(self, path: str, keyid: str, asked: object, kind: type[Kind]) -> Kind:
        body = msgspec.json.encode(asked)
        answer = self._once(path, keyid, body)
        if answer.status_code == 401 and _code(answer) == "signature_time":
            self._set_clock(answer)
            answer = self._once(path, keyid, body)
        if answer.status_code != 200:
            raise self._fault(answer)
        try:
            return msgspec.json.decode(answer.content[:_MOST_BYTES], type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SourceFault(f"'{self.url}' answered what is no answer: {error}") from None

    def _once(self, path: str, keyid: str, body: bytes) -> httpx2.Response:
        base = httpx2.URL(self.url)
        whole = f"{base.path.rstrip('/')}{path}"
        created = int(self.clock() + self.ahead_s)
        headers = sign(self.key, keyid, "POST", whole, body, created=created)
        headers["content-type"] = "application/json"
        try:
            return self.client.post(base.copy_with(path=whole), content=body, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            what = f"the fleet server '{self.url}' cannot be asked: {error}"
            raise SourceFault(what, hint="check the network and the URL") from error

    def _set_clock(self, answer: httpx2.Response) -> None:
        try:
            at = email.utils.parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
        except (ValueError, TypeError):
            return
        self.ahead_s = at - self.clock()

    def _fault(self, answer: httpx2.Response) -> SyncError:
        code, status = _code(answer), answer.status_code
        what = f"the fleet server refused: {_what(answer) or code or f'HTTP {status}'}"
        if status in (401, 403):
            return NotAdmitted(what, hint="enrol the device again")
        if status in (400, 404, 409, 413):
            return _Unfit(what)
        return SourceFault(what)


def _error(answer: httpx2.Response) -> dict[str, str]:
    try:
        found = json.loads(answer.content[:_MOST_BYTES])["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _code(answer: httpx2.Response) -> str:
    return str(_error(answer).get("code", ""))


def _what(answer: httpx2.Response) -> str:
    return str(_error(answer).get("what", ""))[:300]
