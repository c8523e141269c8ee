"""Bridge and virtual sensors as processes, and an observer at the broker who misses nothing."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from sensor_bridge.mqtt.payloads import Envelope, Repetition, decode
from sensor_bridge.mqtt.topics import Channel, Topics, parse
from tests.message_contract import assert_kept, assert_told
from tests.mosquitto_broker import GYM, Mosquitto, mosquitto
from tests.telegraf_recipe import points

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["mosquitto"]

HIPLINE = Path(sys.executable).with_name("hipline")
_SESSION_EXPIRY_S = 600

# One quick set: 4 repetitions, then standing; 23 s in all.
QUICK_SET = """
exercise = "romanian_deadlift"
repetitions = 4
lead_in_s = 3.0
lead_out_s = 6.0
[tempo]
eccentric_s = 1.5
bottom_s = 0.3
concentric_s = 1.0
top_s = 0.7
"""


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float) -> None:
    """Wait for something in another process; fail, saying what, when it does not come."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"after {timeout_s:g} s still not: {what}")
        time.sleep(0.02)


class HiplineProcess:
    """One ``hipline`` command, what it prints gathered as it comes."""

    def __init__(
        self,
        *arguments: str,
        largest_file: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.errors: list[str] = []
        self.printed: list[str] = []
        self.process = subprocess.Popen(
            [str(HIPLINE), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | dict(environment or {}),
        )
        if largest_file is not None:  # what a full disk does
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (largest_file, largest_file))
        self._readers = [
            threading.Thread(target=self._read, args=(pipe, lines), daemon=True)
            for pipe, lines in ((self.process.stderr, self.errors), (self.process.stdout, self.printed))
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(pipe: IO[str], lines: list[str]) -> None:
        with contextlib.suppress(ValueError):  # closed
            lines.extend(iter(pipe.readline, ""))

    @property
    def said(self) -> str:
        return "".join(self.errors)

    def says(self, text: str, timeout_s: float = 20.0) -> None:
        """Wait until it has said something."""
        wait_until(
            lambda: text in self.said or self.process.poll() is not None, f"{text!r} from hipline", timeout_s
        )
        assert text in self.said, f"hipline ended with {self.process.returncode}: {self.said}"

    def stop(self, number: signal.Signals = signal.SIGTERM, timeout_s: float = 20.0) -> int:
        """Ask it to end in order; return its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(timeout_s)
        self.join()
        return code

    def join(self) -> None:
        """Read what an ended process still had to say."""
        for reader in self._readers:
            reader.join(20)

    def kill(self) -> None:
        """End it at once (SIGKILL); does nothing where it has ended."""
        self.process.kill()
        self.process.wait(20)
        self.join()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


@contextlib.contextmanager
def hipline_processes() -> Iterator[Callable[..., HiplineProcess]]:
    """Start ``hipline`` commands; whatever still runs at the end of the block is killed."""
    started: list[HiplineProcess] = []

    def start(*arguments: str, **how: Any) -> HiplineProcess:
        started.append(HiplineProcess(*arguments, **how))
        return started[-1]

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            print(f"--- {' '.join(map(str, process.process.args))}\n{process.said}")  # type: ignore[arg-type]


@pytest.fixture
def hipline() -> Iterator[Callable[..., HiplineProcess]]:
    """Start ``hipline`` commands; whatever still runs at the end of the test is killed."""
    with hipline_processes() as start:
        yield start


@dataclass(frozen=True)
class VirtualSensors:
    """Virtual sensors in a process of their own."""

    process: HiplineProcess
    scenario_path: Path
    port: int
    sensors_toml: str

    def finished(self, timeout_s: float) -> None:
        self.process.says("Played to the end", timeout_s)


def start_virtual_sensors(
    hipline: Callable[..., HiplineProcess],
    folder: Path,
    scenario: str = QUICK_SET,
    *,
    seed: int = 1,
    simulating_s: float = 90.0,
) -> VirtualSensors:
    """Put a scenario (TOML text) on a virtual radio; it begins when a bridge has connected to all."""
    path = folder / f"scenario-{uuid.uuid4().hex}.toml"
    path.write_text(scenario)
    process = hipline("virtual-sensors", str(path), "--port", "0", "--seed", str(seed))
    wait_until(
        lambda: process.printed[-1:] == ["# The sensors begin when all of them are connected.\n"],
        "the sensors' configuration",
        simulating_s,
    )
    radio, sensors = "".join(process.printed).split("\n\n", 1)
    port = re.fullmatch(r"\[radio\]\nvirtual_port = (\d+)", radio)
    assert port is not None
    return VirtualSensors(process, path, int(port[1]), sensors)


@pytest.fixture
def virtual_sensors(hipline: Callable[..., HiplineProcess], tmp_path: Path) -> Callable[..., VirtualSensors]:
    """Start virtual sensors as `start_virtual_sensors` does."""
    return partial(start_virtual_sensors, hipline, tmp_path)


def write_config(
    folder: Path,
    *,
    gym: str = GYM,
    broker: Mosquitto | None = None,
    sensors: VirtualSensors | None = None,
    extra: str = "",
) -> Path:
    """Write a configuration for ``hipline run``: external broker with password, or the embedded one."""
    folder.mkdir(parents=True, exist_ok=True)
    text = f'gym = "{gym}"\ndata_folder = "data"\n'
    if sensors is not None:
        text += f'[[athletes]]\nid = "anna"\nname = "Anna"\n{sensors.sensors_toml}\n'
        text += f"[radio]\nvirtual_port = {sensors.port}\n"
    if broker is not None:
        password = folder / "password"
        password.touch(mode=0o600)
        password.write_text(broker.passwords["bridge"])
        text += textwrap.dedent(f"""
            [mqtt]
            broker = "external"
            host = "{broker.host}"
            port = {broker.tcp_port}
            websocket_url = "ws://{broker.host}:{broker.websocket_port}"
            username = "bridge"
            password_file = "password"
            """)
    path = folder / "hipline.toml"
    path.write_text(f"{text}[dashboard]\nport = 0\n{extra}")
    return path


@dataclass(frozen=True)
class Observed:
    """One message as the observer got it."""

    topic: str
    body: bytes
    retained: bool
    said: Properties | None = None


class Observer:
    """A reader whose session the broker keeps while either is away: misses nothing of QoS 1.

    When it is closed, everything it has seen is held to the contract.
    """

    def __init__(self, broker: Mosquitto, gym: str = GYM, name: str = "observer") -> None:
        self.messages: list[Observed] = []
        self._topics = Topics(gym)
        self._granted = threading.Event()
        self._paho = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id=f"{name}-{gym}", protocol=paho.MQTTv5
        )
        self._paho.username_pw_set("coach", broker.passwords["coach"])
        self._paho.reconnect_delay_set(min_delay=1, max_delay=1)
        self._paho.on_connect = self._on_connect
        self._paho.on_subscribe = lambda *_: self._granted.set()
        self._paho.on_message = lambda _client, _user, message: self.messages.append(
            Observed(message.topic, bytes(message.payload), bool(message.retain), message.properties)
        )
        kept = Properties(PacketTypes.CONNECT)
        kept.SessionExpiryInterval = _SESSION_EXPIRY_S
        self._paho.connect(broker.host, broker.tcp_port, clean_start=False, properties=kept)
        self._paho.loop_start()
        assert self._granted.wait(10), "the broker does not grant the observer's subscription"

    def _on_connect(self, client: paho.Client, _user: Any, flags: Any, *_: Any) -> None:
        if not flags.session_present:
            client.subscribe(self._topics.everything, qos=1)

    def close(self) -> None:
        self._paho.disconnect()
        self._paho.loop_stop()
        for message in self.messages:
            assert_kept(message.topic, message.body, retained=message.retained)
            assert_told(message.topic, message.body, message.said)
            if message.body:
                points(message.topic, message.body)  # Telegraf's recipe reads it too

    def envelopes(self, channel: Channel) -> list[Envelope[Any]]:
        """Everything received on a channel, in the order it came."""
        return [
            decode(channel, message.body)
            for message in tuple(self.messages)
            if message.body and parse(message.topic).channel is channel
        ]

    @property
    def phase(self) -> str:
        """What the athlete does, by the last live message."""
        live = self.envelopes(Channel.LIVE)
        return live[-1].data.phase if live else "unknown"

    @property
    def service_state(self) -> str | None:
        """Whether the bridge runs, as it or its last will said last."""
        told = self.envelopes(Channel.SERVICE_STATUS)
        return told[-1].data.state if told else None

    def repetitions(self) -> dict[str, Repetition]:
        """The last word on each repetition, by event id; withdrawn ones are gone."""
        newest: dict[str, Repetition] = {}
        for event in self.envelopes(Channel.REPETITION):
            known = newest.get(event.id)
            if known is None or event.data.revision > known.revision:
                newest[event.id] = event.data
        standing = {key: data for key, data in newest.items() if data.status != "withdrawn"}
        return dict(sorted(standing.items(), key=lambda item: (item[1].set, item[1].repetition)))


@pytest.fixture
def observer(mosquitto: Mosquitto) -> Iterator[Observer]:
    """Listen at the real broker, as the dashboard's user."""
    watching = Observer(mosquitto)
    yield watching
    watching.close()
