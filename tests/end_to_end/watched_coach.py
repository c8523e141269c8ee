"""One short set, from virtual sensors over the whole bridge to the coach's page, and commands back to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright, expect

from hardware_sim.athlete import simulate
from hardware_sim.radio import VirtualRadio
from hardware_sim.scenario_file import parse_scenario
from hardware_sim.worn_sensors import sample_sources
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.service import run_bridge
from tests.chromium import FLAGS, executable
from tests.end_to_end.annas_gym import annas_gym, keep_complaints
from tests.end_to_end.contract_listener import held_to_the_contract

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser, Page

    from hardware_sim.truth import TrueRepetition
    from sensor_bridge.service import Bridge

THREE_REPETITIONS = """
exercise = "romanian_deadlift"
repetitions = 3
lead_in_s = 3.0
lead_out_s = 3.0
[tempo]
eccentric_s = 1.8
bottom_s = 0.3
concentric_s = 0.9
top_s = 1.0
"""
SEED = 2

expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


@dataclass(frozen=True)
class Row:
    """One repetition as the table tells it."""

    tempo: str
    depth: str
    level: str
    lockout: str
    words: str


@dataclass
class WatchedCoach:
    """What the coach saw of a set, and of each command what became of it in the bridge's words."""

    repetitions: tuple[TrueRepetition, ...]
    pictures: Path
    rows: list[Row] = field(default_factory=list)
    rows_of_late_joiner: list[Row] = field(default_factory=list)
    review: str = ""
    measured: str = ""
    calibration: str = ""
    outcomes: dict[str, tuple[str, str]] = field(default_factory=dict)
    left_after_dispute: list[int] = field(default_factory=list)
    left_after_undo: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    prescribed: str = ""
    complaints: list[str] = field(default_factory=list)


def watch_the_coach(folder: Path) -> WatchedCoach:
    """Let the virtual athlete do the set, the bridge measure it, and a coach look on and step in."""
    return asyncio.run(_watch(folder))


async def _watch(folder: Path) -> WatchedCoach:
    performance = simulate(parse_scenario(THREE_REPETITIONS, "three repetitions"), SEED)
    sources = sample_sources(performance)
    watched = WatchedCoach(performance.truth.repetitions, folder)
    asked = {"repetitions": 3, "sets": 2, "tempo": "2-0-X-1"}
    config = annas_gym(folder / "data", sources, asked)
    async with async_playwright() as playwright, VirtualRadio(sources, seed=SEED) as radio:
        browser = await playwright.chromium.launch(executable_path=executable(), args=FLAGS)

        async def look(bridge: Bridge) -> None:
            assert bridge.dashboard_url is not None
            page = await _open(browser, watched, bridge.dashboard_url)
            await expect(page.get_by_test_id("repetition-count")).to_have_text("1", timeout=40_000)
            await page.get_by_role("link", name="Anna").click()
            await asyncio.wait_for(radio.playback_finished.wait(), 60)
            await expect(page.get_by_test_id("repetition-row")).to_have_count(3)
            watched.rows = await _rows(page)
            watched.review = await page.get_by_test_id("review").inner_text()
            watched.calibration = await page.locator(".worn-sensors").inner_text()
            await page.screenshot(path=folder / "coach_set.png")
            await _step_in(browser, watched, bridge.dashboard_url, page)

        await run_bridge(config, Adapter(*radio.bleak_backends()), held_to_the_contract(look, config.gym))
        await browser.close()
    return watched


async def _step_in(browser: Browser, watched: WatchedCoach, url: str, first: Page) -> None:
    """Join late, dispute, undo, note, prescribe, identify and start a set; the other page sees it too."""
    page = await _open(browser, watched, url)
    await page.get_by_role("link", name="Anna").click()
    await expect(page.get_by_test_id("repetition-row")).to_have_count(3)
    watched.rows_of_late_joiner = await _rows(page)
    await page.get_by_role("button", name="repetition 2: everything measured").click()
    watched.measured = await page.locator(".details").inner_text()

    await page.get_by_label("why (may stay empty)").fill("picked up the bar")
    await page.get_by_role("button", name="Not a repetition: number 2").click()
    await _told(page, watched, "not-a-repetition")
    for either in (page, first):
        await expect(either.get_by_test_id("repetition-row")).to_have_count(2)
    watched.left_after_dispute = await _numbers(first)
    await page.get_by_role("button", name="Undo: Not a repetition").click()
    await _told(page, watched, "undo")
    for either in (page, first):
        await expect(either.get_by_test_id("repetition-row")).to_have_count(3)
    watched.left_after_undo = await _numbers(first)

    await page.get_by_label("Note", exact=True).fill("left knee <b>hurts</b>")
    await page.get_by_label("Note", exact=True).press("Enter")
    await _told(page, watched, "note")
    await expect(first.get_by_test_id("notes")).to_contain_text("left knee")
    watched.notes = await first.get_by_test_id("notes").locator("li").all_inner_texts()

    await page.get_by_role("button", name="Prescribe…").click()
    dialog = page.get_by_test_id("prescribe")
    await dialog.get_by_label("Repetitions").fill("6")
    await dialog.get_by_label("Tempo").fill("4-0-X-0")
    await dialog.get_by_label("Load", exact=True).fill("60")
    await dialog.get_by_role("button", name="Ask the bridge").click()
    await expect(dialog).to_have_count(0)
    await _told(page, watched, "prescribe")
    await expect(first.get_by_test_id("prescribed")).to_contain_text("4-0-X-0")
    watched.prescribed = await first.get_by_test_id("prescribed").locator("span").inner_text()

    await page.get_by_role("button", name="Identify the sensor").first.click()
    await _told(page, watched, "identify")
    await page.get_by_role("button", name="Start set").click()
    await _told(page, watched, "start-set")
    await page.screenshot(path=watched.pictures / "coach_commands.png")


async def _open(browser: Browser, watched: WatchedCoach, url: str) -> Page:
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    keep_complaints(page, watched.complaints)
    await page.goto(url)
    await page.wait_for_selector("[data-testid=connection-state][data-state=live]")
    return page


async def _told(page: Page, watched: WatchedCoach, name: str) -> None:
    """Keep what the bridge said to the last command, as soon as it has spoken."""
    line = page.get_by_test_id("asked-line").first
    await expect(line).not_to_have_attribute("data-outcome", "pending", timeout=15_000)
    outcome = await line.get_attribute("data-outcome") or ""
    watched.outcomes[name] = outcome, await line.locator(".asked-said").inner_text()


async def _numbers(page: Page) -> list[int]:
    rows = page.get_by_test_id("repetition-row")
    return [
        int(number) for number in await rows.evaluate_all("rows => rows.map((r) => r.dataset.repetition)")
    ]


async def _rows(page: Page) -> list[Row]:
    rows = []
    for row in await page.get_by_test_id("repetition-row").all():
        readings = [
            await row.get_by_test_id(f"reading-{n}").inner_text() for n in ("depth", "level", "lockout")
        ]
        tempo = await row.locator(".tempo").get_attribute("aria-label") or ""
        rows.append(Row(tempo, *readings, await row.locator(".rep-words").inner_text()))
    return rows
