"""What stands before every answer of the page's server: who may ask at all, and the headers it gets."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.typedefs import Handler, Middleware

    from sensor_bridge.access.names import Names

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}
_OTHER_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "Server": "Hipline",  # not which libraries in which versions
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def security_headers(broker_origin: str) -> dict[str, str]:
    """Return the headers of every answer: the page may run its own files and talk to its broker, no more.

    Parameters
    ----------
    broker_origin
        Scheme, host and port of the broker's WebSocket.
    """
    policy = _POLICY | {"connect-src": f"'self' {broker_origin}"}
    written = "; ".join(f"{name} {value}" for name, value in policy.items())
    return {"Content-Security-Policy": written, **_OTHER_HEADERS}


def guard(names: Names, broker_url: Callable[[str], str]) -> Middleware:
    """Build the middleware that turns strangers away and puts the security headers on every answer.

    Parameters
    ----------
    names
        What this machine is called.
    broker_url
        The broker's WebSocket, for a page that was opened under a host name.
    """

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.headers.get("Host", "")
        origins = request.headers.getall("Origin", [])
        is_ours = names.in_host(host) and all(map(names.in_origin, origins))
        headers = security_headers(_origin(broker_url(host_name(request))) if is_ours else "")
        try:
            if not is_ours:
                raise web.HTTPMisdirectedRequest(
                    text="this page is not served under that name (docs/security.md)\n"
                )
            response = await handler(request)
        except web.HTTPException as error:
            error.headers.update(headers)
            raise
        for name, value in headers.items():
            response.headers.setdefault(name, value)  # a report brings a content security policy of its own
        return response

    return guarded


def host_name(request: web.Request) -> str:
    """Tell under which host name the page was asked for, brackets and all."""
    name = urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
    return f"[{name}]" if ":" in name else name


def _origin(url: str) -> str:
    address = urlsplit(url)
    return f"{address.scheme}://{address.netloc.rpartition('@')[2]}"
