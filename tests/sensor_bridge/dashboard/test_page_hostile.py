"""Messages that mean harm: text that would be markup, JSON that is none, pages from elsewhere."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from playwright.async_api import async_playwright, expect

from sensor_bridge.mqtt.examples import examples
from sensor_bridge.mqtt.topics import Channel
from tests.sensor_bridge.dashboard.conftest import FLAGS, TOKENS, chromium
from tests.sensor_bridge.dashboard.virtual_gym import ScriptedAthlete

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.async_api import Page

    from tests.sensor_bridge.dashboard.conftest import Stage
    from tests.sensor_bridge.dashboard.virtual_gym import VirtualGym

pytestmark = pytest.mark.browser

MARKUP = (
    '<img src=x onerror="window.taken=1"><script>window.taken=2</script>',
    '"><svg onload=window.taken=3><a href="javascript:window.taken=4">x</a>',
    "javascript:window.taken=5//' onmouseover='window.taken=6",
    "__proto__",
    "\u202e\u0000\u001b[2J\ufffd" + "W" * 5_000,
)
# Runs before the page: notes whatever comes into the document that text must never become.
GUARD = """
window.found = [];
const ADDRESSES = ['href', 'xlink:href', 'src', 'srcdoc', 'data', 'action', 'formaction'];
document.addEventListener('securitypolicyviolation', (e) => window.found.push(e.effectiveDirective));
new MutationObserver((changes) => {
    for (const change of changes)
        for (const node of change.addedNodes) {
            if (node.nodeType !== 1) continue;
            for (const element of [node, ...node.querySelectorAll('*')]) {
                const isForeign = ['IMG', 'SCRIPT', 'IFRAME', 'OBJECT', 'EMBED'].includes(element.tagName);
                const acts = [...element.attributes].some((a) => a.name.startsWith('on') ||
                    ADDRESSES.includes(a.name) && a.value.trim().toLowerCase().startsWith('javascript:'));
                if ((isForeign || acts) && !document.head.contains(element))
                    window.found.push(element.outerHTML);
            }
        }
}).observe(document, {childList: true, subtree: true});
"""
BROKEN = (
    *(b"", b"null", b"[]", b'"x"', b"{}", b"\xff\xfe", b"{" * 50_000, b"[" * 100_000 + b"]" * 100_000),
    b'{"v": 1, "v": 1e999, "__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": 1}}}',
)


def string_places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in a message there is text."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for key, below in value.items():
            yield from string_places(below, (*path, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from string_places(below, (*path, index))


def replaced(message: dict[str, Any], path: tuple[Any, ...], text: str) -> dict[str, Any]:
    changed = copy.deepcopy(message)
    place: Any = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = text
    return changed


async def all_was_read(gym: VirtualGym, *pages: Page) -> None:
    """Wait until pages have read all that was published: messages of one sender keep their order."""
    for state, shown in (("offline", "bridge stopped"), ("online", "live")):
        gym.announce(state=state)
        for page in pages:
            await expect(page.get_by_test_id("connection-state")).to_have_text(shown, timeout=60_000)


async def test_text_in_any_field_of_any_message_stays_text(stage: Stage) -> None:
    gym = await stage.gym()
    pages = []
    for route in ("#/", "#/coach/a1", "#/athlete/a1"):
        page = await stage.page(script=GUARD)
        await page.evaluate(f"location.hash = '{route}'")
        pages.append(page)
    shown = [example for example in examples() if example.channel is not Channel.COMMAND]
    below = len(gym.topics.root) + 1
    for text in MARKUP:
        for topic, message in shown:
            for path in string_places(message):
                gym.publish_raw(topic[below:], json.dumps(replaced(message, path, text)).encode())
        await all_was_read(gym, *pages)
        # The last of each athlete's states carries the text as a name, to be looked at.
        for topic, message in shown:
            if topic.endswith("/state"):
                named = replaced(message, ("data", "name"), text)
                gym.publish_raw(topic[below:], json.dumps(named).encode())
        await all_was_read(gym, *pages)
        if text is MARKUP[0]:
            for page in pages[:2]:
                await expect(page.locator("#app")).to_contain_text("<img src=x onerror=", timeout=20_000)
    for page in pages:
        assert await page.evaluate("window.taken") is None
        assert await page.evaluate("window.found") == []
        assert await page.evaluate("({}).polluted") is None


async def test_what_is_no_message_is_left_out_and_the_page_goes_on(stage: Stage) -> None:
    athlete = ScriptedAthlete("athlete-1", "Anna")
    gym = await stage.gym(athlete)
    page = await stage.page(script=GUARD)
    for topic, _ in examples():
        for body in BROKEN:
            gym.publish_raw(topic[len(gym.topics.root) + 1 :], body)
    gym.introduce(athlete, at_s=16.5)
    await expect(page.get_by_test_id("repetition-count")).to_have_text("2", timeout=20_000)
    await expect(page.get_by_text("messages not understood")).to_be_visible(timeout=20_000)
    assert await page.evaluate("({}).polluted") is None
    assert await page.evaluate("window.found") == []


async def test_a_page_from_elsewhere_gets_neither_data_nor_socket(stage: Stage) -> None:
    """A site whose own name points to this machine, in the visitor's browser, with a token it has guessed."""
    server = web.Application()

    async def show(_request: web.Request) -> web.Response:
        return web.Response(text="<p>evil</p>", content_type="text/html")

    server.router.add_get("/", show)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    evil_port = runner.addresses[0][1]
    here = stage.server.url.rsplit(":", 1)[1].strip("/")
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=chromium(), args=[*FLAGS, "--host-resolver-rules=MAP evil.example 127.0.0.1"]
            )
            page = await browser.new_page()
            await page.goto(f"http://evil.example:{evil_port}/")
            tried = await page.evaluate(
                """async ([here, socket, token]) => {
                    const ask = (url, options) => fetch(url, options).then((r) => r.text(), (e) => e.name);
                    const open = (url) => new Promise((resolve) => {
                        const socket = new WebSocket(url, 'mqtt');
                        socket.onopen = () => resolve('open');
                        socket.onerror = () => resolve('refused');
                    });
                    const headers = {Authorization: `Bearer ${token}`};
                    return [
                        await ask(`http://127.0.0.1:${here}/config.json`),
                        await ask(`http://127.0.0.1:${here}/api/v1/athletes`, {headers}),
                        await ask(`http://evil.example:${here}/config.json`),
                        await open(`ws://127.0.0.1:${socket}/mqtt`),
                        await open(`ws://evil.example:${socket}/mqtt`),
                    ];
                }""",
                [here, stage.broker.websocket_port, f"coach.{TOKENS['coach']}"],
            )
            framed = await browser.new_page()
            await framed.goto(f"http://evil.example:{evil_port}/")
            await framed.evaluate(
                """(url) => new Promise((resolve) => {
                    const frame = document.createElement('iframe');
                    frame.src = url;
                    frame.onload = resolve;
                    document.body.append(frame);
                })""",
                stage.server.url,
            )
            inner = await asyncio.gather(*(frame.content() for frame in framed.frames[1:]))
            await browser.close()
    finally:
        await runner.cleanup()
    assert tried == ["TypeError", "TypeError", "TypeError", "refused", "refused"]
    assert not any("Hipline" in content for content in inner)
