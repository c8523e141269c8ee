"""A training as a test of faults sees it: what was done, told and shown."""

from __future__ import annotations

import json
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect, sync_playwright

from sensor_bridge.mqtt.topics import Channel
from tests.chromium import FLAGS, executable
from tests.end_to_end.conftest import Observer, wait_until, write_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.end_to_end.conftest import HiplineProcess, VirtualSensors
    from tests.mosquitto_broker import Mosquitto

SLOW_MACHINE_S = 60.0
_TROUBLE = ("put aside", "cannot be written", "not logged")

_HEART = """() => {
    window.longest_beat_ms = 0;
    let before = performance.now();
    setInterval(() => {
        const now = performance.now();
        window.longest_beat_ms = Math.max(window.longest_beat_ms, now - before);
        before = now;
    }, 100);
}"""


@dataclass
class Training:
    """What was done, what was told, what was seen."""

    folder: Path
    broker: Mosquitto
    bridge: HiplineProcess
    observer: Observer
    page: Page
    url: str
    windows_ms: dict[str, tuple[float, float]] = field(default_factory=dict)
    alarms: dict[str, list[str]] = field(default_factory=dict)
    banners: dict[str, str] = field(default_factory=dict)
    shown: dict[str, int] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    archived: dict[str, Any] = field(default_factory=dict)
    retained: dict[Channel, list[Any]] = field(default_factory=dict)
    revisions: list[tuple[str, int]] = field(default_factory=list)
    true_eccentric_s: list[float] = field(default_factory=list)
    longest_beat_ms: float = 0.0

    @contextmanager
    def fault(self, name: str) -> Iterator[None]:
        """Note from when to when something is broken, and what the bridge says of it meanwhile."""
        began_ms, told = time.time() * 1000, len(self.observer.envelopes(Channel.SERVICE_STATUS))
        yield
        self.windows_ms[name] = began_ms, time.time() * 1000
        self.alarms[name] = [
            alarm
            for event in self.observer.envelopes(Channel.SERVICE_STATUS)[told:]
            for alarm in event.data.alarms
        ]

    def archived_now(self) -> dict[str, Any]:
        """Ask the archive as the page does."""
        address, _, token = self.url.partition("#token=")
        (session,) = (path.name for path in (self.folder / "data" / "sessions").iterdir())
        request = urllib.request.Request(
            f"{address}api/v1/sessions/{session}/anna", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def ends_ms(self) -> dict[str, float]:
        """When each repetition ended that somebody was told of: the archive, or who listens at the broker."""
        told = {key: each.concentric_end_ms for key, each in self.observer.repetitions().items()}
        told |= {each["id"]: each["concentric_end_ms"] for each in standing(self.archived_now())}
        return {key: end_ms for key, end_ms in told.items() if end_ms is not None}

    def goes_on(self, more: int, at_least_s: float = 0.0) -> None:
        """Wait until so many more repetitions have ended, and at least so long."""
        began_s, began_ms = time.monotonic(), time.time() * 1000
        wait_for(
            lambda: sum(end_ms > began_ms for end_ms in self.ends_ms().values()) >= more,
            f"{more} more repetitions",
        )
        time.sleep(max(0.0, began_s + at_least_s - time.monotonic()))

    def everybody_knows(self, event_ids: Iterable[str]) -> None:
        """Wait until who listens at the broker has been told of these repetitions."""
        due = set(event_ids)
        wait_for(lambda: due <= self.observer.repetitions().keys(), "what happened meanwhile")

    def is_quiet(self) -> None:
        """Wait until the bridge is there, and no longer speaks of the broker or the disk."""

        def nothing_is_wrong() -> bool:
            said = self.observer.envelopes(Channel.SERVICE_STATUS)[-1].data
            alarms = " ".join(said.alarms)
            return said.state == "online" and not any(word in alarms for word in _TROUBLE)

        wait_for(nothing_is_wrong, "no alarm")

    def shows_all(self, name: str) -> None:
        """Wait until the page is back and shows every repetition that is known."""
        due = len(self.ends_ms())
        state = self.page.get_by_test_id("connection-state")
        expect(state).to_have_attribute("data-state", "live", timeout=SLOW_MACHINE_S * 1000)
        row = self.page.get_by_test_id("repetition-row").nth(due - 1)
        expect(row).to_be_visible(timeout=SLOW_MACHINE_S * 1000)
        self.shown[name] = due

    def in_window(self, name: str) -> list[dict[str, Any]]:
        """List the archived repetitions that ended while something was broken."""
        began_ms, ended_ms = self.windows_ms[name]
        return [each for each in standing(self.archived) if began_ms <= each["concentric_end_ms"] <= ended_ms]


def standing(session: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in session["repetitions"] if each["status"] != "withdrawn"]


def configuration(folder: Path, broker: Mosquitto, sensors: VirtualSensors, websocket_port: int) -> Path:
    """Write one in which the page reaches the broker by the network that can be cut."""
    config = write_config(folder, broker=broker, sensors=sensors)
    password = folder / "coach-password"
    password.touch(mode=0o600)
    password.write_text(broker.passwords["coach"])
    page = 'dashboard_username = "coach"\ndashboard_password_file = "coach-password"'
    text = config.read_text().replace('password_file = "password"', f'password_file = "password"\n{page}')
    config.write_text(text.replace(f":{broker.websocket_port}", f":{websocket_port}"))
    return config


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait as `wait_until` does, and ask less often: to read all that was told takes a while."""

    def slowly() -> bool:
        time.sleep(0.2)
        return condition()

    wait_until(slowly, what, SLOW_MACHINE_S)


@contextmanager
def page_of(url: str) -> Iterator[Page]:
    """Open the coach's view of one athlete; its heart beats ten times a second."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        page = browser.new_page()
        page.goto(url)
        expect(page.get_by_test_id("connection-state")).to_have_attribute("data-state", "live")
        page.goto(f"{url.partition('#')[0]}#/coach/anna")
        page.evaluate(_HEART)
        yield page
        browser.close()
