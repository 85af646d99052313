"""Style sheet and scripts: read once, named by what is in them.

A page names them under ``/static/<version>/``, where the version is a digest over all files, so a browser may keep
them for good: a changed file makes other addresses. Modules name each other relatively and so stay in one version.
Without a version, or with an old one, a file is served too, to be asked for again each time.
"""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOR_GOOD: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"


class StaticFile(NamedTuple):
    content: bytes
    media_type: str
    etag: str


@cache
def files() -> dict[str, StaticFile]:
    """All static files by name."""
    found = {}
    for path in sorted((Path(__file__).parent / "static").iterdir()):
        if path.suffix in _TYPES:
            content = path.read_bytes()
            found[path.name] = StaticFile(content, _TYPES[path.suffix], f'"{sha256(content).hexdigest()[:32]}"')
    return found


@cache
def version() -> str:
    digest = sha256()
    for name, file in files().items():
        digest.update(f"{name}{file.etag}".encode())
    return digest.hexdigest()[:16]


def url(name: str) -> str:
    """Where a page finds a file."""
    assert name in files(), f"there is no static file {name}"
    return f"/static/{version()}/{name}"


async def _serve(request: Request) -> Response:
    file = files().get(request.path_params["name"])
    if file is None:
        return Response("There is no such file.", 404, media_type="text/plain")
    kept = request.path_params.get("version") == version()
    headers = {"ETag": file.etag, "Cache-Control": _FOR_GOOD if kept else _ASK_AGAIN}
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers=headers | {"Content-Type": file.media_type})


ROUTES: Final = [Route("/static/{version}/{name}", _serve), Route("/static/{name}", _serve)]
