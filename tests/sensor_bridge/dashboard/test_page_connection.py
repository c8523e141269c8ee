from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from sensor_bridge.dashboard.server import DashboardServer, DashboardSettings, page_link
from sensor_bridge.mqtt.broker import EmbeddedBroker
from tests.sensor_bridge.dashboard.virtual_gym import (
    ScriptedAthlete,
    VirtualGym,
)

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser

    from tests.mosquitto_broker import Mosquitto
    from tests.sensor_bridge.dashboard.conftest import Stage

pytestmark = pytest.mark.browser


def anna(**changes: object) -> ScriptedAthlete:
    return ScriptedAthlete("athlete-1", "Anna", **changes)  # type: ignore[arg-type]


async def test_text_from_the_wire_stays_text(stage: Stage) -> None:
    nasty = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    athlete = ScriptedAthlete("athlete-1", nasty, exercise="constructor")
    gym = await stage.gym(athlete)
    page = await stage.page()
    gym.introduce(athlete, at_s=8.0)
    await expect(page.locator("h2")).to_have_text(nasty)
    assert await page.locator("img").count() == 0
    assert await page.locator("body script").count() == 0
    assert await page.title() == f"{nasty} · Hipline"


async def test_what_is_not_understood_is_counted_and_left_out(stage: Stage) -> None:
    gym = await stage.gym()
    page = await stage.page()
    gym.publish_raw("athlete/athlete-1/state", b'{"v":1}')
    gym.publish_raw("athlete/athlete-1/rep", b"\xff\x00 no JSON")
    await expect(page.get_by_text("2 messages not understood")).to_be_visible()
    await expect(page.get_by_test_id("athlete-card")).to_have_count(0)
    await expect(page.get_by_text("Waiting for the first athlete")).to_be_visible()


async def test_a_stopped_bridge_is_told(stage: Stage) -> None:
    gym = await stage.gym()
    page = await stage.page()
    gym.announce(state="offline")
    await expect(page.get_by_test_id("connection-state")).to_have_text("bridge stopped")
    gym.announce()
    await expect(page.get_by_test_id("connection-state")).to_have_text("live")


async def test_what_the_bridge_complains_of_is_told_to_the_coach(stage: Stage, tmp_path: Path) -> None:
    athlete = anna()
    gym = await stage.gym(athlete)
    page = await stage.page()
    gym.introduce(athlete, at_s=8.0)
    told = page.get_by_test_id("bridge-alarms")
    await expect(page.get_by_test_id("repetition-count")).to_have_text("1")
    await expect(told).to_have_count(0)
    gym.announce(alarms=("the disk is full: free <b>some</b> space", "the broker speaks MQTT 3.1.1 only"))
    await expect(told).to_have_text(
        "The bridge says: the disk is full: free <b>some</b> space · the broker speaks MQTT 3.1.1 only"
    )
    await page.screenshot(path=tmp_path / "alarms.png")
    gym.announce()
    await expect(told).to_have_count(0)


@pytest.mark.realtime
async def test_the_page_comes_back_after_the_broker_was_away(stage: Stage) -> None:
    athlete = anna()
    gym = await stage.gym(athlete)
    page = await stage.page()
    gym.introduce(athlete, at_s=8.5)
    state = page.get_by_test_id("connection-state")
    await expect(page.get_by_test_id("repetition-count")).to_have_text("1")
    settings = stage.settings
    await stage.stop_broker()
    await expect(state).to_have_text("reconnecting")
    await expect(page.get_by_role("alert")).to_contain_text("trying again")
    await expect(page.get_by_test_id("repetition-count")).to_have_text("1")

    async with EmbeddedBroker(settings) as again:
        async with VirtualGym("gym-1", again.tcp_port, "bridge", "b" * 32, athlete) as back:
            back.introduce(athlete, at_s=16.5)
            await expect(state).to_have_text("live", timeout=15_000)
            await expect(page.get_by_test_id("repetition-count")).to_have_text("2")
        await page.close()
    # Chromium itself reports each attempt that found nobody.
    stage.complaints[:] = [text for text in stage.complaints if "WebSocket connection to" not in text]


async def test_a_stopped_page_server_is_told_as_offline(stage: Stage) -> None:
    page = await stage.page()
    await stage.stop_server()
    await stage.stop_broker()
    await expect(page.get_by_test_id("connection-state")).to_have_text("offline", timeout=10_000)
    await page.close()
    stage.complaints[:] = [
        text for text in stage.complaints if "net::ERR" not in text and "WebSocket connection to" not in text
    ]


async def test_the_policy_stops_foreign_scripts_and_connections(stage: Stage) -> None:
    page = await stage.page()
    refused = await page.evaluate(
        """async () => {
            const blocked = [];
            document.addEventListener('securitypolicyviolation', (e) => blocked.push(e.effectiveDirective));
            const style = document.createElement('style');
            style.textContent = 'body { display: none }';
            document.head.append(style);
            const image = new Image();
            image.src = 'http://127.0.0.1:9/x.png';
            await fetch('http://127.0.0.1:9/').catch(() => null);
            try { document.body.innerHTML = '<p>no</p>'; } catch (e) { blocked.push(e.name); }
            await new Promise((resolve) => setTimeout(resolve, 100));
            return blocked;
        }"""
    )
    assert {"style-src-elem", "img-src", "connect-src", "TypeError"} <= set(refused)
    await expect(page.locator("h1")).to_have_text("Hipline")
    # The refusals above are the point of this test.
    assert stage.complaints
    stage.complaints.clear()


@pytest.mark.broker
async def test_it_works_with_mosquitto(browser: Browser, mosquitto: Mosquitto) -> None:
    athlete = anna()
    settings = DashboardSettings(
        gym="gym-1",
        websocket_url=f"ws://127.0.0.1:{mosquitto.websocket_port}/mqtt",
    )
    async with (
        DashboardServer(settings) as server,
        VirtualGym("gym-1", mosquitto.tcp_port, "bridge", mosquitto.passwords["bridge"], athlete) as gym,
    ):
        gym.introduce(athlete, at_s=16.5)
        page = await browser.new_page()
        await page.goto(page_link(server.url, f"coach.{mosquitto.passwords['coach']}"))
        await expect(page.get_by_test_id("repetition-count")).to_have_text("2")
        await expect(page.get_by_test_id("connection-state")).to_have_text("live")
        await page.close()
