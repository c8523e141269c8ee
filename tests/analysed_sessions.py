"""Sessions as the product makes them: a virtual athlete's recording, analysed, told as payloads."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from analytics.imu import NANOSECONDS_PER_SECOND
from analytics.pipeline import AthleteSetup, MotionPipeline
from sensor_bridge.archive.angle_files import angles_folder, write_part
from sensor_bridge.archive.angles import AnglePart
from sensor_bridge.archive.store import (
    FILE_NAME,
    ArchiveStore,
    Entry,
    EventTold,
    SessionBegun,
    SessionEnded,
)
from sensor_bridge.commands.analyze import prescription_of
from sensor_bridge.mqtt.event_ids import event_id
from sensor_bridge.recording.analysis import Analysis
from sensor_bridge.recording.session import session_folder
from sensor_bridge.recording.trace import METADATA_KEY, read_trace, write_table
from sensor_bridge.recording.trace_stream import TraceStream
from sensor_bridge.result_payloads import repetition_payload, set_payload
from sensor_bridge.virtual_radio import simulate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analytics.imu import FloatArray
    from sensor_bridge.mqtt.payloads import Repetition, SetSummary

_PAUSE_MS = 60_000.0


@dataclass
class AnalysedSession:
    """One athlete's session: events by id, and the angles at 100 Hz (UTC ms, degrees)."""

    session: str
    athlete: str
    started_ms: float
    ended_ms: float
    repetitions: dict[str, Repetition] = field(default_factory=dict)
    sets: dict[str, SetSummary] = field(default_factory=dict)
    t_ms: FloatArray = field(default_factory=lambda: np.empty(0))
    angles_deg: dict[str, FloatArray] = field(default_factory=dict)


@dataclass(frozen=True)
class Take:
    """What one virtual athlete did once, as the product analysed it; it may stand in several sessions."""

    analysis: Analysis
    stream: TraceStream


def analysed(scenario: str, folder: Path, *, seed: int) -> Take:
    """Let a virtual athlete do a scenario (TOML text), and analyse what was recorded."""
    description, recording = folder / f"scenario-{seed}.toml", folder / f"recording-{seed}.parquet"
    description.write_text(scenario)
    simulation = simulate(str(description), seed)
    metadata: dict[str, Any] = dict(simulation.trace_metadata)
    write_table(recording, simulation.trace_columns, {METADATA_KEY: json.dumps(metadata).encode()})
    trace = read_trace(recording)
    stream = TraceStream(trace)
    mounts = {placement: trace.mount(placement) for placement in trace.sensors}
    pipeline = MotionPipeline(AthleteSetup(mounts=mounts, prescription=prescription_of(trace, [])))
    analysis = Analysis()
    for block in stream.blocks():
        analysis.add(pipeline.push(block))
    analysis.add(pipeline.flush())
    return Take(analysis, stream)


def session_of(takes: Sequence[Take], *, session: str, athlete: str, started_ms: float) -> AnalysedSession:
    """Put takes into a session, one after the other with a minute between them."""
    made = AnalysedSession(session, athlete, started_ms, started_ms)
    for number, take in enumerate(takes):
        made.ended_ms += _PAUSE_MS if number else 0.0
        _add(made, take)
    return made


def archive_session(data_folder: Path, made: AnalysedSession, name: str) -> None:
    """Write a session into the archive of a data folder, by the archive's own writers."""
    entries: list[Entry] = [SessionBegun(made.session, made.started_ms, ((made.athlete, name),))]
    for channel, events in (("rep", made.repetitions), ("set", made.sets)):
        entries += [
            EventTold(made.session, made.athlete, channel, event_id, data.revision, made.started_ms, data)
            for event_id, data in events.items()
        ]
    entries.append(SessionEnded(made.session, made.ended_ms, is_whole=True))
    with ArchiveStore(data_folder / FILE_NAME) as store:
        store.write(entries)
    if not len(made.t_ms):
        return
    part = AnglePart(
        number=1,
        rate_hz=100.0,
        t_s=(made.t_ms - made.started_ms) / 1000.0,
        time_ms=made.t_ms,
        angles={column: values.astype(np.float32) for column, values in made.angles_deg.items()},
    )
    write_part(angles_folder(session_folder(data_folder, made.session), made.athlete), part)


def _add(made: AnalysedSession, take: Take) -> None:
    analysis, stream = take.analysis, take.stream
    begin_ms = made.ended_ms
    earlier_sets = len(made.sets)

    def to_ms(time_ns: int) -> float:
        return begin_ms + time_ns / 1e6

    def name(kind: str, time_ms: float, set_number: int, repetition: int | None = None) -> str:
        return event_id(
            time_ms,
            session=made.session,
            athlete=made.athlete,
            kind=kind,
            set_number=set_number,
            repetition=repetition,
        )

    for told in analysis.sets.values():
        summary = set_payload(told.summary, athlete=made.athlete, revision=told.revision, to_ms=to_ms)
        summary = msgspec.structs.replace(summary, set=earlier_sets + summary.set)
        made.sets[name("set", summary.start_ms or begin_ms, summary.set)] = summary
    exercises = {told.summary.set_number: str(told.summary.exercise) for told in analysis.sets.values()}
    for (set_number, number), event in sorted(analysis.repetitions.items()):
        repetition = repetition_payload(
            event.repetition,
            athlete=made.athlete,
            exercise=exercises[set_number],
            revision=event.revision,
            final=True,
            to_ms=to_ms,
        )
        repetition = msgspec.structs.replace(repetition, set=earlier_sets + set_number)
        key = name("rep", to_ms(event.repetition.start_ns), earlier_sets + set_number, number)
        made.repetitions[key] = repetition
    columns = analysis.angle_columns(stream.start_ns, stream.end_ns, stream.sampling_rate_hz)
    t_ms = begin_ms + columns.pop("t") * 1000.0
    made.t_ms = np.concatenate([made.t_ms, t_ms])
    for column, values in columns.items():
        before = made.angles_deg.get(column, np.empty(0))
        made.angles_deg[column] = np.concatenate([before, values])
    made.ended_ms = begin_ms + stream.end_ns / NANOSECONDS_PER_SECOND * 1000.0
