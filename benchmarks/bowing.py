"""Count and time real hip hinges: 6 people, 5 recordings each, 3 bows a recording.

Run from the root of the repository::

    python -m benchmarks.bowing

The recordings (torso sensor, read as a pelvis sensor of unknown mount) are not part of the project; they are
looked for in ``../shared/data/bowing_vicon``. The bottom of a repetition is the time of its largest angle.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analytics.batch import analyse
from analytics.imu import ImuBlock, Mount, Placement
from analytics.pipeline import AthleteSetup, MotionPipeline
from analytics.pipeline_output import PipelineOutput, RepetitionEvent
from analytics.timebase import GridResampler

RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "data" / "bowing_vicon"
RATE_HZ = 100.0


@dataclass(frozen=True)
class Trial:
    """One recording, measured: times in s on the recording's own clock."""

    name: str
    bottoms_s: list[float]
    truth_s: list[float]
    tilt_range_deg: list[float]
    is_live_equal: bool
    speed: float

    @property
    def errors_s(self) -> list[float]:
        """Measured - listed bottom, paired in order; empty where the count is wrong."""
        if len(self.bottoms_s) != len(self.truth_s):
            return []
        return [bottom - truth for bottom, truth in zip(self.bottoms_s, self.truth_s, strict=True)]


def blocks_of(path: Path) -> list[ImuBlock]:
    """Read the torso sensor of a recording as blocks on an even grid."""
    table = pd.read_parquet(path)
    resampler = GridResampler(Placement.PELVIS, RATE_HZ)
    columns = {name: table[[f"torso_{name}{axis}" for axis in "xyz"]].to_numpy(np.float64) for name in "ag"}
    times_ns = np.rint(table["t"].to_numpy(np.float64) * 1e9).astype(np.int64)
    return [*resampler.push(times_ns, columns["a"], columns["g"]), *resampler.flush()]


def last_revisions(output: PipelineOutput) -> list[RepetitionEvent]:
    """Return the newest revision of each repetition, in order."""
    newest: dict[tuple[int, int], RepetitionEvent] = {}
    for event in output.events:
        if isinstance(event, RepetitionEvent):
            newest[event.repetition.set_number, event.repetition.repetition_number] = event
    return [newest[key] for key in sorted(newest)]


def bottom_s(event: RepetitionEvent) -> float:
    """Time of the largest tilt of a repetition, s."""
    return event.angles.time_ns(int(np.nanargmax(event.angles.pelvic_tilt_deg))) / 1e9


def live_repetitions(blocks: list[ImuBlock], samples: int) -> list[RepetitionEvent]:
    """Push a recording in packets of a few samples, as a sensor sends them."""
    pipeline = MotionPipeline(AthleteSetup({Placement.PELVIS: Mount.UNKNOWN}))
    events = []
    for block in blocks:
        for start in range(0, len(block), samples):
            part = ImuBlock(
                placement=block.placement,
                start_time_ns=block.time_ns(start),
                sampling_rate_hz=block.sampling_rate_hz,
                acc_m_s2=block.acc_m_s2[start : start + samples],
                gyr_rad_s=block.gyr_rad_s[start : start + samples],
                gap_before_s=block.gap_before_s if start == 0 else 0.0,
            )
            events.extend(pipeline.push(part).events)
    events.extend(pipeline.flush().events)
    return last_revisions(PipelineOutput(events=tuple(events)))


def measure(path: Path, truth: pd.DataFrame) -> Trial:
    """Run one recording, whole and in packets."""
    blocks = blocks_of(path)
    started = time.perf_counter()
    whole = last_revisions(analyse(blocks, AthleteSetup({Placement.PELVIS: Mount.UNKNOWN})))
    took_s = time.perf_counter() - started
    live = live_repetitions(blocks, samples=10)
    return Trial(
        name=path.stem,
        bottoms_s=[bottom_s(event) for event in whole],
        truth_s=truth.loc[truth["trial"] == path.stem, "t_bottom"].tolist(),
        tilt_range_deg=[event.repetition.pelvic_tilt_range_deg or np.nan for event in whole],
        is_live_equal=[event.repetition for event in whole] == [event.repetition for event in live],
        speed=sum(map(len, blocks)) / RATE_HZ / took_s,
    )


def main() -> int:
    """Print the table; 0 if every recording gives three repetitions and the bottoms agree."""
    files = sorted(RECORDINGS.glob("S0[1-6]_T[1-5].parquet"))
    if not files:
        print(f"no recordings in {RECORDINGS}: nothing to measure", file=sys.stderr)
        return 2
    truth = pd.read_csv(RECORDINGS / "reps.csv")
    print(f"{'trial':8} {'counted':>7}  {'bottom error, s':>22}  {'tilt range, deg':>20}  live = batch")
    trials = []
    for path in files:
        trial = measure(path, truth)
        trials.append(trial)
        errors = " ".join(f"{error:+7.3f}" for error in trial.errors_s) or "count differs"
        ranges = " ".join(f"{value:6.1f}" for value in trial.tilt_range_deg)
        equal = "yes" if trial.is_live_equal else "NO"
        print(f"{trial.name:8} {len(trial.bottoms_s):7d}  {errors:>22}  {ranges:>20}  {equal}")
    errors_s = np.abs([error for trial in trials for error in trial.errors_s])
    right = sum(len(trial.bottoms_s) == len(trial.truth_s) == 3 for trial in trials)
    equal_trials = sum(trial.is_live_equal for trial in trials)
    print(
        f"{right} of {len(trials)} with 3 repetitions; |bottom error| median {np.median(errors_s):.3f} s, "
        f"p95 {np.percentile(errors_s, 95):.3f} s, largest {errors_s.max():.3f} s; "
        f"live = batch in {equal_trials}; {np.median([trial.speed for trial in trials]):.0f} x real time"
    )
    return 0 if right == equal_trials == len(trials) and np.median(errors_s) <= 0.1 else 1


if __name__ == "__main__":
    sys.exit(main())
