"""The bridge is killed in mid-set and started again: nothing is lost, nothing is told as something new."""

from __future__ import annotations

import shutil
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from firmware_protocol.codec import decode_frame
from sensor_bridge.archive.angle_files import read_angles
from sensor_bridge.archive.reading import ArchiveReader
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.mqtt.topics import Channel
from sensor_bridge.recording.frame_log import read_frame_log
from sensor_bridge.recording.session import open_session
from sensor_bridge.virtual_radio import rehearse
from tests.end_to_end.conftest import Observer, wait_until, write_config
from tests.mosquitto_broker import ACCESS, GYM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sensor_bridge.archive.answers import SessionDetail
    from sensor_bridge.mqtt.payloads import Repetition
    from sensor_bridge.recording.session import Session
    from tests.end_to_end.conftest import HiplineProcess, VirtualSensors
    from tests.mosquitto_broker import Mosquitto

pytestmark = [pytest.mark.broker, pytest.mark.realtime]

UNDISTURBED = "gym-2"
SEED = 3


@pytest.fixture
def two_gyms(mosquitto: Mosquitto) -> Mosquitto:
    """Let the same users into a second gym."""
    mosquitto.stop()
    mosquitto.grant(ACCESS + ACCESS.replace(GYM, UNDISTURBED))
    mosquitto.start()
    return mosquitto


@pytest.fixture
def observe(two_gyms: Mosquitto) -> Iterator[Callable[[str], Observer]]:
    watching: list[Observer] = []

    def start(gym: str) -> Observer:
        watching.append(Observer(two_gyms, gym))
        return watching[-1]

    yield start
    for observer in watching:
        observer.close()


def samples_logged(path: Path) -> dict[str, list[range]]:
    """Sample indices in the order they came, by sensor; no sensor may have begun a second stream."""
    logged: dict[str, list[range]] = {}
    streams: dict[str, set[int]] = {}
    for frame in read_frame_log(path):
        if frame.kind is FrameKind.DATA:
            imu = decode_frame(frame.payload)
            after = imu.first_sample_index + imu.n_samples
            logged.setdefault(frame.sensor_id, []).append(range(imu.first_sample_index, after))
            streams.setdefault(frame.sensor_id, set()).add(imu.stream_id)
    assert all(len(ids) == 1 for ids in streams.values()), streams
    return logged


def times_s(repetitions: list[Repetition]) -> list[list[float | None]]:
    """List boundaries from the first lowering on, and durations, of each repetition, s."""
    first_ms = repetitions[0].eccentric_start_ms
    assert first_ms is not None
    return [
        [
            *(
                None if boundary is None else (boundary - first_ms) / 1000
                for boundary in (
                    one.eccentric_start_ms,
                    one.eccentric_end_ms,
                    one.concentric_start_ms,
                    one.concentric_end_ms,
                )
            ),
            one.eccentric_s,
            one.bottom_pause_s,
            one.concentric_s,
            one.top_pause_s,
            one.tut_s,
        ]
        for one in repetitions
    ]


def test_a_killed_bridge_goes_on_in_its_session(
    hipline: Callable[..., HiplineProcess],
    virtual_sensors: Callable[..., VirtualSensors],
    two_gyms: Mosquitto,
    observe: Callable[[str], Observer],
    tmp_path: Path,
) -> None:
    killed, undisturbed = observe(GYM), observe(UNDISTURBED)
    folder = tmp_path / "killed"
    sensors, other_sensors = virtual_sensors(seed=SEED), virtual_sensors(seed=SEED)
    config = write_config(folder, broker=two_gyms, sensors=sensors)
    other_config = write_config(
        tmp_path / "undisturbed", gym=UNDISTURBED, broker=two_gyms, sensors=other_sensors
    )
    other_bridge = hipline("run", "--config", str(other_config))
    bridge = hipline("run", "--config", str(config))

    wait_until(lambda: len(killed.repetitions()) == 1, "a repetition", 40)
    wait_until(lambda: killed.phase == "eccentric", "the second lowering", 30)
    bridge.kill()
    (first_id,) = killed.repetitions()
    wait_until(lambda: killed.service_state == "offline", "the last will", 30)
    time.sleep(1.0)  # somebody notices, and starts it again
    bridge = hipline("run", "--config", str(config))

    sensors.finished(40)
    other_sensors.finished(30)
    wait_until(lambda: len(killed.repetitions()) == 4, "all repetitions, live", 30)
    assert bridge.stop() == 0, bridge.said
    assert other_bridge.stop() == 0, other_bridge.said
    wait_until(lambda: killed.service_state == undisturbed.service_state == "offline", "the ends", 30)

    # Each repetition once, numbered on, the first one under the id it had before; and one set.
    repetitions = killed.repetitions()
    assert [(told.set, told.repetition) for told in repetitions.values()] == [(1, 1), (1, 2), (1, 3), (1, 4)]
    assert next(iter(repetitions)) == first_id
    told = [(event.id, event.data.revision) for event in killed.envelopes(Channel.REPETITION)]
    assert {event_id for event_id, _ in told} == set(repetitions)
    assert len(told) - len(set(told)) <= 1  # what was under way when it was killed
    assert all(told.final and told.status == "confirmed" for told in repetitions.values())
    sets = killed.envelopes(Channel.SET)
    assert len({event.id for event in sets}) == 1
    assert (sets[-1].data.repetitions, sets[-1].data.final) == (4, True)

    # One session, and in its log every sample the sensors made, once and in order.
    (session_folder,) = (folder / "data" / "sessions").iterdir()
    session = open_session(session_folder)
    assert session.is_closed
    assert {event.session for event in killed.envelopes(Channel.REPETITION)} == {session.session_id}
    logged = samples_logged(session.frame_log_path)
    playback, _, _ = rehearse(str(sensors.scenario_path), SEED, None)
    assert {sensor_id: ranges[-1].stop for sensor_id, ranges in logged.items()} == {
        source.sensor_id: len(source) for source in playback.sources
    }
    for sensor_id, ranges in logged.items():
        assert ranges[0].start == 0, sensor_id
        assert all(one.stop == following.start for one, following in pairwise(ranges)), sensor_id

    # As if nothing had happened; sensors are aligned through the host's clock, hence milliseconds.
    expected = times_s(list(undisturbed.repetitions().values()))
    assert len(expected) == 4
    for ours, theirs in zip(times_s(list(repetitions.values())), expected, strict=True):
        assert ours == pytest.approx(theirs, abs=0.01)

    # The archive holds what was told, and what it holds can be made from the log alone.
    told = {identifier: repetition.revision for identifier, repetition in repetitions.items()}
    detail = the_archive_holds(folder / "data", session, told)
    angles = read_angles(session_folder, "anna")
    assert angles is not None
    for path in (folder / "data").glob("archive.sqlite*"):
        path.unlink()
    shutil.rmtree(session_folder / "angles")
    assert hipline("sessions", "archive", "--config", str(config)).process.wait(60) == 0
    again = the_archive_holds(folder / "data", session, told)
    assert (again.repetitions, again.sets, again.faults) == (detail.repetitions, detail.sets, detail.faults)
    assert again.ended_ms == pytest.approx(detail.ended_ms, abs=1.0)
    measured_again = read_angles(session_folder, "anna")
    assert measured_again is not None
    np.testing.assert_array_equal(measured_again.t_s, angles.t_s)
    for name, values in angles.angles.items():
        np.testing.assert_array_equal(measured_again.angles[name], values, err_msg=name)


def the_archive_holds(data_folder: Path, session: Session, told: dict[str, int]) -> SessionDetail:
    """Hold the archive to the repetitions that were told, and the angles to the repetitions."""
    reader = ArchiveReader(data_folder)
    [entry] = reader.sessions()
    assert (entry.session, entry.athlete, entry.name) == (session.session_id, "anna", "Anna")
    assert (entry.sets, entry.repetitions) == (1, len(told))
    detail = reader.session(session.session_id, "anna")
    assert detail is not None
    assert {each.id: each.revision for each in detail.repetitions} == told
    angles = read_angles(session.folder, "anna")
    assert angles is not None
    assert (np.diff(angles.t_s) > 0).all()
    for each in detail.repetitions:
        assert each.eccentric_start_ms is not None
        assert each.concentric_end_ms is not None
        inside = (angles.time_ms >= each.eccentric_start_ms) & (angles.time_ms <= each.concentric_end_ms)
        tilt = angles.angles["pelvic_tilt_deg"][inside]
        assert np.isfinite(tilt).all()
        assert np.ptp(tilt) == pytest.approx(each.pelvic_tilt_range_deg, abs=1.0)
    return detail
