"""Protection of a service without tokens against web pages: DNS rebinding and cross-site requests.

Without tokens, every request that reaches the service has full access. A browser sends requests to loopback for any
page: through a name of the attacker's that resolves to 127.0.0.1, or by a cross-site form.
"""

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.requests import Request

from api.runtime.errors import Forbidden, UnsupportedMediaType

SAME_SITE = {"same-origin", "none"}
"""Values of `Sec-Fetch-Site` for requests by the user or by a page of the service itself."""


def check_caller(request: Request, *, is_page: bool) -> None:
    """Refuse a request that a page of another site may have made. A link to a page of the console may be followed.

    Raises:
        Forbidden: the `Host` header does not name this machine, or a page of another site sent the request.
        UnsupportedMediaType: a POST is not JSON. A browser sends such a POST without a preflight request.

    """
    headers = request.headers
    host = headers.get("host", "")
    if not is_loopback_name(host):
        raise Forbidden(f"without tokens only this machine is served, at localhost or 127.0.0.1, not {host[:100]!r}")
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
    if (site not in SAME_SITE and not (is_page and _follows_link(request))) or (
        origin is not None and origin != f"{request.url.scheme}://{host}"
    ):
        raise Forbidden("without tokens a page of another site may not call this service: create a token and send it")
    if request.method == "POST":
        check_media_type(request)


def check_media_type(request: Request) -> None:
    """Check that a request is declared to be JSON.

    Raises:
        UnsupportedMediaType: it is not.

    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType("only JSON is accepted: send `Content-Type: application/json`")


def _follows_link(request: Request) -> bool:
    """Return whether the user goes to a page, in a window of its own: the site with the link cannot read it."""
    headers = request.headers
    to_window = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
    return to_window and request.method == "GET"


@lru_cache(maxsize=100)
def is_loopback_name(host: str) -> bool:
    """Return whether a `Host` header is `localhost` or a loopback address, with any port."""
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname or "", parts.port
        is_loopback = name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        # Not a host with an optional port, or the host is not an address.
        return False
    return is_loopback and parts.netloc == host and parts.username is None
