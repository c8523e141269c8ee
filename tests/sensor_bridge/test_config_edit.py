"""Assigning sensors changes the file in that place and nowhere else, and never to something in no order."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from analytics.imu import Mount, Placement
from sensor_bridge.config_edit import Assignment, assign
from sensor_bridge.config_file import load_config
from sensor_bridge.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_bridge.config import Config

GYM = """\
# the garage
gym = "home"   # not the club

[[athletes]]
id = "a1"   # Robin
name = "Robin"

  [[athletes.sensors]]
  placement = "pelvis"  # on the belt
  name = "Hipline 0001"
  mount = 'sacrum'

[dashboard]
port = 8_400 # 8321 is taken
"""
PELVIS = Assignment("a1", Placement.PELVIS, "C0:DE:00:00:00:07")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "gym.toml"
    path.write_text(GYM)
    return path


def worn(config: Config) -> dict[tuple[str, str], str | None]:
    return {
        (athlete.id, str(sensor.placement)): sensor.address
        for athlete in config.athletes
        for sensor in athlete.sensors
    }


def test_another_sensor_at_a_place_changes_nothing_but_its_lines(file: Path) -> None:
    assign(file, [PELVIS])
    before, after = GYM.splitlines(), file.read_text().splitlines()
    assert [line for line in before if line not in after] == ['  name = "Hipline 0001"']
    assert [line.strip() for line in after if line not in before] == ['address = "C0:DE:00:00:00:07"']
    assert load_config(file).athletes[0].sensors[0].mount is Mount.SACRUM


def test_new_places_and_athletes_are_added_behind_the_others(file: Path) -> None:
    config = assign(
        file,
        [
            Assignment(
                "a1", Placement.THIGH_LEFT, "C0:DE:00:00:00:02", Mount.THIGH_LATERAL, sensor_id="left"
            ),
            Assignment("kim", Placement.PELVIS, "C0:DE:00:00:00:03", athlete_name="Kim"),
        ],
    )
    assert config == load_config(file)
    assert worn(config) == {
        ("a1", "pelvis"): None,
        ("a1", "thigh_left"): "C0:DE:00:00:00:02",
        ("kim", "pelvis"): "C0:DE:00:00:00:03",
    }
    assert config.athletes[0].sensors[1].id == "left"
    assert config.athletes[1].name == "Kim"
    lines = file.read_text().splitlines()
    assert [line for line in GYM.splitlines() if line not in lines] == []
    assert config.dashboard.port == 8400


def test_a_sensor_is_worn_in_one_place_only(file: Path) -> None:
    assign(file, [PELVIS, Assignment("a1", Placement.THIGH_LEFT, "C0:DE:00:00:00:02")])
    config = assign(file, [Assignment("a1", Placement.PELVIS, "c0:de:00:00:00:02")])
    assert worn(config) == {("a1", "pelvis"): "c0:de:00:00:00:02"}


def test_what_kind_the_former_sensor_was_says_nothing_of_the_next(file: Path) -> None:
    text = GYM.replace('name = "Hipline 0001"', 'address = "C0:DE:00:00:00:05"\n  kind = "movella-dot"')
    file.write_text(text)
    same = assign(file, [Assignment("a1", Placement.PELVIS, "c0:de:00:00:00:05", Mount.BELLY)])
    assert same.athletes[0].sensors[0].kind == "movella-dot"
    assert assign(file, [PELVIS]).athletes[0].sensors[0].kind is None


def test_inline_tables_stay_inline(file: Path) -> None:
    text = 'athletes = [{id = "a1", sensors = [{placement = "pelvis", name = "x"}]}] # one line\n'
    file.write_text(text)
    config = assign(file, [PELVIS, Assignment("kim", Placement.PELVIS, "C0:DE:00:00:00:03")])
    assert worn(config) == {("a1", "pelvis"): PELVIS.address, ("kim", "pelvis"): "C0:DE:00:00:00:03"}
    assert file.read_text().startswith('athletes = [{id = "a1"')
    assert file.read_text().endswith(" # one line\n")


def test_line_ends_mode_and_links_are_kept(tmp_path: Path, file: Path) -> None:
    file.write_bytes(GYM.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    assign(link, [PELVIS])
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert b"port = 8_400 # 8321 is taken\r\n" in file.read_bytes()
    assert {each.name for each in tmp_path.iterdir()} == {"gym.toml", "link.toml"}


def test_a_file_that_is_not_there_is_made_with_its_folder_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "hipline.toml"
    assert worn(assign(path, [PELVIS])) == {("a1", "pelvis"): PELVIS.address}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert worn(load_config(path)) == {("a1", "pelvis"): PELVIS.address}


@pytest.mark.parametrize(
    ("text", "assignment", "complaint"),
    [
        ("gym = ", PELVIS, "is not TOML"),
        ("athletes = 3\n", PELVIS, "is not written as in the README"),
        ('[athletes]\nid = "a1"\n', PELVIS, "is not written as in the README"),
        (GYM, Assignment("A 1", Placement.PELVIS, "C0:DE:00:00:00:07"), "athletes"),
        (GYM + "colour = 3\n", PELVIS, "unknown key dashboard.colour"),
        (
            GYM
            + '[[athletes]]\nid = "b"\nsensors = [{placement = "pelvis", address = "C0:DE:00:00:00:07"}]\n',
            PELVIS,
            r"athletes\[2\].sensors",
        ),
    ],
)
def test_what_would_be_in_no_order_is_refused_and_the_file_stays(
    file: Path, text: str, assignment: Assignment, complaint: str
) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        assign(file, [assignment])
    assert file.read_text() == text
    assert list(file.parent.iterdir()) == [file]
