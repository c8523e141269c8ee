"""``hipline run``: what it says when it cannot start, and how it ends."""

from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING

import pytest

from sensor_bridge.mqtt.topics import Channel
from sensor_bridge.recording.session import open_session
from tests.end_to_end.conftest import Observer, wait_until, write_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.end_to_end.conftest import HiplineProcess, VirtualSensors
    from tests.mosquitto_broker import Mosquitto

ATHLETE = """
[[athletes]]
id = "anna"
[[athletes.sensors]]
placement = "pelvis"
name = "Hipline 1"
"""


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def complaint(hipline: Callable[..., HiplineProcess], config: Path) -> tuple[int, str]:
    """Run a bridge that cannot start; return its exit code and its one line."""
    process = hipline("run", "--config", str(config))
    code = process.process.wait(30)
    process.join()
    assert len(process.errors) == 1, process.said
    return code, process.errors[0]


def written(folder: Path, text: str) -> Path:
    path = folder / "hipline.toml"
    path.write_text(f'data_folder = "data"\n{text}')
    return path


def test_without_an_athlete_there_is_nothing_to_run(
    hipline: Callable[..., HiplineProcess], tmp_path: Path
) -> None:
    config = written(tmp_path, "")
    code, line = complaint(hipline, config)
    assert code == 2
    assert line.startswith(f"hipline: {config}: names no athlete")


@pytest.mark.parametrize(
    ("section", "key"), [("mqtt", "tcp_port"), ("mqtt", "websocket_port"), ("dashboard", "port")]
)
def test_a_taken_port_is_named(
    hipline: Callable[..., HiplineProcess], tmp_path: Path, taken_port: int, section: str, key: str
) -> None:
    config = written(tmp_path, f"[{section}]\n{key} = {taken_port}\n{ATHLETE}")
    code, line = complaint(hipline, config)
    assert code != 0
    assert f"port {taken_port}" in line
    assert not (tmp_path / "data" / "sessions").exists()  # nothing began that would have to go on


def test_a_data_folder_that_cannot_be_made_is_named(
    hipline: Callable[..., HiplineProcess], tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("in the way")
    code, line = complaint(hipline, written(tmp_path, ATHLETE))
    assert (code, line.startswith(f"hipline: data_folder: {tmp_path / 'data'} cannot be made: ")) == (2, True)


def test_a_virtual_radio_has_to_be_there(
    hipline: Callable[..., HiplineProcess], tmp_path: Path, free_port: int
) -> None:
    code, line = complaint(hipline, written(tmp_path, f"{ATHLETE}[radio]\nvirtual_port = {free_port}\n"))
    assert (code, line) == (2, f"hipline: no virtual radio at port {free_port}: start it first\n")


@pytest.mark.broker
@pytest.mark.realtime
def test_sigterm_ends_the_session_in_order(
    hipline: Callable[..., HiplineProcess],
    virtual_sensors: Callable[..., VirtualSensors],
    mosquitto: Mosquitto,
    observer: Observer,
    tmp_path: Path,
) -> None:
    sensors = virtual_sensors()
    bridge = hipline("run", "--config", str(write_config(tmp_path, broker=mosquitto, sensors=sensors)))
    wait_until(lambda: observer.phase != "unknown", "live measurements", 30)
    assert observer.service_state == "online"

    assert bridge.stop(signal.SIGTERM) == 0, bridge.said

    (folder,) = (tmp_path / "data" / "sessions").iterdir()
    assert open_session(folder).is_closed
    latecomer = Observer(mosquitto, name="latecomer")
    try:
        wait_until(lambda: latecomer.service_state is not None, "the retained status", 5)
        wait_until(lambda: len(latecomer.envelopes(Channel.SENSOR_STATUS)) == 3, "that of each sensor", 5)
        assert latecomer.service_state == "offline"
        links = {event.data.link for event in latecomer.envelopes(Channel.SENSOR_STATUS)}
        assert links == {"stopped"}
    finally:
        latecomer.close()


@pytest.mark.broker
@pytest.mark.realtime
def test_a_full_disk_is_told_and_measuring_goes_on_until_ctrl_c(
    hipline: Callable[..., HiplineProcess],
    virtual_sensors: Callable[..., VirtualSensors],
    mosquitto: Mosquitto,
    observer: Observer,
    tmp_path: Path,
) -> None:
    sensors = virtual_sensors()
    config = write_config(tmp_path, broker=mosquitto, sensors=sensors)
    bridge = hipline("run", "--config", str(config), largest_file=40_000)

    def alarms() -> list[str]:
        return [alarm for event in observer.envelopes(Channel.SERVICE_STATUS) for alarm in event.data.alarms]

    wait_until(lambda: any("not logged: free some space" in alarm for alarm in alarms()), "the alarm", 40)
    n_live = len(observer.envelopes(Channel.LIVE))
    wait_until(lambda: len(observer.envelopes(Channel.LIVE)) > n_live + 10, "measurements all the same", 5)

    assert bridge.stop(signal.SIGINT) == 0, bridge.said
    assert bridge.said.count("the frame log cannot be written") == 1
    wait_until(lambda: observer.service_state == "offline", "the end", 5)
