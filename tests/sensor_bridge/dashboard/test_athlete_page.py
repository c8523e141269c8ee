"""The athlete's own page: what it says when, what can be switched, and that it fits the screen it is on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import pytest
from playwright.async_api import expect

from sensor_bridge.mqtt.payloads import Slip, Target
from tests.sensor_bridge.dashboard.virtual_gym import ScriptedAthlete, fault

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Page

    from tests.sensor_bridge.dashboard.conftest import Stage

pytestmark = pytest.mark.browser

expect.set_options(timeout=20_000)  # machines may be busy

ANNA = "athlete-anna"
PHONE = (390, 844)
SCREENS = {"phone": PHONE, "small_phone": (320, 568), "phone_on_its_side": (844, 390), "tv": (1920, 1080)}
COUNT_AUDIO = "window.speakers = 0; AudioContext = class extends AudioContext {\
    constructor(...rest) { super(...rest); window.speakers += 1; } };"
FAKE_WAKE_LOCK = """
window.locks = [];
window.seen = 'visible';
Object.defineProperty(document, 'visibilityState', { get: () => window.seen });
WakeLock.prototype.request = async () => {
    const lock = new EventTarget();
    lock.released = false;
    lock.release = async () => {
        lock.released = true;
        lock.dispatchEvent(new Event('release'));
    };
    window.locks.push(lock);
    return lock;
};
"""
HIDE_AND_SHOW = """async () => {
    window.seen = 'hidden';
    document.dispatchEvent(new Event('visibilitychange'));
    await window.locks.at(-1).release();
    window.seen = 'visible';
    document.dispatchEvent(new Event('visibilitychange'));
}"""
SMALLEST_TEXT = """() => Math.min(...[...document.querySelectorAll('.athlete *')]
    .filter((e) => e.checkVisibility() && e.getBoundingClientRect().width > 1)
    .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .map((e) => parseFloat(getComputedStyle(e).fontSize)))"""


def anna() -> ScriptedAthlete:
    """Somebody whose fifth repetition is not clean."""
    return ScriptedAthlete(
        "anna",
        "Anna",
        target=Target(repetitions=8, sets=4, eccentric_s=5.0, bottom_s=0.0, top_s=0.0, load_kg=60.0),
        set_number=2,
        overrides={5: {"lockout_deficit_deg": 7.2, "faults": [fault("incomplete_lockout", 7.2, 5.0)]}},
    )


async def background(page: Page) -> str:
    return await page.evaluate("getComputedStyle(document.body).backgroundColor")


async def test_between_sets_a_late_joiner_reads_the_set_that_was_done(stage: Stage) -> None:
    athlete = anna()
    gym = await stage.gym(athlete)
    gym.start(athlete, 90.0)
    gym.introduce(athlete)
    page = await stage.page(width=PHONE[0], height=PHONE[1], user=ANNA)
    await expect(page.get_by_test_id("athlete-page")).to_have_attribute("data-scene", "resting")
    await expect(page.get_by_text("Set 2 of 4 done")).to_be_visible()
    await expect(page.get_by_test_id("summary-lowering")).to_contain_text("asked 5 s")
    await expect(page.get_by_test_id("summary-lockout")).to_contain_text("+7°")
    await expect(page.get_by_test_id("summary-lockout")).to_contain_text("repetition 5")
    await expect(page.get_by_test_id("summary-velocityLoss")).to_contain_text("could not be measured")
    await expect(page.get_by_test_id("set-faults")).to_contain_text("Repetition 5: ")
    await expect(page.get_by_test_id("rest-time")).to_have_text(re.compile(r"0:(2[7-9]|[3-5]\d)"))
    assert await page.evaluate("location.hash") in {"", "#/athlete/anna"}

    # A bridge that falls silent is not taken for an athlete who stands still.
    await expect(page.get_by_test_id("silence")).to_have_text("")
    gym.publish_live(athlete, 90.0, 90.1)
    await expect(page.get_by_test_id("silence")).to_have_text(re.compile(r"no data for \d+ s"))
    await expect(page.get_by_test_id("athlete-page")).to_have_class(re.compile("is-silent"))


async def test_every_screen_holds_it_without_scrolling_sideways(stage: Stage, tmp_path: Path) -> None:
    athlete = anna()
    gym = await stage.gym(athlete)
    pages = {
        name: await stage.page(width=width, height=height, user=ANNA)
        for name, (width, height) in SCREENS.items()
    }
    for moment, at_s in (("lowering", 43.0), ("resting", 90.0)):
        gym.start(athlete, at_s)
        gym.introduce(athlete)
        gym.publish_live(athlete, at_s, at_s + 0.1)
        for name, page in pages.items():
            done = "[data-scene=resting]" if moment == "resting" else "[data-kind=count]"
            await page.wait_for_selector(done)
            too_wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(too_wide) == 0, name
            assert await page.evaluate(SMALLEST_TEXT) >= 16, name
            await page.screenshot(path=tmp_path / f"{name}_{moment}.png")
            if moment == "lowering":
                verdict = await page.get_by_test_id("verdict").bounding_box()
                assert verdict is not None
                assert verdict["y"] + verdict["height"] <= SCREENS[name][1], name


async def test_the_screen_is_kept_awake_or_it_is_said_that_it_may_go_dark(stage: Stage) -> None:
    page = await stage.page(user=ANNA, script=FAKE_WAKE_LOCK)
    await page.wait_for_function("window.locks.length === 1")
    await page.evaluate(HIDE_AND_SHOW)
    await page.wait_for_function("window.locks.length === 2")
    await expect(page.get_by_test_id("awake")).to_have_count(0)

    unable = await stage.page(user=ANNA, script="delete Navigator.prototype.wakeLock;")
    await expect(unable.get_by_test_id("awake")).to_contain_text("this browser cannot keep it awake")
    refused = await stage.page(
        user=ANNA, script="WakeLock.prototype.request = () => Promise.reject(new Error('battery low'));"
    )
    await expect(refused.get_by_test_id("awake")).to_contain_text("does not let the page keep it awake")


async def test_sound_colours_loads_and_full_screen_are_switched(stage: Stage) -> None:
    athlete = anna()
    gym = await stage.gym(athlete)
    gym.introduce(athlete, at_s=-1.0)
    page = await stage.page(user=ANNA, script=COUNT_AUDIO)
    await expect(page.get_by_role("button", name="tick the count aloud")).to_be_visible()
    assert await page.evaluate("window.speakers") == 0
    await page.get_by_role("button", name="tick the count aloud").click()
    await page.get_by_role("button", name="stop ticking").click()
    await expect(page.get_by_role("button", name="tick the count aloud")).to_be_visible()
    assert await page.evaluate("window.speakers") == 1

    await expect(page.get_by_text("60 kg")).to_be_visible()
    await page.get_by_role("button", name="show loads in pounds").click()
    await page.get_by_role("button", name="switch to light colours").click()
    await expect(page.get_by_text("132 lb")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("132 lb")).to_be_visible()
    assert await background(page) == "rgb(238, 241, 244)"

    await page.get_by_role("button", name="fill the whole screen").click()
    await page.get_by_role("button", name="leave the full screen").click()
    await expect(page.get_by_role("button", name="fill the whole screen")).to_be_visible()

    # Somebody else's page is not to be had.
    await page.evaluate("location.hash = '#/athlete/berta'")
    await expect(page.get_by_test_id("athlete-page")).to_contain_text("Anna")


async def test_a_sensor_that_slipped_is_said_under_the_count(stage: Stage) -> None:
    athlete = anna()
    gym = await stage.gym(athlete)
    page = await stage.page(user=ANNA)
    gym.start(athlete, 50.0)
    state = athlete.state(50.0, gym.zero_ms["anna"])
    pelvis, left, right = state.calibration
    slipped = msgspec.structs.replace(left, slip=Slip(angle_deg=9.0, set=2, repetition=4))
    gym.publish_state(
        msgspec.structs.replace(state, calibration=[pelvis, slipped, right]), gym.zero_ms["anna"] + 50_000.0
    )
    said = page.get_by_test_id("verdict")
    await expect(said).to_contain_text("Left thigh sensor slipped after repetition 4: 9° off since")
    await expect(said).to_contain_text("Re-clip it")
