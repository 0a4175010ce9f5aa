"""The chat page at `/`: static files of the package `skerry.edge.page`, nothing else."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter
from starlette.responses import Response

from skerry.edge.server.errors import ApiError

router = APIRouter()

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}


@router.get("/")
def index() -> Response:
    return _file("index.html")


@router.get("/page/{name:path}")
def file(name: str) -> Response:
    return _file(name)


@router.get("/favicon.ico")
def favicon() -> Response:
    """The page names its own icon; browsers ask for this one all the same."""
    return Response(status_code=204)


def _file(name: str) -> Response:
    found = _find(name)
    kind = _TYPES.get("." + name.rpartition(".")[2])
    if found is None or kind is None:
        raise ApiError(404, f"there is no page '{name[:200]}'.", code="not_found")
    return Response(found.read_bytes(), media_type=kind, headers={"cache-control": "no-cache"})


def _find(name: str) -> Traversable | None:
    """The file, stepping down by names that the folders list: nothing that a client wrote is ever
    taken for a path."""
    place: Traversable | None = files("skerry.edge") / "page"
    for part in name.split("/"):
        if place is None or not place.is_dir():
            return None
        place = next((one for one in place.iterdir() if one.name == part), None)
    return place if place is not None and place.is_file() else None
