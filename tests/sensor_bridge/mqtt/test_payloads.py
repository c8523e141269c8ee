from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from sensor_bridge.mqtt import payloads
from sensor_bridge.mqtt.command_payloads import Command, Note, Response
from sensor_bridge.mqtt.schemas import schema
from sensor_bridge.mqtt.topics import Channel

if TYPE_CHECKING:
    import msgspec

ID = "018bcfe5-6800-70ef-9767-b8b58882af76"

MEASURED: dict[str, Any] = {
    "eccentric_start_ms": 1_700_000_000_000.0,
    "eccentric_end_ms": 1_700_000_005_000.0,
    "concentric_start_ms": 1_700_000_005_100.0,
    "concentric_end_ms": 1_700_000_006_400.0,
    "eccentric_s": 5.0,
    "bottom_pause_s": 0.1,
    "concentric_s": 1.3,
    "top_pause_s": 0.8,
    "tut_s": 6.4,
    "eccentric_movement_s": 5.2,
    "concentric_movement_s": 1.5,
    "pelvic_tilt_range_deg": 61.2,
    "hip_flexion_left_range_deg": 88.4,
    "hip_flexion_right_range_deg": 87.9,
    "pelvic_obliquity_peak_deg": 1.9,
    "pelvic_rotation_range_deg": 3.4,
    "lockout_deficit_deg": 0.8,
    "hinge_share": 0.7,
}


def repetition(**changes: Any) -> payloads.Repetition:
    given: dict[str, Any] = {
        "athlete": "a1",
        "set": 1,
        "repetition": 2,
        "revision": 0,
        "final": True,
        "status": "confirmed",
        "exercise": "romanian_deadlift",
        "side": "both",
        **MEASURED,
        **changes,
    }
    return payloads.Repetition(**given)


EXAMPLES: dict[Channel, msgspec.Struct] = {
    Channel.LIVE: payloads.Live(
        t_ms=1_700_000_000_000.0,
        rate_hz=50.0,
        posture="standing",
        phase="eccentric",
        set=1,
        repetition=2,
        pelvic_tilt_deg=[10.1, 10.9, None],
        eccentric_start_ms=1_699_999_999_000.0,
        depth=0.25,
    ),
    Channel.REPETITION: repetition(
        sd={"pelvic_tilt_range_deg": 0.6},
        kind={"pelvic_tilt_range_deg": "measured"},
        faults=[payloads.FoundFault(code="fast_eccentric", value=2.1, threshold=4.0, sd=0.1)],
        warnings=["one sample bridged"],
    ),
    Channel.SET: payloads.SetSummary(
        athlete="a1",
        set=1,
        revision=3,
        final=True,
        exercise="romanian_deadlift",
        exercise_confidence=0.97,
        side="both",
        repetitions=8,
        tut_s=51.2,
        eccentric_tut_s=40.0,
        mean_eccentric_s=5.0,
        start_ms=1_700_000_000_000.0,
        end_ms=1_700_000_070_000.0,
    ),
    Channel.FAULT: payloads.FaultEvent(
        athlete="a1", code="balance_loss", t_ms=1_700_000_000_000.0, set=1, repetition=3
    ),
    Channel.NOTE: Note(
        athlete="a1", revision=1, kind="not_a_repetition", at_ms=1_700_000_000_000.0, event=ID, by="coach-7"
    ),
    Channel.STATE: payloads.AthleteState(
        athlete="a1",
        name="Ada",
        session="s1",
        exercise="romanian_deadlift",
        side="both",
        set=1,
        repetition=2,
        phase="top",
        target=payloads.Target(repetitions=8, sets=4, eccentric_s=5.0, bottom_s=0.0, top_s=0.0),
        last_repetition=repetition(),
        repetitions=[payloads.RepetitionBrief(repetition=1, revision=1, status="confirmed")],
        calibration=[
            payloads.SegmentCalibration(placement="pelvis", method="stillness_and_hinge", quality_deg=1.2)
        ],
        sensors=["pelvis-1"],
    ),
    Channel.PRESCRIPTION: payloads.Prescription(
        athlete="a1", exercise="romanian_deadlift", side="both", repetitions=8, sets=4, eccentric_s=5.0
    ),
    Channel.CALIBRATION: payloads.Calibration(
        athlete="a1",
        t_ms=1_700_000_000_000.0,
        calibration=[payloads.SegmentCalibration(placement="pelvis", method="stillness", quality_deg=None)],
    ),
    Channel.SENSOR_STATUS: payloads.SensorStatus(
        sensor="pelvis-1",
        athlete="a1",
        placement="pelvis",
        name="Hipline 0001",
        link="connected",
        received=1200,
        lost=1,
        battery_percent=81.0,
        rssi_dbm=-61.0,
    ),
    Channel.SERVICE_STATUS: payloads.ServiceStatus(state="online", version="0.1.0"),
    Channel.COMMAND: Command(request="r1", reply_to="coach-7", arguments={"sensor": "s1"}),
    Channel.RESPONSE: Response(request="r1", ok=True),
}


def wrapped(data: msgspec.Struct) -> bytes:
    return payloads.encode(
        payloads.envelope(data, message_id=ID, sample_time_ms=1_700_000_000_000.0, session="s1", seq=7)
    )


def test_there_is_an_example_of_every_payload() -> None:
    assert set(EXAMPLES) == set(payloads.PAYLOADS) == set(Channel)


@pytest.mark.parametrize("channel", EXAMPLES, ids=lambda channel: channel.name.lower())
def test_messages_come_back_as_they_went_and_fit_their_schema(channel: Channel) -> None:
    body = wrapped(EXAMPLES[channel])
    assert payloads.decode(channel, body).data == EXAMPLES[channel]
    checker = jsonschema.Draft202012Validator(schema(channel))
    checker.check_schema(checker.schema)
    checker.validate(json.loads(body))


@pytest.mark.parametrize("channel", EXAMPLES, ids=lambda channel: channel.name.lower())
def test_schemas_refuse_messages_without_their_parts(channel: Channel) -> None:
    checker = jsonschema.Draft202012Validator(schema(channel))
    message = json.loads(wrapped(EXAMPLES[channel]))
    for part in ("v", "id", "ts", "session", "seq", "data"):
        assert not checker.is_valid({name: value for name, value in message.items() if name != part})
    assert not checker.is_valid({**message, "v": 2})
    assert not checker.is_valid({**message, "id": "018bcfe5-6800-40ef-9767-b8b58882af76"})
    assert not checker.is_valid({**message, "data": {}})


def test_the_envelope_on_the_wire() -> None:
    message = json.loads(wrapped(payloads.ServiceStatus(state="offline", version="0.1.0")))
    assert message == {
        "v": 1,
        "id": ID,
        "ts": "2023-11-14T22:13:20.000Z",
        "session": "s1",
        "seq": 7,
        "data": {"state": "offline", "version": "0.1.0", "alarms": []},
    }


@pytest.mark.parametrize(
    ("time_ms", "expected"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000_123.4, "2023-11-14T22:13:20.123Z"),
        (1_700_000_000_999.6, "2023-11-14T22:13:21.000Z"),
    ],
)
def test_times_are_written_with_milliseconds(time_ms: float, expected: str) -> None:
    assert payloads.rfc3339(time_ms) == expected


@pytest.mark.parametrize("name", payloads.MEASURES)
def test_a_quantity_is_a_number_or_null_with_its_reason(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is null without an entry in reasons"):
        repetition(**{name: None})
    assert getattr(repetition(**{name: None, "reasons": {name: "no thigh sensor"}}), name) is None
    with pytest.raises(ValueError, match=f"{name} is nan: use null"):
        repetition(**{name: math.nan})
    assert getattr(repetition(**{name: None, "status": "withdrawn"}), name) is None


def test_an_infinite_uncertainty_is_refused() -> None:
    with pytest.raises(ValueError, match="sd of tut_s is inf: leave it out"):
        repetition(sd={"tut_s": math.inf})


def test_the_measures_are_those_of_the_tables() -> None:
    assert tuple(MEASURED) == payloads.MEASURES


def test_samples_that_are_not_numbers_become_null() -> None:
    live = payloads.Live(
        t_ms=1.0,
        rate_hz=50.0,
        posture="unknown",
        phase="unknown",
        set=0,
        repetition=0,
        pelvic_tilt_deg=[1.0, math.nan],
    )
    assert json.loads(wrapped(live))["data"]["pelvic_tilt_deg"] == [1.0, None]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"\xff", "malformed|invalid"),
        (b"[]", "Expected `object`"),
        (b'{"v":1}', "missing required field `id`"),
        (
            wrapped(EXAMPLES[Channel.SERVICE_STATUS]).replace(b'"online"', b'"asleep"'),
            "Invalid enum value 'asleep'",
        ),
        (wrapped(EXAMPLES[Channel.SERVICE_STATUS]).replace(b'"v":1', b'"v":2'), "schema version 2"),
        (wrapped(EXAMPLES[Channel.SERVICE_STATUS]).replace(b'"seq":7', b'"seq":-7'), ">= 0"),
    ],
)
def test_broken_messages_are_named(body: bytes, complaint: str) -> None:
    with pytest.raises(payloads.PayloadError, match=complaint):
        payloads.decode(Channel.SERVICE_STATUS, body)


def test_unknown_fields_of_later_releases_are_ignored() -> None:
    body = wrapped(EXAMPLES[Channel.SERVICE_STATUS]).replace(b'"alarms"', b'"mood":"good","alarms"')
    assert payloads.decode(Channel.SERVICE_STATUS, body).data == EXAMPLES[Channel.SERVICE_STATUS]
