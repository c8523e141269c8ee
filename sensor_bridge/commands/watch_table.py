"""The live table of ``hipline watch``: what is known in, something rich can print out. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from sensor_bridge.commands.watch_words import (
    MISSING,
    PHASES,
    count_pips,
    count_words,
    exercise_words,
    health_words,
    is_in_trouble,
    of_target,
    placement_words,
    range_words,
    sensor_words,
    tempo_words,
    verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from sensor_bridge.commands.watched_gym import WatchedAthlete, WatchedGym
    from sensor_bridge.mqtt import payloads

_SILENT_S = 2.0  # live messages come ten times a second


def gym_table(
    gym: WatchedGym, now_s: float, *, title: str, is_connected: bool = True, lines: Iterable[str] = ()
) -> RenderableType:
    """Draw what is known.

    Parameters
    ----------
    gym
        What is known.
    now_s
        The watcher's clock, s, as given to `WatchedGym.take`.
    title
        Which gym, at which broker.
    is_connected
        Whether the broker is there now.
    lines
        The last events, drawn below the table.
    """
    table = Table(title=Text(title), title_justify="left", expand=True, show_lines=True)
    for heading, ratio in (
        ("athlete", 3),
        ("set", 3),
        ("phase", 4),
        ("angles", 4),
        ("last repetition", 5),
        ("sensors", 5),
    ):
        table.add_column(heading, ratio=ratio)
    for athlete in sorted(gym.athletes.values(), key=lambda athlete: (athlete.name, athlete.athlete_id)):
        table.add_row(
            _who(athlete),
            _progress(athlete),
            _phase(athlete, now_s),
            _angles(athlete.live),
            _last_repetition(athlete.last_repetition),
            _sensors(gym.sensors_of(athlete.athlete_id)),
        )
    parts: list[RenderableType] = [table]
    if not gym.athletes:
        parts.append(Text("Waiting for the first athlete.", style="dim"))
    if not is_connected:
        parts.append(
            Text(
                "The broker is gone: trying again. What is shown is the last that was known.",
                style="bold red",
            )
        )
    parts += [Text(f"! {alarm}", style="yellow") for alarm in gym.alarms()]
    if gym.unreadable:
        parts.append(Text(f"! {gym.unreadable} messages not understood", style="yellow"))
    parts += [Text(line, style="dim") for line in lines]
    return Group(*parts)


def _who(athlete: WatchedAthlete) -> Text:
    text = Text(athlete.name, style="bold")
    if athlete.state is not None:
        text.append(f"\n{exercise_words(athlete.state.exercise, athlete.state.side)}", style="not bold")
    return text


def _progress(athlete: WatchedAthlete) -> Text:
    _, number, done = athlete.progress
    target = athlete.target
    if not number:
        return Text(MISSING)
    return Text(f"set {of_target(number, target.sets)}\nrep {of_target(done, target.repetitions)}")


def _phase(athlete: WatchedAthlete, now_s: float) -> Text:
    if athlete.live_arrived_s is not None and now_s - athlete.live_arrived_s > _SILENT_S:
        return Text(f"no data for {now_s - athlete.live_arrived_s:.0f} s", style="red")
    phase, _, _ = athlete.progress
    text = Text(PHASES[phase])
    lowering_s = athlete.lowering_s
    if lowering_s is not None:
        target_s = athlete.target.eccentric_s
        text.append(f" {count_words(lowering_s, target_s)}", style="bold")
        text.append(f"\n{count_pips(lowering_s, target_s)}", style="cyan")
    return text


def _angles(live: payloads.Live | None) -> Text:
    if live is None:
        return Text(MISSING)
    left, right = _newest(live.hip_flexion_left_deg), _newest(live.hip_flexion_right_deg)
    return Text(f"tilt {_degrees(_newest(live.pelvic_tilt_deg))}\nhip L {_degrees(left)} R {_degrees(right)}")


def _newest(samples: payloads.Samples | None) -> float | None:
    return samples[-1] if samples else None


def _degrees(value: float | None) -> str:
    return MISSING if value is None or not math.isfinite(value) else f"{value:.0f}°"


def _last_repetition(last: payloads.Repetition | None) -> Text:
    if last is None:
        return Text(MISSING)
    found = verdict(last)
    text = Text(f"set {last.set}, rep {last.repetition}: ")
    text.append(f"{found.symbol} {found.sentence}", style="green" if found.is_good else "yellow")
    for words in (tempo_words(last), range_words(last)):
        if words:
            text.append(f"\n{words}")
    return text


def _sensors(sensors: Iterable[payloads.SensorStatus]) -> Text:
    text = Text()
    for sensor in sensors:
        if text:
            text.append("\n")
        style = "red" if is_in_trouble(sensor) else ""
        text.append(f"{placement_words(sensor.placement)}: {sensor_words(sensor)}", style=style)
        text.append(f"\n  {health_words(sensor)}", style="dim")
    return text or Text("no sensors")
