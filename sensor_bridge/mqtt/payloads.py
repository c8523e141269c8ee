"""What each message says: one msgspec model per payload, JSON both ways, and their JSON Schemas. Pure.

Units are in the names: times are UTC milliseconds (``*_ms``), durations seconds, angles degrees. A quantity
that could not be measured is ``null`` and `reasons` says why; a number is never invented.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta, Struct, field

from sensor_bridge.mqtt.command_payloads import Command, Note, Response
from sensor_bridge.mqtt.field_types import (
    Code,
    Count,
    Duration,
    Id,
    Ordinal,
    Share,
    Side,
    Spread,
    Timestamp,
    Uuid7,
)
from sensor_bridge.mqtt.measures import (
    FurtherMeasures,
    PartAdherence,
    RepetitionMeasures,
    SampleCounts,
    SetAdherence,
    SetMeasures,
)
from sensor_bridge.mqtt.topics import Channel

SCHEMA_VERSION = 1

Samples = list[float | None]  # one value a sample; null where nothing can be said about that sample

Kind = Literal["measured", "proxy", "not_measurable"]
Posture = Literal["standing", "supine", "other", "unknown"]
Phase = Literal["unknown", "calibrating", "standing", "eccentric", "bottom", "concentric", "top", "rest"]
RepetitionStatus = Literal["confirmed", "provisional", "unconfirmed", "withdrawn"]
Direction = Literal["left", "right", "forward", "backward"]
LinkPhase = Literal["scanning", "connecting", "connected", "lost", "stopped"]
ServiceState = Literal["online", "offline"]


class PayloadError(ValueError):
    """A message that is not what its topic promises: which field, and why."""


class Live(Struct, frozen=True, kw_only=True):
    """Angles of the last moments, about ten messages a second; `t_ms` is the time of the LAST sample."""

    t_ms: float
    rate_hz: Annotated[float, Meta(gt=0.0, le=50.0)]
    posture: Posture
    phase: Phase
    set: Count
    repetition: Count
    pelvic_tilt_deg: Samples | None = None
    pelvic_obliquity_deg: Samples | None = None
    pelvic_rotation_deg: Samples | None = None
    thigh_flexion_left_deg: Samples | None = None
    thigh_flexion_right_deg: Samples | None = None
    hip_flexion_left_deg: Samples | None = None
    hip_flexion_right_deg: Samples | None = None
    eccentric_start_ms: float | None = None
    depth: Share | None = None
    count: Ordinal | None = None
    count_of: Ordinal | None = None
    early_s: float | None = None


class FoundFault(Struct, frozen=True, kw_only=True):
    """A fault inside a repetition or set: the value, the threshold it passed, the one-sigma uncertainty."""

    code: Code
    value: float | None = None
    threshold: float | None = None
    sd: Spread | None = None
    kind: Kind = "measured"
    phase: Phase | None = None
    repetition: Ordinal | None = None
    direction: Direction | None = None


MEASURES: tuple[str, ...] = RepetitionMeasures.__struct_fields__
"""The measured quantities of a repetition, in the order of the tables."""


FURTHER_MEASURES: tuple[str, ...] = tuple(
    name for name in FurtherMeasures.__struct_fields__ if name not in MEASURES
)
"""The quantities that a repetition may lack without a reason: older bridges do not tell them."""


class Repetition(FurtherMeasures, frozen=True, kw_only=True):
    """One repetition. All its revisions carry one event id: keep the highest `revision`."""

    athlete: Id
    set: Ordinal
    repetition: Ordinal
    revision: Count
    final: bool
    status: RepetitionStatus
    exercise: Code
    side: Side
    sd: dict[str, Spread] = field(default_factory=dict)
    kind: dict[str, Kind] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    adherence: list[PartAdherence] = field(default_factory=list)
    faults: list[FoundFault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Hold every measured quantity to "a finite number, or null with its reason"."""
        for name in MEASURES:
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{name} is {value}: use null and give the reason")
            if value is None and name not in self.reasons and self.status != "withdrawn":
                raise ValueError(f"{name} is null without an entry in reasons")
        for name, spread in self.sd.items():
            if not math.isfinite(spread):
                raise ValueError(f"sd of {name} is {spread}: leave it out")


class SetSummary(SetMeasures, frozen=True, kw_only=True):
    """One set. All its revisions carry one event id: keep the highest `revision`."""

    athlete: Id
    set: Ordinal
    revision: Count
    final: bool
    exercise: Code
    side: Side
    repetitions: Count
    exercise_confidence: Share | None = None
    tut_s: Duration | None = None
    eccentric_tut_s: Duration | None = None
    mean_eccentric_s: Duration | None = None
    start_ms: float | None = None
    end_ms: float | None = None
    sd: dict[str, Spread] = field(default_factory=dict)
    kind: dict[str, Kind] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    adherence: SetAdherence | None = None
    faults: list[FoundFault] = field(default_factory=list)
    withdrawn: bool = False


class FaultEvent(Struct, frozen=True, kw_only=True):
    """Something that went wrong at one moment: a form fault, a lost balance, an aborted repetition."""

    athlete: Id
    code: Code
    t_ms: float
    set: Count
    repetition: Count
    revision: Count = 0
    phase: Phase = "unknown"
    value: float | None = None
    threshold: float | None = None
    sd: Spread | None = None
    kind: Kind = "measured"
    text: str = ""
    withdrawn: bool = False


class Target(Struct, frozen=True, kw_only=True):
    """What was asked for; a tempo part that is null is free, `concentric_s` null is "as fast as possible"."""

    repetitions: Ordinal | None = None
    sets: Ordinal | None = None
    eccentric_s: Duration | None = None
    bottom_s: Duration | None = None
    concentric_s: Duration | None = None
    top_s: Duration | None = None
    minimum_range_deg: float | None = None
    load_kg: float | None = None
    is_supported: bool | None = None


class Prescription(Target, frozen=True, kw_only=True):
    """The retained prescription of an athlete."""

    athlete: Id
    exercise: Code
    side: Side


class Slip(Struct, frozen=True, kw_only=True):
    """A sensor that seems to have moved on the body."""

    angle_deg: float
    set: Count
    repetition: Count


class SegmentCalibration(Struct, frozen=True, kw_only=True):
    """How well one sensor's mounting on the body is known."""

    placement: Code
    method: str
    quality_deg: float | None
    warnings: list[str] = field(default_factory=list)
    slip: Slip | None = None


class Calibration(Struct, frozen=True, kw_only=True):
    """The retained calibration of an athlete's sensors."""

    athlete: Id
    t_ms: float
    calibration: list[SegmentCalibration]


class RepetitionBrief(Struct, frozen=True, kw_only=True):
    """One line of the current set in `AthleteState`: what it takes to judge a repetition."""

    repetition: Ordinal
    revision: Count
    status: RepetitionStatus
    eccentric_s: Duration | None = None
    bottom_pause_s: Duration | None = None
    concentric_s: Duration | None = None
    tut_s: Duration | None = None
    eccentric_movement_s: Duration | None = None
    pelvic_tilt_range_deg: float | None = None
    hip_flexion_left_range_deg: float | None = None
    hip_flexion_right_range_deg: float | None = None
    pelvic_obliquity_peak_deg: float | None = None
    lockout_deficit_deg: float | None = None
    sd: dict[str, Spread] = field(default_factory=dict)
    faults: list[Code] = field(default_factory=list)


class AthleteState(Struct, frozen=True, kw_only=True):
    """The whole picture of one athlete for a late joiner."""

    athlete: Id
    name: str
    session: str
    exercise: Code
    side: Side
    set: Count
    repetition: Count
    phase: Phase
    target: Target | None = None
    last_repetition: Repetition | None = None
    repetitions: list[RepetitionBrief] = field(default_factory=list)
    calibration: list[SegmentCalibration] = field(default_factory=list)
    sensors: list[Id] = field(default_factory=list)


class SensorStatus(SampleCounts, frozen=True, kw_only=True):
    """A sensor's link, battery and what was lost on the way."""

    sensor: Id
    athlete: Id
    placement: Code
    name: str
    link: LinkPhase
    reason: str | None = None
    reconnects: Count = 0
    overflow: Count = 0
    battery_percent: Annotated[float, Meta(ge=0.0, le=100.0)] | None = None
    rssi_dbm: float | None = None
    firmware: str | None = None
    sampling_rate_hz: float | None = None
    connection_interval_ms: float | None = None
    clock_residual_ms: float | None = None
    clock_drift_ppm: float | None = None
    lacks: list[Literal["clock", "gyroscope", "loss"]] = field(default_factory=list)


class ServiceStatus(Struct, frozen=True, kw_only=True):
    """Whether a service runs; the broker publishes the `offline` one when the service dies."""

    state: ServiceState
    version: str
    alarms: list[str] = field(default_factory=list)


Payload = (
    Live
    | Repetition
    | SetSummary
    | FaultEvent
    | Note
    | AthleteState
    | Prescription
    | Calibration
    | SensorStatus
    | ServiceStatus
    | Command
    | Response
)

PAYLOADS: dict[Channel, type[Struct]] = {
    Channel.LIVE: Live,
    Channel.REPETITION: Repetition,
    Channel.SET: SetSummary,
    Channel.FAULT: FaultEvent,
    Channel.NOTE: Note,
    Channel.STATE: AthleteState,
    Channel.PRESCRIPTION: Prescription,
    Channel.CALIBRATION: Calibration,
    Channel.SENSOR_STATUS: SensorStatus,
    Channel.SERVICE_STATUS: ServiceStatus,
    Channel.COMMAND: Command,
    Channel.RESPONSE: Response,
}

Data = TypeVar("Data", bound=Struct)


class Envelope(Struct, Generic[Data], frozen=True, kw_only=True):
    """What every message looks like.

    Attributes
    ----------
    v
        Version of the payload schemas.
    id
        UUIDv7 of what is told; all revisions of an event share it.
    ts
        Sample time, RFC 3339 UTC with milliseconds: when it happened, not when it was sent.
    session
        The session it belongs to.
    seq
        Position in the sender's sequence on this topic since it started, from 0; a jump is a lost message.
    data
        The payload.
    """

    v: Ordinal
    id: Uuid7
    ts: Timestamp
    session: str
    seq: Count
    data: Data


def envelope(data: Data, *, message_id: str, sample_time_ms: float, session: str, seq: int) -> Envelope[Data]:
    """Wrap a payload for sending; `sample_time_ms` is UTC in ms since 1970."""
    return Envelope(
        v=SCHEMA_VERSION, id=message_id, ts=rfc3339(sample_time_ms), session=session, seq=seq, data=data
    )


def encode(message: Struct) -> bytes:
    """Write a message as JSON (UTF-8, no spaces)."""
    return _ENCODER.encode(message)


def decode(channel: Channel, body: bytes | str) -> Envelope[Any]:
    """Read the message of a channel.

    Raises
    ------
    PayloadError
        When the JSON is malformed or a field is missing, ill-typed or out of range.
    """
    try:
        message: Envelope[Any] = _DECODERS[channel].decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PayloadError(f"not a {channel.name.lower()} message: {error}") from error
    if message.v != SCHEMA_VERSION:
        raise PayloadError(f"schema version {message.v} is not the {SCHEMA_VERSION} understood here")
    return message


def rfc3339(time_ms: float) -> str:
    """Write a UTC time in ms since 1970 as RFC 3339 with milliseconds and ``Z``."""
    whole = round(time_ms)
    moment = datetime.fromtimestamp(whole // 1000, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{whole % 1000:03d}Z"


def alternatives(literal: Any) -> tuple[str, ...]:
    """List the words a Literal of this module allows."""
    return get_args(literal)


_ENCODER = msgspec.json.Encoder()
_DECODERS: dict[Channel, msgspec.json.Decoder[Any]] = {
    channel: msgspec.json.Decoder(Envelope[payload])  # type: ignore[valid-type]
    for channel, payload in PAYLOADS.items()
}
