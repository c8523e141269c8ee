"""A coach's page with many athletes: frames a second, longest frame, age of what is shown.

Run from the root of the repository, on a quiet machine::

    python -m benchmarks.page [--athletes N] [--duration S] [--broker embedded|mosquitto] [--size WxH]

Athletes, bridge and broker run in one process, as in ``hipline run``; a headless Chromium with software
rendering shows the coach's page from another. The first athlete's pelvis is a clock: its tilt tells the time
of the sample it stands for, and is read off the drawn figure before each frame.

Sample to pixel: from the moment of a sample to the frame that shows it, with the time from sensor to broker
that `benchmarks.latency` measures (75 ms for the newest sample of a message) in it, as a delay.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import shutil
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import async_playwright

from benchmarks.page.crowd import CLOCK_DEG_PER_MS, CLOCK_RAMP_MS, GYM, play_crowd
from benchmarks.page.mosquitto import running_mosquitto

FRAMES_PER_S, LONGEST_FRAME_MS, SAMPLE_TO_PIXEL_MS = 50.0, 150.0, 300.0
_SETTLE_S = 5.0
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")

_WATCH = """
([seconds, rampMs, degPerMs]) => new Promise((done) => {
  const card = document.querySelector('[data-testid="athlete-card"][data-athlete="a1"]');
  card.scrollIntoView({ block: "center" });
  const pelvis = card.querySelector('[data-part="pelvis"]');
  const frames = [], ages = [];
  const end = performance.now() + seconds * 1000;
  const look = (now) => {
    frames.push(now);
    const found = /rotate\\(([-.0-9]+)\\)/.exec(pelvis.getAttribute("transform") ?? "");
    // Where the ramp begins anew, what is drawn between two samples tells no time.
    const time = (performance.timeOrigin + performance.now()) % rampMs;
    if (found && time > rampMs / 10) {
      const shown = Number(found[1]) / degPerMs;
      ages.push((time - shown + 2 * rampMs) % rampMs);
    }
    if (performance.now() < end) requestAnimationFrame(look);
    else done({ frames, ages });
  };
  requestAnimationFrame(look);
})
"""


async def _watch(url: str, n: int, duration_s: float, size: tuple[int, int]) -> dict[str, Any]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
        page = await browser.new_page(
            viewport={"width": size[0], "height": size[1]}, ignore_https_errors=True
        )
        await page.goto(url)
        await page.locator('[data-testid="athlete-card"]').nth(n - 1).wait_for(state="attached")
        await asyncio.sleep(_SETTLE_S)
        seen: dict[str, Any] = await page.evaluate(_WATCH, [duration_s, CLOCK_RAMP_MS, CLOCK_DEG_PER_MS])
        await browser.close()
    return seen


def main() -> int:
    """Print the figures; 1 where a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--athletes", type=int, default=30)
    parser.add_argument("--duration", type=float, default=20.0, help="seconds watched (default 20)")
    parser.add_argument("--broker", choices=("embedded", "mosquitto"), default="embedded")
    parser.add_argument("--size", default="1920x1080", help="of the window (default 1920x1080)")
    arguments = parser.parse_args()
    width, _, height = arguments.size.partition("x")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hipline-page-")))
        mqtt = None
        if arguments.broker == "mosquitto":
            mqtt = stack.enter_context(running_mosquitto(folder, GYM))
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=play_crowd, args=(arguments.athletes, folder, mqtt, theirs)
        )
        process.start()
        theirs.close()  # else its end would never be heard of here
        print(f"{arguments.athletes} athletes begin to train ...", file=sys.stderr, flush=True)
        try:
            seen = asyncio.run(
                _watch(ours.recv(), arguments.athletes, arguments.duration, (int(width), int(height)))
            )
        finally:
            with suppress(OSError):
                ours.send(None)
            process.join(20)
            process.kill()
    return _report(arguments.athletes, arguments.broker, seen)


def _report(n: int, broker: str, seen: dict[str, Any]) -> int:
    steps_ms = np.diff(seen["frames"])
    ages_ms = np.array(seen["ages"])
    frames_per_s = 1000.0 / float(np.median(steps_ms))
    longest_ms, p95_ms = float(steps_ms.max()), float(np.percentile(ages_ms, 95))
    print(f"{n} athletes x 10 Hz, {broker} broker, {os.cpu_count()} cores, software rendering")
    print(f"frames a second, median   {frames_per_s:6.1f}   (mean {1000.0 / float(steps_ms.mean()):.1f})")
    slow = f"{int((steps_ms > 50).sum())} of {len(steps_ms)} over 50"
    print(f"longest frame, ms         {longest_ms:6.0f}   ({slow})")
    print(f"sample to pixel, ms: p50  {float(np.median(ages_ms)):6.0f}")
    print(f"                     p95  {p95_ms:6.0f}   (largest {float(ages_ms.max()):.0f})")
    is_met = frames_per_s >= FRAMES_PER_S and longest_ms <= LONGEST_FRAME_MS and p95_ms < SAMPLE_TO_PIXEL_MS
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
