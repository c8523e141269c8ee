"""The recipes of docs/integrations.md: they read what is sent, and the rights they name are enough."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import textwrap
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.examples import examples
from sensor_bridge.mqtt.payloads import PAYLOADS
from sensor_bridge.mqtt.settings import MqttSettings
from sensor_bridge.mqtt.topics import Channel, Topics, covers
from tests.mosquitto_broker import ACCESS, GYM, PASSWORDS, Mosquitto, require_mosquitto
from tests.telegraf_recipe import INPUTS, points

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "integrations.md").read_text(encoding="utf-8")
RIGHTS = re.findall(r"^```\n(user .*?)```", PAGE, re.MULTILINE | re.DOTALL)
(PROGRAM,) = re.findall(r"^```python\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL)
REPETITION, WITHDRAWN = (example for example in examples() if example.channel is Channel.REPETITION)


def granted(user: str) -> list[str]:
    """What the page lets a user read."""
    blocks = [block for text in RIGHTS for block in text.split("\n\n")]
    (lines,) = [block.splitlines()[1:] for block in blocks if block.startswith(f"user {user}\n")]
    return [line.removeprefix("topic read ") for line in lines if line.startswith("topic read ")]


def test_telegraf_reads_repetitions_sets_and_sensors() -> None:
    made = {
        point.measurement: point
        for example in examples()
        for point in points(example.topic, json.dumps(example.message).encode())
        if example is not WITHDRAWN
    }
    assert set(made) == {"repetition", "set", "sensor"}
    repetition, data = made["repetition"], REPETITION.message["data"]
    assert repetition.tags == {
        "gym": "gym-1",
        "athlete": "a1",
        "id": REPETITION.message["id"],
        "session": REPETITION.message["session"],
    }
    assert (
        repetition.time.isoformat(timespec="milliseconds").replace("+00:00", "Z") == REPETITION.message["ts"]
    )
    assert repetition.fields["eccentric_s"] == data["eccentric_s"]
    assert repetition.fields["faults"] == len(data["faults"]) > 0
    assert data["hip_flexion_right_range_deg"] is None
    assert "hip_flexion_right_range_deg" not in repetition.fields
    assert made["sensor"].tags == {
        "gym": "gym-1",
        "sensor": "pelvis-1",
        "athlete": "a1",
        "placement": "pelvis",
    }
    assert made["sensor"].fields["battery_percent"] == 81.0


def test_a_withdrawn_repetition_is_a_point_of_the_same_event() -> None:
    first, last = (
        points(example.topic, json.dumps(example.message).encode())[0] for example in (REPETITION, WITHDRAWN)
    )
    assert first.tags["id"] == last.tags["id"]
    assert first.fields["revision"] < last.fields["revision"]
    assert last.fields["status"] == "withdrawn"


def test_each_input_has_a_session_of_its_own_and_the_rights_it_needs() -> None:
    names = [one["client_id"] for one in INPUTS]
    assert len(names) == len(set(names))
    for one in INPUTS:
        assert one["qos"] == 1
        for topic in one["topics"]:
            in_gym = topic.replace("hipline/v1/+", "hipline/v1/gym-1", 1)
            assert any(covers(right, in_gym) for right in granted("telegraf")), topic


@pytest.mark.parametrize("listening", INPUTS, ids=[one["client_id"] for one in INPUTS])
def test_what_telegraf_takes_is_in_the_payload(listening: dict[str, Any]) -> None:
    channel = {"rep": Channel.REPETITION, "set": Channel.SET, "status": Channel.SENSOR_STATUS}[
        listening["topics"][0].rsplit("/", 1)[-1]
    ]
    fields = set(PAYLOADS[channel].__struct_fields__)
    for parser in listening["json_v2"]:
        for described in parser["object"]:
            assert set(described["included_keys"]) <= fields


def test_telegraf_would_refuse_a_message_without_its_tags() -> None:
    lacking: dict[str, Any] = deepcopy(REPETITION.message)
    del lacking["session"]
    with pytest.raises(AssertionError, match="session is not there"):
        points(REPETITION.topic, json.dumps(lacking).encode())


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A mosquitto with one more user, who may read repetitions."""
    require_mosquitto()
    (tmp_path / "broker").mkdir()
    rights = "\nuser printer\ntopic read hipline/v1/gym-1/athlete/+/rep\n"
    running = Mosquitto(
        tmp_path / "broker",
        passwords=PASSWORDS | {"printer": "said-aloud"},
        access=ACCESS + rights,
        further=("log_type all",),
    )
    running.start()
    yield running
    running.stop()


@pytest.mark.broker
async def test_the_program_prints_each_repetition_once_and_what_it_missed(
    broker: Mosquitto, tmp_path: Path
) -> None:
    script = tmp_path / "printer.py"
    script.write_text(PROGRAM, encoding="utf-8")
    command = [sys.executable, str(script), "127.0.0.1", str(broker.tcp_port), "printer", "said-aloud", GYM]
    topic = Topics(GYM).repetition("a1")
    second = deepcopy(REPETITION.message)
    second["id"] = second["id"][:-1] + "0"
    second["data"] |= {"repetition": 4, "eccentric_s": None, "reasons": {"eccentric_s": "no data"}}
    settings = MqttSettings(
        client_id="bridge", port=broker.tcp_port, username="bridge", password=broker.passwords["bridge"]
    )

    async def printed(count: int) -> list[str]:
        program = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        try:
            assert program.stdout is not None
            async with asyncio.timeout(20):
                return [(await program.stdout.readline()).decode().strip() for _ in range(count)]
        finally:
            program.kill()
            await program.communicate()

    # A session of the broker begins with the first subscription; then it keeps what comes.
    session = await asyncio.create_subprocess_exec(*command)
    try:
        await until_subscribed(broker)
    finally:
        session.kill()
        await session.wait()
    async with MqttClient(settings) as bridge:
        await bridge.connected(10)
        for message in (
            REPETITION.message,
            REPETITION.message,
            WITHDRAWN.message,
            REPETITION.message,
            second,
        ):
            await bridge.publish(topic, json.dumps(message).encode())
    number = f"a1 {REPETITION.message['data']['set']}.{REPETITION.message['data']['repetition']}"
    lowered = REPETITION.message["data"]["eccentric_s"]
    assert await printed(3) == [
        f"{number} lowered in {lowered:.1f} s",
        f"{number} was none",
        "a1 1.4 no data",
    ]


async def until_subscribed(broker: Mosquitto) -> None:
    """Wait for the program's subscription, as the broker's log has it."""
    async with asyncio.timeout(20):
        while "printer 1 hipline/v1/gym-1/athlete/+/rep" not in broker.log.read_text():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def test_the_program_is_short() -> None:
    assert len(textwrap.dedent(PROGRAM).splitlines()) <= 40
