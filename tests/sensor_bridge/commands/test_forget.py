from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sensor_bridge.access.known_users import KnownUsers
from sensor_bridge.access.tokens import read_tokens
from sensor_bridge.archive import forgetting
from sensor_bridge.archive.reading import ArchiveReader
from sensor_bridge.archive.store import ArchiveFull, ArchiveStore
from sensor_bridge.cli import run_command
from sensor_bridge.config import Config
from sensor_bridge.mqtt.broker import EmbeddedBroker, EmbeddedBrokerSettings
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.forgotten import (
    ForgottenMark,
    _answer_to_ourselves,
    clear_retained,
    clear_when_possible,
    keep_marks,
    read_marks,
)
from sensor_bridge.mqtt.outbox_store import EventState, OutboxStore
from sensor_bridge.mqtt.settings import MqttSettings, Protocol
from sensor_bridge.mqtt.topics import Topics
from sensor_bridge.mqtt.users import BRIDGE_USER, gym_users
from sensor_bridge.mqtt_access import MqttAccess
from sensor_bridge.recording.frame_log import read_frame_log, read_session_metadata
from tests.gym_tokens import create_tokens
from tests.message_contract import assert_kept
from tests.sensor_bridge.archive.kept import ANNA, BEN, N_FRAMES, NAMES, data_folder, record

if TYPE_CHECKING:
    from pathlib import Path

    Captured = pytest.CaptureFixture[str]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "gym.toml"
    path.write_text('data_folder = "data"\ngym = "gym-1"\n')
    return path


def forget(config: Path, athlete: str = ANNA, *arguments: str) -> int:
    return run_command(["forget", athlete, *arguments, "--config", str(config)])


def traces(folder: Path, athlete: str) -> list[Path]:
    """Files in which the athlete's id or name stands, as text of any spelling, or whose path has it."""
    words = [word.encode(coding) for word in (athlete, NAMES[athlete]) for coding in ("utf-8", "utf-16-le")]
    return [
        path
        for path in folder.rglob("*")
        if athlete in str(path.relative_to(folder))
        or (path.is_file() and any(word.lower() in path.read_bytes().lower() for word in words))
    ]


def test_no_byte_of_an_athlete_is_left_and_nothing_of_the_others_is_lost(
    tmp_path: Path, config: Path, capsys: Captured
) -> None:
    alone, shared = data_folder(tmp_path / "data")
    os.utime(shared.frame_log_path, (1e9, 1e9))
    archive_before = ArchiveReader(tmp_path / "data").session(shared.session_id, BEN)
    frames_before = [f for f in read_frame_log(shared.frame_log_path) if f.sensor_id.startswith(BEN)]
    assert traces(tmp_path / "data", ANNA)
    assert forget(config, ANNA, "--yes") == 0
    assert traces(tmp_path / "data", ANNA) == []
    assert not alone.folder.exists()
    assert list(read_frame_log(shared.frame_log_path)) == frames_before
    assert shared.frame_log_path.stat().st_mtime == 1e9  # else a bridge might go on in an old session
    assert [each["id"] for each in read_session_metadata(shared.frame_log_path)["athletes"]] == [BEN]
    assert read_session_metadata(shared.frame_log_path)["prescribed"] == {BEN: {"exercise": "squat"}}
    reader = ArchiveReader(tmp_path / "data")
    assert reader.session(shared.session_id, BEN) == archive_before
    assert [each.athlete for each in reader.athletes()] == [BEN]
    assert f"athlete-{BEN}" in read_tokens(tmp_path / "data")
    with OutboxStore(tmp_path / "data" / "outbox.sqlite") as outbox:
        assert outbox.count(EventState.PENDING) == 1
    assert list(json.loads((tmp_path / "data" / "prescribed.json").read_text())) == [BEN]
    assert len(json.loads((tmp_path / "data" / "home_assistant.json").read_text())) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "1 session alone, 1 session with others, 2 in the archive, a token" in printed
    assert f"{2 * N_FRAMES} frames of 1 session with others" in printed
    assert "embedded broker retains nothing" in printed
    assert "Not reached" in printed


def test_it_asks_first(
    tmp_path: Path, config: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_folder(tmp_path / "data")
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    assert forget(config) == 2
    assert "nothing was deleted" in capsys.readouterr().err
    assert len(ArchiveReader(tmp_path / "data").sessions(ANNA)) == 2
    monkeypatch.setattr("typer.confirm", lambda *_, **__: True)
    assert forget(config) == 0
    assert traces(tmp_path / "data", ANNA) == []


def test_not_while_the_athletes_session_runs(tmp_path: Path, config: Path, capsys: Captured) -> None:
    alone, _ = data_folder(tmp_path / "data")
    with alone.open_log():
        assert forget(config, ANNA, "--yes") == 2
    assert "takes part in the session that runs: stop hipline run first" in capsys.readouterr().err
    assert len(ArchiveReader(tmp_path / "data").sessions(ANNA)) == 2


def test_while_others_train_an_athlete_can_be_forgotten(
    tmp_path: Path, config: Path, capsys: Captured
) -> None:
    data_folder(tmp_path / "data")
    running = record(tmp_path / "data", BEN)
    with running.open_log(), ArchiveStore(tmp_path / "data" / "archive.sqlite"):
        assert forget(config, ANNA, "--yes") == 0
        assert traces(tmp_path / "data", ANNA) == []
        assert forget(config, BEN, "--yes") == 2
    assert "stop hipline run first" in capsys.readouterr().err
    assert len(ArchiveReader(tmp_path / "data").sessions(BEN)) == 2


def test_what_somebody_still_reads_is_not_called_deleted(
    tmp_path: Path, config: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensor_bridge.overwriting._LONGEST_S", 0.1)
    data_folder(tmp_path / "data")
    with closing(sqlite3.connect(tmp_path / "data" / "archive.sqlite", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM event").fetchone()
        assert forget(config, ANNA, "--yes") == 1
    assert "others still read" in capsys.readouterr().err
    assert forget(config, ANNA, "--yes") == 2  # nothing is left but to overwrite it
    assert traces(tmp_path / "data", ANNA) == []


def test_who_was_stopped_half_way_goes_on_with_the_same_command(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    data_folder(tmp_path / "data")

    def refuse(*_: object) -> dict[str, int]:
        raise ArchiveFull("the archive cannot be written: database is locked")

    with monkeypatch.context() as locked:
        locked.setattr(forgetting.ArchiveStore, "delete_athlete", refuse)
        assert forget(config, ANNA, "--yes") == 1
    assert "database is locked" in capsys.readouterr().err
    assert forget(config, ANNA, "--yes") == 0
    assert traces(tmp_path / "data", ANNA) == []
    assert forget(config, ANNA, "--yes") == 2
    assert f"nothing of {ANNA} is kept" in capsys.readouterr().err


def test_what_is_left_to_the_user_is_named(tmp_path: Path, config: Path, capsys: Captured) -> None:
    data_folder(tmp_path / "data")
    (tmp_path / "data" / "sessions" / "broken").mkdir()
    (tmp_path / "data" / "sessions" / "broken" / "frames.log").write_bytes(b"HIPLFLOG damaged")
    config.write_text(
        config.read_text()
        + f'[[athletes]]\nid = "{ANNA}"\nsensors = [{{ placement = "pelvis", name = "H" }}]\n'
    )
    assert forget(config, ANNA, "--yes") == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert f"gym.toml still names {ANNA}" in printed
    assert "broken: cannot be read" in printed


@pytest.mark.parametrize("athlete", ["../../etc", "Anna", "*", "", "a/b"])
def test_what_is_no_athlete_is_refused(tmp_path: Path, config: Path, capsys: Captured, athlete: str) -> None:
    data_folder(tmp_path / "data")
    assert forget(config, athlete, "--yes") == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert len(ArchiveReader(tmp_path / "data").sessions()) == 3


# On the broker ----------------------------------------------------------------------------------------

TOPICS = Topics("gym-1")
RETAINED = {
    TOPICS.state(ANNA): b'{"data":{"athlete":"zq-anna","name":"Annabella Quux"}}',
    TOPICS.calibration(ANNA): b"{}",
    TOPICS.sensor_status("hip-7"): b'{"data":{"sensor":"hip-7","athlete":"zq-anna"}}',
    TOPICS.state(BEN): b'{"data":{"athlete":"xw-ben"}}',
    TOPICS.sensor_status("hip-8"): b'{"data":{"sensor":"hip-8","athlete":"xw-ben"}}',
}


async def kept_on(settings: MqttSettings) -> set[str]:
    """Topics of the gym that something is retained on."""
    from sensor_bridge.mqtt import forgotten

    async with MqttClient(settings) as client:
        await client.connected(5.0)
        await client.subscribe(TOPICS.everything, qos=1)
        return {
            message.topic async for message in forgotten._retained(client, TOPICS.response("bridge", "test"))
        }


async def test_what_the_broker_retains_is_cleared_also_when_it_comes_later(tmp_path: Path) -> None:
    tokens = create_tokens(ANNA, BEN)
    async with EmbeddedBroker(EmbeddedBrokerSettings(users=gym_users(TOPICS, tokens))) as broker:
        settings = MqttSettings(
            client_id="bridge",
            host="127.0.0.1",
            port=broker.tcp_port,
            username=BRIDGE_USER,
            password=tokens[BRIDGE_USER],
            protocol=Protocol.V311,
        )
        async with MqttClient(settings) as client:
            await client.connected(5.0)
            for topic, payload in RETAINED.items():
                await client.publish(topic, payload, retain=True)
        assert await kept_on(settings) == set(RETAINED)
        mark = ForgottenMark.of("gym-1", "athlete", ANNA)
        of_another = ForgottenMark.of("gym-1", "athlete", "somebody-else")
        cleared = await clear_retained(settings, [mark, of_another], discovery_prefix="homeassistant")
        assert cleared == 3
        assert await kept_on(settings) == {TOPICS.state(BEN), TOPICS.sensor_status("hip-8")}

        keep_marks(tmp_path, [ForgottenMark.of("gym-1", "athlete", BEN)])
        assert BEN.encode() not in (tmp_path / "forgotten.json").read_bytes()
        gym = Config.model_validate({"gym": "gym-1", "data_folder": tmp_path})
        access = MqttAccess(
            host="127.0.0.1",
            port=broker.tcp_port,
            protocol=Protocol.V311,
            websocket_url="ws://127.0.0.1:1",
            bridge_user=BRIDGE_USER,
            bridge_password=tokens[BRIDGE_USER],
            coach_user="coach",
            coach_password=tokens["coach"],
            known_users=KnownUsers(tokens),
        )
        await clear_when_possible(gym, access)
        assert await kept_on(settings) == set()
        assert read_marks(tmp_path) == []


def test_where_no_broker_answers_marks_wait_for_it(
    tmp_path: Path, config: Path, capsys: Captured, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensor_bridge.commands.forget._LONGEST_WAIT_S", 0.2)
    data_folder(tmp_path / "data")
    config.write_text(
        config.read_text()
        + f'[mqtt]\nbroker = "external"\nhost = "127.0.0.1"\ntcp_port = {unused_tcp_port}\n'
        "websocket_port = 9001\n"
    )
    assert forget(config, ANNA, "--yes") == 0
    assert "cleared when the bridge next meets its broker" in " ".join(capsys.readouterr().out.split())
    assert traces(tmp_path / "data", ANNA) == []
    marks = read_marks(tmp_path / "data")
    assert any(mark.is_of("gym-1", "athlete", ANNA) for mark in marks)
    assert any(mark.is_of("gym-1", "sensor", f"{ANNA}-hip") for mark in marks)


def test_marks_that_are_not_understood_are_left_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "forgotten.json").write_bytes(b"[1]")
    assert read_marks(tmp_path) == []
    assert "not understood" in caplog.text


def test_what_it_says_to_itself_is_an_answer_as_others_expect_it() -> None:
    echo = TOPICS.response("bridge", "forgetting")
    assert_kept(echo, _answer_to_ourselves(echo))
