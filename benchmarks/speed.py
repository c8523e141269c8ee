"""What the pipeline costs, as a multiple of vqf alone on the same samples in the same run.

Run from the root of the repository::

    python -m benchmarks.speed [--rounds N] [--athletes A] [--hours H]

CPU time of this process; the cases of a round follow one another in random order, and a ratio is the median
over rounds of case / reference of the same round. Two sensors are pelvis and left thigh, three both thighs.
The samples are a virtual athlete's Romanian deadlifts, a repetition every nine seconds, mounts unknown.
The stages are called by themselves on what a session hands them, in packets of ten. What happens only now and
then is timed inside a live run: finding out how the sensors sit, and measuring a repetition (twice: when it
closes, and a second later), of which the offline filter is a part; in batch both are printed apart from what
is held against the target. "The rest" is what the whole live pipeline takes beyond all these: events, passing
on. The model that names exercises and the compiled loops are loaded before anything is timed: that takes a
second, once a process, and ten the first time on a machine.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
from vqf import VQF

import hardware_sim
from analytics.alignment import PlacementAlignment, Stretch
from analytics.angle_block import AngleBlock
from analytics.angles import Goniometer
from analytics.batch import analyse
from analytics.calibration_session import CalibrationSession
from analytics.history import AlignedHistory
from analytics.imu import ImuBlock, Mount, Placement
from analytics.orientation import OrientationParameters, OrientationStage
from analytics.pipeline import AthleteSetup, MotionPipeline
from analytics.pipeline_output import CalibrationEvent, RepetitionEvent
from analytics.pipeline_setup import prepare_pipeline
from analytics.posture import Posture, PostureLatch
from analytics.recognition import prepare_recognition
from analytics.remeasurement import remeasured
from analytics.repetition_meter import RepetitionMeter
from analytics.repetitions import Driver, RepetitionCounter

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.calibration import SegmentCalibration
    from analytics.orientation import OrientationBlock

RATE_HZ = 100.0
LIVE_TARGETS = {10: 3.5, 20: 2.5}
BATCH, LIVE = "batch, whole pipeline", "live, whole pipeline, {} samples a packet"
AGAIN = "of measuring, the offline filter once"
MEASURING, CALIBRATING = "measuring repetitions", "calibrating"
APART = f"of batch, {MEASURING}"
BATCH_TARGET, REAL_TIME_TARGET, GROWTH_TARGET_MB = 1.6, 8000.0, 20.0


@dataclass(frozen=True)
class Session:
    """Samples of one athlete, cut in advance where a packet ends."""

    setup: AthleteSetup
    whole: list[ImuBlock]

    @property
    def seconds(self) -> float:
        """Length, s."""
        return len(self.whole[0]) / RATE_HZ

    def packets(self, samples: int, shift_ns: int = 0) -> list[ImuBlock]:
        """Cut into packets, all sensors side by side."""
        n = len(self.whole[0])
        return [
            ImuBlock(
                placement=block.placement,
                start_time_ns=block.time_ns(start) + shift_ns,
                sampling_rate_hz=RATE_HZ,
                acc_m_s2=block.acc_m_s2[start : start + samples],
                gyr_rad_s=block.gyr_rad_s[start : start + samples],
            )
            for start in range(0, n, samples)
            for block in self.whole
        ]


def session(sensors: int) -> Session:
    """Let the virtual athlete train."""
    scenario = hardware_sim.load_scenario("romanian_deadlift")
    scenario = replace(scenario, sensors=scenario.sensors[:sensors], sets=2, rest_s=20.0, duration_s=None)
    performance = hardware_sim.simulate(scenario, 1)
    columns = hardware_sim.trace_columns(performance)
    whole = [
        ImuBlock(
            placement=Placement(worn.placement),
            start_time_ns=0,
            sampling_rate_hz=RATE_HZ,
            acc_m_s2=np.stack([columns[f"{worn.placement}_a{axis}"] for axis in "xyz"], axis=1),
            gyr_rad_s=np.stack([columns[f"{worn.placement}_g{axis}"] for axis in "xyz"], axis=1),
        )
        for worn in scenario.sensors
    ]
    return Session(AthleteSetup({block.placement: Mount.UNKNOWN for block in whole}), whole)


def vqf_alone(of: Session) -> None:
    """Do what everything is compared with."""
    for block in of.whole:
        VQF(1.0 / RATE_HZ).updateBatch(block.gyr_rad_s, block.acc_m_s2)


def live(of: Session, samples: int, athletes: int) -> None:
    """Push packets of several athletes in turn, as they come in."""
    pipelines = [MotionPipeline(of.setup) for _ in range(athletes)]
    n = len(of.whole[0])
    for start in range(0, n, samples):
        for pipeline in pipelines:
            for block in of.whole:
                pipeline.push(
                    ImuBlock(
                        placement=block.placement,
                        start_time_ns=block.time_ns(start),
                        sampling_rate_hz=RATE_HZ,
                        acc_m_s2=block.acc_m_s2[start : start + samples],
                        gyr_rad_s=block.gyr_rad_s[start : start + samples],
                    )
                )
    for pipeline in pipelines:
        pipeline.flush()


def cpu_s(work: Callable[[], object]) -> float:
    """CPU time of one call, s."""
    gc.collect()
    started = time.process_time()
    work()
    return time.process_time() - started


def ratios(
    cases: dict[str, Callable[[], object]], reference: str, rounds: int
) -> dict[str, tuple[float, float]]:
    """Median CPU time and median ratio to the reference, cases shuffled in every round."""
    generator = np.random.default_rng(1)
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name in generator.permutation(list(cases)):
            times[str(name)].append(cpu_s(cases[str(name)]))
    base = np.array(times[reference])
    return {name: (float(np.median(t)), float(np.median(np.array(t) / base))) for name, t in times.items()}


@dataclass
class Stages:
    """Inputs of each stage, taken on the way through a session, to call the stages alone."""

    session: Session
    samples: int

    def __post_init__(self) -> None:
        self.packets = self.session.packets(self.samples)
        self.oriented = self._orient()
        self.aligned = self._align()
        output = analyse(self.session.whole, self.session.setup)
        self.calibrations: dict[Placement, SegmentCalibration] = {
            event.calibration.placement: event.calibration
            for event in output.events
            if isinstance(event, CalibrationEvent)
        }
        self.repetitions = [event for event in output.events if isinstance(event, RepetitionEvent)]
        self.angles = self._angles()

    def _orient(self) -> list[OrientationBlock]:
        stages = {block.placement: OrientationStage(block.placement) for block in self.session.whole}
        return [oriented for packet in self.packets for oriented in stages[packet.placement].push(packet)]

    def _align(self) -> tuple[list[Stretch], AlignedHistory]:
        history = AlignedHistory(self.session.setup.mounts)
        alignment = PlacementAlignment(self.session.setup.mounts, history)
        stretches: list[Stretch] = []
        for oriented in self.oriented:
            alignment.note_input(
                oriented.placement,
                oriented.start_time_ns,
                oriented.start_time_ns + round(len(oriented) * 1e9 / RATE_HZ),
            )
            alignment.push(oriented)
            stretches.extend(alignment.pop())
        return stretches, history

    def _angles(self) -> list[AngleBlock]:
        angles, rotation = [], None
        stretches, history = self.aligned
        goniometer = Goniometer(self.calibrations)
        for stretch in stretches:
            values, flags = history.columns(stretch.first_index, stretch.end_index)
            columns, rotation = goniometer.read(values, flags, rotation)
            nobody = np.zeros(len(flags[0]), dtype=np.bool_)
            start_ns = history.time_ns(stretch.first_index)
            angles.append(AngleBlock.of_columns(start_ns, RATE_HZ, 0.0, columns, nobody))
        return angles

    def _latch(self) -> None:
        latch = PostureLatch(Posture.STANDING)
        for part in self.angles:
            latch.push(part.pelvic_tilt_deg, part.thigh_flexion_left_deg, part.gyr_segment_rad_s, RATE_HZ)

    def _count(self) -> None:
        counter = RepetitionCounter(Driver.worn(self.session.setup.mounts))
        for part in self.angles:
            counter.push(part)

    def measure_again(self) -> None:
        """Run the offline filter as measuring the repetitions does."""
        _, history = self.aligned
        for event in self.repetitions:
            if event.revision < 2:
                first = round((event.repetition.start_ns * 1e-9 - 3.0) * RATE_HZ)
                last = round((event.repetition.close_ns * 1e-9 + 1.0) * RATE_HZ)
                window = history.window(first, last)
                assert window is not None
                remeasured(window, OrientationParameters())

    def cases(self) -> dict[str, Callable[[], object]]:
        """Each stage by itself, at this packet size."""
        return {
            "samples into blocks": lambda: self.session.packets(self.samples),
            "orientation": self._orient,
            "alignment of the sensors": self._align,
            "angles": self._angles,
            "posture": self._latch,
            "counting and gate": self._count,
        }


class Inside:
    """CPU time spent in methods during one call, s.

    Parameters
    ----------
    methods
        Class and name of each method, by what its time is called.
    """

    def __init__(self, methods: dict[str, tuple[type, tuple[str, ...]]]) -> None:
        self._methods = methods
        self.seconds = dict.fromkeys(methods, 0.0)

    def run(self, work: Callable[[], object]) -> dict[str, float]:
        """Call; return the time of each."""
        with ExitStack() as undo:
            for label, (owner, names) in self._methods.items():
                for name in names:
                    undo.enter_context(patch.object(owner, name, self._timed(label, getattr(owner, name))))
            work()
        return self.seconds

    def _timed(self, label: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            started = time.process_time()
            try:
                return method(*arguments, **named)
            finally:
                self.seconds[label] += time.process_time() - started

        return timed


def now_and_then(work: Callable[[], object], rounds: int) -> dict[str, float]:
    """CPU time, s, of what is done only when something happened, within a run."""
    seconds = [
        Inside(
            {
                MEASURING: (RepetitionMeter, ("measure",)),
                CALIBRATING: (CalibrationSession, ("search", "learn", "join")),
            }
        ).run(work)
        for _ in range(rounds)
    ]
    return {label: float(np.median([each[label] for each in seconds])) for label in seconds[0]}


def growth_mb(of: Session, hours: float) -> float:
    """Growth of this process, MB, over a live session of many hours, after its first quarter of an hour."""
    pipeline = MotionPipeline(of.setup)
    seconds, settled_mb = 0.0, 0.0
    while seconds < hours * 3600.0:
        for packet in of.packets(20, round(seconds * 1e9)):
            pipeline.push(packet)
        seconds += of.seconds
        if not settled_mb and seconds >= 900.0:
            gc.collect()
            settled_mb = _resident_mb()
    gc.collect()
    return _resident_mb() - settled_mb


def _resident_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _report(of: Session, rounds: int, athletes: int) -> dict[str, tuple[float, float]]:
    """Print the table of one number of sensors; return CPU seconds and ratio of each case, an athlete."""
    stages = Stages(of, 10)
    measured = ratios(
        {
            "vqf alone": partial(vqf_alone, of),
            AGAIN: stages.measure_again,
            BATCH: partial(analyse, of.whole, of.setup),
            **{LIVE.format(samples): partial(live, of, samples, athletes) for samples in LIVE_TARGETS},
            **{f"stage: {name}": work for name, work in stages.cases().items()},
        },
        "vqf alone",
        rounds,
    )
    for samples in LIVE_TARGETS:
        seconds, ratio = measured[LIVE.format(samples)]
        measured[LIVE.format(samples)] = (seconds / athletes, ratio / athletes)
    reference_s = measured["vqf alone"][0]
    apart = now_and_then(partial(analyse, of.whole, of.setup), rounds)[MEASURING]
    measured[APART] = (apart, apart / reference_s)
    for label, seconds in now_and_then(partial(live, of, 10, 1), rounds).items():
        measured[f"stage: {label}"] = (seconds, seconds / reference_s)
    parts = [value for name, value in measured.items() if name.startswith("stage: ")]
    whole = measured[LIVE.format(10)]
    measured["the rest"] = (whole[0] - sum(p[0] for p in parts), whole[1] - sum(p[1] for p in parts))
    print(f"### {len(of.whole)} sensors, {of.seconds:.0f} s at {RATE_HZ:g} Hz, {rounds} rounds, ", end="")
    print(f"{athletes} athletes in one process\n")
    print("| case | CPU ms an athlete | / vqf alone | x real time = athletes a core |")
    print("|---|---|---|---|")
    for name, (seconds, ratio) in measured.items():
        print(f"| {name} | {1e3 * seconds:.1f} | {ratio:.2f} | {of.seconds / seconds:.0f} |")
    print()
    return measured


def main() -> int:
    """Print the tables; 0 if every target is met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--athletes", type=int, default=3, help="athletes in one process, live")
    parser.add_argument("--hours", type=float, default=0.0, help="also watch memory over a session so long")
    arguments = parser.parse_args()
    verdicts: list[tuple[str, bool]] = []
    prepare_pipeline()
    prepare_recognition()
    two, three = session(2), session(3)
    with_two = _report(two, arguments.rounds, arguments.athletes)
    measured = _report(three, arguments.rounds, arguments.athletes)
    for samples, most in LIVE_TARGETS.items():
        ratio, measuring = measured[LIVE.format(samples)][1], measured[f"stage: {MEASURING}"][1]
        text = f"live / vqf alone, {samples} samples: {ratio:.1f} (<= {most})"
        text += f", of which {MEASURING} {measuring:.1f}"
        verdicts.append((text, ratio <= most))
    apart, batch = measured[APART][1], measured[BATCH][1]
    text = (
        f"batch / vqf alone: {batch - apart:.1f} (<= {BATCH_TARGET}), apart from {apart:.1f} for {MEASURING}"
    )
    text += f" (the offline filter once: {measured[AGAIN][1]:.1f}); together {batch:.1f}"
    verdicts.append((text, batch - apart <= BATCH_TARGET))
    whole_s, apart_s = with_two[BATCH][0], with_two[APART][0]
    speed = two.seconds / (whole_s - apart_s)
    text = f"batch, two sensors: {speed:.0f} x real time (>= {REAL_TIME_TARGET:g}) apart from {MEASURING}"
    text += f"; together {two.seconds / whole_s:.0f}"
    verdicts.append((text, speed >= REAL_TIME_TARGET))
    if arguments.hours:
        grown = growth_mb(three, arguments.hours)
        text = (
            f"growth over {arguments.hours:g} h live, after 15 min: {grown:.1f} MB (< {GROWTH_TARGET_MB:g})"
        )
        verdicts.append((text, grown < GROWTH_TARGET_MB))
    for text, is_met in verdicts:
        print(f"{'met   ' if is_met else 'MISSED'} {text}")
    return 0 if all(is_met for _, is_met in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
