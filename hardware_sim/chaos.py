"""Scenarios of trouble on the radio, as TOML files: what is worn, what goes wrong and when.

The air, the host and the sensors are troubled; the athlete is as in ``scenario``.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field, fields
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from hardware_sim.errors import ScenarioError
from hardware_sim.exercises import Exercise
from hardware_sim.mounts import Mount, Placement
from hardware_sim.radio_conditions import RadioConditions
from hardware_sim.scenario import Scenario, Tempo, WornSensor
from hardware_sim.toml_table import names_in, parse_as, read_toml

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


class MishapKind(StrEnum):
    """What can go wrong at a moment."""

    FADE = "fade"
    OUT_OF_RANGE = "out_of_range"
    LINK_DROP = "link_drop"
    HANG_UP = "hang_up"
    FREEZE = "freeze"
    REBOOT = "reboot"
    BATTERY_EMPTY = "battery_empty"
    CONDITIONS = "conditions"
    HOST_RESTART = "host_restart"
    HOST_POWER_CUT = "host_power_cut"


LASTING = frozenset(
    {MishapKind.FADE, MishapKind.OUT_OF_RANGE, MishapKind.FREEZE, MishapKind.REBOOT, MishapKind.BATTERY_EMPTY}
)
OF_THE_HOST = frozenset({MishapKind.HOST_RESTART, MishapKind.HOST_POWER_CUT})


@dataclass(frozen=True, slots=True)
class Mishap:
    """Something that goes wrong, once or again and again.

    Parameters
    ----------
    kind
        ``fade``: the signal is weaker by ``fade_db``. ``out_of_range``: nothing gets through. ``link_drop``:
        both ends lose the link at once. ``hang_up``: the sensor ends it. ``freeze``: the link stays, but no
        sample comes. ``reboot``: the sensor falls silent and forgets its RAM. ``battery_empty``: the same,
        but it could write its RAM to flash. ``conditions``: ``radio`` holds from now on. ``host_restart``:
        the program at the host ends in order and begins anew. ``host_power_cut``: the same without order.
    at_s
        When, s after the first sample.
    every_s, until_s
        Again and again at this distance, until then (the end of the scenario); once where it is missing.
    scatter_s
        Each time by up to this much later, s.
    duration_s
        How long it lasts, s: fade, out_of_range, freeze, reboot and battery_empty.
    fade_db
        By how much the signal is weaker.
    radio
        For ``conditions``.
    sensor
        Whom it strikes; without it all of them.

    Raises
    ------
    ScenarioError
        A time that cannot be, or something that this kind lacks.
    """

    kind: MishapKind
    at_s: float
    every_s: float | None = None
    until_s: float | None = None
    scatter_s: float = 0.0
    duration_s: float | None = None
    fade_db: float = 60.0
    radio: RadioConditions | None = None
    sensor: str | None = None

    def __post_init__(self) -> None:
        for name in ("at_s", "scatter_s", "duration_s", "until_s", "fade_db"):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value < math.inf:
                raise ScenarioError(f"mishaps: {name} = {value} of {self.kind} must be 0 or more")
        if self.every_s is not None and not 1.0 <= self.every_s < math.inf:
            raise ScenarioError(f"mishaps: every_s = {self.every_s} of {self.kind} must be 1 or more")
        if (self.duration_s is not None) is not (self.kind in LASTING):
            verb = "needs" if self.kind in LASTING else "has no"
            raise ScenarioError(f"mishaps: {self.kind} {verb} duration_s")
        if (self.radio is not None) is not (self.kind is MishapKind.CONDITIONS):
            verb = "needs" if self.kind is MishapKind.CONDITIONS else "has no"
            raise ScenarioError(f"mishaps: {self.kind} {verb} radio")
        if self.sensor is not None and self.kind in OF_THE_HOST:
            raise ScenarioError(f"mishaps: {self.kind} strikes all sensors; leave sensor out")


def _five_hinges() -> Scenario:
    return Scenario(
        exercise=Exercise.ROMANIAN_DEADLIFT,
        repetitions=5,
        tempo=Tempo(eccentric_s=2.0, bottom_s=0.4, concentric_s=1.2, top_s=1.2),
        sensors=(WornSensor(Placement.PELVIS, Mount.SACRUM),),
    )


@dataclass(frozen=True, slots=True)
class Memory:
    """What sensors keep, samples and frames as in `SensorModel`; by default with 8 MiB of flash."""

    ring_capacity_samples: int = 6000
    queue_frames: int = 32
    flash_capacity_samples: int = 700_000

    def __post_init__(self) -> None:
        for item in fields(self):
            if getattr(self, item.name) < 0:
                raise ScenarioError(f"memory.{item.name} must be 0 or more")


@dataclass(frozen=True, slots=True)
class ChaosScenario:
    """One scenario of trouble.

    Parameters
    ----------
    name
        That of its file.
    summary
        What it shows, in a sentence.
    duration_s
        How long the sensors sample, s.
    sets_at_s
        When the athlete does what ``athlete`` says, s after the first sample; else nobody moves.
    athlete
        The movement, and which sensors are worn where.
    seed
        For everything random.
    batch
        Samples a frame, 1 to 19.
    radio
        The air at the beginning.
    memory
        That of each sensor.
    loses_samples
        Whether samples are expected to be gone for good; they have to be reported, every one.
    mishaps
        What goes wrong.

    Raises
    ------
    ScenarioError
        Sets that do not fit, or a mishap of a sensor that nobody wears.
    """

    name: str
    summary: str
    duration_s: float
    sets_at_s: tuple[float, ...] = ()
    athlete: Scenario = field(default_factory=_five_hinges)
    seed: int = 0
    batch: int = 19
    radio: RadioConditions = field(default_factory=RadioConditions)
    memory: Memory = field(default_factory=Memory)
    loses_samples: bool = False
    mishaps: tuple[Mishap, ...] = ()

    def __post_init__(self) -> None:
        if not 1.0 <= self.duration_s <= 86_400.0:
            raise ScenarioError(f"duration_s = {self.duration_s} is out of range; choose 1 to 86400")
        if not 1 <= self.batch <= 19:
            raise ScenarioError(f"batch = {self.batch} is out of range; choose 1 to 19")
        worn = [each.sensor_id for each in self.athlete.sensors]
        for mishap in self.mishaps:
            if mishap.sensor is not None and mishap.sensor not in worn:
                raise ScenarioError(f"nobody wears sensor {mishap.sensor!r}; worn are {', '.join(worn)}")

    def strikes(self) -> list[tuple[float, Mishap]]:
        """List every time that something goes wrong, s after the first sample, in order."""
        generator = random.Random(self.seed)
        struck = []
        for mishap in self.mishaps:
            at_s = mishap.at_s
            until_s = self.duration_s if mishap.until_s is None else min(mishap.until_s, self.duration_s)
            while at_s < until_s:
                struck.append((at_s + generator.uniform(0.0, mishap.scatter_s), mishap))
                if mishap.every_s is None:
                    break
                at_s += mishap.every_s
        return sorted(struck, key=lambda each: each[0])


def chaos_names() -> tuple[str, ...]:
    """Names of the bundled scenarios, in alphabetical order."""
    return names_in(_folder())


def load_chaos(name_or_path: str | Path) -> ChaosScenario:
    """Read a scenario of trouble.

    Parameters
    ----------
    name_or_path
        Name of a bundled one, or the path of a TOML file (recognised by its suffix).

    Returns
    -------
    ChaosScenario
        Checked values; what the file leaves out has its default.

    Raises
    ------
    ScenarioError
        No such scenario, not TOML, an unknown key, or a value that does not fit.
    """
    name = str(name_or_path)
    text = read_toml(name_or_path, _folder(), "trouble")
    return parse_as(ChaosScenario, text, "trouble", name, Path(name).stem)


def _folder() -> Traversable:
    return resources.files("hardware_sim") / "scenarios" / "chaos"
