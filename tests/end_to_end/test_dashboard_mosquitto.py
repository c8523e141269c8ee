from __future__ import annotations

import asyncio
import json
import urllib.request
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sensor_bridge.errors import BrokerRefused
from sensor_bridge.mqtt.client import MqttClient
from tests.chromium import browser
from tests.end_to_end.watched_set import assert_was_seen, watch_a_set
from tests.mosquitto_broker import mosquitto

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser

    from sensor_bridge.service import Bridge
    from tests.mosquitto_broker import Mosquitto

__all__ = ["browser", "mosquitto"]

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.realtime]

COUNT = "hipline/v1/gym-1/athlete/anna/rep"


def page_configuration(url: str) -> dict[str, str]:
    with urllib.request.urlopen(f"{url}config.json", timeout=5) as answer:
        configuration: dict[str, str] = json.load(answer)
    return configuration


async def test_a_set_is_seen_through_a_broker_with_passwords_and_rules(
    browser: Browser, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    bridge_password, page_password = tmp_path / "bridge-password", tmp_path / "page-password"
    for path, user in ((bridge_password, "bridge"), (page_password, "coach")):
        path.touch(mode=0o600)
        path.write_text(mosquitto.passwords[user])

    async def knock(bridge: Bridge) -> None:
        """Try what nobody but the bridge may, while the page is being watched."""
        assert bridge.dashboard_url is not None
        server, _, fragment = bridge.dashboard_url.partition("#")
        assert fragment == f"token=coach.{mosquitto.passwords['coach']}"
        told = await asyncio.to_thread(page_configuration, server)
        assert mosquitto.passwords["coach"] not in told.values()
        assert told["websocketUrl"].endswith(f":{mosquitto.websocket_port}")

        as_page = bridge.broker.reader_settings("knocking")
        async with MqttClient(as_page) as client:
            await client.connected(5)
            with pytest.raises(BrokerRefused):
                await client.publish(COUNT, b"{}")
        async with MqttClient(replace(as_page, password="guessed")) as client:
            with pytest.raises(BrokerRefused):
                await client.connected(5)
        async with MqttClient(replace(as_page, username=None, password=None)) as client:
            with pytest.raises(BrokerRefused):
                await client.connected(5)

    watched = await watch_a_set(
        browser,
        tmp_path / "data",
        gym=mosquitto.gym,
        mqtt={
            "broker": "external",
            "port": mosquitto.tcp_port,
            "websocket_url": f"ws://127.0.0.1:{mosquitto.websocket_port}",
            "username": "bridge",
            "password_file": bridge_password,
            "dashboard_username": "coach",
            "dashboard_password_file": page_password,
        },
        meanwhile=knock,
    )
    assert_was_seen(watched)
