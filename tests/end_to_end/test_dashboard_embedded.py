from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chromium import browser
from tests.end_to_end.looked_back import look_back
from tests.end_to_end.watched_set import assert_was_seen, watch_a_set

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser

__all__ = ["browser"]


@pytest.mark.browser
@pytest.mark.realtime
async def test_a_set_is_seen_from_sensor_to_page_and_afterwards_in_the_archive(
    browser: Browser, tmp_path: Path
) -> None:
    watched = await watch_a_set(browser, tmp_path, gym="gym-1", mqtt={})
    assert_was_seen(watched)
    await look_back(browser, tmp_path, watched)
