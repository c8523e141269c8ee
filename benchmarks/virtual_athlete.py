"""Angles and repetitions against the virtual athlete's exact truth.

Run from the root of the repository::

    python -m benchmarks.virtual_athlete [--seeds N] [--scenario NAME]

Live: as published while it happens. Finished: measured again over the finished repetition. Errors are root
mean squares inside the true repetitions, degrees, relative to calibrated standing (bridges: to the mount).
Before the first repetition of an unknown mount has closed, nothing live has a sign.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

import hardware_sim
from analytics.batch import analyse
from analytics.exercises import Exercise, Side
from analytics.imu import ImuBlock, Mount, Placement
from analytics.pipeline import AthleteSetup
from analytics.pipeline_output import RepetitionEvent
from analytics.prescription import Prescription

if TYPE_CHECKING:
    from analytics.angles import AngleBlock

SCENARIOS = ("romanian_deadlift", "single_leg_deadlift_left", "micro_hinge", "squat", "glute_bridge")
ANGLES = ("pelvic_tilt_deg", "pelvic_obliquity_deg", "hip_flexion_left_deg", "thigh_flexion_left_deg")


@dataclass(frozen=True)
class Score:
    """Errors of one recording, degrees; s where the name says so."""

    counted: int
    true: int
    live: dict[str, float]
    finished: dict[str, float]
    tilt_range: float
    hip_range: float
    eccentric_s: float


def sensors_of(scenario: hardware_sim.Scenario, model: str) -> hardware_sim.Scenario:
    """Give all worn sensors one quality."""
    return replace(scenario, sensors=tuple(replace(worn, model=model) for worn in scenario.sensors))


def blocks_of(performance: hardware_sim.Performance) -> list[ImuBlock]:
    """Turn what the virtual sensors sensed into blocks, one a sensor."""
    columns = hardware_sim.trace_columns(performance)
    rate_hz = performance.scenario.rate_hz
    return [
        ImuBlock(
            placement=Placement(worn.placement),
            start_time_ns=0,
            sampling_rate_hz=rate_hz,
            acc_m_s2=np.stack([columns[f"{worn.placement}_a{axis}"] for axis in "xyz"], axis=1),
            gyr_rad_s=np.stack([columns[f"{worn.placement}_g{axis}"] for axis in "xyz"], axis=1),
        )
        for worn in performance.scenario.sensors
    ]


def setup_of(performance: hardware_sim.Performance, *, is_known: bool, is_asked: bool = True) -> AthleteSetup:
    """Who wears what: mounts as worn, or unknown."""
    scenario = performance.scenario
    prescription = Prescription(Exercise(scenario.exercise), side=Side(scenario.side)) if is_asked else None
    return AthleteSetup(
        {
            Placement(worn.placement): Mount(worn.mount) if is_known else Mount.UNKNOWN
            for worn in scenario.sensors
        },
        prescription,
    )


def score(performance: hardware_sim.Performance, *, is_known: bool) -> Score:
    """Run one recording and compare."""
    output = analyse(blocks_of(performance), setup_of(performance, is_known=is_known))
    newest: dict[tuple[int, int], RepetitionEvent] = {}
    for event in output.events:
        if isinstance(event, RepetitionEvent):
            newest[event.repetition.set_number, event.repetition.repetition_number] = event
    events = [newest[key] for key in sorted(newest)]
    truth = performance.truth
    ranges, hips, eccentrics = [], [], []
    if len(events) == len(truth.repetitions):
        for event, true in zip(events, truth.repetitions, strict=True):
            measured = event.repetition
            ranges.append((measured.pelvic_tilt_range_deg or np.nan) - true.pelvic_tilt_range_deg)
            hips.append((measured.hip_flexion_left_range_deg or np.nan) - true.hip_flexion_left_range_deg)
            eccentrics.append((measured.eccentric_s or np.nan) - true.eccentric_s)
    return Score(
        counted=len(events),
        true=len(truth.repetitions),
        live=_errors(performance, output.angles),
        finished=_errors(performance, [event.angles for event in events]),
        tilt_range=_largest(ranges),
        hip_range=_largest(hips),
        eccentric_s=_largest(eccentrics),
    )


def _largest(values: list[float]) -> float:
    return float(np.max(np.abs(values))) if values else np.nan


def _errors(
    performance: hardware_sim.Performance, blocks: list[AngleBlock] | tuple[AngleBlock, ...]
) -> dict[str, float]:
    truth = performance.truth
    is_inside = np.zeros(len(truth.time_s), dtype=np.bool_)
    for r in truth.repetitions:
        start = min(r.eccentric_true_start_s, r.concentric_true_start_s)
        end = max(r.eccentric_true_end_s, r.concentric_true_end_s)
        is_inside |= (truth.time_s >= start) & (truth.time_s <= end)
    errors: dict[str, list[np.ndarray]] = {name: [] for name in ANGLES}
    for block in blocks:
        start = round(block.start_time_ns * 1e-9 * performance.scenario.rate_hz)
        n = min(len(block), len(truth.time_s) - start)
        inside = is_inside[start : start + n]
        for name in ANGLES:
            difference = getattr(block, name)[:n] - getattr(truth.angles, name)[start : start + n]
            errors[name].append(difference[inside])
    joined = {name: np.concatenate(parts) if parts else np.zeros(0) for name, parts in errors.items()}
    return {
        name: float(np.sqrt(np.nanmean(values**2))) if np.isfinite(values).any() else np.nan
        for name, values in joined.items()
    }


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--scenario", choices=SCENARIOS, action="append")
    arguments = parser.parse_args()
    print(
        "largest error of a repetition: tilt and hip range (deg), eccentric (s); RMSE finished / live (deg)"
    )
    print(
        f"{'exercise':26}{'sensor':7}{'mount':9}{'counted':>8}{'tilt rg':>8}{'hip rg':>8}{'ecc s':>7}"
        f"{'tilt':>13}{'obliquity':>13}{'hip left':>13}{'thigh left':>13}"
    )
    for name in arguments.scenario or SCENARIOS:
        scenario = hardware_sim.load_scenario(name)
        performances = [hardware_sim.simulate(scenario, seed) for seed in range(arguments.seeds)]
        for model in ("good", "cheap"):
            for is_known in (True, False):
                scores = [
                    score(replace(p, scenario=sensors_of(p.scenario, model)), is_known=is_known)
                    for p in performances
                ]
                finished = [float(np.nanmedian([s.finished[angle] for s in scores])) for angle in ANGLES]
                live = [float(np.nanmedian([s.live[angle] for s in scores])) for angle in ANGLES]
                pairs = "".join(f"{f:7.2f}/{v:5.2f}" for f, v in zip(finished, live, strict=True))
                print(
                    f"{name:26}{model:7}{'known' if is_known else 'unknown':9}"
                    f"{sum(s.counted for s in scores):4d}/{sum(s.true for s in scores):3d}"
                    f"{np.max([s.tilt_range for s in scores]):8.2f}"
                    f"{np.max([s.hip_range for s in scores]):8.2f}"
                    f"{np.max([s.eccentric_s for s in scores]):7.3f}{pairs}",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
