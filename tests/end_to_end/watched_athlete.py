"""One short set, from virtual sensors over the whole bridge to the athlete's page on a phone and a TV."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playwright.async_api import async_playwright, expect

from hardware_sim.athlete import simulate
from hardware_sim.radio import VirtualRadio
from hardware_sim.scenario_file import parse_scenario
from hardware_sim.worn_sensors import sample_sources
from sensor_bridge.access.tokens import read_tokens
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.dashboard.server import page_link
from sensor_bridge.service import run_bridge
from tests.chromium import FLAGS, executable
from tests.end_to_end.annas_gym import annas_gym, keep_complaints, recorder
from tests.end_to_end.contract_listener import held_to_the_contract
from tests.end_to_end.watched_set import began_ms

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser, Page

    from hardware_sim.truth import TrueRepetition
    from sensor_bridge.service import Bridge

# The lowering is to be counted to 3, the bottom to 1; after 8 s of standing the set is over.
TWO_REPETITIONS = """
exercise = "romanian_deadlift"
repetitions = 2
lead_in_s = 3.0
lead_out_s = 10.5
[tempo]
eccentric_s = 3.4
bottom_s = 1.5
concentric_s = 1.0
top_s = 1.2
"""
SEED = 2
PHONE = {"width": 390, "height": 844}
TV = {"width": 1920, "height": 1080}

# Runs before the page: notes the tones it orders and takes back, and how often it asks to stay awake.
_SPY = """
window.spied = { beats: [], wakes: 0, audio: null };
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (at_s) {
    this.beat = { at_s, hz: this.frequency.value, silenced: false };
    window.spied.beats.push(this.beat);
    window.spied.audio = this.context;
    return start.call(this, at_s);
};
const disconnect = OscillatorNode.prototype.disconnect;
OscillatorNode.prototype.disconnect = function (...rest) {
    if (this.beat) this.beat.silenced = true;
    return disconnect.apply(this, rest);
};
const request = WakeLock.prototype.request;
WakeLock.prototype.request = function (kind) {
    window.spied.wakes += 1;
    return request.call(this, kind);
};
"""

_SEEN = {
    "scene": "data('athlete-page', 'scene')",
    "phase": "data('phase', 'phase')",
    "repetition": "read('repetition')",
    "kind": "data('stage', 'kind')",
    "big": "read('big-count')",
    "depth": "read('depth')",
    "verdict": "read('verdict')",
    "animations": "document.getAnimations().length",
}


@dataclass(frozen=True)
class Glimpse:
    """What the page showed from `at_ms` on, UTC ms."""

    at_ms: float
    scene: str
    phase: str
    repetition: str
    kind: str
    big: str
    depth: str
    verdict: str
    animations: int


@dataclass(frozen=True)
class Beat:
    """A tone of the metronome: when it sounded, UTC ms, and its pitch."""

    at_ms: float
    hz: float
    silenced: bool


@dataclass
class WatchedAthlete:
    """What phone and TV showed while a set was done, beside what was done.

    `began_ms` is the UTC time of the athlete's time 0.
    """

    repetitions: tuple[TrueRepetition, ...]
    pictures: Path
    began_ms: float = 0.0
    hash: str = ""
    phone: list[Glimpse] = field(default_factory=list)
    tv: list[Glimpse] = field(default_factory=list)
    beats: list[Beat] = field(default_factory=list)
    wakes: int = 0
    summary: dict[str, str] = field(default_factory=dict)
    faults: str = ""
    rest: str = ""
    texts: list[tuple[str, float]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def at_s(self, at_ms: float) -> float:
        """Tell the athlete's time of a moment."""
        return (at_ms - self.began_ms) / 1000

    def counted(self, phase: str, done: int) -> list[tuple[str, float]]:
        """Each numeral of a phase in the repetition after `done` of them, and when it was first seen, s."""
        seen: dict[str, float] = {}
        for glimpse in self.phone:
            number = glimpse.repetition.split(" of ")[0].removeprefix("repetition ")
            if (glimpse.phase, glimpse.kind, number) == (phase, "count", str(done + 1)):
                seen.setdefault(glimpse.big, self.at_s(glimpse.at_ms))
        return list(seen.items())


def watch_the_athlete(folder: Path) -> WatchedAthlete:
    """Let the virtual athlete do the set, the bridge measure it, and Chromium show it on two screens."""
    return asyncio.run(_watch(folder))


async def _watch(folder: Path) -> WatchedAthlete:
    performance = simulate(parse_scenario(TWO_REPETITIONS, "two repetitions"), SEED)
    sources = sample_sources(performance)
    pictures = folder / "pictures"
    pictures.mkdir()
    watched = WatchedAthlete(performance.truth.repetitions, pictures)
    asked = {"repetitions": 2, "sets": 3, "tempo": "3-1-X-0", "load_kg": 60}
    config = annas_gym(folder / "data", sources, asked)
    async with async_playwright() as playwright, VirtualRadio(sources, seed=SEED) as radio:
        browser = await playwright.chromium.launch(executable_path=executable(), args=FLAGS)

        async def look(bridge: Bridge) -> None:
            assert bridge.dashboard_url is not None
            page_url = bridge.dashboard_url.partition("#")[0]
            secret = read_tokens(config.data_folder)["athlete-anna"]
            phone = await _open(browser, watched, PHONE, page_link(page_url, f"athlete-anna.{secret}"))
            watched.hash = await phone.evaluate("location.hash")
            await phone.get_by_role("button", name="tick the count aloud").click()
            tv = await _open(browser, watched, TV, bridge.dashboard_url, reduced_motion="reduce")
            await tv.evaluate("location.hash = '#/athlete/anna'")
            for page in (phone, tv):
                await page.evaluate(recorder(_SEEN))
            pictures_taken = asyncio.create_task(_take_pictures(phone, tv, pictures))
            await asyncio.wait_for(radio.playback_finished.wait(), 60)
            watched.began_ms = began_ms(radio, sources[0])
            await expect(phone.get_by_test_id("set-summary")).to_be_visible(timeout=30_000)
            await pictures_taken
            await _read(watched, phone, tv)

        await run_bridge(config, Adapter(*radio.bleak_backends()), held_to_the_contract(look, config.gym))
        await browser.close()
    return watched


async def _open(browser: Browser, watched: WatchedAthlete, viewport: Any, url: str, **options: Any) -> Page:
    page = await browser.new_page(viewport=viewport, **options)
    keep_complaints(page, watched.complaints)
    await page.add_init_script(_SPY)
    await page.goto(url)
    await page.wait_for_selector("[data-testid=connection-state][data-state=live]")
    return page


async def _take_pictures(phone: Page, tv: Page, folder: Path) -> None:
    """Take one of each screen in the lowering, at the top and at rest: what is seen, as it is seen."""
    for name, moment in (
        ("counting", "[data-testid=stage][data-kind=count]:has-text('3')"),
        ("done", "[data-testid=stage][data-kind=done]"),
        ("resting", "[data-testid=set-summary]"),
    ):
        for screen, page in (("phone", phone), ("tv", tv)):
            await page.wait_for_selector(moment, timeout=60_000)
            await page.screenshot(path=folder / f"athlete_{screen}_{name}.png")


async def _read(watched: WatchedAthlete, phone: Page, tv: Page) -> None:
    watched.phone = [Glimpse(**glimpse) for glimpse in await phone.evaluate("() => window.glimpses")]
    watched.tv = [Glimpse(**glimpse) for glimpse in await tv.evaluate("() => window.glimpses")]
    spied = await phone.evaluate(
        "() => ({ ...spied, audio: null, audio_s: spied.audio.currentTime, at_ms: Date.now() })"
    )
    watched.wakes = spied["wakes"]
    for beat in spied["beats"]:
        at_ms = spied["at_ms"] - (spied["audio_s"] - beat["at_s"]) * 1000
        watched.beats.append(Beat(at_ms, beat["hz"], beat["silenced"]))
    for row in ("lowering", "depth", "level", "lockout", "tension", "velocityLoss"):
        watched.summary[row] = await phone.get_by_test_id(f"summary-{row}").inner_text()
    watched.faults = await phone.get_by_test_id("set-faults").inner_text()
    watched.rest = await phone.get_by_test_id("rest-time").inner_text()
    watched.texts = await tv.evaluate(
        """() => [...document.querySelectorAll('.athlete *')]
            .filter((e) => e.checkVisibility() && e.getBoundingClientRect().width > 1)
            .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
            .map((e) => [e.textContent, parseFloat(getComputedStyle(e).fontSize)])"""
    )
