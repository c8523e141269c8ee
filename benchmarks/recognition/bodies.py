"""Sets that the model learns from: the virtual athlete's exact angles over ranges wider than anatomy.

Never its waveforms: only how far pelvis and thighs go, blurred by more than sensors err and by the difference
of a person's two legs. That difference was measured: between people's legs rising from a chair it is 3.0
degrees (root mean square of five people's medians, ui_prmd_vicon), more than a kickstand's rear thigh shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import hardware_sim
from analytics.set_look import togetherness
from hardware_sim.exercises import MOVEMENTS, Exercise
from hardware_sim.scenario import Body, Form, Scenario, Side, Tempo

if TYPE_CHECKING:
    from analytics.imu import FloatArray

TAUGHT = (
    Exercise.ROMANIAN_DEADLIFT,
    Exercise.DEADLIFT,
    Exercise.HIP_HINGE,
    Exercise.KICKSTAND_DEADLIFT,
    Exercise.MICRO_HINGE,
    Exercise.SQUAT,
    Exercise.SIT_TO_STAND,
)
RATE_HZ = 50.0
SENSOR_SD_DEG = 2.0
LEG_DIFFERENCE_SD_DEG = 3.0
BLURRED_TIMES = 10
# The virtual athlete's thigh has no defined frame where it points along the toes.
_LARGEST_STEP_DEG = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """Sets of many bodies.

    Parameters
    ----------
    features
        Shape (n, 3), in the order of `analytics.exercise_model.FEATURES`.
    exercises
        Codes, shape (n,).
    bodies
        Number of the body each row is of, shape (n,): rows of one body belong together.
    """

    features: FloatArray
    exercises: np.ndarray
    bodies: np.ndarray


def draw_sets(bodies: int, seed: int) -> Taught:
    """Let many bodies do one exercise each, and look at every one of them through many bad sensors.

    Parameters
    ----------
    bodies
        How many; the exercises take turns.
    seed
        Same seed, same sets.
    """
    features, exercises, numbers = [], [], []
    for number in range(bodies):
        exercise = TAUGHT[number % len(TAUGHT)]
        generator = np.random.default_rng([seed, number])
        bends = _bends(_scenario(exercise, generator), seed * 1_000_003 + number)
        if bends is None:
            continue
        for _ in range(BLURRED_TIMES):
            features.append(_features(bends, generator))
            exercises.append(str(exercise))
            numbers.append(number)
    return Taught(np.array(features), np.array(exercises), np.array(numbers))


def _scenario(exercise: Exercise, generator: np.random.Generator) -> Scenario:
    movement = MOVEMENTS[exercise]
    one_sided = exercise is Exercise.KICKSTAND_DEADLIFT
    tilt, thigh = _depth(exercise, generator)
    soft_deg = 0.0
    if exercise is not Exercise.MICRO_HINGE and generator.random() < 0.25:
        soft_deg = float(generator.uniform(0.0, 15.0))
    is_deep = exercise in (Exercise.SQUAT, Exercise.SIT_TO_STAND)
    return Scenario(
        exercise=exercise,
        side=Side(str(generator.choice(["left", "right"]))) if one_sided else Side.BOTH,
        repetitions=2,
        lead_in_s=2.6,
        lead_out_s=1.0,
        rate_hz=RATE_HZ,
        tempo=Tempo(*(float(v) for v in generator.uniform((0.8, 0.0, 0.6, 0.2), (2.5, 0.5, 2.0, 1.0)))),
        body=Body(
            stature_m=float(generator.uniform(1.4, 2.1)),
            sway=float(generator.uniform(0.0, 3.0)),
            tremor=float(generator.uniform(0.0, 5.0)),
            tempo_variation=0.1,
            depth_variation=float(generator.uniform(0.02, 0.04 if is_deep else 0.12)),
            toe_out_deg=float(generator.uniform(-10.0, 30.0)),
        ),
        form=Form(
            tilt_deg=tilt,
            thigh_deg=thigh,
            shank_deg=movement.shank_deg + float(generator.uniform(-5.0, 5.0)),
            soft_lockout_deg=soft_deg,
            pelvic_drop_deg=float(generator.uniform(-8.0, 8.0)),
            hip_open_deg=float(generator.uniform(-8.0, 8.0)),
        ),
    )


def _depth(exercise: Exercise, generator: np.random.Generator) -> tuple[float, float]:
    """Tilt and thigh flexion at full depth, degrees."""
    movement = MOVEMENTS[exercise]
    if exercise is Exercise.MICRO_HINGE:
        return float(generator.uniform(5.0, 15.0)), float(generator.uniform(2.5, 8.0))
    if exercise is Exercise.SQUAT:
        return float(generator.uniform(14.0, 42.0)), float(generator.uniform(38.0, 70.0))
    if exercise is Exercise.SIT_TO_STAND:
        return float(generator.uniform(-12.0, 8.0)), float(generator.uniform(38.0, 70.0))
    tilt = movement.tilt_deg * float(generator.uniform(0.7, 1.35))
    if exercise is Exercise.DEADLIFT:
        return tilt, tilt * (1.0 / float(generator.uniform(0.5, 0.66)) - 1.0)
    return tilt, movement.thigh_deg * float(generator.uniform(0.65, 1.4))


def _bends(scenario: Scenario, seed: int) -> FloatArray | None:
    """Median over the repetitions of what `_features` needs, shape (8,); ``None``: the truth jumps."""
    truth = hardware_sim.simulate(scenario, seed).truth
    tilt = truth.angles.pelvic_tilt_deg
    thighs = truth.angles.thigh_flexion_left_deg, truth.angles.thigh_flexion_right_deg
    if max(float(np.max(np.abs(np.diff(thigh)))) for thigh in thighs) > _LARGEST_STEP_DEG:
        return None
    rows = []
    for repetition in truth.repetitions:
        whole = slice(
            int(repetition.eccentric_start_s * RATE_HZ), int(repetition.concentric_end_s * RATE_HZ) + 1
        )
        t, left, right = tilt[whole], thighs[0][whole], thighs[1][whole]
        far = int(np.argmax(t + 0.5 * (left + right)))
        depths = [column[far] for column in (t, left, right)]
        ranges = [np.ptp(column) for column in (t, left, right, t + left, t + right)]
        rows.append([*depths, *ranges])
    return np.median(rows, axis=0) if rows else None


def _features(bends: FloatArray, generator: np.random.Generator) -> FloatArray:
    """Features as `analytics.set_look` takes them, seen through bad sensors on uneven legs."""
    uneven = 0.5 * LEG_DIFFERENCE_SD_DEG * generator.standard_normal() * np.array((0.0, 1.0, -1.0))
    tilt, left, right = bends[:3] + uneven + SENSOR_SD_DEG * generator.standard_normal(3)
    tilt_range, *others = bends[3:] + SENSOR_SD_DEG * generator.standard_normal(5)
    together = togetherness(
        float(np.mean(others[2:])), max(0.0, tilt_range), max(0.0, float(np.mean(others[:2])))
    )
    return np.array((tilt, 0.5 * (left + right), 1.0 if together is None else together))
