"""Where a call to an open service comes from: a program on this machine, or a page in somebody's browser.

Without tokens, everything that reaches the service may act. A browser reaches loopback on behalf of any page: by a name
that the page's owner lets point to 127.0.0.1 (DNS rebinding), or by a form that is sent across sites.
"""

import ipaddress
from urllib.parse import urlsplit

from starlette.requests import Request

from api.runtime.errors import Forbidden, UnsupportedMediaType

SAME_SITE = {"same-origin", "none"}
"""What a browser says of a request that its user or a page of the service itself makes."""


def check_caller(request: Request) -> None:
    """See that a call to an open service can be no other site's.

    Raises:
        Forbidden: its host is not this machine, or a page of another site makes it.
        UnsupportedMediaType: it is a POST and not JSON: a browser sends such for any page, without asking first.

    """
    headers = request.headers
    host = headers.get("host", "")
    if not is_loopback_name(host):
        raise Forbidden(f"without tokens only this machine is served, by its own name, not by {host[:100]!r}")
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
    if site not in SAME_SITE or (origin is not None and origin != f"{request.url.scheme}://{host}"):
        raise Forbidden("without tokens a page of another site may not call this service: make a token")
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and media_type != "application/json":
        raise UnsupportedMediaType("without tokens only JSON is taken: send `Content-Type: application/json`")


def is_loopback_name(host: str) -> bool:
    """Return whether a `Host` header names this machine, whatever the port: `localhost`, or a loopback address."""
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname or "", parts.port
        is_loopback = name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        # It is no name with a port, or a name that is no address.
        return False
    return is_loopback and parts.netloc == host and parts.username is None
