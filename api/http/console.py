"""The web console: a page for a browser and the files that it loads, which need no token because they have no secret.

All files are read at start and found by their name in a dictionary, so no path of a request reaches the file system,
and an upgrade of the package does not mix two builds in one process.
"""

import gzip
import hashlib
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.http import problems
from api.http.validators import condition

DIST = Path(__file__).parents[1] / "console" / "dist"
"""What `npm run build` writes; part of the wheel."""

INDEX = "index.html"

PAGES = ("/", "/jobs/{job_id}", "/runs", "/runs/{run_id}", "/what-if", "/audit", "/system")
"""Addresses of the console's screens: all are the same page, which reads its address."""

NOT_BUILT = (
    "this installation has no web console. In a clone, run `scripts/setup`, which builds it and says what is missing. "
    "A wheel from a release has it. The API and the command line work without it"
)

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
"""By suffix. The machine's own table may lack some, and a browser runs no script of another type."""

ALREADY_COMPRESSED = {".ico", ".png", ".woff2"}

POLICY = (
    # Scripts, workers, styles, images and connections: this service only. Nothing inline, no `data:`.
    "default-src 'self'",
    "base-uri 'self'",
    # Forms are read by scripts. One that a browser sends itself would put a token into an address.
    "form-action 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
)

SECURITY = {
    "Content-Security-Policy": "; ".join(POLICY),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Headers of every answer of the console."""

ALWAYS_ASK, FOR_A_YEAR, NEVER = "no-cache", "public, max-age=31536000, immutable", "no-store"
"""Values of Cache-Control: the page, files with a digest in their names, and errors."""

DIGEST_BYTES = 8


class Encoded(NamedTuple):
    """The bytes of a response, their encoding and their entity tag."""

    content: bytes
    encoding: str | None
    etag: str


class File:
    """A file in memory, and in compressed form after the first request for that."""

    def __init__(self, name: str, content: bytes, cache: str) -> None:
        """`cache` is the value of Cache-Control."""
        suffix = Path(name).suffix
        self._content = content
        self._compresses = suffix not in ALREADY_COMPRESSED
        self._digest = hashlib.blake2b(content, digest_size=DIGEST_BYTES).hexdigest()
        self._headers = {
            **SECURITY,
            "Cache-Control": cache,
            "Content-Type": MEDIA_TYPES.get(suffix, "application/octet-stream"),
            "Vary": "Accept-Encoding",
        }

    def response(self, request: Request) -> Response:
        """Return the file; 304, without it, if the client has it.

        Raises:
            MalformedCondition: `If-None-Match` is no list of entity tags.

        """
        chosen = self._gzip if self._compresses and _accepts_gzip(request) else self._plain
        headers = {**self._headers, "ETag": chosen.etag}
        known = condition("If-None-Match", request.headers.getlist("if-none-match") or None)
        if known is not None and known.names(chosen.etag):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        if chosen.encoding:
            headers["Content-Encoding"] = chosen.encoding
        return Response(chosen.content, headers=headers)

    @property
    def _plain(self) -> Encoded:
        return Encoded(self._content, None, f'"{self._digest}"')

    @cached_property
    def _gzip(self) -> Encoded:
        return Encoded(gzip.compress(self._content, mtime=0), "gzip", f'"{self._digest}-gzip"')


class Console:
    """Routes of the console's pages and files."""

    def __init__(self, dist: Path = DIST) -> None:
        """Read the files of a build; without one, every page says how to make it."""
        contents = {path.relative_to(dist).as_posix(): path.read_bytes() for path in dist.rglob("*") if path.is_file()}
        index = contents.pop(INDEX, None)
        self._pages = {base: File(INDEX, _with_base(index, base), ALWAYS_ASK) for base in _bases()} if index else {}
        self._files = {
            f"/{name}": File(name, content, FOR_A_YEAR if name.startswith("assets/") else ALWAYS_ASK)
            for name, content in contents.items()
        }

    def routes(self) -> list[Route]:
        """Return the routes of the pages, and of all files by their names."""
        beside = [name for name in self._files if not name.startswith("/assets/")]
        return [
            *(Route(path, self._page, include_in_schema=False) for path in PAGES),
            *(Route(f"{path}/", _without_slash, include_in_schema=False) for path in PAGES if path != "/"),
            *(Route(path, self._file, include_in_schema=False) for path in ("/assets/{name}", *beside)),
        ]

    async def _page(self, request: Request) -> Response:
        page = self._pages.get(_base(request.scope["path"]))
        return page.response(request) if page else _missing(request, NOT_BUILT)

    async def _file(self, request: Request) -> Response:
        path = request.scope["path"]
        found = self._files.get(path)
        return found.response(request) if found else _missing(request, "the console has no such file: reload the page")


async def _without_slash(request: Request) -> Response:
    """Redirect to the same page, relative to its address: the framework's redirect would lack a proxy's prefix."""
    name = quote(request.scope["path"].rstrip("/").rpartition("/")[2], safe="")
    query = f"?{request.url.query}" if request.url.query else ""
    return Response(status_code=HTTPStatus.TEMPORARY_REDIRECT, headers={**SECURITY, "Location": f"../{name}{query}"})


def _accepts_gzip(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")


def _missing(request: Request, why: str) -> Response:
    response = problems.problem(request, HTTPStatus.NOT_FOUND, why)
    response.headers.update({**SECURITY, "Cache-Control": NEVER})
    return response


def _base(path: str) -> str:
    """Return the address of the console's root, relative to a page: a proxy may have removed a prefix of the path."""
    return "../" * (path.count("/") - 1) or "./"


def _bases() -> set[str]:
    return {_base(path) for path in PAGES}


def _with_base(index: bytes, base: str) -> bytes:
    """Return the page with its base, which must stand before the first address."""
    return index.replace(b"<head>", f'<head><base href="{base}">'.encode(), 1)
