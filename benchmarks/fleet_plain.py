"""The peer of the fleet server: the same web server, with an app that answers at once."""

from __future__ import annotations

import uvicorn
from starlette.types import Receive, Scope, Send

from skerry.sync.server.serving import bound

_BODY = b'{"offer":null,"poll_s":900.0}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_BODY))]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})


def main() -> None:
    with bound("127.0.0.1", 0) as at:
        at.listen(128)
        print(f"http://127.0.0.1:{at.getsockname()[1]}", flush=True)
        config = uvicorn.Config(app, access_log=False, log_level="error", ws="none", lifespan="off")
        uvicorn.Server(config).run(sockets=[at])


if __name__ == "__main__":
    main()
