"""``hipline virtual-sensors``: virtual sensors in a process of their own, for a bridge in another."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sensor_bridge.errors import UserInputError
from sensor_bridge.recording.trace import read_trace
from sensor_bridge.virtual_radio import handle, is_handling, on_air_for_others, playback_of, rehearse

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from sensor_bridge.virtual_radio import Playback


def run(
    what: str,
    *,
    port: int,
    seed: int,
    duration_s: float | None,
    at_once: bool = False,
    kind: str | None = None,
    requires_pairing: bool = False,
    has_flash: bool = False,
) -> None:
    """Play a scenario or a recording until it ends.

    Parameters
    ----------
    what
        A scenario's name or TOML file, a recording (trace/1), ``six_positions`` or ``moved_in_turn``.
    port
        TCP port of the radio; 0 takes any free one.
    seed
        Of performance and radio.
    duration_s
        Length of a performance, s; None for the whole scenario.
    at_once
        Whether time runs for them at once, and not when all of them have been started.
    kind
        What kind of sensors perform a scenario; None for Hipline's.
    requires_pairing
        Whether they take commands only from a computer they are paired with.
    has_flash
        Whether they store their samples, so that what is missed can be fetched.

    Raises
    ------
    UserInputError
        There is no such scenario, recording or kind, the kind does not go with it, or the port is taken.
    """
    path = Path(what)
    is_scenario = path.suffix.lower() not in {".parquet", ".csv"} and not is_handling(what)
    if kind is not None and not is_scenario:
        raise UserInputError(f"--kind goes with a scenario, not with {what}")
    if path.suffix.lower() in {".parquet", ".csv"}:
        playback = playback_of(read_trace(path), what)
    elif is_handling(what):
        playback = handle(what, seed, duration_s)
    else:
        playback, _, _ = rehearse(what, seed, duration_s, kind)
    on_air = on_air_for_others(
        playback, seed, port, at_once=at_once, requires_pairing=requires_pairing, has_flash=has_flash
    )
    asyncio.run(_play(playback, on_air, at_once=at_once))


async def _play(
    playback: Playback, on_air: AbstractAsyncContextManager[tuple[int, asyncio.Event]], *, at_once: bool
) -> None:
    async with on_air as (taken, finished):
        _say(f"Virtual sensors at port {taken}. In the bridge's configuration:")
        _print(f"[radio]\nvirtual_port = {taken}\n")
        for sensor in playback.worn_sensors:
            lines = [f'{key} = "{value}"' for key, value in sensor.items()]
            _print("[[athletes.sensors]]\n" + "\n".join(lines) + "\n")
        begin = "have begun" if at_once else "begin when all of them are connected"
        _print(f"# The sensors {begin}.")
        await finished.wait()
        _say("Played to the end; Ctrl-C closes the radio.")
        await asyncio.Event().wait()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201
