"""One short set, from virtual sensors over the whole bridge to a page that Chromium shows."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from hardware_sim.athlete import simulate
from hardware_sim.radio import VirtualRadio
from hardware_sim.scenario_file import parse_scenario
from hardware_sim.worn_sensors import sample_sources
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.service import run_bridge
from tests.end_to_end.annas_gym import annas_gym, keep_complaints, recorder
from tests.end_to_end.contract_listener import held_to_the_contract

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from pathlib import Path

    from playwright.async_api import Browser

    from hardware_sim.recording_source import SampleSource
    from hardware_sim.truth import TrueRepetition
    from sensor_bridge.service import Bridge

# Seed 2 lowers in 3.14 and 3.21 s by the definition; the whole takes 16 s.
TWO_REPETITIONS = """
exercise = "romanian_deadlift"
repetitions = 2
lead_in_s = 3.0
lead_out_s = 2.5
[tempo]
eccentric_s = 3.4
bottom_s = 0.5
concentric_s = 1.0
top_s = 1.0
"""
SEED = 2

_SEEN = {
    "connection": "read('connection-state')",
    "repetitions": "read('repetition-count')",
    "phase": "data('phase', 'phase')",
    "count": "read('eccentric-count')",
    "tilt": "read('tilt')",
    "last_eccentric": "read('last-eccentric')",
    "links": "[...document.querySelectorAll('[data-testid=sensor-link]')].map((e) => e.textContent)",
}


@dataclass(frozen=True)
class Glimpse:
    """What the page showed from `at_ms` on, UTC ms."""

    at_ms: float
    connection: str
    repetitions: str
    phase: str
    count: str
    tilt: str
    last_eccentric: str
    links: list[str]

    @property
    def tilt_deg(self) -> float | None:
        return float(self.tilt.rstrip("°").replace("\N{MINUS SIGN}", "-")) if "°" in self.tilt else None


@dataclass
class WatchedSet:
    """What the page showed while a set was done, beside what was done.

    `began_ms` is the UTC time of the athlete's time 0; `complaints` are errors and warnings of the page.
    """

    repetitions: tuple[TrueRepetition, ...]
    began_ms: float = 0.0
    name: str = ""
    glimpses: list[Glimpse] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def at_s(self, glimpse: Glimpse) -> float:
        """Tell the athlete's time of a glimpse."""
        return (glimpse.at_ms - self.began_ms) / 1000

    def tilts_deg(self) -> list[float]:
        return [
            float(g.tilt.rstrip("°").replace("\N{MINUS SIGN}", "-")) for g in self.glimpses if "°" in g.tilt
        ]

    def counting(self, done: int) -> list[tuple[str, float]]:
        """Each numeral of the lowering after `done` repetitions, and when it was first seen, s."""
        seen: dict[str, float] = {}
        for glimpse in self.glimpses:
            if glimpse.phase == "eccentric" and glimpse.repetitions == str(done):
                seen.setdefault(glimpse.count, self.at_s(glimpse))
        return list(seen.items())


async def watch_a_set(
    browser: Browser,
    data_folder: Path,
    *,
    gym: str,
    mqtt: dict[str, Any],
    meanwhile: Callable[[Bridge], Awaitable[None]] | None = None,
) -> WatchedSet:
    """Let the virtual athlete do the set, the bridge measure it, and Chromium show it."""
    performance = simulate(parse_scenario(TWO_REPETITIONS, "two repetitions"), SEED)
    watched = WatchedSet(performance.truth.repetitions)
    sources = sample_sources(performance)
    asked = {"repetitions": 2, "tempo": "3-0-1-1"}
    config = annas_gym(data_folder, sources, asked, gym=gym, mqtt=mqtt)

    async with VirtualRadio(sources, seed=SEED) as radio:

        async def look(bridge: Bridge) -> None:
            assert bridge.dashboard_url is not None
            page = await browser.new_page(viewport={"width": 1280, "height": 720})
            keep_complaints(page, watched.complaints)
            await page.goto(bridge.dashboard_url)
            await page.evaluate(recorder(_SEEN))
            if meanwhile is not None:
                await meanwhile(bridge)
            await asyncio.wait_for(radio.playback_finished.wait(), 40)
            watched.began_ms = began_ms(radio, sources[0])
            await expect(page.get_by_test_id("repetition-count")).to_have_text("2")
            await expect(page.get_by_test_id("verdict")).to_contain_text("Repetition 2")
            watched.name = await page.locator("h2").inner_text()
            watched.glimpses = [
                Glimpse(**glimpse) for glimpse in await page.evaluate("() => window.glimpses")
            ]
            await page.close()

        await run_bridge(config, Adapter(*radio.bleak_backends()), held_to_the_contract(look, gym))
    return watched


def assert_was_seen(watched: WatchedSet) -> None:
    """Hold what the page showed to what was done."""
    first, second = watched.repetitions
    assert watched.name == "Anna"
    assert watched.complaints == []

    # While the athlete moves, everything is there: broker, sensors, a count that never goes back.
    moving = [glimpse for glimpse in watched.glimpses if watched.at_s(glimpse) > first.eccentric_true_start_s]
    assert {glimpse.connection for glimpse in moving} == {"live"}
    assert {tuple(glimpse.links) for glimpse in moving} == {("connected",) * 3}
    assert in_order(glimpse.repetitions for glimpse in moving) == ["0", "1", "2"]
    phases = in_order(glimpse.phase for glimpse in moving)
    assert phases[phases.index("eccentric") :][:8] == ["eccentric", "bottom", "concentric", "top"] * 2

    # Each lowering of 3 s is counted aloud, in time: "2" is due a second after it began.
    for done, repetition in enumerate(watched.repetitions):
        counting = watched.counting(done)
        assert [numeral for numeral, _ in counting] == ["1", "2", "3"]
        at_s = dict(counting)
        assert at_s["2"] == pytest.approx(repetition.eccentric_start_s + 1.0, abs=0.3)
        assert at_s["3"] == pytest.approx(repetition.eccentric_start_s + 2.0, abs=0.3)

    # The tilt moves as the pelvis does: 59° and 53° in these two repetitions, back to upright between them.
    shown = [(watched.at_s(glimpse), glimpse.tilt_deg) for glimpse in moving if glimpse.tilt_deg is not None]
    down_s = first.eccentric_end_s, second.eccentric_end_s
    up_s = first.concentric_end_s + 0.5, second.concentric_end_s + 0.5
    deepest = [max(tilt for at_s, tilt in shown if abs(at_s - end_s) < 1.0) for end_s in down_s]
    assert deepest[0] == pytest.approx(first.pelvic_tilt_range_deg, abs=3.0)
    assert deepest[1] == pytest.approx(second.pelvic_tilt_range_deg, abs=3.0)
    highest = [min(tilt for at_s, tilt in shown if abs(at_s - end_s) < 0.5) for end_s in up_s]
    assert max(map(abs, highest)) <= 3.0
    assert len({tilt for _, tilt in shown}) > 40

    # The last lowering, as soon as it is known; the page rounds to 0.1 s.
    lowered = in_order(glimpse.last_eccentric for glimpse in moving)
    assert len(lowered) == 3
    assert float(lowered[1].removesuffix(" s")) == pytest.approx(first.eccentric_s, abs=0.1)
    assert float(lowered[2].removesuffix(" s")) == pytest.approx(second.eccentric_s, abs=0.1)


def in_order(values: Iterable[str]) -> list[str]:
    """Each value once where the same follows itself."""
    return [value for value, _ in itertools.groupby(values)]


def began_ms(radio: VirtualRadio, source: SampleSource) -> float:
    ends_s = radio.peripherals[source.sensor_id].ends_at_s
    assert ends_s is not None
    began_s = ends_s - (source.device_time_us[-1] - source.device_time_us[0]) / 1e6
    return float(began_s + time.time() - asyncio.get_running_loop().time()) * 1000
