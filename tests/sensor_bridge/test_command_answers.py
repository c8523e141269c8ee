"""Where answers to commands go: to `reply_to`, or to the response topic of MQTT 5, and to no other topic."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from sensor_bridge.ble.adapter import Adapter, Found
from sensor_bridge.config import Config
from sensor_bridge.errors import SensorNotFound
from sensor_bridge.mqtt.command_payloads import Command, Response
from sensor_bridge.mqtt.event_ids import message_id
from sensor_bridge.mqtt.payloads import decode, encode, envelope
from sensor_bridge.mqtt.settings import MqttSettings
from sensor_bridge.mqtt.topics import Channel, Topics
from sensor_bridge.service import Bridge, run_bridge
from tests.message_contract import assert_kept, assert_told
from tests.mosquitto_broker import GYM, mosquitto
from tests.mqtt5_listener import Listener

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_bridge.ble.link import SensorSettings
    from tests.mosquitto_broker import Mosquitto

__all__ = ["mosquitto"]

TOPICS = Topics(GYM)
COMMAND = TOPICS.command("bridge", "note")


class DeafAdapter(Adapter):
    """A radio that never hears anybody."""

    async def find(self, sensor: SensorSettings, timeout_s: float, **_how: Any) -> Found:
        raise SensorNotFound(f"{sensor.sensor_id} was not heard")


def note(request: str, now_ms: float) -> bytes:
    command = Command(
        request=request, reply_to="coach-7", arguments={"athlete": "anna", "text": "left heel lifts"}
    )
    name = message_id(now_ms, session="coach", topic=COMMAND, seq=0)
    return encode(envelope(command, message_id=name, sample_time_ms=now_ms, session="coach", seq=0))


@pytest.mark.broker
async def test_an_answer_goes_where_it_is_waited_for(mosquitto: Mosquitto, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.touch(mode=0o600)
    password.write_text(mosquitto.passwords["bridge"])
    config = Config.model_validate(
        {
            "gym": GYM,
            "data_folder": tmp_path / "data",
            "athletes": [{"id": "anna", "sensors": [{"placement": "pelvis", "name": "Hipline 1"}]}],
            "dashboard": {"enabled": False},
            "mqtt": {
                "broker": "external",
                "port": mosquitto.tcp_port,
                "username": "bridge",
                "password_file": password,
            },
        }
    )
    coach = MqttSettings(
        client_id="coach", port=mosquitto.tcp_port, username="coach", password=mosquitto.passwords["coach"]
    )
    answers: dict[tuple[str, str], tuple[Response, bytes | None]] = {}

    async def ask(_bridge: Bridge) -> None:
        listener = Listener(coach, TOPICS.every(Channel.RESPONSE))
        try:
            await listener.ready()
            mine = TOPICS.response("bridge", "rpc-1")
            for request, response_topic, correlation in (
                ("r-1", None, None),
                ("r-2", None, b"\x01"),
                ("r-3", mine, b"\x02"),
                ("r-4", TOPICS.repetition("anna"), b"\x03"),
                ("r-5", f"{mine}/more", b"\x04"),
                ("r-6", mine.replace(GYM, "gym-2"), b"\x05"),
                ("r-7", None, b"\x06" * 1024),
                ("r-8", None, b"\x07" * 1025),
            ):
                while request not in {key[1] for key in answers}:  # the bridge may not listen yet
                    listener.ask(COMMAND, note(request, time.time() * 1e3), response_topic, correlation)
                    await asyncio.sleep(0.2)
                    for message in listener.messages:
                        assert_kept(message.topic, message.payload)
                        assert_told(message.topic, message.payload, message.properties)
                        told = decode(Channel.RESPONSE, message.payload).data
                        carried = getattr(message.properties, "CorrelationData", None)
                        answers[message.topic.rsplit("/", 1)[-1], told.request] = told, carried
        finally:
            listener.close()

    async with asyncio.timeout(60):
        await run_bridge(config, DeafAdapter(), ask)
    assert {key: (told.ok, carried) for key, (told, carried) in answers.items()} == {
        ("coach-7", "r-1"): (True, None),
        ("coach-7", "r-2"): (True, b"\x01"),
        ("rpc-1", "r-3"): (True, b"\x02"),
        ("coach-7", "r-4"): (False, b"\x03"),
        ("coach-7", "r-5"): (False, b"\x04"),
        ("coach-7", "r-6"): (False, b"\x05"),
        ("coach-7", "r-7"): (True, b"\x06" * 1024),
        ("coach-7", "r-8"): (False, b"\x07" * 1025),
    }
    refused = answers["coach-7", "r-4"][0].text
    assert refused == f"a response topic has to be {TOPICS.root}/svc/bridge/rsp/<client>"
