"""The pages of what was: sessions, one session and progress, on weeks that the product analysed."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from playwright.async_api import expect

from sensor_bridge.access.known_users import KnownUsers
from sensor_bridge.archive.reading import ArchiveReader
from sensor_bridge.archive.store import FILE_NAME, ArchiveStore, EventTold
from sensor_bridge.dashboard.api import ArchiveApi
from sensor_bridge.dashboard.server import DashboardServer, DashboardSettings, page_link
from sensor_bridge.mqtt.broker import EmbeddedBroker, EmbeddedBrokerSettings
from sensor_bridge.mqtt.command_payloads import Note
from sensor_bridge.mqtt.topics import Topics
from sensor_bridge.mqtt.users import gym_users
from tests.analysed_sessions import analysed, archive_session, session_of
from tests.sensor_bridge.dashboard.test_accessibility import EXAMINE, axe, complaints

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser, ConsoleMessage, Download, Page, Route

__all__ = ["axe"]

pytestmark = pytest.mark.browser

expect.set_options(timeout=20_000)  # machines may be busy

GYM = "gym-1"
TOKENS = {"bridge": "b" * 32, "coach": "c" * 32, "athlete-ben": "n" * 32}
FIRST_MS = 1_790_000_000_000.0
WEEK_MS = 7 * 86_400_000.0
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
HOSTILE = "<img src=x onerror=document.title='taken'> & \"friends\""

DEADLIFTS = """
exercise = "romanian_deadlift"
repetitions = 3
lead_in_s = 3.0
lead_out_s = 2.5
[tempo]
eccentric_s = 2.0
bottom_s = 0.4
concentric_s = 1.0
top_s = 0.6
[body]
depth_variation = 0.02
[form]
tilt_deg = {tilt}
"""
SINGLE_LEG = """
exercise = "single_leg_deadlift"
side = "{side}"
repetitions = 3
lead_in_s = 3.0
lead_out_s = 2.5
[tempo]
eccentric_s = 2.0
bottom_s = 0.4
concentric_s = 1.2
top_s = 0.8
[form]
hip_open_deg = {opening}
"""


def session_id(week: int) -> str:
    return str(UUID(int=(int(FIRST_MS + week * WEEK_MS) << 80) | (7 << 76) | (2 << 62) | week))


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five weeks of Anna's, deeper in the last two; Ben, of a hostile name, in the week before."""
    folder, work = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("work")
    before, between, after = (analysed(DEADLIFTS.format(tilt=tilt), work, seed=tilt) for tilt in (42, 43, 56))
    left, right = (
        analysed(SINGLE_LEG.format(side=side, opening=degrees), work, seed=degrees)
        for side, degrees in (("left", 3), ("right", 18))
    )
    for week, takes in enumerate(([before], [before], [between], [after], [after, left, right])):
        made = session_of(
            takes, session=session_id(week), athlete="anna", started_ms=FIRST_MS + week * WEEK_MS
        )
        archive_session(folder, made, "Anna")
    dispute = Note(
        athlete="anna",
        revision=0,
        kind="not_a_repetition",
        at_ms=made.started_ms + 20_000.0,
        event=list(made.repetitions)[1],
        text=HOSTILE,
        by="coach",
    )
    with ArchiveStore(folder / FILE_NAME) as store:
        store.write([EventTold(made.session, "anna", "note", session_id(90), 0, dispute.at_ms, dispute)])
    nothing = session_of([], session=session_id(50), athlete="ben", started_ms=FIRST_MS - WEEK_MS)
    archive_session(folder, nothing, HOSTILE)
    return folder


@dataclass
class Archived:
    """A page server with an archive, and a browser; `running` ends the server when closed."""

    browser: Browser
    url: str
    running: AsyncExitStack
    complaints: list[str] = field(default_factory=list)

    async def page(self, address: str, *, user: str = "coach", width: int = 1280, height: int = 900) -> Page:
        page = await self.browser.new_page(
            viewport={"width": width, "height": height}, timezone_id="Europe/Berlin", locale="en-GB"
        )
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await page.goto(page_link(self.url, f"{user}.{TOKENS[user]}"))
        await page.wait_for_selector("[data-testid=connection-state][data-state=live]")
        await page.evaluate("(address) => { location.hash = address }", address)
        return page

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


@asynccontextmanager
async def serving(browser: Browser, folder: Path) -> AsyncIterator[Archived]:
    """Serve an archive's pages beside a broker; fail when a page complained about anything."""
    users = gym_users(Topics(GYM), TOKENS, {"ben": []})
    async with (
        EmbeddedBroker(EmbeddedBrokerSettings(users=users)) as broker,
        AsyncExitStack() as running,
    ):
        settings = DashboardSettings(
            gym=GYM,
            websocket_url=f"ws://127.0.0.1:{broker.websocket_port}/mqtt",
            users=KnownUsers(TOKENS),
        )
        api = ArchiveApi(ArchiveReader(folder))
        server = await running.enter_async_context(DashboardServer(settings, api))
        archived = Archived(browser, server.url, running)
        yield archived
        for context in browser.contexts:
            await context.close()
    assert archived.complaints == []


@pytest.fixture
async def archived(browser: Browser, weeks: Path) -> AsyncIterator[Archived]:
    async with serving(browser, weeks) as pages:
        yield pages


async def test_sessions_are_listed_newest_first_and_by_athlete(archived: Archived) -> None:
    page = await archived.page("#/sessions")
    lines = page.get_by_test_id("session-line")
    await expect(lines).to_have_count(6)
    await expect(lines.first).to_contain_text("Anna")
    await expect(lines.first).to_contain_text("Romanian deadlift, Single-leg deadlift")
    await expect(lines.first).to_contain_text("3 sets, 9 repetitions")
    await expect(lines.last).to_contain_text(HOSTILE)
    await expect(lines.last).to_contain_text("no repetition stands")
    await expect(lines.nth(4)).to_contain_text("Mon, 21 Sept 2026, 16:13")
    await page.get_by_test_id("athlete-filter").select_option(label=HOSTILE)
    await expect(lines).to_have_count(1)
    assert await page.title() == "Sessions · Hipline"


async def test_an_archive_without_sessions_says_so(browser: Browser, tmp_path: Path) -> None:
    async with serving(browser, tmp_path) as pages:
        page = await pages.page("#/sessions")
        await expect(page.get_by_test_id("no-sessions")).to_contain_text("No session yet")
        await page.evaluate("location.hash = '#/progress/anna'")
        await expect(page.locator("main")).to_contain_text("Nothing to compare yet")


async def test_a_session_is_told_repetition_by_repetition(
    archived: Archived, weeks: Path, axe: str, tmp_path: Path
) -> None:
    page = await archived.page("#/sessions")
    await page.get_by_test_id("session-line").first.click()
    sets = page.get_by_test_id("set")
    await expect(sets).to_have_count(3)
    await expect(page.locator(".set-picture")).to_have_count(3)
    await expect(sets.nth(1)).to_contain_text("Set 2: Single-leg deadlift, left")
    detail = ArchiveReader(weeks).session(session_id(4), "anna")
    assert detail is not None
    for number, repetition in enumerate(one for one in detail.repetitions if one.set == 1):
        row = await sets.first.get_by_test_id("repetition").nth(number).inner_text()
        assert f"{repetition.hip_flexion_left_range_deg:.0f}°" in row
        assert f"{repetition.hip_flexion_right_range_deg:.0f}°" in row
        assert f"{repetition.eccentric_s:.1f}" in row
    # Every lowering is shaded where it was, and told by its length.
    assert await sets.first.locator(".plot-band").count() == 3
    bars = await sets.first.locator(".tempo-eccentric_s").evaluate_all(
        "bars => bars.map((bar) => bar.getBoundingClientRect().width)"
    )
    longest = max(one.eccentric_s or 0.0 for one in detail.repetitions if one.set == 1)
    assert max(bars) / min(bars) == pytest.approx(
        longest / min(one.eccentric_s or 9.9 for one in detail.repetitions if one.set == 1), rel=0.05
    )
    # As the athlete was told to, on the right leg only.
    await expect(sets.nth(2)).to_contain_text("Hips opened 1")
    await expect(sets.nth(1)).not_to_contain_text("Hips opened")
    sides = page.get_by_test_id("sides")
    await expect(sides).to_have_count(2)
    level = sides.nth(1).locator("tr", has_text="out of level")
    await expect(level).to_contain_text("right more by")
    await expect(sides.nth(1).locator("tr", has_text="Hip range")).to_contain_text(
        "no difference that can be told"
    )
    notes = page.get_by_test_id("notes")
    await expect(notes).to_contain_text("not a repetition, set 1, repetition 2 by coach")
    await expect(notes).to_contain_text(HOSTILE)
    await page.evaluate(axe)
    assert await complaints(page, "session") == []
    await page.screenshot(path=tmp_path / "session.png", full_page=True)
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await page.evaluate(TOO_WIDE) == 0
    await page.screenshot(path=tmp_path / "session_phone.png", full_page=True)


async def test_progress_calls_a_change_only_what_is_one(archived: Archived, axe: str, tmp_path: Path) -> None:
    page = await archived.page("#/progress/anna")
    courses = page.get_by_test_id("course")
    hip = page.locator("[data-metric=hip_flexion_left_range_deg]")
    await expect(hip.get_by_test_id("change")).to_have_text(
        re.compile(r"^\+\d+° since 21 September 2026: more than repeats differ by \(±\d+°\)\.$")
    )
    lowering = page.locator("[data-metric=eccentric_s]").get_by_test_id("change")
    await expect(lowering).to_have_text(
        re.compile(r"^No change beyond what repeats differ by \(±0\.\d+ s\)\.$")
    )
    # Sessions 4 and 5 lie beyond the band around the first, the others in it.
    assert await hip.locator(".chart-point").count() == 5
    assert await hip.locator(".chart-point.is-change").count() == 2
    await hip.locator("summary").click()
    await expect(hip.locator("tbody tr")).to_have_count(5)
    await expect(hip.locator("tbody tr").first).to_contain_text("21 September 2026")
    await expect(hip).to_contain_text("standard error of measurement")
    await page.evaluate(axe)
    assert await complaints(page, "progress") == []
    await page.screenshot(path=tmp_path / "progress.png", full_page=True)
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await page.evaluate(TOO_WIDE) == 0
    # One session of an exercise says nothing about change, and says that.
    await page.get_by_test_id("exercise").select_option("single_leg_deadlift")
    await expect(courses.first.get_by_test_id("change")).to_have_text(
        "A change can be told from 4 sessions of 3 repetitions on: there is 1."
    )
    assert await page.locator(".chart-band").count() == 0


async def test_a_session_can_be_taken_along(archived: Archived, axe: str, tmp_path: Path) -> None:
    page = await archived.page(f"#/sessions/{session_id(4)}/anna")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    report = await downloaded(page, "report")
    assert report.suggested_filename == "hipline-anna-2026-10-19-14-13.html"
    saved = tmp_path / "report.html"
    await report.save_as(saved)
    files = {name: await taken(page, name) for name in ("csv", "json", "parquet", "fit", "mot")}
    assert len(files["csv"].decode().splitlines()) == 10
    assert json.loads(files["json"])["session"] == session_id(4)
    assert files["parquet"][:4] == b"PAR1"
    assert files["fit"][8:12] == b".FIT"
    assert len(files["mot"]) > 1000
    assert not [url for url in asked if TOKENS["coach"] in url]
    paper = await archived.browser.new_page(viewport={"width": 1000, "height": 900})
    paper.on("pageerror", lambda error: archived.complaints.append(str(error)))
    await paper.goto(saved.as_uri())
    await expect(paper.locator("h2", has_text="Set ")).to_have_count(3)
    await expect(paper.locator("main")).to_contain_text(HOSTILE)
    assert await paper.locator("path.curve").count() >= 6
    # The style sheet is applied although the page's own policy lets nothing else in.
    assert (
        await paper.locator("table").first.evaluate("(e) => getComputedStyle(e).borderCollapse") == "collapse"
    )
    assert await paper.title() != "taken"
    await paper.evaluate(axe)
    await paper.emulate_media(color_scheme="dark")
    assert await paper.evaluate(EXAMINE) == []
    await paper.emulate_media(color_scheme="light")
    assert await paper.evaluate(EXAMINE) == []
    await paper.screenshot(path=tmp_path / "report.png", full_page=True)
    assert len(await paper.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)) > 10_000


async def test_a_session_that_goes_on_is_followed(archived: Archived) -> None:
    page = await archived.page("#/nowhere")
    await page.clock.install()
    answers = {"first": True}

    async def unfinished(route: Route) -> None:
        answer = await route.fetch()
        told = await answer.json()
        told["ended_ms"] = None
        if answers["first"]:
            told["sets"] = told["sets"][:1]
        await route.fulfill(response=answer, json=told)

    await page.route(f"**/api/v1/sessions/{session_id(4)}/anna", unfinished)
    await page.evaluate("(address) => { location.hash = address }", f"#/sessions/{session_id(4)}/anna")
    await expect(page.get_by_test_id("set")).to_have_count(1)
    await expect(page.locator("main")).to_contain_text("goes on")
    answers["first"] = False
    await page.clock.run_for(21_000)
    await expect(page.get_by_test_id("set")).to_have_count(3)


async def test_what_cannot_be_taken_along_is_said(archived: Archived) -> None:
    page = await archived.page(f"#/sessions/{session_id(50)}/ben")
    await expect(page.locator("main")).to_contain_text("no repetition stands")
    await page.evaluate("() => { window.fetch = () => Promise.reject(new Error('no network')) }")
    await page.get_by_test_id("export-csv").click()
    await expect(page.get_by_role("alert")).to_have_text("That file could not be made.")


async def test_an_athlete_sees_no_other_sessions(archived: Archived) -> None:
    page = await archived.page("#/sessions", user="athlete-ben")
    await expect(page.get_by_test_id("session-line")).to_have_count(1)
    await page.evaluate("(address) => { location.hash = address }", f"#/sessions/{session_id(4)}/anna")
    await expect(page.locator("[data-testid=set]")).to_have_count(0)
    await expect(page.get_by_text("Anna", exact=True)).to_have_count(0)


async def test_an_archive_out_of_reach_is_asked_again(archived: Archived) -> None:
    page = await archived.page("#/sessions")
    await expect(page.get_by_test_id("session-line")).to_have_count(6)
    await page.route("**/api/v1/**", lambda route: route.abort())
    await page.evaluate("location.hash = '#/progress/anna'")
    await expect(page.get_by_role("alert")).to_contain_text("The archive cannot be reached")
    await page.unroute("**/api/v1/**")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_test_id("course").first).to_be_visible()
    archived.complaints[:] = [line for line in archived.complaints if "net::ERR_FAILED" not in line]


async def downloaded(page: Page, button: str) -> Download:
    async with page.expect_download() as coming:
        await page.get_by_test_id(button).click()
    return await coming.value


async def taken(page: Page, name: str) -> bytes:
    """Take an export along, and read it."""
    file = await (await downloaded(page, f"export-{name}")).path()
    return await asyncio.to_thread(file.read_bytes)
