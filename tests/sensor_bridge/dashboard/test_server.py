from __future__ import annotations

import asyncio
import datetime as dt
import json
import socket
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

import aiohttp
import pytest

from sensor_bridge.access.certificates import CertificateFiles, create_certificates, server_encryption
from sensor_bridge.access.known_users import KnownUsers
from sensor_bridge.access.names import Names
from sensor_bridge.dashboard import server as server_module
from sensor_bridge.dashboard.server import DashboardServer, DashboardSettings, PageNotBuilt, page_link
from sensor_bridge.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = DashboardSettings(
    gym="gym-1", websocket_url="ws://127.0.0.1:9001/mqtt", users=KnownUsers({"coach": "secret-token"})
)


async def get(url: str, accept: str = "identity", **headers: str) -> tuple[int, dict[str, str], bytes]:
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(url, headers={"Accept-Encoding": accept} | headers) as answer,
    ):
        return answer.status, dict(answer.headers), await answer.read()


async def test_the_page_comes_with_strict_headers() -> None:
    async with DashboardServer(SETTINGS) as server:
        status, headers, body = await get(server.url)
    assert status == 200
    assert body.startswith(b"<!doctype html>")
    assert b"<style" not in body
    assert b"onload" not in body
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-cache"
    policy = headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "connect-src 'self' ws://127.0.0.1:9001" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Server"] == "Hipline"


async def test_the_configuration_names_broker_and_topics_and_no_secret() -> None:
    async with DashboardServer(SETTINGS) as server:
        _, headers, body = await get(server.url + "config.json")
    assert headers["Cache-Control"] == "no-store"
    assert json.loads(body) == {
        "websocketUrl": "ws://127.0.0.1:9001/mqtt",
        "topicRoot": "hipline/v1/gym-1",
        "gym": "gym-1",
        "hasArchive": False,
    }


async def test_scripts_are_sent_zipped_to_those_who_take_it_and_may_be_kept() -> None:
    async with DashboardServer(SETTINGS) as server:
        _, _, page = await get(server.url)
        script = page.decode().split('src="./')[1].split('"')[0]
        status, headers, zipped = await get(server.url + script, accept="gzip")
        _, plain_headers, plain = await get(server.url + script, accept="identity")
    assert status == 200
    assert headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert headers["Content-Encoding"] == "gzip"
    assert "immutable" in headers["Cache-Control"]
    assert "Content-Encoding" not in plain_headers
    assert len(zipped) < len(plain) / 2
    # The whole page has to come quickly over a gym's Wi-Fi.
    assert len(zipped) < 200_000


@pytest.mark.parametrize(
    "path", ["nothing", "../server.py", "%2e%2e/server.py", "assets/../../server.py", "src/main.tsx"]
)
async def test_nothing_but_the_page_is_served(path: str) -> None:
    async with DashboardServer(SETTINGS) as server:
        status, headers, _ = await get(server.url + path)
    assert status == 404
    assert "Content-Security-Policy" in headers


@pytest.mark.parametrize(
    "path",
    [
        *("/../server.py", "/../../../../../../etc/passwd", "/./../server.py", "//etc/passwd", "/%00"),
        *("/..%2fserver.py", "/%2e%2e%2fserver.py", "/assets/..%5c..%5cserver.py", "/assets/%2e%2e/"),
        *("/..%252fserver.py", "/index.html/../../server.py", "http://127.0.0.1/../server.py", "*"),
    ],
)
async def test_paths_that_climb_lead_nowhere(path: str) -> None:
    """Sent as they are: clients that mean well straighten such paths before."""
    async with DashboardServer(SETTINGS) as server:
        port = int(server.url.rsplit(":", 1)[1].strip("/"))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        status, _, rest = (await asyncio.wait_for(reader.read(), 10)).partition(b"\r\n")
        writer.close()
        await writer.wait_closed()
    assert status.split()[1] in {b"400", b"404"}
    assert b"import" not in rest
    assert b"root:" not in rest


async def test_a_name_that_points_here_from_elsewhere_is_turned_away() -> None:
    async with DashboardServer(SETTINGS) as server:
        status, _, body = await get(server.url + "config.json", Host="evil.example")
        local, _, _ = await get(server.url + "config.json", Host="localhost:1234")
        nameless, _, _ = await get(server.url + "config.json", Host="[")
    assert status == nameless == 421
    assert b"secret-token" not in body
    assert local == 200


async def test_a_page_for_the_whole_network_takes_its_own_names_and_any_address() -> None:
    settings = DashboardSettings(
        gym="gym-1",
        websocket_url="wss://broker.example:8443",
        host="0.0.0.0",
        public_host="tv.gym.example",
        names=Names(frozenset({"tv.gym.example"}), any_address=True),
    )
    async with DashboardServer(settings) as server:
        port = server.url.rsplit(":", 1)[1].strip("/")
        assert server.url == f"http://tv.gym.example:{port}/"
        own, headers, _ = await get(f"http://127.0.0.1:{port}/", Host="tv.gym.example")
        address, _, _ = await get(f"http://127.0.0.1:{port}/", Host="192.168.1.5:80")
        other, _, _ = await get(f"http://127.0.0.1:{port}/", Host="evil.example")
    assert (own, address, other) == (200, 200, 421)
    assert "connect-src 'self' wss://broker.example:8443" in headers["Content-Security-Policy"]


async def test_an_own_broker_is_where_the_page_was_opened() -> None:
    settings = DashboardSettings(
        gym="gym-1",
        websocket_url="ws://127.0.0.1:9001",
        has_own_broker=True,
        names=Names(frozenset({"gym-pc"}), any_address=True),
    )
    async with DashboardServer(settings) as server:
        for host in ("gym-pc", "[fd00::5]", "10.0.0.7"):
            _, headers, body = await get(server.url + "config.json", Host=f"{host}:8321")
            assert json.loads(body)["websocketUrl"] == f"ws://{host}:9001"
            assert f"connect-src 'self' ws://{host}:9001" in headers["Content-Security-Policy"]


async def test_pages_from_elsewhere_get_nothing() -> None:
    async with DashboardServer(SETTINGS) as server:
        for origin in ("http://evil.example", "null", "http://127.0.0.1.evil.example"):
            status, headers, _ = await get(server.url + "config.json", Origin=origin)
            assert status == 421
            assert "Access-Control-Allow-Origin" not in headers
        status, headers, _ = await get(server.url + "config.json", Origin="http://localhost:8321")
    assert status == 200
    assert "Access-Control-Allow-Origin" not in headers


async def test_an_encrypted_page_is_one(tmp_path: Path) -> None:
    files = CertificateFiles.of(tmp_path)
    now = dt.datetime.now(dt.UTC)
    create_certificates(files, ["localhost", "127.0.0.1"], now)
    settings = replace(SETTINGS, encryption=server_encryption(files.server, files.server_key, now))
    async with DashboardServer(settings) as server:
        assert server.url.startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=files.authority)
        async with aiohttp.ClientSession() as session, session.get(server.url, ssl=trusting) as answer:
            assert answer.status == 200
        with pytest.raises(aiohttp.ClientError):
            await get(server.url)
        with pytest.raises(aiohttp.ClientError):
            await get(server.url.replace("https", "http"))


async def test_a_taken_port_is_said_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = DashboardSettings(gym="gym-1", websocket_url="ws://127.0.0.1:9001", port=port)
        with pytest.raises(
            ConfigError, match=rf"dashboard\.port: port {port} of .* choose another port, or 0"
        ) as caught:
            async with DashboardServer(settings):
                pass
    assert "\n" not in str(caught.value)


async def test_a_host_that_is_not_this_machine_is_said_in_one_line() -> None:
    settings = DashboardSettings(gym="gym-1", websocket_url="ws://127.0.0.1:9001", host="gym.invalid")
    with pytest.raises(
        ConfigError, match=r"on gym\.invalid port 0 .*choose a host of this machine"
    ) as caught:
        async with DashboardServer(settings):
            pass
    assert "Unknown error" not in str(caught.value)


async def test_an_installation_without_page_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(server_module.resources, "files", lambda _package: tmp_path)
    with pytest.raises(PageNotBuilt, match=r"pip install \."):
        async with DashboardServer(SETTINGS):
            pass


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9001", "127.0.0.1:9001", "ws://", "", "ws://[::1", "ws://gym:http"]
)
def test_a_broker_address_must_be_a_websocket_one(url: str) -> None:
    with pytest.raises(ConfigError, match="write ws://host:port"):
        DashboardSettings(gym="gym-1", websocket_url=url)


def test_a_link_carries_the_token_where_browsers_keep_it_to_themselves() -> None:
    link = page_link("http://127.0.0.1:8321/", "coach.a b#c&d")
    assert link == "http://127.0.0.1:8321/#token=coach.a%20b%23c%26d"


def test_the_token_is_not_shown() -> None:
    assert "secret-token" not in repr(SETTINGS)
