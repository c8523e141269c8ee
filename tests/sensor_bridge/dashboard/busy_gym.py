"""A gym full of scripted athletes who differ: exercises, sets, faults, batteries, sensors that are away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor_bridge.mqtt.payloads import Target
from tests.sensor_bridge.dashboard.virtual_gym import (
    BRIDGE,
    MICRO_HINGE,
    RDL,
    SINGLE_LEG_LEFT,
    ScriptedAthlete,
    Tempo,
    VirtualGym,
    fault,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_NAMES = ("Anna", "Ben", "Carla", "Deniz", "Emil", "Fatma", "Goran", "Hanna", "Ilir", "Jana", "Kofi", "Lena")


def _romanian(athlete: str, name: str) -> ScriptedAthlete:
    return ScriptedAthlete(athlete, name, movement=RDL, set_number=2)


def _opening(athlete: str, name: str) -> ScriptedAthlete:
    return ScriptedAthlete(
        athlete,
        name,
        exercise="single_leg_deadlift",
        side="left",
        movement=SINGLE_LEG_LEFT,
        tempo=Tempo(eccentric_s=4.1),
        obliquity_deg=4.0,
        overrides={
            n: {
                "faults": [fault("hip_open", 9.0 + n, 5.0)],
                "eccentric_s": 4.1,
                "eccentric_movement_s": 4.3,
            }
            for n in range(3, 9)
        },
    )


def _micro(athlete: str, name: str) -> ScriptedAthlete:
    return ScriptedAthlete(
        athlete,
        name,
        exercise="micro_hinge",
        movement=MICRO_HINGE,
        tempo=Tempo(eccentric_s=2.0, top_s=1.0),
        target=Target(repetitions=5, sets=1, eccentric_s=2.0, bottom_s=0.0, top_s=0.0),
        battery_percent=(9.0, 88.0, 79.0),
    )


def _bridge(athlete: str, name: str) -> ScriptedAthlete:
    return ScriptedAthlete(
        athlete,
        name,
        exercise="glute_bridge",
        movement=BRIDGE,
        tempo=Tempo(eccentric_s=2.5, bottom_s=1.0, concentric_s=1.2, top_s=1.5),
        target=Target(repetitions=10, sets=3, eccentric_s=2.5, bottom_s=1.0, concentric_s=1.0, top_s=1.0),
        set_number=3,
    )


_KINDS: tuple[Callable[[str, str], ScriptedAthlete], ...] = (_romanian, _opening, _micro, _bridge)


def busy_gym(count: int) -> list[ScriptedAthlete]:
    """`count` athletes, each kind in turn."""
    athletes = []
    for index in range(count):
        turn, name = divmod(index, len(_NAMES))
        shown = _NAMES[name] if turn == 0 else f"{_NAMES[name]} {turn + 1}"
        athletes.append(_KINDS[index % len(_KINDS)](f"athlete-{index + 1}", shown))
    return athletes


def begin(gym: VirtualGym) -> None:
    """Let everybody be somewhere in their set, and tell the page so."""
    for index, athlete in enumerate(gym.athletes):
        gym.start(athlete, 3.0 + (index * 4.7) % 38.0)
        gym.introduce(athlete)


def move(gym: VirtualGym, athletes: Sequence[ScriptedAthlete], length_s: float = 6.0) -> None:
    """Tell of each athlete's last seconds of motion in one message, and of the repetitions done."""
    for athlete in athletes:
        now_s = gym.now_s(athlete)
        for number in range(1, athlete.completed(now_s) + 1):
            gym.publish_repetition(athlete.repetition(number, gym.zero_ms[athlete.athlete]))
        gym.publish_live(athlete, now_s - length_s, now_s)
