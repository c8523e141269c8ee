"""A session as a table: one row a repetition, one column a quantity, the unit in its name."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from sensor_bridge.archive.performed_sets import performed_sets, prescribed_at
from sensor_bridge.mqtt.payloads import FURTHER_MEASURES, MEASURES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sensor_bridge.archive.answers import SessionDetail

QUANTITIES: tuple[str, ...] = (*MEASURES, *FURTHER_MEASURES)
_TEXT = ("session", "athlete", "event_id", "status", "exercise", "side", "faults")
_NUMBERS = ("set", "repetition")


def column_names() -> list[str]:
    """List the columns: what it is, what was asked, each quantity, and one sigma of each but moments."""
    return [
        "session",
        "athlete",
        "set",
        "repetition",
        "event_id",
        "status",
        "exercise",
        "side",
        "load_kg",
        "faults",
        *QUANTITIES,
        *(f"sd_of_{name}" for name in QUANTITIES if not name.endswith("_ms")),
    ]


def csv_table(details: Iterable[SessionDetail]) -> bytes:
    """Write sessions as CSV (UTF-8, comma, a header line); what could not be measured is empty."""
    sink = io.BytesIO()
    pyarrow.csv.write_csv(_table(details), sink)
    return sink.getvalue()


def parquet_table(details: Iterable[SessionDetail]) -> bytes:
    """Write sessions as Parquet; what could not be measured is null."""
    sink = io.BytesIO()
    pq.write_table(_table(details), sink, compression="zstd")
    return sink.getvalue()


def _table(details: Iterable[SessionDetail]) -> pa.Table:
    rows = [row for detail in details for row in _rows(detail)]
    types = dict.fromkeys(_TEXT, pa.string()) | dict.fromkeys(_NUMBERS, pa.int32())
    return pa.table(
        {
            name: pa.array([row.get(name) for row in rows], types.get(name, pa.float64()))
            for name in column_names()
        }
    )


def _rows(detail: SessionDetail) -> Iterable[dict[str, object]]:
    sets = {each.number: each for each in performed_sets(detail)}
    for repetition in detail.repetitions:
        own = sets.get(repetition.set)
        start_ms = repetition.eccentric_start_ms if own is None else own.start_ms
        asked = None if start_ms is None else prescribed_at(detail.prescriptions, start_ms)
        yield {
            "session": detail.session,
            "athlete": detail.athlete,
            "set": repetition.set,
            "repetition": repetition.repetition,
            "event_id": repetition.id,
            "status": repetition.status,
            "exercise": own.exercise if own else repetition.exercise,
            "side": repetition.side,
            "load_kg": asked.load_kg if asked else None,
            "faults": " ".join(fault.code for fault in repetition.faults),
            **{name: getattr(repetition, name) for name in QUANTITIES},
            **{f"sd_of_{name}": sd for name, sd in repetition.sd.items()},
        }
