"""Hands out the built page and tells it where the broker is. The live data never pass through here.

The page talks MQTT to the broker by itself; it learns the address from ``/config.json``, and the token from
whoever opens it.
"""

from __future__ import annotations

import gzip
import mimetypes
import os
import socket
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlsplit

from aiohttp import web

from sensor_bridge.access.known_users import KnownUsers
from sensor_bridge.dashboard.authorization import USERS
from sensor_bridge.dashboard.listening import serves_this_machine_only
from sensor_bridge.errors import BridgeError, ConfigError
from sensor_bridge.mqtt.topics import ROOT, checked_id

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from aiohttp.typedefs import Handler, Middleware

    from sensor_bridge.dashboard.api import ArchiveApi

_CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_LOCAL_NAMES = {"localhost", "127.0.0.1", "::1"}
_UNCHANGING = "public, max-age=31536000, immutable"  # the file names carry a digest of their content


class PageNotBuilt(BridgeError):  # noqa: N818 - named for what was met, like the rest of the error tree
    """The installed package holds no built page."""


@dataclass(frozen=True, slots=True)
class DashboardSettings:
    """Where the page is served and where it finds the broker.

    Attributes
    ----------
    gym
        The gym whose athletes are shown.
    websocket_url
        The broker as the browser reaches it, ``ws://`` or ``wss://`` with port.
    users
        Who may ask the HTTP API.
    host, port
        What to listen on; port 0 takes any free one.
    """

    gym: str
    websocket_url: str
    users: KnownUsers = field(default_factory=lambda: KnownUsers({}))
    host: str = "127.0.0.1"
    port: int = 0

    def __post_init__(self) -> None:
        checked_id(self.gym, what="gym")
        if not _is_websocket(self.websocket_url):
            raise ConfigError(
                f"the dashboard's broker address {self.websocket_url!r} is not a WebSocket address: "
                "write ws://host:port or wss://host:port"
            )

    @property
    def websocket_origin(self) -> str:
        """Scheme, host and port of the broker, as the content security policy wants it."""
        address = urlsplit(self.websocket_url)
        return f"{address.scheme}://{address.netloc.rpartition('@')[2]}"


@dataclass(frozen=True, slots=True)
class _PageFile:
    """One file of the built page, ready to be sent."""

    content_type: str
    body: bytes
    zipped: bytes
    cache: str


class DashboardServer:
    """Serves the page for as long as its ``async with`` block lasts.

    Parameters
    ----------
    settings
        Where, and what the page is told.
    api
        Answers for the archive; None: there is none.

    Attributes
    ----------
    url
        Where the page is, valid inside the block.

    Raises
    ------
    PageNotBuilt
        On entry, when the package was installed without its page.
    ConfigError
        On entry, when the port is taken or the address is not one of this machine.
    """

    def __init__(self, settings: DashboardSettings, api: ArchiveApi | None = None) -> None:
        self._settings = settings
        self._api = api
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        settings = self._settings
        app = dashboard_app(settings, self._api)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, settings.host, settings.port).start()
        except OSError as error:
            await self._runner.cleanup()
            unknown_host = isinstance(error, socket.gaierror)
            reason = error.strerror if unknown_host else os.strerror(error.errno or 0)
            mend = "a host of this machine" if unknown_host else "another port, or 0 for any free one"
            raise ConfigError(
                f"the dashboard cannot listen on {settings.host} port {settings.port} ({reason}): "
                f"choose {mend}"
            ) from error
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()


def dashboard_app(settings: DashboardSettings, api: ArchiveApi | None = None) -> web.Application:
    """Build the web application: the page's files, ``/config.json`` and the archive's API.

    Raises
    ------
    PageNotBuilt
        When the package was installed without its page.
    """
    files = _load_page()
    configuration = {
        "websocketUrl": settings.websocket_url,
        "topicRoot": f"{ROOT}/{settings.gym}",
        "gym": settings.gym,
        "hasArchive": api is not None,
    }

    async def send_file(request: web.Request) -> web.Response:
        name = request.match_info["name"] or "index.html"
        file = files.get(name)
        if file is None:
            raise web.HTTPNotFound(text="no such page\n")
        headers = {"Content-Type": file.content_type, "Cache-Control": file.cache, "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=file.zipped, headers=headers | {"Content-Encoding": "gzip"})
        return web.Response(body=file.body, headers=headers)

    async def send_configuration(_request: web.Request) -> web.Response:
        return web.json_response(configuration, headers={"Cache-Control": "no-store"})

    app = web.Application(middlewares=[_guard(settings)])
    app[USERS] = settings.users
    app.router.add_get("/config.json", send_configuration)
    app.router.add_routes(api.routes() if api is not None else [])
    app.router.add_get("/{name:.*}", send_file)
    return app


def page_link(url: str, credential: str) -> str:
    """Return what opens the page at `url` for whom ``<user>.<token>`` names.

    The token stands behind the ``#``: browsers do not send that, and no log holds it.
    """
    return f"{url}#token={quote(credential, safe='')}"


def security_headers(settings: DashboardSettings) -> dict[str, str]:
    """Return the headers of every answer: the page may run its own files and talk to its broker, no more."""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": f"'self' {settings.websocket_origin}",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }


def _guard(settings: DashboardSettings) -> Middleware:
    """Build the middleware that turns strangers away and puts the security headers on every answer."""
    headers = security_headers(settings)
    is_local = serves_this_machine_only(settings.host)

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            # A site elsewhere may let its own name point to 127.0.0.1, and its scripts then count as ours;
            # its name in the Host header gives it away.
            if is_local and _host_name(request) not in _LOCAL_NAMES:
                raise web.HTTPMisdirectedRequest(text="this page is served to its own machine only\n")
            response = await handler(request)
        except web.HTTPException as error:
            error.headers.update(headers)
            raise
        for name, value in headers.items():
            response.headers.setdefault(name, value)  # a report brings a content security policy of its own
        return response

    return guard


def _is_websocket(url: str) -> bool:
    try:
        address = urlsplit(url)
        return address.scheme in {"ws", "wss"} and bool(address.hostname) and address.port != 0
    except ValueError:  # a port that is no number, a bracket that is not closed
        return False


def _host_name(request: web.Request) -> str:
    try:
        return (urlsplit(f"//{request.headers.get('Host', '')}").hostname or "").lower()
    except ValueError:  # no name at all: "[", for one
        return ""


def _load_page() -> dict[str, _PageFile]:
    """Read the built page into memory: a request can then name nothing but one of its files."""
    dist = resources.files("sensor_bridge.dashboard") / "web" / "dist"
    if not (dist / "index.html").is_file():
        raise PageNotBuilt(
            "the dashboard page is missing from this installation: "
            "run `pip install .` in the source tree again, that builds it"
        )
    return {name: _page_file(name, entry) for name, entry in _walk(dist, "")}


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in folder.iterdir():
        name = prefix + entry.name
        found.extend(_walk(entry, f"{name}/") if entry.is_dir() else [(name, entry)])
    return found


def _page_file(name: str, entry: Traversable) -> _PageFile:
    suffix = "." + name.rpartition(".")[2]
    body = entry.read_bytes()
    return _PageFile(
        content_type=_CONTENT_TYPES.get(suffix)
        or mimetypes.guess_type(name)[0]
        or "application/octet-stream",
        body=body,
        zipped=gzip.compress(body, mtime=0),
        cache=_UNCHANGING if name.startswith("assets/") else "no-cache",
    )
