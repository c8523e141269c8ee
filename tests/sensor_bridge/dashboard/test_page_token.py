"""The page asks for a token where it has none, keeps it, and says when it is wrong."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.sensor_bridge.dashboard.conftest import TOKENS, WORN
from tests.sensor_bridge.dashboard.virtual_gym import ScriptedAthlete

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.sensor_bridge.dashboard.conftest import Stage

pytestmark = pytest.mark.browser

COACH = f"coach.{TOKENS['coach']}"
LIVE = "[data-testid=connection-state][data-state=live]"


async def bare_page(stage: Stage, fragment: str = "") -> Page:
    page = await stage.browser.new_page()
    page.on("pageerror", lambda error: stage.complaints.append(str(error)))
    await page.goto(f"{stage.server.url}{fragment}")
    return page


async def test_it_asks_once_and_keeps_the_token(stage: Stage) -> None:
    page = await bare_page(stage)
    await expect(page.get_by_role("heading")).to_have_text("Hipline: your token", timeout=20_000)
    await expect(page.get_by_role("alert")).to_have_count(0)
    await page.get_by_label("Token").fill(f"  {COACH}\n")
    await page.get_by_role("button", name="Open").click()
    await page.wait_for_selector(LIVE)
    await page.reload()
    await page.wait_for_selector(LIVE)
    await expect(page.get_by_label("Token")).to_have_count(0)


async def test_a_link_opens_it_and_leaves_no_token_in_the_address(stage: Stage) -> None:
    page = await bare_page(stage, f"#token={COACH}")
    await page.wait_for_selector(LIVE)
    assert page.url == stage.server.url
    await page.goto(stage.server.url)
    await page.wait_for_selector(LIVE)


async def test_half_a_token_is_told_before_anything_is_sent(stage: Stage) -> None:
    page = await bare_page(stage)
    await page.get_by_label("Token").fill("coach")
    await page.get_by_role("button", name="Open").click()
    await expect(page.get_by_role("alert")).to_contain_text("not a whole token", timeout=20_000)


async def test_a_wrong_token_is_told_in_words_forgotten_and_asked_for_again(stage: Stage) -> None:
    page = await bare_page(stage, "#token=coach.guessed")
    await expect(page.get_by_role("alert")).to_contain_text("does not open this gym", timeout=20_000)
    assert await page.evaluate("localStorage.getItem('hipline-token')") is None
    await page.get_by_label("Token").fill(COACH)
    await page.get_by_label("Token").press("Enter")
    await page.wait_for_selector(LIVE)


async def test_a_link_with_another_token_begins_anew(stage: Stage) -> None:
    page = await bare_page(stage, f"#token={COACH}")
    await page.wait_for_selector(LIVE)
    await page.evaluate("location.hash = '#token=coach.guessed'")
    await expect(page.get_by_role("alert")).to_contain_text("does not open this gym", timeout=20_000)


async def test_an_athletes_token_opens_with_own_sensors_and_nobody_else(stage: Stage) -> None:
    anna, bea = ScriptedAthlete("anna", "Anna"), ScriptedAthlete("bea", "Bea")
    gym = await stage.gym(anna, bea)
    for athlete in (anna, bea):
        gym.introduce(athlete, at_s=8.5)
    page = await bare_page(stage, f"#token=athlete-anna.{TOKENS['athlete-anna']}")
    received: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(str(frame))))
    await page.reload()
    await page.wait_for_selector(LIVE)
    async with asyncio.timeout(60):
        while not all(  # noqa: ASYNC110 - frames are told by nobody
            any(f"sensor/{sensor}/status" in frame for frame in received) for sensor in WORN["anna"]
        ):
            await asyncio.sleep(0.05)
    assert any("athlete/anna/state" in frame for frame in received)
    assert not any("bea" in frame for frame in received)
