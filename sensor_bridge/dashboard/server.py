"""Hands out the built page and tells it where the broker is. The live data never pass through here.

The page talks MQTT to the broker by itself; it learns the address from ``/config.json``, and the token from
whoever opens it.
"""

from __future__ import annotations

import asyncio
import gzip
import mimetypes
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlsplit

from aiohttp import web

from sensor_bridge.access.doorkeeper import Doorkeeper
from sensor_bridge.access.guarded_socket import listen
from sensor_bridge.access.known_users import KnownUsers
from sensor_bridge.access.names import Names
from sensor_bridge.dashboard.authorization import DOORKEEPER, USERS
from sensor_bridge.dashboard.guard import guard, host_name
from sensor_bridge.errors import BridgeError, ConfigError
from sensor_bridge.mqtt.topics import ROOT, checked_id

if TYPE_CHECKING:
    import ssl
    from importlib.resources.abc import Traversable

    from sensor_bridge.dashboard.api import ArchiveApi

_CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_LONGEST_IDLE_S = 20.0
_LONGEST_HANDSHAKE_S = 5.0
_LONGEST_BODY = 64 * 1024  # bytes
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
    names
        What this machine is called by those who open the page.
    public_host
        The one of its names that links carry; default: `host`.
    encryption
        Makes the page an ``https://`` one.
    has_own_broker
        Whether the broker of `websocket_url` is on the page's own host, whichever name that is opened under.
    """

    gym: str
    websocket_url: str
    users: KnownUsers = field(default_factory=lambda: KnownUsers({}))
    host: str = "127.0.0.1"
    port: int = 0
    names: Names = field(default_factory=Names)
    public_host: str | None = None
    encryption: ssl.SSLContext | None = field(default=None, repr=False)
    has_own_broker: bool = False

    def __post_init__(self) -> None:
        checked_id(self.gym, what="gym")
        if not _is_websocket(self.websocket_url):
            raise ConfigError(
                f"the dashboard's broker address {self.websocket_url!r} is not a WebSocket address: "
                "write ws://host:port or wss://host:port"
            )

    def broker_url(self, host: str) -> str:
        """Tell where the broker is for a page that was opened under a host name."""
        if not self.has_own_broker:
            return self.websocket_url
        address = urlsplit(self.websocket_url)
        return address._replace(netloc=f"{host}:{address.port}").geturl()


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

    def __init__(
        self,
        settings: DashboardSettings,
        api: ArchiveApi | None = None,
        doorkeeper: Doorkeeper | None = None,
    ) -> None:
        self._settings = settings
        self._api = api
        self._doorkeeper = doorkeeper or Doorkeeper()
        self._runner: web.AppRunner | None = None
        self._server: asyncio.Server | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        settings = self._settings
        app = dashboard_app(settings, self._api, self._doorkeeper)
        listening = listen(settings.host, settings.port, self._doorkeeper, "dashboard.port")
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=1.0, keepalive_timeout=_LONGEST_IDLE_S
        )
        await self._runner.setup()
        assert self._runner.server is not None
        self._server = await asyncio.get_running_loop().create_server(
            self._runner.server,
            sock=listening,
            ssl=settings.encryption,
            ssl_handshake_timeout=_LONGEST_HANDSHAKE_S if settings.encryption else None,
        )
        host = settings.public_host or settings.host
        port = listening.getsockname()[1]
        scheme = "https" if settings.encryption else "http"
        self.url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        if self._server is not None:
            self._server.close()
        if self._runner is not None:
            await self._runner.cleanup()


def dashboard_app(
    settings: DashboardSettings, api: ArchiveApi | None = None, doorkeeper: Doorkeeper | None = None
) -> web.Application:
    """Build the web application: the page's files, ``/config.json`` and the archive's API.

    Raises
    ------
    PageNotBuilt
        When the package was installed without its page.
    """
    files = _load_page()
    configuration = {
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

    async def send_configuration(request: web.Request) -> web.Response:
        broker = {"websocketUrl": settings.broker_url(host_name(request))}
        return web.json_response(broker | configuration, headers={"Cache-Control": "no-store"})

    app = web.Application(
        middlewares=[guard(settings.names, settings.broker_url)], client_max_size=_LONGEST_BODY
    )
    app[USERS] = settings.users
    app[DOORKEEPER] = doorkeeper or Doorkeeper()
    app.router.add_get("/config.json", send_configuration)
    app.router.add_routes(api.routes() if api is not None else [])
    app.router.add_get("/{name:.*}", send_file)
    return app


def page_link(url: str, credential: str) -> str:
    """Return what opens the page at `url` for whom ``<user>.<token>`` names.

    The token stands behind the ``#``: browsers do not send that, and no log holds it.
    """
    return f"{url}#token={quote(credential, safe='')}"


def _is_websocket(url: str) -> bool:
    try:
        address = urlsplit(url)
        return address.scheme in {"ws", "wss"} and bool(address.hostname) and address.port != 0
    except ValueError:  # a port that is no number, a bracket that is not closed
        return False


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
