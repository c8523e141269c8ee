"""A session that came over the virtual radio, looked at when it is over: the pages and the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from sensor_bridge.access.known_users import KnownUsers
from sensor_bridge.archive.reading import ArchiveReader
from sensor_bridge.dashboard.api import ArchiveApi
from sensor_bridge.dashboard.server import DashboardServer, DashboardSettings, page_link

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser, Page

    from tests.end_to_end.watched_set import WatchedSet

_TOKEN = "c" * 32
_PATIENCE_MS = 20_000


async def look_back(browser: Browser, data_folder: Path, watched: WatchedSet) -> None:
    """Serve what the bridge left on disk, and hold the pages to what the athlete did.

    No broker runs any more: what was is there all the same.
    """
    settings = DashboardSettings(
        gym="gym-1", websocket_url="ws://127.0.0.1:9/mqtt", users=KnownUsers({"coach": _TOKEN})
    )
    async with DashboardServer(settings, ArchiveApi(ArchiveReader(data_folder))) as server:
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        await page.goto(page_link(server.url, f"coach.{_TOKEN}"))
        await page.evaluate("location.hash = '#/sessions'")
        line = page.get_by_test_id("session-line")
        await expect(line).to_contain_text("1 set, 2 repetitions", timeout=_PATIENCE_MS)
        await line.click()
        await _session_is_told(page, watched)
        await page.screenshot(path=data_folder / "session.png", full_page=True)
        async with page.expect_download() as coming:
            await page.get_by_test_id("report").click()
        report = data_folder / "report.html"
        await (await coming.value).save_as(report)
        await page.goto(report.as_uri())
        await expect(page.get_by_role("heading", name="Set 1: Romanian deadlift")).to_be_visible()
        await expect(page.locator("rect.lowering")).to_have_count(2)
        await page.screenshot(path=data_folder / "report.png", full_page=True)
        await page.close()


async def _session_is_told(page: Page, watched: WatchedSet) -> None:
    rows = page.get_by_test_id("repetition")
    await expect(rows).to_have_count(2, timeout=_PATIENCE_MS)
    told = page.get_by_test_id("set")
    await expect(told).to_contain_text("Set 1: Romanian deadlift")
    await expect(told).to_contain_text("asked")
    await expect(page.locator(".plot-band")).to_have_count(2)
    for row, repetition in zip(await rows.all(), watched.repetitions, strict=True):
        lowering = await row.locator(".tempo-eccentric_s").inner_text()
        assert float(lowering) == pytest.approx(repetition.eccentric_s, abs=0.15)
        for side in ("left", "right"):
            shown = await row.locator(f"td[data-label='hip range, {side}'] .value").inner_text()
            true_deg = getattr(repetition, f"hip_flexion_{side}_range_deg")
            assert float(shown.rstrip("°")) == pytest.approx(true_deg, abs=4.0)
