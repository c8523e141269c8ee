"""How often a change over sessions is called one: where there is none, and where there is.

``python -m benchmarks.progress`` prints the table of docs/progress.md: virtual histories of eight repetitions
a session that scatter by 2°, sensors uncertain by 1° from session to session, and days that differ by 0, 1 or
3°. The step of 10° comes in the middle of the history.
"""

from __future__ import annotations

import argparse
import math

import numpy as np

from analytics.progress import SessionValues, course

REPETITIONS, SCATTER_DEG, SENSOR_SD_DEG, STEP_DEG = 8, 2.0, 1.0, 10.0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=3000)
    histories = parser.parse_args().histories
    random = np.random.default_rng(1)
    print(
        "| days differ by, sd | sessions | called a change: nothing changed | a step of 10° "
        "| MDC, median | ideal MDC |"
    )
    print("|---|---|---|---|---|---|")
    for days_deg in (0.0, 1.0, 3.0):
        for sessions in (4, 6, 10):
            same, stepped = 0, 0
            least = []
            for _ in range(histories):
                told = course(history(random, sessions, days_deg, 0.0))
                assert told.change is not None
                assert told.detectable is not None
                same += told.change.is_change
                least.append(told.detectable.minimal_change)
                changed = course(history(random, sessions, days_deg, STEP_DEG)).change
                assert changed is not None
                stepped += changed.is_change
            sem = math.hypot(SENSOR_SD_DEG, days_deg, math.sqrt(math.pi / 2 / REPETITIONS) * SCATTER_DEG)
            print(
                f"| {days_deg:g}° | {sessions} | {100 * same / histories:.1f} % "
                f"| {100 * stepped / histories:.0f} % "
                f"| {np.median(least):.1f}° | {1.96 * math.sqrt(2.0) * sem:.1f}° |"
            )


def history(
    random: np.random.Generator, sessions: int, days_deg: float, step_deg: float
) -> list[SessionValues]:
    """Make the sessions of one virtual athlete."""
    made = []
    for number in range(sessions):
        level = 60.0 + random.normal(0.0, math.hypot(SENSOR_SD_DEG, days_deg))
        level += step_deg if 2 * number >= sessions else 0.0
        values = level + random.normal(0.0, SCATTER_DEG, REPETITIONS)
        made.append(SessionValues(str(number), float(number), tuple(values), (SENSOR_SD_DEG,) * REPETITIONS))
    return made


if __name__ == "__main__":
    main()
