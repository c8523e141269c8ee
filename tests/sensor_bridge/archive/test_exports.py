from __future__ import annotations

import csv
import io
import json
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from garmin_fit_sdk import Decoder, Stream
from scipy.spatial.transform import Rotation

from sensor_bridge.archive.angle_files import angles_folder, write_part
from sensor_bridge.archive.angles import AnglePart
from sensor_bridge.archive.exports import ExportFormat, export_session, file_name
from sensor_bridge.archive.fit_file import FitField, FitMessage, FitType, fit_file
from sensor_bridge.archive.mot_file import opensim_pelvis
from sensor_bridge.archive.performed_sets import performed_sets
from sensor_bridge.archive.reading import ArchiveReader
from sensor_bridge.archive.repetition_table import column_names
from sensor_bridge.archive.store import EventTold, PrescriptionTold
from sensor_bridge.errors import RecordingError
from sensor_bridge.mqtt.payloads import MEASURES, Prescription
from sensor_bridge.recording.analysis import ANGLE_COLUMNS
from tests.sensor_bridge.archive.told import (
    START_MS,
    archive,
    begun,
    ended,
    note,
    repetition,
    session_id,
    set_summary,
    told,
)

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from sensor_bridge.archive.answers import SessionDetail

SESSION = session_id(0)


def asked(load_kg: float | None) -> Prescription:
    return Prescription(athlete="anna", exercise="romanian_deadlift", side="both", load_kg=load_kg)


@pytest.fixture
def detail(tmp_path: Path) -> SessionDetail:
    """Three sets: loaded deadlifts, bridges of the left side, hinges that the FIT profile does not know."""
    events: list[EventTold] = []
    for of_set, (exercise, side, n) in enumerate(
        [("romanian_deadlift", "both", 4), ("single_leg_glute_bridge", "left", 3), ("hip_hinge", "both", 2)],
        1,
    ):
        for number in range(1, n + 1):
            faults = ("incomplete_lockout", "pelvic_drop") if number == 2 else ()
            status = "withdrawn" if (of_set, number) == (1, 3) else "confirmed"
            data = repetition(
                number, of_set=of_set, side=side, faults=faults, status=status, exercise="other"
            )
            events.append(told(data, 10 * of_set + number))
        events.append(told(set_summary(of_set, exercise=exercise, side=side, repetitions=n), 10 * of_set))
    archive(
        tmp_path,
        begun(),
        PrescriptionTold(SESSION, "anna", START_MS, asked(42.5)),
        PrescriptionTold(SESSION, "anna", START_MS + 110_000.0, None),
        *events,
        told(note("=HYPERLINK(1)"), 90),
        ended(),
    )
    found = ArchiveReader(tmp_path).session(SESSION, "anna")
    assert found is not None
    return found


def rows_of(detail: SessionDetail, folder: Path) -> list[dict[str, str]]:
    text = export_session(ExportFormat.CSV, detail, folder).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_a_row_a_repetition_and_units_in_the_names(detail: SessionDetail, tmp_path: Path) -> None:
    rows = rows_of(detail, tmp_path)
    assert list(rows[0]) == column_names()
    assert [(row["set"], row["repetition"], row["status"]) for row in rows[:4]] == [
        ("1", "1", "confirmed"),
        ("1", "2", "confirmed"),
        ("1", "3", "withdrawn"),
        ("1", "4", "confirmed"),
    ]
    assert len(rows) == 9
    first, second = rows[:2]
    assert (first["exercise"], first["side"], first["load_kg"]) == ("romanian_deadlift", "both", "42.5")
    assert (float(first["eccentric_s"]), float(first["sd_of_eccentric_s"])) == (5.0, 0.1)
    assert first["lockout_deficit_deg"] == ""
    assert second["faults"] == "incomplete_lockout pelvic_drop"
    assert rows[-1]["load_kg"] == ""
    known = ("_s", "_ms", "_deg", "_deg_s", "_percent", "_kg")
    bare = {
        "hinge_share",
        "hinge_share_quarter",
        "hinge_share_half",
        "hinge_share_three_quarters",
        "smoothness",
    }
    assert all(name.endswith(known) or name in bare for name in MEASURES)


def test_parquet_says_the_same(detail: SessionDetail, tmp_path: Path) -> None:
    table = pq.read_table(io.BytesIO(export_session(ExportFormat.PARQUET, detail, tmp_path)))
    rows = rows_of(detail, tmp_path)
    assert table.column_names == column_names()
    for row, of_csv in zip(table.to_pylist(), rows, strict=True):
        assert {name: "" if value is None else str(value) for name, value in row.items()} == {
            name: str(float(text)) if isinstance(row[name], float) else text for name, text in of_csv.items()
        }


def test_json_holds_all_that_the_archive_holds(detail: SessionDetail, tmp_path: Path) -> None:
    whole = json.loads(export_session(ExportFormat.JSON, detail, tmp_path))
    assert whole.pop("format") == "hipline-session/1"
    assert whole == json.loads(msgspec.json.encode(detail))
    assert whole["notes"][0]["text"] == "=HYPERLINK(1)"


def fit_messages(data: bytes) -> dict[str, list[dict[str, Any]]]:
    decoder = Decoder(Stream.from_byte_array(bytearray(data)))
    assert decoder.is_fit()
    assert decoder.check_integrity()
    messages, errors = Decoder(Stream.from_byte_array(bytearray(data))).read()
    assert errors == []
    found: dict[str, list[dict[str, Any]]] = messages
    return found


def test_garmins_own_reader_finds_the_sets_and_repetitions(detail: SessionDetail, tmp_path: Path) -> None:
    messages = fit_messages(export_session(ExportFormat.FIT, detail, tmp_path))
    performed = performed_sets(detail)
    active = [each for each in messages["set_mesgs"] if each["set_type"] == "active"]
    rests = [each for each in messages["set_mesgs"] if each["set_type"] == "rest"]
    assert [each["repetitions"] for each in active] == [3, 3, 2] == [each.repetitions for each in performed]
    assert [each["message_index"] for each in messages["set_mesgs"]] == [0, 1, 2, 3, 4]
    for found, own in zip(active, performed, strict=True):
        assert found["start_time"].timestamp() == pytest.approx(own.start_ms / 1000, abs=0.5)
        assert found["duration"] == pytest.approx((own.end_ms - own.start_ms) / 1000, abs=1e-3)
    assert [each["duration"] for each in rests] == pytest.approx(
        [(b.start_ms - a.end_ms) / 1000 for a, b in pairwise(performed)], abs=1e-3
    )
    assert [each["category"] for each in active] == ["deadlift", "hip_raise", "unknown"]
    assert [each.get("category_subtype") for each in active] == [23, 30, None]
    assert [each.get("weight") for each in active] == [42.5, None, None]
    titles = messages["exercise_title_mesgs"]
    assert [each["wkt_step_name"] for each in titles] == [
        "Romanian deadlift",
        "Single leg glute bridge",
        "Hip hinge",
    ]
    assert titles[0]["exercise_name"] == 23


def test_the_file_is_an_activity_of_strength_training(detail: SessionDetail, tmp_path: Path) -> None:
    messages = fit_messages(export_session(ExportFormat.FIT, detail, tmp_path))
    assert messages["file_id_mesgs"][0]["type"] == "activity"
    [session] = messages["session_mesgs"]
    assert (session["sport"], session["sub_sport"]) == ("training", "strength_training")
    assert session["total_timer_time"] == 3600.0
    assert session["start_time"].timestamp() == START_MS / 1000
    assert [each["event_type"] for each in messages["event_mesgs"]] == ["start", "stop_all"]
    assert len(messages["lap_mesgs"]) == len(messages["activity_mesgs"]) == 1


def test_a_session_without_repetitions_is_an_activity_without_sets(tmp_path: Path) -> None:
    archive(tmp_path, begun())
    found = ArchiveReader(tmp_path).session(SESSION, "anna")
    assert found is not None
    assert "set_mesgs" not in fit_messages(export_session(ExportFormat.FIT, found, tmp_path))


def test_a_clock_that_was_wrong_by_years_costs_no_set(detail: SessionDetail, tmp_path: Path) -> None:
    wrong = msgspec.structs.replace(detail, started_ms=0.0, ended_ms=4e12)
    messages = fit_messages(export_session(ExportFormat.FIT, wrong, tmp_path))
    performed = performed_sets(detail)
    [session] = messages["session_mesgs"]
    assert session["start_time"].timestamp() == pytest.approx(performed[0].start_ms / 1000, abs=0.5)
    lasted_ms = performed[-1].end_ms - performed[0].start_ms
    assert session["total_timer_time"] == pytest.approx(lasted_ms / 1000, abs=1e-3)
    assert len(messages["set_mesgs"]) == 5


@pytest.mark.parametrize("value", [-1, 255, 256])
def test_a_value_that_does_not_fit_its_field_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="does not fit UINT8"):
        fit_file([FitMessage(225, (FitField(5, FitType.UINT8, value),))])


def test_more_kinds_of_messages_than_local_types_are_read_back() -> None:
    kinds = [
        FitMessage(225, (FitField(10, FitType.UINT16, n), FitField(3, FitType.UINT16, n))[: 1 + n % 2])
        for n in range(3)
    ]
    titles = [FitMessage(264, (FitField(2, FitType.STRING, "x" * n),)) for n in range(1, 20)]
    file_id = FitMessage(0, (FitField(0, FitType.ENUM, 4),))
    messages = fit_messages(fit_file([file_id, *kinds, *titles, *kinds]))
    assert [each["message_index"] for each in messages["set_mesgs"]] == [0, 1, 2] * 2
    assert [len(each["wkt_step_name"]) for each in messages["exercise_title_mesgs"]] == list(range(1, 20))


# OpenSim ----------------------------------------------------------------------------------------------


def angles(n: int = 5, **columns: list[float]) -> AnglePart:
    values = {name: np.full(n, np.nan) for name in ANGLE_COLUMNS}
    values |= {name: np.array(given) for name, given in columns.items()}
    return AnglePart(
        number=1,
        rate_hz=100.0,
        t_s=np.arange(n) / 100.0,
        time_ms=START_MS + 10.0 * np.arange(n),
        angles={name: each.astype(np.float32) for name, each in values.items()},
    )


def read_mot(data: bytes) -> tuple[list[str], dict[str, np.ndarray]]:
    header, _, body = data.decode().partition("endheader\n")
    lines = body.splitlines()
    table = np.array([[float(text) for text in line.split("\t")] for line in lines[1:]])
    names = lines[0].split("\t")
    columns = {name: table[:, place] if len(table) else np.empty(0) for place, name in enumerate(names)}
    return header.splitlines(), columns


def motion(detail: SessionDetail, folder: Path, part: AnglePart) -> tuple[list[str], dict[str, np.ndarray]]:
    write_part(angles_folder(folder, "anna"), part)
    return read_mot(export_session(ExportFormat.MOT, detail, folder))


def test_a_motion_has_the_documented_header(detail: SessionDetail, tmp_path: Path) -> None:
    zeros = [0.0] * 5
    header, columns = motion(detail, tmp_path, angles(**dict.fromkeys(ANGLE_COLUMNS, zeros)))
    assert header[:5] == [f"hipline_{SESSION}", "version=1", "nRows=5", "nColumns=6", "inDegrees=yes"]
    assert list(columns) == [
        "time",
        "pelvis_tilt",
        "pelvis_list",
        "pelvis_rotation",
        "hip_flexion_r",
        "hip_flexion_l",
    ]
    np.testing.assert_allclose(columns["time"], [0.0, 0.01, 0.02, 0.03, 0.04])


@pytest.mark.parametrize(
    ("ours", "coordinate", "sign"),
    [
        ("pelvic_tilt_deg", "pelvis_tilt", -1.0),
        ("pelvic_obliquity_deg", "pelvis_list", -1.0),
        ("pelvic_rotation_deg", "pelvis_rotation", 1.0),
        ("hip_flexion_right_deg", "hip_flexion_r", 1.0),
        ("hip_flexion_left_deg", "hip_flexion_l", 1.0),
    ],
)
def test_each_angle_alone_keeps_its_size_and_gets_opensims_sign(
    detail: SessionDetail, tmp_path: Path, ours: str, coordinate: str, sign: float
) -> None:
    values = [0.0, 10.0, 20.0, 30.0, 40.0]
    given = dict.fromkeys(ANGLE_COLUMNS, [0.0] * 5) | {ours: values}
    _, columns = motion(detail, tmp_path, angles(**given))
    np.testing.assert_allclose(columns.pop(coordinate), sign * np.array(values), atol=1e-4)
    columns.pop("time")
    assert all(np.abs(others).max() < 1e-4 for others in columns.values())


def test_the_same_orientation_comes_out_in_opensims_order_of_rotations() -> None:
    rng = np.random.default_rng(3)
    tilt, obliquity, rotation = rng.uniform(-80, 80, (3, 500))
    # Frames with x forward, y up, z right; body-fixed turns: rotation, obliquity, tilt (Baker).
    ours = Rotation.from_euler("YXZ", np.column_stack([rotation, -obliquity, -tilt]), degrees=True)
    theirs = Rotation.from_euler(
        "ZXY", np.column_stack(opensim_pelvis(tilt, obliquity, rotation)), degrees=True
    )
    assert (ours * theirs.inv()).magnitude().max() < 1e-9
    # Bent over, changing the signs alone would be another posture.
    bent = opensim_pelvis(np.array([70.0]), np.array([10.0]), np.array([15.0]))
    assert abs(bent[1][0] + 10.0) > 5.0


def test_tilting_forward_and_the_right_side_up_are_what_they_say() -> None:
    """Where the axes of the pelvis point, by hand: x forward, y up, z right."""
    for tilt, obliquity, moved in ((30.0, 0.0, "x"), (0.0, 30.0, "z")):
        found = opensim_pelvis(np.array([tilt]), np.array([obliquity]), np.array([0.0]))
        turned = Rotation.from_euler("ZXY", [float(each[0]) for each in found], degrees=True)
        forward, right = turned.apply([1, 0, 0]), turned.apply([0, 0, 1])
        if moved == "x":
            assert forward[1] == pytest.approx(-0.5)  # its front points down
        else:
            assert right[1] == pytest.approx(0.5)  # its right end points up


def test_what_is_not_known_is_left_out_never_invented(detail: SessionDetail, tmp_path: Path) -> None:
    nan = float("nan")
    known = {
        "pelvic_tilt_deg": [1.0, nan, 3.0, 4.0, 5.0],
        "pelvic_obliquity_deg": [0.0] * 5,
        "pelvic_rotation_deg": [0.0] * 5,
        "hip_flexion_left_deg": [10.0, 20.0, 30.0, nan, 50.0],
    }
    header, columns = motion(detail, tmp_path, angles(**known))
    assert header[2:4] == ["nRows=3", "nColumns=5"]
    assert "hip_flexion_r" not in columns
    np.testing.assert_allclose(columns["time"], [0.0, 0.02, 0.04])
    np.testing.assert_allclose(columns["hip_flexion_l"], [10.0, 30.0, 50.0])


def test_a_heading_that_was_never_measured_is_zero(detail: SessionDetail, tmp_path: Path) -> None:
    _, columns = motion(detail, tmp_path, angles(pelvic_tilt_deg=[30.0] * 5, pelvic_obliquity_deg=[0.0] * 5))
    np.testing.assert_allclose(columns["pelvis_tilt"], -30.0, atol=1e-4)
    np.testing.assert_allclose(columns["pelvis_rotation"], 0.0, atol=1e-4)


@pytest.mark.parametrize("part", [None, angles(hip_flexion_left_deg=[1.0] * 5)])
def test_without_the_pelvis_there_is_no_motion(
    detail: SessionDetail, tmp_path: Path, part: AnglePart | None
) -> None:
    if part is not None:
        write_part(angles_folder(tmp_path, "anna"), part)
    with pytest.raises(RecordingError, match="no angles of anna's pelvis"):
        export_session(ExportFormat.MOT, detail, tmp_path)


def test_files_are_named_by_athlete_and_session(detail: SessionDetail) -> None:
    assert file_name(ExportFormat.FIT, detail) == f"anna-{SESSION}.fit"
