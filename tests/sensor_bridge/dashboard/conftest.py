from __future__ import annotations

import shutil
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Browser, Page, async_playwright

from sensor_bridge.access.known_users import KnownUsers
from sensor_bridge.dashboard.server import DashboardServer, DashboardSettings, page_link
from sensor_bridge.mqtt.broker import EmbeddedBroker, EmbeddedBrokerSettings
from sensor_bridge.mqtt.topics import Topics
from sensor_bridge.mqtt.users import gym_users
from tests.mosquitto_broker import mosquitto
from tests.sensor_bridge.dashboard.virtual_gym import VirtualGym

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import ConsoleMessage

    from tests.sensor_bridge.dashboard.virtual_gym import ScriptedAthlete

__all__ = ["mosquitto"]

GYM = "gym-1"
TOKENS = {"bridge": "b" * 32, "coach": "c" * 32, "athlete-anna": "a" * 32}
WORN = {"anna": ["anna-pelvis", "anna-thigh-left", "anna-thigh-right"]}
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("chromium is not installed: apt install chromium")
    return found


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield running
        await running.close()


@dataclass
class Stage:
    """A broker, a page server and a browser; the parts a test of the page plays with."""

    browser: Browser
    stack: AsyncExitStack
    running_broker: AsyncExitStack
    running_server: AsyncExitStack
    broker: EmbeddedBroker
    server: DashboardServer
    complaints: list[str] = field(default_factory=list)

    async def stop_broker(self) -> None:
        await self.running_broker.aclose()

    async def stop_server(self) -> None:
        await self.running_server.aclose()

    @property
    def settings(self) -> EmbeddedBrokerSettings:
        """How to start the same broker again on the same ports."""
        return EmbeddedBrokerSettings(
            users=gym_users(Topics(GYM), TOKENS, WORN),
            tcp_port=self.broker.tcp_port,
            websocket_port=self.broker.websocket_port,
        )

    async def gym(self, *athletes: ScriptedAthlete) -> VirtualGym:
        gym = VirtualGym(GYM, self.broker.tcp_port, "bridge", TOKENS["bridge"], *athletes)
        await self.stack.enter_async_context(gym)
        gym.announce()
        return gym

    async def page(
        self, *, width: int = 1280, height: int = 720, user: str = "coach", script: str = ""
    ) -> Page:
        """Open the page as somebody, with a script run before it, and wait until it is connected."""
        page = await self.browser.new_page(viewport={"width": width, "height": height})
        await page.add_init_script(script)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await page.goto(page_link(self.server.url, f"{user}.{TOKENS[user]}"))
        await page.wait_for_selector("[data-testid=connection-state][data-state=live]")
        return page

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


@pytest.fixture
async def stage(browser: Browser) -> AsyncIterator[Stage]:
    """Serve the page beside an embedded broker; fail when the page complained about anything."""
    async with AsyncExitStack() as brokers, AsyncExitStack() as servers, AsyncExitStack() as stack:
        broker = await brokers.enter_async_context(
            EmbeddedBroker(EmbeddedBrokerSettings(users=gym_users(Topics(GYM), TOKENS, WORN)))
        )
        server = await servers.enter_async_context(
            DashboardServer(
                DashboardSettings(
                    gym=GYM,
                    websocket_url=f"ws://127.0.0.1:{broker.websocket_port}/mqtt",
                    users=KnownUsers(TOKENS),
                )
            )
        )
        stage = Stage(browser, stack, brokers, servers, broker, server)
        yield stage
        for context in browser.contexts:
            await context.close()
    assert stage.complaints == []
