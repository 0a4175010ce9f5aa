"""What an operator's command line asks a fleet server."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import httpx2

from skerry.sync.errors import SyncError

_TIMEOUT_S = 60.0
_MOST_BYTES = 64 << 20


class FleetRefusal(SyncError):
    """The server was asked, and said no."""

    code = "fleet_refused"
    exit_code = 2


class FleetUnreachable(SyncError):
    """The server does not answer, or what answers is none."""

    code = "fleet_unreachable"
    exit_code = 6
    retryable = True


class OperatorClient:
    """One operator's key at one server."""

    def __init__(self, url: str, key: str, *, client: httpx2.Client | None = None) -> None:
        self._base = url.rstrip("/")
        self._headers = {"authorization": f"Bearer {key}"}
        self._client = client or httpx2.Client(timeout=_TIMEOUT_S)

    def ask(self, method: str, *path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        """The answer's JSON object. Parts of `path` are quoted; None in `query` is left out.

        Raises:
            FleetRefusal: the server refuses; its words say why.
            FleetUnreachable: there is no answer.
        """
        url = "/".join([f"{self._base}/v1", *(quote(part, safe="") for part in path)])
        wanted = {name: value for name, value in query.items() if value is not None}
        try:
            answer = self._client.request(
                method, url, json=body, params=wanted, headers=self._headers
            )
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
            what = f"the fleet server '{self._base}' cannot be asked: {error}"
            raise FleetUnreachable(what, hint="check --url and the network") from error
        return self._read(answer)

    def close(self) -> None:
        self._client.close()

    def _read(self, answer: httpx2.Response) -> dict[str, Any]:
        try:
            found = json.loads(answer.content[:_MOST_BYTES])
        except (ValueError, RecursionError):
            found = None
        if answer.status_code < 300 and isinstance(found, dict):
            return found
        error = found.get("error") if isinstance(found, dict) else None
        if not isinstance(error, dict):
            what = f"'{self._base}' is no fleet server: HTTP {answer.status_code}"
            raise FleetUnreachable(what, hint="check --url")
        raise FleetRefusal(str(error.get("what", "")), hint=str(error.get("hint", "")))
