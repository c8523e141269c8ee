"""What Home Assistant is told: the payload, its templates on real messages, rights, and taking it back."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sensor_bridge.ble.adapter import Adapter, Found
from sensor_bridge.cli import run_command
from sensor_bridge.config import Config
from sensor_bridge.errors import SensorNotFound
from sensor_bridge.home_assistant.discovery import Shown, discovery
from sensor_bridge.home_assistant.gym import MEMORY_NAME, home_assistant
from sensor_bridge.home_assistant.rights import with_home_assistant_user
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.examples import examples
from sensor_bridge.mqtt.settings import MqttSettings
from sensor_bridge.mqtt.topics import Topics
from sensor_bridge.mqtt.users import gym_users, user_names
from sensor_bridge.service import Bridge, run_bridge
from tests.mosquitto_broker import ACCESS, GYM, mosquitto

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor_bridge.ble.link import SensorSettings
    from tests.mosquitto_broker import Mosquitto

__all__ = ["mosquitto"]

STATUS = Topics(GYM).service_status("bridge")
NODE = f"homeassistant/device/hipline-{GYM}"
PAGE = (Path(__file__).resolve().parents[3] / "docs" / "integrations.md").read_text(encoding="utf-8")
(RIGHTS,) = re.findall(r"^```\n(user bridge\n.*?)```", PAGE, re.MULTILINE | re.DOTALL)
USER = "home-assistant"


def payloads() -> dict[str, dict[str, Any]]:
    return discovery(
        Topics("gym-1"),
        "bridge",
        [Shown("a1", "Ada")],
        [Shown("pelvis-1", "Sensor pelvis-1")],
        prefix="homeassistant",
        version="0.1.0",
    )


def test_an_athlete_is_a_device_with_repetitions_and_sets() -> None:
    assert payloads()[f"{NODE}/athlete-a1/config"] == {
        "device": {
            "identifiers": ["hipline-gym-1-athlete-a1"],
            "name": "Ada",
            "manufacturer": "Hipline",
            "model": "athlete",
        },
        "origin": {"name": "Hipline", "sw_version": "0.1.0"},
        "availability": [
            {
                "topic": "hipline/v1/gym-1/svc/bridge/status",
                "value_template": "{{ value_json.data.state }}",
            }
        ],
        "qos": 1,
        "state_topic": "hipline/v1/gym-1/athlete/a1/state",
        "components": {
            "repetitions": {
                "unique_id": "hipline-gym-1-athlete-a1-repetitions",
                "platform": "sensor",
                "name": "Repetitions",
                "icon": "mdi:counter",
                "state_class": "measurement",
                "value_template": "{{ value_json.data.repetition }}",
            },
            "set": {
                "unique_id": "hipline-gym-1-athlete-a1-set",
                "platform": "sensor",
                "name": "Set",
                "icon": "mdi:weight-lifter",
                "state_class": "measurement",
                "value_template": "{{ value_json.data.set }}",
            },
        },
    }


def test_a_sensor_is_a_device_with_battery_and_link() -> None:
    told = payloads()[f"{NODE}/sensor-pelvis-1/config"]
    assert told["state_topic"] == "hipline/v1/gym-1/sensor/pelvis-1/status"
    assert told["components"] == {
        "battery": {
            "unique_id": "hipline-gym-1-sensor-pelvis-1-battery",
            "platform": "sensor",
            "name": "Battery",
            "device_class": "battery",
            "unit_of_measurement": "%",
            "state_class": "measurement",
            "value_template": "{{ value_json.data.battery_percent }}",
            "entity_category": "diagnostic",
        },
        "link": {
            "unique_id": "hipline-gym-1-sensor-pelvis-1-link",
            "platform": "binary_sensor",
            "name": "Link",
            "device_class": "connectivity",
            "value_template": "{{ 'ON' if value_json.data.link == 'connected' else 'OFF' }}",
            "entity_category": "diagnostic",
        },
    }


def test_topics_are_spelled_as_home_assistant_reads_them() -> None:
    # <prefix>/device/[<node>/]<object>/config
    for topic in payloads():
        assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/[a-zA-Z0-9_-]+/config", topic)


def test_templates_name_fields_that_the_messages_have() -> None:
    shown = {example.topic: example.message for example in examples()}
    found = {}
    for payload in payloads().values():
        for entry in (*payload["availability"], *payload["components"].values()):
            topic = entry.get("topic", payload["state_topic"])
            (field,) = re.findall(r"value_json\.data\.(\w+)", entry["value_template"])
            found[field] = shown[topic]["data"][field]
    assert found == {
        "state": "online",  # what Home Assistant takes for available, if it is told nothing else
        "repetition": 3,
        "set": 1,
        "battery_percent": 81.0,
        "link": "connected",
    }


def test_nothing_is_live_and_ids_are_unique() -> None:
    told = payloads().values()
    assert "/live" not in json.dumps(list(told))
    ids = [part["unique_id"] for payload in told for part in payload["components"].values()]
    assert len(ids) == len(set(ids)) == 4


class DeafAdapter(Adapter):
    """A radio that never hears anybody."""

    async def find(self, sensor: SensorSettings, timeout_s: float, **_how: Any) -> Found:
        raise SensorNotFound(f"{sensor.sensor_id} was not heard")


@pytest.fixture
def config(mosquitto: Mosquitto, tmp_path: Path) -> Callable[..., Config]:
    password = tmp_path / "password"
    password.touch(mode=0o600)
    password.write_text(mosquitto.passwords["bridge"])

    def make(*athletes: str, **home_assistant: Any) -> Config:
        return Config.model_validate(
            {
                "gym": GYM,
                "data_folder": tmp_path / "data",
                "athletes": [
                    {"id": athlete, "sensors": [{"placement": "pelvis", "name": f"Hipline {athlete}"}]}
                    for athlete in athletes
                ],
                "dashboard": {"enabled": False},
                "home_assistant": home_assistant,
                "mqtt": {
                    "broker": "external",
                    "port": mosquitto.tcp_port,
                    "username": "bridge",
                    "password_file": password,
                },
            }
        )

    return make


async def at_once(_bridge: Bridge) -> None:
    """End as soon as everything runs."""


async def run_and_end(config: Config) -> None:
    await run_bridge(config, DeafAdapter(), at_once)


def reader(mosquitto: Mosquitto, user: str = USER) -> MqttClient:
    password = mosquitto.passwords[user]
    return MqttClient(
        MqttSettings(client_id="reader", port=mosquitto.tcp_port, username=user, password=password)
    )


async def kept(mosquitto: Mosquitto, topic_filter: str) -> dict[str, dict[str, Any]]:
    """What the broker keeps below a topic; the service's own status marks the end of it."""
    found = {}
    async with reader(mosquitto) as client:
        await client.connected(10)
        await client.subscribe(topic_filter, qos=1)
        await client.subscribe(STATUS, qos=1)
        async for message in client.messages():
            if message.topic == STATUS:
                return found
            assert message.retained
            found[message.topic] = json.loads(message.payload)
    raise AssertionError("messages() ended")


@pytest.mark.broker
async def test_who_is_there_is_told_and_who_went_is_taken_back(
    mosquitto: Mosquitto, config: Callable[..., Config], tmp_path: Path
) -> None:
    mosquitto.stop()
    mosquitto.passwords[USER] = "front-door"
    mosquitto.grant(f"{ACCESS}\n{RIGHTS}")
    mosquitto.start()
    both = config("anna", "ben", discovery=True)
    await run_and_end(both)
    assert await kept(mosquitto, "homeassistant/#") == home_assistant(both)
    assert len(home_assistant(both)) == 4
    values = {payload["state_topic"] for payload in home_assistant(both).values()}
    root = Topics(GYM).root
    assert {
        topic for kind in ("athlete", "sensor") for topic in await kept(mosquitto, f"{root}/{kind}/#")
    } == values

    await run_and_end(config("anna", discovery=True))
    assert set(await kept(mosquitto, "homeassistant/#")) == {
        f"{NODE}/athlete-anna/config",
        f"{NODE}/sensor-anna-pelvis/config",
    }

    await run_and_end(config("anna"))
    assert await kept(mosquitto, "homeassistant/#") == {}
    assert not (tmp_path / "data" / MEMORY_NAME).exists()


@pytest.mark.broker
async def test_without_the_right_it_is_an_alarm_and_what_was_told_is_remembered(
    mosquitto: Mosquitto, config: Callable[..., Config], tmp_path: Path
) -> None:
    memory = tmp_path / "data" / MEMORY_NAME
    memory.parent.mkdir()
    memory.write_text(json.dumps([f"{NODE}/athlete-gone/config"]))

    async def until_alarm(_bridge: Bridge) -> None:
        async with reader(mosquitto, "coach") as client, asyncio.timeout(20):
            await client.subscribe(STATUS, qos=1)
            async for message in client.messages():
                (*_, last) = ["", *json.loads(message.payload)["data"]["alarms"]]
                if "athlete-gone/config: Not authorized, and 2 more" in last:
                    return

    await run_bridge(config("anna", discovery=True), DeafAdapter(), until_alarm)
    # What could not be taken back is tried again at the next start.
    assert f"{NODE}/athlete-gone/config" in json.loads(memory.read_text(encoding="utf-8"))


async def test_it_is_off_unless_asked_for(config: Callable[..., Config]) -> None:
    assert home_assistant(config("anna")) == {}


def test_the_embedded_broker_is_out_of_its_reach() -> None:
    with pytest.raises(ValueError, match=r'needs a broker Home Assistant reaches: mqtt.broker = "external"'):
        Config.model_validate({"home_assistant": {"discovery": True}})


@pytest.mark.parametrize("prefix", ["", "home assistant", "a/#", "+", "/a", "a/"])
def test_a_prefix_is_the_beginning_of_a_topic(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        Config.model_validate({"home_assistant": {"prefix": prefix}})


@pytest.mark.parametrize("content", ["{", "{}", "[1, null]"])
async def test_a_memory_that_says_nothing_is_none(
    content: str, config: Callable[..., Config], tmp_path: Path
) -> None:
    memory = tmp_path / "data" / MEMORY_NAME
    memory.parent.mkdir()
    memory.write_text(content)
    wanted = config("anna", discovery=True)
    await run_and_end(wanted)
    assert set(json.loads(memory.read_text(encoding="utf-8"))) == set(home_assistant(wanted))


def test_the_rights_of_the_page_are_those_of_the_broker_that_hipline_configures() -> None:
    topics = Topics(GYM)
    before = gym_users(topics, dict.fromkeys(user_names([]), ""))
    with_it = with_home_assistant_user(before, topics, "", prefix="homeassistant")
    told = {
        (user, how, topic)
        for block in RIGHTS.strip().split("\n\n")
        for user in [block.splitlines()[0].removeprefix("user ")]
        for how, topic in re.findall(r"^topic (\w+) (.+)$", block, re.MULTILINE)
    }
    expected = {(user.name, "write", topic) for user in with_it for topic in user.publish}
    expected |= {(user.name, "read", topic) for user in with_it for topic in user.read}
    expected -= {(user.name, "write", topic) for user in before for topic in user.publish}
    expected -= {(user.name, "read", topic) for user in before for topic in user.read}
    assert told == expected


def test_a_broker_that_hipline_configures_lets_it_in(tmp_path: Path) -> None:
    config = tmp_path / "hipline.toml"
    text = 'gym = "gym-1"\ndata_folder = "data"\n[mqtt]\nbroker = "external"\n'
    arguments = ["broker", "config", "mosquitto", "--out", str(tmp_path / "broker"), "--address", "127.0.0.1"]
    config.write_text(text)
    assert run_command([*arguments, "--config", str(config)]) == 0
    assert "home" not in (tmp_path / "broker" / "access").read_text(encoding="utf-8")
    config.write_text(f"{text}[home_assistant]\ndiscovery = true\n")
    assert run_command([*arguments, "--config", str(config)]) == 0
    rules = (tmp_path / "broker" / "access").read_text(encoding="utf-8")
    assert f"topic write {NODE}/+/config\n" in rules.split("user coach")[0]
    assert "user home-assistant\ntopic read homeassistant/#\n" in rules
    assert "home-assistant:$7$" in (tmp_path / "broker" / "passwords").read_text(encoding="utf-8")
    password = tmp_path / "broker" / "home-assistant-password"
    assert password.stat().st_mode & 0o777 == 0o600
    assert len(password.read_text(encoding="utf-8").strip()) == 26
