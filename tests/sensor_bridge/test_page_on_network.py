"""A whole bridge on a network: encrypted from the browser to the broker, or not at all."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import ssl
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from playwright.async_api import expect

from sensor_bridge.access.certificates import CertificateFiles, create_certificates
from sensor_bridge.access.machine import own_addresses
from sensor_bridge.commands import run as run_module
from sensor_bridge.config import Config
from sensor_bridge.errors import ConfigError
from sensor_bridge.service import run_bridge
from tests.chromium import browser
from tests.sensor_bridge.test_service import DeafAdapter

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser

    from sensor_bridge.service import Bridge

__all__ = ["browser"]

SENSOR = {"id": "anna-pelvis", "placement": "pelvis", "address": "AA:BB:CC:DD:EE:FF"}


def config(folder: Path, **sections: Any) -> Config:
    athlete = {"id": "anna", "name": "Anna", "sensors": [SENSOR]}
    return Config.model_validate({"gym": "gym-1", "data_folder": folder, "athletes": [athlete], **sections})


@pytest.mark.browser
async def test_a_phone_reaches_page_broker_and_archive_encrypted(browser: Browser, tmp_path: Path) -> None:
    files = CertificateFiles.of(tmp_path)
    address = next(iter(own_addresses()), "127.0.0.1")
    create_certificates(files, [address, "localhost", "127.0.0.1"], dt.datetime.now(dt.UTC))

    async def look(bridge: Bridge) -> None:
        assert bridge.dashboard_url is not None
        url, _, token = bridge.dashboard_url.partition("#token=")
        assert url.startswith(f"https://{address}:")
        trusting = ssl.create_default_context(cafile=files.authority)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{url}config.json", ssl=trusting) as answer:
                told = json.loads(await answer.text())
            assert told["websocketUrl"].startswith(f"wss://{address}:")
            headers = {"Authorization": f"Bearer {token}"}
            async with session.get(f"{url}api/v1/athletes", ssl=trusting, headers=headers) as answer:
                assert answer.status == 200
        # Chromium has a list of authorities of its own; what it checks is checked above.
        context = await browser.new_context(ignore_https_errors=True)
        page = await context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        await page.goto(bridge.dashboard_url)
        await expect(page.get_by_test_id("connection-state")).to_have_text("live", timeout=60_000)
        assert complaints == []
        await context.close()

    opened = config(tmp_path, dashboard={"host": "0.0.0.0", "port": 0})
    async with asyncio.timeout(150):
        await run_bridge(opened, DeafAdapter(), look)


async def test_without_encryption_the_bridge_does_not_start(tmp_path: Path) -> None:
    async def never(_bridge: Bridge) -> None:
        pytest.fail("it started")

    with pytest.raises(ConfigError, match="open to the network without encryption"):
        await run_bridge(config(tmp_path, dashboard={"host": "0.0.0.0"}), DeafAdapter(), never)


@pytest.mark.parametrize(
    ("flags", "host", "trusted"),
    [
        ({}, "127.0.0.1", False),
        ({"is_networked": True}, "0.0.0.0", False),
        ({"is_networked": True, "is_network_trusted": True}, "0.0.0.0", True),
    ],
)
def test_the_flags_of_run_open_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: dict[str, bool], host: str, trusted: bool
) -> None:
    path = tmp_path / "hipline.toml"
    path.write_text('[[athletes]]\nid = "anna"\nsensors = [{ placement = "pelvis", name = "A" }]\n')
    ran: list[Config] = []

    async def note(config: Config) -> None:
        ran.append(config)

    monkeypatch.setattr(run_module, "_run", note)
    run_module.run(path, **flags)
    assert (ran[0].dashboard.host, ran[0].network.trusted) == (host, trusted)
