"""The virtual athlete walks: nothing of it is a repetition."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

import hardware_sim
from analytics.batch import analyse
from analytics.imu import Mount, Placement
from analytics.pipeline import AthleteSetup
from benchmarks.accuracy.events import verdicts
from benchmarks.accuracy.layout import number, table
from benchmarks.accuracy.virtual_set import blocks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.accuracy.virtual_set import Row


def walking_row(seed: int, number: int, *, with_thighs: bool) -> Row:
    """Let the virtual athlete walk for a minute; nothing of it is a repetition."""
    generator = np.random.default_rng([seed, 900_000 + number])
    scenario = hardware_sim.load_scenario("walking")
    sensors = tuple(
        replace(worn, model=("good", "cheap")[number % 2], upside_down=bool(generator.random() < 0.15))
        for worn in scenario.sensors
    )
    scenario = replace(
        scenario, sensors=sensors if with_thighs else sensors[:1], moving_s=60.0, duration_s=None
    )
    performance = hardware_sim.simulate(scenario, seed * 7919 + number)
    setup = AthleteSetup({Placement(worn.placement): Mount.UNKNOWN for worn in scenario.sensors})
    said = verdicts(analyse(blocks_of(performance), setup))
    return {
        "worn": "pelvis + thighs" if with_thighs else "pelvis only",
        "seconds": performance.duration_s,
        "published": said.published,
        "counted": len(said.repetitions),
    }


def walking_table(rows: Sequence[Row]) -> str:
    """Lay out false repetitions while the virtual athlete walks."""
    lines = []
    for worn in dict.fromkeys(row["worn"] for row in rows):
        group = [row for row in rows if row["worn"] == worn]
        minutes = sum(row["seconds"] for row in group) / 60.0
        published = sum(row["published"] for row in group)
        lines.append(
            (
                worn,
                number(minutes, 0),
                published,
                sum(row["counted"] for row in group),
                number(30.0 * published / minutes, 1),
            )
        )
    return table(
        "Walking, virtual athlete",
        ("worn", "minutes", "published", "left at the end", "published in 30 min"),
        lines,
    )
