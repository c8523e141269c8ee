"""Print how right the measuring is.

Run from the root of the repository::

    python -m benchmarks.accuracy --sets 480 --seed 1 [--rows FILE] [--minutes M] [--only virtual|recordings]

With ``--rows`` what was measured is kept in a file; the same command goes on where it was stopped.
Recordings are looked for in ``../shared/data`` and skipped by name where they are absent.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.accuracy import fault_grid, virtual_lines, virtual_tables
from benchmarks.accuracy.grid import draw, draw_single_leg_bridge, with_sliding_skin
from benchmarks.accuracy.layout import summary
from benchmarks.accuracy.lost_data import lost_data_lines, lost_data_rows, lost_data_table
from benchmarks.accuracy.recordings.report import recording_report
from benchmarks.accuracy.virtual_set import run_case
from benchmarks.accuracy.walking import walking_row, walking_table
from benchmarks.accuracy.walkouts import walkout_lines, walkout_row, walkout_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.accuracy.layout import Line
    from benchmarks.accuracy.virtual_set import Row

HELD_BACK_EVERY = 4


def virtual_rows(sets: int) -> Iterator[tuple[str, int]]:
    """Name and number of every piece of work of a grid, in order."""
    for number in range(sets):
        yield "set", number
        if number % HELD_BACK_EVERY == 0:
            yield "fault", number // HELD_BACK_EVERY
        if number % 40 == 0:
            yield "walk", number // 40
        if number % 12 == 0:
            yield "walkout", number // 12
            yield "single-leg bridge", number // 12


def work(kind: str, seed: int, number: int) -> list[Row]:
    """Do one piece of work."""
    if kind == "walk":
        return [walking_row(seed, number, with_thighs=flag) | {"kind": "walk"} for flag in (False, True)]
    if kind == "single-leg bridge":
        return [run_case(draw_single_leg_bridge(seed, number))[1] | {"kind": "set"}]
    if kind == "walkout":
        return [walkout_row(seed, number) | {"kind": "walkout"}]
    if kind == "fault":
        return [row | {"kind": "fault"} for row in fault_grid.rows(seed, number)]
    case = draw(seed, number)
    performance, row = run_case(case)
    rows = [row | {"kind": "set"}]
    if number % HELD_BACK_EVERY == 0:
        short, long = lost_data_rows(case, performance)
        rows.extend((short | {"kind": "short holes"}, long | {"kind": "long holes"}))
    if number % HELD_BACK_EVERY == 1:
        rows.append(run_case(with_sliding_skin(case))[1] | {"kind": "skin"})
    return rows


def gather(
    seed: int, sets: int, kept: Path | None, minutes: float, part: tuple[int, int] = (1, 1)
) -> list[Row]:
    """Do what is not in the file yet, until the time is up."""
    rows: list[Row] = []
    if kept is not None and kept.exists():
        rows = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
        rows = [row for row in rows if row["grid_seed"] == seed]
    done = {tuple(row["work"]) for row in rows}
    until_s = time.monotonic() + 60.0 * minutes
    for kind, number in virtual_rows(sets):
        if (kind, number) in done or number % part[1] != part[0] - 1:
            continue
        if time.monotonic() > until_s:
            print(f"stopped before {kind} {number}: the same command goes on from here", file=sys.stderr)
            break
        new = [row | {"work": (kind, number), "grid_seed": seed} for row in work(kind, seed, number)]
        rows.extend(new)
        if kept is not None:
            with kept.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in new)
    return rows


def virtual_report(rows: list[Row]) -> list[Line]:
    """Print the tables of the grid; return its acceptance lines."""
    by_kind: dict[str, list[Row]] = {}
    for row in rows:
        by_kind.setdefault(row["kind"], []).append(row)
    sets = by_kind.get("set", [])
    if not sets:
        return []
    print(virtual_tables.count_tables(sets))
    print(virtual_tables.angle_table(sets))
    print(virtual_tables.figure_table(sets, "Figures of repetitions, rigid segments"))
    print(
        virtual_tables.figure_table(
            by_kind.get("skin", []), "Figures of repetitions, skin that follows the bone to within 2 % (sd)"
        )
    )
    print(virtual_tables.boundary_table(sets))
    print(virtual_tables.drop_table(sets))
    print(virtual_tables.name_table(sets))
    print(virtual_tables.confidence_table(sets))
    holes = by_kind.get("short holes", []), by_kind.get("long holes", [])
    print(lost_data_table(*holes))
    print(fault_grid.fault_table(by_kind.get("fault", []), sets))
    print(walking_table(by_kind.get("walk", [])))
    walkouts = by_kind.get("walkout", [])
    print(walkout_table(walkouts))
    return [
        *virtual_lines.lines_of(sets),
        *fault_grid.fault_lines(by_kind.get("fault", []), sets),
        *lost_data_lines(*holes),
        *walkout_lines(walkouts),
    ]


def main() -> int:
    """Print all tables; 0 if every line measured was met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", type=int, default=480, help="recordings of the virtual athlete")
    parser.add_argument("--seed", type=int, default=1, help="of the grid; take a fresh one")
    parser.add_argument("--rows", type=Path, help="file that keeps what was measured")
    parser.add_argument("--minutes", type=float, default=600.0, help="stop the grid after so long")
    parser.add_argument(
        "--part", default="1/1", help="do only this part, such as 2/3; join the files of rows"
    )
    parser.add_argument("--only", choices=("virtual", "recordings"))
    parser.add_argument("--data-set", action="append", help="only these recordings (or false_repetitions)")
    arguments = parser.parse_args()
    lines: list[Line] = []
    if arguments.only != "recordings":
        which, parts = (int(word) for word in arguments.part.split("/"))
        rows = gather(arguments.seed, arguments.sets, arguments.rows, arguments.minutes, (which, parts))
        lines.extend(virtual_report(rows))
    if arguments.only != "virtual":
        lines.extend(recording_report(arguments.data_set))
    print(summary(lines))
    return 0 if all(line.is_met is not False for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
