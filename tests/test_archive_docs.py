"""docs/archive.md says what the archive is."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from aiohttp import web

from sensor_bridge.archive.exports import ExportFormat
from sensor_bridge.archive.mot_file import opensim_pelvis
from sensor_bridge.archive.reading import MOST_SESSIONS, ArchiveReader
from sensor_bridge.archive.repetition_table import column_names
from sensor_bridge.archive.store import FILE_NAME, ArchiveStore
from sensor_bridge.dashboard.api import ArchiveApi

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parents[1] / "docs" / "archive.md").read_text(encoding="utf-8")


def rows(heading: str) -> Iterator[list[str]]:
    """Yield the cells of the table under a heading."""
    part = PAGE.split(f"{heading}\n")[1].split("\n#")[0]
    for line in part.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def test_tables_and_columns_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    ArchiveStore(path).close()
    with closing(sqlite3.connect(path)) as db:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        found = {
            table: [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
    told = {
        table.strip("` "): re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", columns))
        for table, columns in rows("## `archive.sqlite`")
    }
    assert told == found
    assert f"version of the schema ({version})" in PAGE


async def test_every_route_is_told(tmp_path: Path) -> None:
    app = web.Application()
    app.router.add_routes(ArchiveApi(ArchiveReader(tmp_path)).routes())
    served = {
        re.sub(r"{(\w+)}", r"<\1>", resource.canonical)
        for resource in app.router.resources()
        if "{rest}" not in resource.canonical
    }
    told = {route.strip("`").split("?")[0] for route, _ in rows("## HTTP API")}
    assert told == served
    assert f"{MOST_SESSIONS} at most" in PAGE


def test_every_format_is_told_and_columns_named_exist() -> None:
    told = [name for names, _ in rows("## Exports") for name in re.findall(r"`(\w+)`", names)]
    assert told == list(ExportFormat)
    [columns] = [text for names, text in rows("## Exports") if "csv" in names]
    named = set(re.findall(r"`([a-z]\w+)`", columns))
    assert named <= set(column_names())


def test_the_signs_of_opensim_are_those_of_the_code() -> None:
    signs = {ours.strip("`"): sign[0] for _, ours, sign in rows("### OpenSim")}
    names = ("pelvic_tilt_deg", "pelvic_obliquity_deg", "pelvic_rotation_deg")
    for place, name in enumerate(names):
        angles = [np.array([10.0 if other == name else 0.0]) for other in names]
        found = opensim_pelvis(*angles)[place][0]
        assert signs[name] == ("+" if found > 0 else "-")
    assert signs["hip_flexion_right_deg"] == signs["hip_flexion_left_deg"] == "+"
    bent = opensim_pelvis(np.array([70.0]), np.array([10.0]), np.array([15.0]))
    assert f"the list would be {abs(bent[1][0] + 10.0):.0f}° wrong" in PAGE
