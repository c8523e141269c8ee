"""Hours of samples, cheaply: a body that stands still, and sets of a virtual athlete in between."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from hardware_sim import athlete, worn_sensors
from hardware_sim.errors import ScenarioError

if TYPE_CHECKING:
    from hardware_sim.chaos import ChaosScenario
    from hardware_sim.recording_source import SampleSource
    from hardware_sim.scenario import Scenario

_NOISE_COUNTS = 3
_STILL_S = 1.0  # at the beginning of a set


@dataclass(frozen=True, slots=True, eq=False)
class ChaosSources:
    """What the sensors of a scenario play.

    Parameters
    ----------
    sources
        One a sensor.
    set_s
        How long a set takes, s; 0 where nobody moves.
    n_repetitions
        How many repetitions one set has.
    """

    sources: tuple[SampleSource, ...]
    set_s: float
    n_repetitions: int


def chaos_sources(scenario: ChaosScenario) -> ChaosSources:
    """Make what the sensors of a scenario play.

    No two stretches of samples are alike, so that a sample in the wrong place is seen.

    Raises
    ------
    ScenarioError
        A set that does not end before the scenario, or before the next one.
    """
    moving, set_s, n_repetitions = _set_of(scenario.athlete, scenario.seed)
    starts_s = scenario.sets_at_s
    for start_s, next_s in pairwise((*starts_s, scenario.duration_s)):
        if start_s + set_s > next_s:
            raise ScenarioError(
                f"the set at {start_s:g} s takes {set_s:.1f} s: it must end before {next_s:g} s"
            )
    return ChaosSources(
        sources=tuple(_spread(source, scenario) for source in moving),
        set_s=set_s if starts_s else 0.0,
        n_repetitions=n_repetitions if starts_s else 0,
    )


@functools.lru_cache(maxsize=4)
def _set_of(asked: Scenario, seed: int) -> tuple[tuple[SampleSource, ...], float, int]:
    performance = athlete.simulate(asked, seed)
    sources = worn_sensors.sample_sources(performance)
    return sources, performance.duration_s, len(performance.truth.repetitions)


def _spread(moving: SampleSource, scenario: ChaosScenario) -> SampleSource:
    """Put one sensor's samples of a set where the sets are, and stillness everywhere else."""
    steps = np.arange(round(scenario.duration_s * moving.rate.hz))
    generator = np.random.default_rng([scenario.seed, *moving.sensor_id.encode()])
    noise = generator.integers(-_NOISE_COUNTS, _NOISE_COUNTS + 1, (len(steps), 6), dtype=np.int16)
    still = np.rint(moving.counts[: round(_STILL_S * moving.rate.hz)].mean(axis=0)).astype(np.int16)
    counts = still + noise
    for start_s in scenario.sets_at_s:
        first = round(start_s * moving.rate.hz)
        counts[first : first + len(moving)] = moving.counts
    first_us, last_us = int(moving.device_time_us[0]), int(moving.device_time_us[-1])
    period_us = (last_us - first_us) / (len(moving) - 1)
    return replace(
        moving,
        device_time_us=first_us + np.rint(steps * period_us).astype(np.int64),
        counts=counts,
        true_time_s=steps * float(moving.elapsed_s[-1]) / (len(moving) - 1),
    )
