"""The coach's grid and the set in detail: what is seen, what can be reached, and what is never claimed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from msgspec import structs
from playwright.async_api import expect

from tests.sensor_bridge.dashboard.busy_gym import begin, busy_gym, move
from tests.sensor_bridge.dashboard.conftest import GYM, TOKENS
from tests.sensor_bridge.dashboard.scripted_bridge import ScriptedBridge
from tests.sensor_bridge.dashboard.virtual_gym import ScriptedAthlete, fault

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Page

    from tests.sensor_bridge.dashboard.conftest import Stage
    from tests.sensor_bridge.dashboard.virtual_gym import VirtualGym

pytestmark = pytest.mark.browser

expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong

LAPTOP, TV, PHONE = (1440, 900), (1920, 1080), (390, 844)
SEVERAL = {2: {"faults": [fault("hip_open", 12.0, 5.0)], "eccentric_s": 4.0, "eccentric_movement_s": 4.1}}

# How far anything reaches beyond the screen, px, and which texts of the cards are cut off by their card.
_OVERFLOW = """() => [
    document.documentElement.scrollWidth - innerWidth,
    document.documentElement.scrollHeight - innerHeight,
    [...document.querySelectorAll('.card')].flatMap((card) => {
        const box = card.getBoundingClientRect();
        return [...card.querySelectorAll('h2, .tally, .verdict p, .level, .figure, canvas')]
            .filter((part) => part.checkVisibility())
            .map((part) => [part, part.getBoundingClientRect()])
            .filter(([, r]) => r.right > box.right + 1 || r.bottom > box.bottom + 1 || r.width < 8
                || r.height < 6)
            .map(([part]) => `${card.dataset.athlete} ${part.className}`);
    }),
]"""


def anna(**changes: object) -> ScriptedAthlete:
    return ScriptedAthlete("athlete-1", "Anna", **changes)  # type: ignore[arg-type]


def tell_repetitions(gym: VirtualGym, athlete: ScriptedAthlete, *numbers: int) -> None:
    for number in numbers:
        gym.publish_repetition(athlete.repetition(number, gym.zero_ms[athlete.athlete]))


async def test_forty_twelve_six_and_one_fit_every_screen(stage: Stage, tmp_path: Path) -> None:
    athletes = busy_gym(40)
    gym = await stage.gym(*athletes)
    page = await stage.page(width=LAPTOP[0], height=LAPTOP[1])
    begin(gym)
    cards = page.get_by_test_id("athlete-card")
    for count, leaving in ((40, 28), (12, 6), (6, 5), (1, 0)):
        await expect(cards).to_have_count(count)
        for width, height in (LAPTOP, TV, PHONE):
            await page.set_viewport_size({"width": width, "height": height})
            await page.wait_for_selector(f".cards-{_density(count, width)}")
            move(gym, athletes[:count])
            await expect(page.locator(".card-silent")).to_have_count(0)
            if width > PHONE[0]:
                await expect(page.locator(".level[data-level=unknown]")).to_have_count(0)
            picture = await page.screenshot(path=tmp_path / f"coach_{count}_{width}x{height}.png")
            assert len(picture) > 20_000
            wide, high, cut_off = await page.evaluate(_OVERFLOW)
            assert wide <= 0
            assert cut_off == []
            if width > PHONE[0]:
                assert high <= 0
        for athlete in athletes[count - leaving : count]:
            gym.clear_state(athlete)


def _density(count: int, width: int) -> str:
    if count == 1:
        return "solo"
    if count == 6 and width > PHONE[0]:
        return "full"
    return "medium" if count <= 12 or width == PHONE[0] else "small"


async def test_a_card_opens_its_set_by_keyboard_and_nothing_sounds_or_moves(
    stage: Stage, tmp_path: Path
) -> None:
    spy = "window.sounds = 0; window.AudioContext = class { constructor() { window.sounds += 1; } };"
    athlete, other = anna(overrides=SEVERAL, set_number=2), ScriptedAthlete("athlete-2", "Ben")
    gym = await stage.gym(athlete, other)
    page = await stage.page(width=LAPTOP[0], height=LAPTOP[1], script=spy)
    await page.emulate_media(reduced_motion="reduce")
    for present in (athlete, other):
        gym.introduce(present, at_s=24.5)
    tell_repetitions(gym, athlete, 1, 2, 3)
    first_set = anna(set_number=1)
    gym.publish_repetition(first_set.repetition(1, gym.zero_ms["athlete-1"] - 90_000.0))

    await expect(page.get_by_test_id("athlete-card")).to_have_count(2)
    await page.get_by_role("button", name="by name").press("Enter")
    await page.keyboard.press("Tab")
    while await page.evaluate("document.activeElement.className") != "card-open":
        await page.keyboard.press("Tab")
    assert (
        await page.evaluate("getComputedStyle(document.activeElement.closest('.card')).outlineStyle")
        == "solid"
    )
    await page.keyboard.press("Enter")

    rows = page.get_by_test_id("repetition-row")
    await expect(rows).to_have_count(3)
    await expect(rows.nth(1)).to_contain_text("Hips opened 12°, 4.1 s down instead of 5.")
    await expect(rows.nth(1).get_by_role("img", name="tempo 4.1-0.4-1.3-1.5")).to_be_visible()
    await expect(rows.nth(0).get_by_test_id("reading-depth")).to_have_text("82° ±1.4")
    await expect(rows.nth(2)).to_contain_text("best")
    await expect(page.get_by_test_id("review")).to_contain_text(
        "Form broke at repetition 2: hips opened 12°."
    )
    await expect(page.get_by_test_id("prescribed")).to_contain_text("3 \N{MULTIPLICATION SIGN} 8 · 5-0-X-0")

    await page.get_by_role("button", name="repetition 1: everything measured").press("Enter")
    details = page.locator(".details")
    await expect(details).to_contain_text("right hip range not measurable: no sensor on the right thigh")
    await expect(details).to_contain_text("hinge share")
    await page.screenshot(path=tmp_path / "coach_set.png")

    tabs = page.get_by_test_id("set-tab")
    await expect(tabs).to_have_text(["set 1", "set 2 · now"])
    await tabs.first.press("Enter")
    await expect(rows).to_have_count(1)

    assert await page.evaluate("[window.sounds, document.getAnimations().length]") == [0, 0]
    assert await _chatty(page) == []
    await page.get_by_role("link", name="All athletes").press("Enter")
    await expect(page.get_by_test_id("athlete-card")).to_have_count(2)


async def _chatty(page: Page) -> list[str]:
    """What a screen reader would be told of changes by, but for the places meant for it."""
    told = await page.evaluate(
        "() => [...document.querySelectorAll('[aria-live]:not([aria-live=off]),[role=status],[role=alert]')]"
        ".map((place) => place.className || place.dataset.testid)"
    )
    return [place for place in told if place not in {"spoken", "asked", "connection"}]


async def test_nothing_is_done_before_the_bridge_says_so(stage: Stage) -> None:
    athlete = anna()
    gym = await stage.gym(athlete)
    page = await stage.page(width=LAPTOP[0], height=LAPTOP[1])
    gym.introduce(athlete, at_s=24.5)
    tell_repetitions(gym, athlete, 1, 2, 3)
    await page.get_by_role("link", name="Anna").click()
    lines = page.get_by_test_id("asked-line")

    async with ScriptedBridge(GYM, stage.broker.tcp_port, TOKENS["bridge"]) as bridge:
        await page.get_by_role("button", name="Start set").click()
        command = await bridge.next("start-set")
        assert command.arguments == {"athlete": "athlete-1"}
        await expect(lines.first).to_have_attribute("data-outcome", "pending")
        await expect(lines.first).to_contain_text("asked, no answer yet")
        bridge.answer(command, "a set is running: end it first", ok=False)
        await expect(lines.first).to_contain_text("refused: a set is running: end it first")

        await page.get_by_role("button", name="Identify the sensor Hipline pelvis").click()
        command = await bridge.next("identify")
        assert command.arguments == {"sensor": "athlete-1-pelvis"}
        bridge.answer(command, "it blinks")
        await expect(lines.first).to_contain_text("done: it blinks")

        await page.get_by_role("button", name="repetition 2: everything measured").click()
        await page.get_by_label("why (may stay empty)").fill("picked up the bar")
        await page.get_by_role("button", name="Not a repetition: number 2").click()
        command = await bridge.next("not-a-repetition")
        assert command.arguments["text"] == "picked up the bar"
        assert re.fullmatch(r"[0-9a-f-]{36}", str(command.arguments["event"]))
        bridge.answer(command, "repetition 2 is taken out")
        await page.get_by_role("button", name="Undo: Not a repetition: picked up the bar").click()
        undo = await bridge.next("undo")
        assert undo.arguments == {"athlete": "athlete-1", "request": command.request}
        # The repetition stays in the list until the bridge withdraws it.
        await expect(page.get_by_test_id("repetition-row")).to_have_count(3)
        bridge.answer(undo, "it counts again")
        await expect(lines.nth(1)).to_contain_text("(undone)")

        await page.get_by_label("Note", exact=True).fill("left knee")
        await page.get_by_label("Note", exact=True).press("Enter")
        assert (await bridge.next("note")).arguments == {"athlete": "athlete-1", "text": "left knee"}
        await page.get_by_role("button", name="Missed one").click()
        assert float(str((await bridge.next("missed-repetition")).arguments["at_ms"])) > 1.7e12

    await stage.stop_broker()
    await expect(page.get_by_test_id("connection-state")).not_to_have_text("live")
    await page.get_by_role("button", name="End set").click()
    await expect(lines.first).to_contain_text("not sent: no connection")
    stage.complaints.clear()  # the browser itself complains of the broken connection


async def test_a_prescription_is_asked_for_in_its_own_words(stage: Stage) -> None:
    athlete = anna()
    gym = await stage.gym(athlete)
    page = await stage.page(width=LAPTOP[0], height=LAPTOP[1])
    gym.introduce(athlete, at_s=0.0)
    await page.get_by_role("link", name="Anna").click()
    await page.get_by_role("button", name="Prescribe…").click()
    dialog = page.get_by_test_id("prescribe")
    await expect(dialog.get_by_label("Repetitions")).to_have_value("8")
    await dialog.get_by_label("Tempo").fill("5-0")
    await dialog.get_by_label("Repetitions").fill("none")
    await dialog.get_by_role("button", name="Ask the bridge").click()
    await expect(dialog.get_by_role("alert")).to_have_text(
        ["a whole number from 1", "four parts joined by -, such as 5-0-X-0"]
    )

    async with ScriptedBridge(GYM, stage.broker.tcp_port, TOKENS["bridge"]) as bridge:
        await dialog.get_by_label("Tempo").fill("3-1-x-0")
        await dialog.get_by_label("Repetitions").fill("6")
        await dialog.get_by_label("Load", exact=True).fill("60")
        await dialog.get_by_test_id("load-unit").click()
        await expect(dialog.get_by_label("Load", exact=True)).to_have_value("132")
        await dialog.get_by_label("Load", exact=True).fill("135")
        await dialog.get_by_label("Load", exact=True).press("Enter")
        command = await bridge.next("prescribe")
        assert command.arguments == {
            "athlete": "athlete-1",
            "exercise": "romanian_deadlift",
            "side": "both",
            "repetitions": 6,
            "sets": 3,
            "tempo": "3-1-X-0",
            "load_kg": 61.235,
        }
        bridge.answer(command, "no such exercise here", ok=False)
        await expect(dialog.get_by_test_id("prescribe-outcome")).to_contain_text(
            "refused: no such exercise here"
        )
        await dialog.get_by_role("button", name="Take away").click()
        command = await bridge.next("prescribe")
        assert command.arguments == {"athlete": "athlete-1"}
        bridge.answer(command, "nothing is asked")
        await expect(dialog).to_have_count(0)
    assert await page.evaluate("localStorage['hipline-load-unit']") == "lb"


async def test_what_is_not_of_now_says_so(stage: Stage) -> None:
    athlete, other = anna(), ScriptedAthlete("athlete-2", "Ben")
    gym = await stage.gym(athlete, other)
    for present in (athlete, other):
        gym.introduce(present, at_s=24.5)
    page = await stage.page(width=LAPTOP[0], height=LAPTOP[1])
    cards = page.get_by_test_id("athlete-card")
    card = page.locator("[data-athlete=athlete-1]")
    # Who joins late sees at once what there is, and that it is not of now.
    await expect(cards).to_have_count(2)
    await expect(card.get_by_test_id("repetition-count")).to_have_text("3")
    await expect(card.get_by_test_id("presence")).to_have_text("no live data: the last picture known")
    gym.publish_live(athlete, 24.4, 24.5)
    await expect(card.get_by_test_id("presence")).to_have_text("")
    await expect(card.get_by_test_id("presence")).to_have_text(re.compile(r"last seen \d+ s ago"))
    await expect(card).to_have_class(re.compile("card-silent"))

    why = "it has stopped sending and says so, though the link is up; switch it off and on again"
    pelvis = other.sensors()[0]
    gym.publish_sensor(structs.replace(pelvis, link="connected", reason=why))
    trouble = page.locator("[data-athlete=athlete-2]").get_by_test_id("verdict")
    await expect(trouble).to_contain_text(f"The sensor on the pelvis is connected, but {why}.")
    # Told aloud, once, and the card is among the first.
    await expect(page.get_by_test_id("spoken")).to_contain_text("Ben. The sensor on the pelvis is connected")
    await expect(cards.first).to_have_attribute("data-athlete", re.compile("athlete-[12]"))
