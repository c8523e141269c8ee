"""The grid of the virtual athlete: who does what, how fast, wearing what, with which fault."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from hardware_sim.exercises import MOVEMENTS, Exercise
from hardware_sim.mounts import Mount, Placement
from hardware_sim.scenario import Body, Form, Scenario, Side, Tempo, WornSensor

LINES = (
    (Exercise.ROMANIAN_DEADLIFT, Side.BOTH),
    (Exercise.DEADLIFT, Side.BOTH),
    (Exercise.HIP_HINGE, Side.BOTH),
    (Exercise.MICRO_HINGE, Side.BOTH),
    (Exercise.SINGLE_LEG_DEADLIFT, Side.LEFT),
    (Exercise.SINGLE_LEG_DEADLIFT, Side.RIGHT),
    (Exercise.KICKSTAND_DEADLIFT, Side.LEFT),
    (Exercise.KICKSTAND_DEADLIFT, Side.RIGHT),
    (Exercise.GLUTE_BRIDGE, Side.BOTH),
    (Exercise.SQUAT, Side.BOTH),
    (Exercise.SIT_TO_STAND, Side.BOTH),
)
# Apart, so that the other lines keep their numbers.
SINGLE_LEG_BRIDGES = (
    (Exercise.SINGLE_LEG_GLUTE_BRIDGE, Side.LEFT),
    (Exercise.SINGLE_LEG_GLUTE_BRIDGE, Side.RIGHT),
)
_SINGLE_LEG_BRIDGES_FROM = 700_000
BRIDGES = (Exercise.GLUTE_BRIDGE, Exercise.SINGLE_LEG_GLUTE_BRIDGE)
# The virtual athlete's thigh has no defined frame where it points along the toes: these stay below 85°.
DEEP = (Exercise.SQUAT, Exercise.SIT_TO_STAND)
_LONGEST_S = 110.0


class Pace(StrEnum):
    """Ways to move."""

    TOUCH_AND_GO = "touch-and-go"
    NORMAL = "normal"
    PAUSED = "paused"
    SLOW = "slow"


class Flaw(StrEnum):
    """What goes wrong with the repetitions of a set."""

    NONE = "none"
    ABORTED = "aborted"
    DOUBLE_DIP = "double dip"
    SOFT_LOCKOUT = "soft lockout"


class Asked(StrEnum):
    """What the pipeline is told of the exercise."""

    RIGHT = "right"
    NOTHING = "nothing"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Case:
    """One recording of the grid, and what the pipeline is told of it.

    Parameters
    ----------
    number
        Place in the grid.
    scenario, seed
        What the virtual athlete does.
    pace, flaw, asked
        As drawn.
    is_declared
        The pipeline knows the mounts.
    late_start_s
        The recording begins this long before the first movement, without the stillness before; 0 = whole.
    """

    number: int
    scenario: Scenario
    seed: int
    pace: Pace
    flaw: Flaw
    asked: Asked
    is_declared: bool
    late_start_s: float = 0.0

    @property
    def worn(self) -> str:
        """Sensors worn, in a word."""
        thighs = len(self.scenario.sensors) - 1
        return ("pelvis only", "pelvis + one thigh", "pelvis + thighs")[thighs]

    @property
    def quality(self) -> str:
        """Error model of the sensors."""
        return self.scenario.sensors[0].model

    @property
    def has_real_drop(self) -> bool:
        """The pelvis really drops, or opens, by ten degrees or more."""
        form = self.scenario.form
        return max(abs(form.pelvic_drop_deg), abs(form.hip_open_deg)) >= 10.0

    @property
    def is_slow_under_sway(self) -> bool:
        """Lowering so slow, and swaying so much, that sway hides where it begins."""
        sway = self.scenario.body.sway * MOVEMENTS[self.scenario.exercise].sway
        return self.scenario.tempo.eccentric_s >= 6.0 and sway >= 1.5


def draw(seed: int, number: int) -> Case:
    """Draw case ``number`` of a grid; it depends on nothing but the two numbers."""
    model = ("good", "cheap")[(number // len(LINES)) % 2]
    return _drawn(seed, number, LINES[number % len(LINES)], model)


def draw_single_leg_bridge(seed: int, number: int) -> Case:
    """Draw single-leg bridge ``number`` of a grid."""
    line = SINGLE_LEG_BRIDGES[number % len(SINGLE_LEG_BRIDGES)]
    model = ("good", "cheap")[(number // len(SINGLE_LEG_BRIDGES)) % 2]
    return _drawn(seed, _SINGLE_LEG_BRIDGES_FROM + number, line, model)


def _drawn(seed: int, number: int, line: tuple[Exercise, Side], model: str) -> Case:
    exercise, side = line
    generator = np.random.default_rng([seed, number])
    pace = Pace(str(generator.choice(list(Pace), p=(0.2, 0.35, 0.2, 0.25))))
    tempo = _tempo(pace, generator)
    flaws = [Flaw.NONE, Flaw.ABORTED, Flaw.SOFT_LOCKOUT, Flaw.DOUBLE_DIP]
    shares = [0.5, 0.15, 0.2, 0.15]
    if exercise in BRIDGES:
        flaws, shares = flaws[:3], [0.6, 0.2, 0.2]
    flaw = Flaw(str(generator.choice(flaws, p=shares)))
    sets = 2 if generator.random() < 0.2 else 1
    most = int((_LONGEST_S - 8.0) / sets / (tempo.repetition_s + 0.8))
    repetitions = int(np.clip(generator.integers(1, 11), 1, max(2, min(10, most))))
    if flaw is not Flaw.NONE:
        repetitions = max(3, repetitions)
    form = _form(exercise, flaw, repetitions, generator)
    is_declared = bool(generator.random() < 0.5)
    scenario = Scenario(
        exercise=exercise,
        side=side,
        repetitions=repetitions,
        sets=sets,
        rest_s=float(generator.uniform(10.0, 20.0)),
        lead_in_s=float(generator.uniform(2.8, 5.0)),
        rate_hz=float(generator.choice((50.0, 100.0, 100.0, 100.0, 100.0, 104.0, 200.0))),
        tempo=tempo,
        body=Body(
            stature_m=float(generator.uniform(1.5, 2.0)),
            sway=float(generator.uniform(0.5, 2.2)),
            tremor=float(generator.uniform(0.0, 3.0)),
            tempo_variation=float(generator.uniform(0.02, 0.12)),
            depth_variation=float(generator.uniform(0.02, 0.04 if exercise in DEEP else 0.10)),
            toe_out_deg=float(generator.uniform(-5.0, 20.0)),
        ),
        form=form,
        sensors=sensors_of(model, generator, is_declared=is_declared),
    )
    asked = Asked.RIGHT if generator.random() < 0.5 else Asked.NOTHING
    if exercise in (Exercise.SQUAT, Exercise.SIT_TO_STAND) and asked is Asked.RIGHT:
        asked = Asked(str(generator.choice([Asked.RIGHT, Asked.WRONG])))
    late = float(generator.uniform(0.3, 1.2)) if generator.random() < 0.08 else 0.0
    return Case(number, scenario, seed * 100_003 + number, pace, flaw, asked, is_declared, late)


def with_sliding_skin(case: Case) -> Case:
    """Return the same case on a body whose skin does not quite follow the bone: about 1° in a full hinge."""
    generator = np.random.default_rng([case.seed, 7])
    sensors = tuple(
        replace(worn, slide=float(np.clip(0.02 * generator.standard_normal(), -0.06, 0.06)))
        for worn in case.scenario.sensors
    )
    return replace(case, scenario=replace(case.scenario, sensors=sensors))


def _tempo(pace: Pace, generator: np.random.Generator) -> Tempo:
    low, high = {
        Pace.TOUCH_AND_GO: ((0.8, 0.0, 0.6, 0.0), (1.2, 0.0, 1.1, 0.2)),
        Pace.NORMAL: ((1.5, 0.0, 0.8, 0.4), (3.5, 1.0, 2.0, 2.0)),
        Pace.PAUSED: ((1.5, 2.0, 1.0, 2.0), (3.0, 5.0, 2.0, 5.0)),
        Pace.SLOW: ((4.0, 0.0, 1.0, 0.5), (9.0, 2.0, 3.0, 3.0)),
    }[pace]
    return Tempo(*(float(value) for value in generator.uniform(low, high)))


def _form(exercise: Exercise, flaw: Flaw, repetitions: int, generator: np.random.Generator) -> Form:
    movement = MOVEMENTS[exercise]
    if exercise in BRIDGES:
        form = Form(tilt_deg=movement.tilt_deg * float(generator.uniform(0.7, 1.15)))
    elif exercise is Exercise.MICRO_HINGE:
        # One to two inches of push-back: 3.5-6.9° of thigh, 10-20° of hip.
        form = Form(
            tilt_deg=float(generator.uniform(6.5, 13.0)), thigh_deg=float(generator.uniform(3.5, 6.9))
        )
    else:
        tilt = movement.tilt_deg * float(generator.uniform(0.8, 1.2))
        thigh = movement.thigh_deg * float(generator.uniform(0.8, 1.2))
        if exercise is Exercise.DEADLIFT:
            # Below a hinge share of 0.5 it would be squatting by definition.
            thigh = tilt * (1.0 / float(generator.uniform(0.53, 0.64)) - 1.0)
        elif exercise in DEEP:
            thigh = float(generator.uniform(54.0, 66.0))
        form = Form(
            tilt_deg=tilt,
            thigh_deg=thigh,
            shank_deg=movement.shank_deg + float(generator.uniform(-2.0, 2.0)),
        )
    if exercise is Exercise.SINGLE_LEG_GLUTE_BRIDGE:
        form = replace(form, pelvic_drop_deg=float(generator.uniform(0.0, 8.0)))
    if exercise is Exercise.SINGLE_LEG_DEADLIFT:
        drop, opening = float(generator.uniform(10.0, 20.0)), float(generator.uniform(10.0, 20.0))
        kind = generator.integers(4)
        if kind == 0:
            form = replace(form, pelvic_drop_deg=drop)
        elif kind == 1:
            form = replace(form, hip_open_deg=opening)
    if flaw is Flaw.ABORTED:
        after = sorted({int(n) for n in generator.integers(1, repetitions + 1, size=2)})
        form = replace(form, aborted_after=tuple(after), aborted_depth=float(generator.uniform(0.2, 0.45)))
    elif flaw is Flaw.DOUBLE_DIP:
        dips = sorted({int(n) for n in generator.integers(1, repetitions + 1, size=2)})
        form = replace(form, double_dip=tuple(dips))
    elif flaw is Flaw.SOFT_LOCKOUT:
        most = 3.0 if exercise is Exercise.MICRO_HINGE else 10.0 if exercise in BRIDGES else 15.0
        form = replace(
            form,
            soft_lockout_deg=float(generator.uniform(0.3 * most, most)),
            lockout_drift_deg=float(generator.uniform(0.0, 0.03 * most)),
        )
    return form


def sensors_of(model: str, generator: np.random.Generator, *, is_declared: bool) -> tuple[WornSensor, ...]:
    """Draw what is worn, where, and how well."""
    drawn = generator.random()
    placements = list(Placement)
    if drawn < 0.1:
        placements = [Placement.PELVIS]
    elif drawn < 0.2:
        placements = [Placement.PELVIS, Placement(str(generator.choice(placements[1:])))]
    return tuple(
        WornSensor(
            placement,
            _mount(placement, generator, is_declared=is_declared),
            model=model,
            upside_down=bool(generator.random() < 0.15),
            crooked_sd_deg=float(generator.choice((5.0, 5.0, 12.0))),
        )
        for placement in placements
    )


def _mount(placement: Placement, generator: np.random.Generator, *, is_declared: bool) -> Mount:
    if not is_declared and generator.random() < 0.4:
        return Mount.UNKNOWN  # clipped on at any angle at all
    if placement is Placement.PELVIS:
        return Mount(str(generator.choice([Mount.SACRUM, Mount.HIP_LEFT, Mount.HIP_RIGHT, Mount.BELLY])))
    return Mount(str(generator.choice([Mount.THIGH_LATERAL, Mount.THIGH_ANTERIOR])))
