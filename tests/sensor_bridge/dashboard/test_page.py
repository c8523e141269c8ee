from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from sensor_bridge.mqtt.payloads import SensorStatus, Target
from tests.sensor_bridge.dashboard.virtual_gym import (
    BRIDGE,
    SINGLE_LEG_LEFT,
    ScriptedAthlete,
    Tempo,
    fault,
)

if TYPE_CHECKING:
    from tests.sensor_bridge.dashboard.conftest import Stage

pytestmark = pytest.mark.browser

QUICK = Tempo(eccentric_s=1.0, bottom_s=0.1, concentric_s=0.4, top_s=0.3)
THREE_IN_A_ROW = Target(repetitions=3, sets=2, eccentric_s=1.0, bottom_s=0.0, top_s=0.0)


def anna(**changes: object) -> ScriptedAthlete:
    return ScriptedAthlete("athlete-1", "Anna", **changes)  # type: ignore[arg-type]


@pytest.mark.realtime
async def test_a_set_is_seen_live(stage: Stage) -> None:
    athlete = anna(tempo=QUICK, target=THREE_IN_A_ROW)
    gym = await stage.gym(athlete)
    page = await stage.page()
    gym.start(athlete, -0.4)
    gym.introduce(athlete)
    card = page.get_by_test_id("athlete-card")
    await expect(card).to_have_count(1)
    await expect(page.get_by_test_id("phase")).to_have_text("ready")

    phases: list[str] = []

    async def watch() -> None:
        while True:
            phase = await page.get_by_test_id("phase").text_content()
            if phase and phase not in phases[-1:]:
                phases.append(phase)
            await asyncio.sleep(0.03)

    watching = asyncio.create_task(watch())
    await gym.play(6.3)
    watching.cancel()

    await expect(page.get_by_test_id("repetition-count")).to_have_text("3")
    await expect(card).to_contain_text("of 3")
    await expect(page.get_by_test_id("repetition-bar")).to_have_count(3)
    # 1 s of lowering, as scripted for the third repetition: 1.0 + 0.12 sin(6.9) = 1.07
    await expect(page.get_by_test_id("last-eccentric")).to_have_text("1.1 s")
    await expect(page.get_by_test_id("verdict")).to_have_text(
        "✓Repetition 3: 1.1 s down, stood all the way up, hips level."
    )
    for phase in ("lowering", "up", "top", "rest"):
        assert phase in phases
    assert await page.title() == "Anna · Hipline"


async def test_the_figure_follows_the_angles(stage: Stage) -> None:
    athlete = anna(tempo=Tempo(bottom_s=30.0))
    gym = await stage.gym(athlete)
    page = await stage.page()
    gym.start(athlete, 5.2)
    gym.introduce(athlete)
    await gym.play(0.5)
    pelvis = page.locator(".pelvis")
    turned = float((await pelvis.get_attribute("transform") or "").split("rotate(")[1].rstrip(")"))
    # At the bottom the script has 58° of tilt, and less than 1° of sway.
    assert turned == pytest.approx(58.0, abs=6.0)
    tilt = await page.get_by_test_id("tilt").text_content()
    assert tilt is not None
    assert float(tilt.rstrip("°")) == pytest.approx(58.0, abs=6.0)
    assert await page.locator("[data-part=nearThigh].guess").count() == 0


async def test_a_bridge_is_drawn_lying(stage: Stage) -> None:
    athlete = anna(exercise="glute_bridge", movement=BRIDGE, placements=("pelvis", "thigh_left"))
    gym = await stage.gym(athlete)
    page = await stage.page()
    gym.start(athlete, -1.0)
    gym.introduce(athlete)
    await gym.play(0.4)
    head = float(await page.locator("[data-part=head]").get_attribute("cx") or "nan")
    pelvis = await page.locator(".pelvis").get_attribute("transform") or ""
    assert head < float(pelvis.split("translate(")[1].split(",")[0]) - 40.0
    assert await page.locator("[data-part=nearThigh].guess").count() == 1


async def test_a_late_joiner_gets_the_whole_picture(stage: Stage) -> None:
    athlete = anna()
    gym = await stage.gym(athlete)
    gym.introduce(athlete, at_s=24.5)
    await asyncio.sleep(0.2)
    page = await stage.page()
    await expect(page.get_by_test_id("repetition-count")).to_have_text("3")
    await expect(page.get_by_test_id("repetition-bar")).to_have_count(3)
    await expect(page.get_by_test_id("last-eccentric")).to_have_text("5.1 s")
    await expect(page.get_by_test_id("sensor-link").first).to_have_text("connected")
    await expect(page.get_by_test_id("athlete-card")).to_contain_text("Romanian deadlift")


@pytest.mark.realtime
async def test_the_lowering_is_counted_aloud(stage: Stage) -> None:
    tempo = Tempo(eccentric_s=3.0, bottom_s=0.4, concentric_s=1.0, top_s=1.0)
    athlete = anna(tempo=tempo, target=Target(repetitions=5, eccentric_s=3.0))
    gym = await stage.gym(athlete)
    page = await stage.page()
    gym.start(athlete, -0.3)
    gym.introduce(athlete)
    counter = page.get_by_test_id("eccentric-count")
    heard: list[tuple[str, float]] = []

    async def listen() -> None:
        while True:
            text = await counter.text_content() or ""
            if not heard or heard[-1][0] != text:
                heard.append((text, gym.now_s(athlete)))
            await asyncio.sleep(0.01)

    listening = asyncio.create_task(listen())
    await gym.play(3.2)
    listening.cancel()
    called = [text for text, _ in heard if text.isdigit()]
    assert called == ["1", "2", "3"]
    at = dict(heard)
    # "2" is due one second after the lowering began, plus the tenth of a second a message collects.
    assert at["2"] == pytest.approx(1.1, abs=0.35)
    assert at["3"] == pytest.approx(2.1, abs=0.35)


async def test_the_count_goes_on_between_messages(stage: Stage) -> None:
    athlete = anna()
    gym = await stage.gym(athlete)
    page = await stage.page()
    gym.start(athlete, -60.0)
    gym.introduce(athlete)
    counter = page.get_by_test_id("eccentric-count")
    await expect(counter).to_be_attached()
    await counter.evaluate(
        """(place) => {
            window.called = [];
            const note = () => window.called.push(Number(place.textContent));
            new MutationObserver(note).observe(place, { childList: true });
        }"""
    )
    gym.start(athlete, 0.6)
    gym.publish_live(athlete, 0.55, 0.6)
    called: list[int] = []
    async with asyncio.timeout(20):
        while len(called) < 2:
            await asyncio.sleep(0.05)
            called = await page.evaluate("window.called")
    assert called[1] == called[0] + 1


async def test_events_count_once_and_the_highest_revision_stands(stage: Stage) -> None:
    athlete = anna()
    gym = await stage.gym(athlete)
    page = await stage.page()
    gym.introduce(athlete, at_s=0.0)
    zero = gym.zero_ms[athlete.athlete]
    first, second = athlete.repetition(1, zero), athlete.repetition(2, zero)
    for _ in range(3):
        gym.publish_repetition(first)
    gym.publish_repetition(athlete.repetition(2, zero, revision=2, eccentric_s=4.4, eccentric_movement_s=4.9))
    gym.publish_repetition(second)
    bars = page.get_by_test_id("repetition-bar")
    await expect(bars).to_have_count(2)
    await expect(page.get_by_test_id("last-eccentric")).to_have_text("4.4 s")

    gym.publish_repetition(athlete.repetition(2, zero, revision=3, status="withdrawn"))
    await expect(bars).to_have_count(1)
    gym.publish_repetition(second)
    gym.publish_repetition(athlete.repetition(3, zero))
    await expect(bars).to_have_count(2)
    await expect(page.get_by_test_id("verdict")).to_contain_text("Repetition 3")


async def test_a_fault_is_told_in_words_with_a_mark(stage: Stage) -> None:
    faulty = anna(
        exercise="single_leg_deadlift",
        side="left",
        movement=SINGLE_LEG_LEFT,
        overrides={1: {"faults": [fault("hip_open", 13.0, 5.0)]}},
    )
    fine = ScriptedAthlete("athlete-2", "Abel")
    gym = await stage.gym(faulty, fine)
    page = await stage.page()
    for athlete in (faulty, fine):
        gym.introduce(athlete, at_s=0.0)
        gym.publish_repetition(athlete.repetition(1, gym.zero_ms[athlete.athlete]))
    verdicts = page.get_by_test_id("verdict")
    # Abel would come first by name; who needs a look goes before.
    await expect(verdicts.nth(0)).to_have_text(
        "✕Repetition 1: hips opened 13°. Keep both hip bones facing the floor."
    )
    await expect(verdicts.nth(1)).to_contain_text("✓")
    await expect(page.get_by_text("1 needs a look")).to_be_visible()
    await expect(page.get_by_text("Single-leg deadlift, left")).to_be_visible()


async def test_what_is_not_measurable_is_a_dash_with_its_reason(stage: Stage) -> None:
    athlete = anna(placements=("pelvis",))
    gym = await stage.gym(athlete)
    page = await stage.page()
    gym.introduce(athlete, at_s=0.0)
    why = "no sensor on either thigh"
    record = athlete.repetition(
        1,
        gym.zero_ms[athlete.athlete],
        hip_flexion_left_range_deg=None,
        reasons={"hip_flexion_left_range_deg": why, "hip_flexion_right_range_deg": why},
    )
    gym.publish_repetition(record)
    dash = page.get_by_test_id("last-hip-range")
    await expect(dash).to_have_text("\N{EN DASH}")
    await expect(dash).to_have_attribute("title", f"hip range: {why}")
    await expect(page.get_by_text(f"hip range: {why}")).to_have_count(0)
    await dash.click()
    await expect(page.get_by_text(f"hip range: {why}")).to_be_visible()


async def test_a_lost_sensor_is_said_in_words(stage: Stage) -> None:
    athlete = anna()
    gym = await stage.gym(athlete)
    page = await stage.page()
    gym.introduce(athlete, at_s=0.0)
    await expect(page.get_by_test_id("sensor-link")).to_have_text(["connected", "connected", "connected"])
    gym.publish_sensor(
        SensorStatus(
            sensor="athlete-1-thigh-left",
            athlete="athlete-1",
            placement="thigh_left",
            name="Hipline thigh_left",
            link="scanning",
            reason="the link was lost (its battery was at 3 % when last heard: charge it)",
            battery_percent=3.0,
            received=1100,
            lost=100,
            gaps=2,
            lost_s=1.0,
        )
    )
    await expect(page.get_by_test_id("sensor-link")).to_have_text(["connected", "searching", "connected"])
    await expect(page.get_by_test_id("verdict")).to_contain_text("left thigh is away: the link was lost")
    await expect(page.get_by_test_id("verdict")).to_contain_text("charge it")
    await expect(page.get_by_test_id("link-figures")).to_have_text(
        [
            "nothing lost · \N{MINUS SIGN}58 dBm · every 15 ms",
            "2 gaps, 1.0 s",
            "nothing lost · \N{MINUS SIGN}58 dBm · every 15 ms",
        ]
    )


async def test_silence_is_not_taken_for_stillness(stage: Stage) -> None:
    athlete = anna()
    gym = await stage.gym(athlete)
    page = await stage.page()
    gym.introduce(athlete, at_s=0.0)
    gym.publish_live(athlete, -0.1, 0.0)
    await expect(page.get_by_text("last seen 3 s ago")).to_be_visible(timeout=5000)
    gym.publish_live(athlete, 3.0, 3.1)
    await expect(page.locator(".silence")).to_have_text("")


async def test_an_athlete_who_goes_home_leaves_the_page(stage: Stage) -> None:
    athlete = anna()
    gym = await stage.gym(athlete)
    page = await stage.page()
    gym.introduce(athlete, at_s=0.0)
    await expect(page.get_by_test_id("athlete-card")).to_have_count(1)
    gym.clear_state(athlete)
    await expect(page.get_by_test_id("athlete-card")).to_have_count(0)


async def test_it_reads_well_on_a_phone(stage: Stage) -> None:
    athlete = anna()
    gym = await stage.gym(athlete)
    page = await stage.page(width=390, height=844)
    gym.start(athlete, 34.0)
    gym.introduce(athlete)
    await gym.play(0.5)
    await expect(page.get_by_test_id("repetition-count")).to_have_text("4")
    too_wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.evaluate(too_wide) == 0
    smallest = await page.evaluate(
        """() => Math.min(...[...document.querySelectorAll('.card *')]
            .filter((e) => e.checkVisibility() && e.getBoundingClientRect().width > 1)
            .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
            .map((e) => parseFloat(getComputedStyle(e).fontSize)))"""
    )
    assert smallest >= 16
    verdict = await page.get_by_test_id("verdict").bounding_box()
    assert verdict is not None
    assert verdict["y"] + verdict["height"] <= 844


@pytest.mark.realtime
async def test_forty_athletes_are_all_seen_live(stage: Stage) -> None:
    athletes = [ScriptedAthlete(f"athlete-{n}", f"Athlete {n}") for n in range(1, 41)]
    gym = await stage.gym(*athletes)
    page = await stage.page(width=1920, height=1080)
    for n, athlete in enumerate(athletes):
        gym.start(athlete, n * 0.7)
        gym.introduce(athlete)
    await expect(page.get_by_test_id("athlete-card")).to_have_count(40)
    cards = page.get_by_test_id("athlete-card")
    drawn = "cards => cards.map((card) => card.querySelector('.pelvis').getAttribute('transform'))"
    poses: list[set[str]] = [set() for _ in athletes]
    playing = asyncio.create_task(gym.play(60.0))
    still, until_s = list(range(40)), time.monotonic() + 30.0
    while still and time.monotonic() < until_s:
        # Only what can be seen is drawn: look at one that has not moved yet.
        await cards.nth(still[0]).evaluate("(card) => card.scrollIntoView()")
        await asyncio.sleep(0.2)
        for seen, pose in zip(poses, await cards.evaluate_all(drawn), strict=True):
            seen.add(pose)
        still = [
            n for n, seen in enumerate(poses) if len(seen) < 4
        ]  # it moved, and not only when first drawn
    playing.cancel()
    assert not still
