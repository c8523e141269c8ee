"""Dark by default, light where somebody chose it on this screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.sensor_bridge.dashboard.conftest import Stage

pytestmark = pytest.mark.browser


async def background(page: Page) -> str:
    return await page.evaluate("getComputedStyle(document.body).backgroundColor")


async def test_the_page_is_dark_until_light_is_chosen_and_remembers_it(stage: Stage) -> None:
    page = await stage.page()
    await page.emulate_media(color_scheme="light")
    assert await background(page) == "rgb(13, 16, 21)"
    await page.get_by_role("button", name="switch to light colours").click()
    await expect(page.get_by_role("button", name="switch to dark colours")).to_be_visible()
    assert await background(page) == "rgb(238, 241, 244)"
    await page.reload()
    await expect(page.get_by_role("button", name="switch to dark colours")).to_be_visible()
    assert await background(page) == "rgb(238, 241, 244)"
