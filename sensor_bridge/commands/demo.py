"""``hipline demo``: virtual athlete, sensors and radio; real protocol, bridge, broker and page."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from sensor_bridge.announcement import announced, demo_announcement_path
from sensor_bridge.config import Config
from sensor_bridge.errors import BridgeError
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.payloads import Repetition, decode
from sensor_bridge.mqtt.topics import Channel, Topics
from sensor_bridge.service import run_bridge
from sensor_bridge.virtual_radio import on_air, rehearse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sensor_bridge.service import Bridge

GYM = "demo"
_SETTLE_S = 1.5  # from the last sample to the last message


def run(
    *, duration_s: float | None, is_headless: bool, port: int, scenario: str, seed: int, open_browser: bool
) -> None:
    """Run the demo and print what was counted beside what was done.

    Parameters
    ----------
    duration_s
        Length of the performance, s; None for the whole scenario.
    is_headless
        No page, no browser.
    port
        Of the page.
    scenario, seed
        What the virtual athlete does.
    open_browser
        Show the page in the system's browser.

    Raises
    ------
    UserInputError
        The scenario or the duration cannot be.
    BridgeError
        The count differs from what was done.
    """
    playback, prescription, truth = rehearse(scenario, seed, duration_s)
    with tempfile.TemporaryDirectory(prefix="hipline-demo-") as folder:
        config = Config.model_validate(
            {
                "gym": GYM,
                "data_folder": Path(folder),
                "athletes": [
                    {
                        "id": "virtual",
                        "name": "Virtual athlete",
                        "sensors": playback.worn_sensors,
                        **({"prescription": prescription} if prescription else {}),
                    }
                ],
                "dashboard": {"enabled": not is_headless, "port": port},
            }
        )
        repetitions: dict[str, Repetition] = {}
        asyncio.run(_play(config, playback, seed, repetitions, show_page=open_browser and not is_headless))
    counted = sorted(repetitions.values(), key=lambda r: (r.set, r.repetition))
    _compare(counted, truth["repetitions"])


async def _play(
    config: Config, playback: Any, seed: int, repetitions: dict[str, Repetition], *, show_page: bool
) -> None:
    async with on_air(playback, seed) as (adapter, finished):

        async def watch_until_finished(bridge: Bridge) -> None:
            if bridge.dashboard_url is not None:
                _say(f"Watch it live: {bridge.dashboard_url}   (Ctrl-C ends the demo)")
                if show_page:
                    webbrowser.open(bridge.dashboard_url)
            _say(f"The virtual athlete begins; it takes {playback.duration_s:.0f} s.")
            collecting = asyncio.create_task(_collect(bridge, repetitions))
            with _announced_to_watchers(bridge):
                await finished.wait()
            await asyncio.sleep(_SETTLE_S)
            collecting.cancel()
            await asyncio.wait([collecting])

        await run_bridge(config, adapter, watch_until_finished)


@contextlib.contextmanager
def _announced_to_watchers(bridge: Bridge) -> Iterator[None]:
    """Let ``hipline watch`` find the demo; where there is no place for that, the demo goes on without."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(announced(bridge.broker, GYM, demo_announcement_path()))
        except BridgeError as error:
            _say(f"hipline watch will not find this demo: {error}")
        yield


async def _collect(bridge: Bridge, repetitions: dict[str, Repetition]) -> None:
    """Listen as any other program would: each event id once, its highest revision."""
    async with MqttClient(bridge.broker.reader_settings("demo-summary")) as client:
        await client.connected()
        await client.subscribe(Topics(GYM).every(Channel.REPETITION), qos=1)
        async for message in client.messages():
            event = decode(Channel.REPETITION, message.payload)
            repetition: Repetition = event.data
            known = repetitions.get(event.id)
            if repetition.status == "withdrawn":
                repetitions.pop(event.id, None)
            elif known is None or repetition.revision > known.revision:
                repetitions[event.id] = repetition
                if known is None:
                    _say(_line(repetition))


def _line(repetition: Repetition) -> str:
    lowered = "not timed" if repetition.eccentric_s is None else f"{repetition.eccentric_s:.1f} s down"
    tilt = repetition.pelvic_tilt_range_deg
    return f"  repetition {repetition.repetition}: {lowered}" + (
        "" if tilt is None else f", tilt {tilt:.0f}°"
    )


def _compare(counted: Sequence[Repetition], done: Sequence[Mapping[str, Any]]) -> None:
    console = Console(highlight=False)
    table = Table(title="Counted beside what the virtual athlete did", title_justify="left")
    table.add_column("repetition", justify="right")
    for name in ("eccentric, s", "truth, s", "tilt range, °", "truth, °"):
        table.add_column(name, justify="right")
    for number, true in enumerate(done):
        found = counted[number] if number < len(counted) else None
        table.add_row(
            str(true["repetition"]),
            _figure(found.eccentric_s if found else None, 2),
            _figure(true["eccentric_s"], 2),
            _figure(found.pelvic_tilt_range_deg if found else None, 1),
            _figure(true["pelvic_tilt_range_deg"], 1),
        )
    if counted or done:
        console.print(table)
    console.print(f"Repetitions: {len(counted)} counted, {len(done)} done.")
    if len(counted) != len(done):
        raise BridgeError(f"the demo counted {len(counted)} repetitions where {len(done)} were done")
    if not done:
        return
    timed = [r.eccentric_s for r in counted if r.eccentric_s is not None]
    tilts = [
        abs(found.pelvic_tilt_range_deg - true["pelvic_tilt_range_deg"])
        for found, true in zip(counted, done, strict=True)
        if found.pelvic_tilt_range_deg is not None
    ]
    true_mean_s = sum(true["eccentric_s"] for true in done) / len(done)
    if len(timed) == len(done):
        mean_s = sum(timed) / len(timed)
        console.print(
            f"Mean eccentric: {mean_s:.3f} s, truth {true_mean_s:.3f} s, "
            f"difference {mean_s - true_mean_s:+.3f} s."
        )
    if len(tilts) == len(done):
        console.print(f"Tilt range: largest difference {max(tilts):.2f}°.")


def _figure(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201
