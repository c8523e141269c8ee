"""Every page, dark and light, held to WCAG 2.2 AA by axe-core."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sensor_bridge.dashboard import build_hook
from sensor_bridge.mqtt.payloads import Target
from tests.sensor_bridge.dashboard.virtual_gym import ScriptedAthlete, fault

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.sensor_bridge.dashboard.conftest import Stage

pytestmark = pytest.mark.browser

WEB = Path(build_hook.__file__).parent / "web"
# What axe finds, a line each: which rule, where, and what it says.
EXAMINE = """async () => {
    const found = await axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
        resultTypes: ['violations'],
    });
    return found.violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id} ${target.join(' ')}: ${failureSummary}`));
}"""
IN_THE_OTHER_COLOURS = """() => {
    const { dataset } = document.documentElement;
    dataset.theme = dataset.theme === 'light' ? 'dark' : 'light';
}"""


@pytest.fixture(scope="module")
def axe() -> str:
    build_hook.install_packages(WEB)
    return (WEB / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


async def complaints(page: Page, name: str) -> list[str]:
    """What is wrong with the page as it stands, in both colours."""
    found = []
    for _ in ("dark", "light"):
        found += [f"{name}: {line}" for line in await page.evaluate(EXAMINE)]
        await page.evaluate(IN_THE_OTHER_COLOURS)
    return found


async def test_every_page_is_accessible(stage: Stage, axe: str) -> None:
    athletes = [
        ScriptedAthlete(
            name.lower(),
            name,
            target=Target(repetitions=8, sets=4, eccentric_s=5.0, bottom_s=0.0, top_s=0.0, load_kg=60.0),
            overrides={
                2: {"faults": [fault("incomplete_lockout", 7.2, 5.0)]},
                4: {"faults": [fault("hip_open", 14.0, 5.0)]},
            },
            battery_percent=(9.0, 88.0, 79.0),
        )
        for name in ("Anna", "Berta")
    ]
    gym = await stage.gym(*athletes)
    found = []
    page = await stage.page()
    await page.evaluate(axe)
    for moment, at_s in (("counting", 18.0), ("resting", 90.0)):
        for athlete in athletes:
            gym.start(athlete, at_s)
            gym.introduce(athlete)
        playing = asyncio.create_task(gym.play(60.0))
        for address, shown in (
            ("#/", "[data-testid=athlete-card]"),
            ("#/coach/anna", "main"),
            ("#/athlete/anna", f"[data-scene={'resting' if moment == 'resting' else 'working'}]"),
            ("#/nowhere", "main"),
        ):
            if moment == "resting" and address != "#/athlete/anna":
                continue
            await page.evaluate("(address) => { location.hash = address }", address)
            await page.wait_for_selector(shown)
            found += await complaints(page, f"{address} {moment}")
        playing.cancel()
    assert found == [], "\n".join(found)


async def test_the_page_that_asks_for_a_token_is_accessible(stage: Stage, axe: str) -> None:
    page = await stage.browser.new_page()
    await page.goto(stage.server.url)
    await page.wait_for_selector("input")
    await page.evaluate(axe)
    assert await complaints(page, "token page") == []
