"""The files ``hipline broker config mosquitto`` writes, in a mosquitto that runs with them."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
import stat
import subprocess
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from sensor_bridge.access.mosquitto_config import password_line
from sensor_bridge.access.tokens import read_tokens
from sensor_bridge.cli import run_command
from sensor_bridge.config_file import load_config
from sensor_bridge.errors import BrokerRefused, BrokerUnavailable
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.settings import MqttSettings, Protocol
from sensor_bridge.mqtt.topics import Topics
from sensor_bridge.mqtt_access import open_broker
from tests.mosquitto_broker import _free_ports, _search_path, require_mosquitto

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.broker

GYM = """
gym = "gym-1"
data_folder = "data"
[[athletes]]
id = "anna"
sensors = [{ id = "clip-1", placement = "pelvis", name = "A" }]
[[athletes]]
id = "bea"
sensors = [{ id = "clip-2", placement = "pelvis", name = "B" }]
"""
TOPICS = Topics("gym-1")


@dataclass(frozen=True)
class Production:
    """A mosquitto that runs with what was written, and a configuration of the bridge that uses it."""

    folder: Path
    config_path: Path
    tokens: dict[str, str]
    settings: MqttSettings
    websocket_port: int

    def as_user(self, user: str, **changes: object) -> MqttSettings:
        chosen = {"client_id": f"test-{user}", "username": user, "password": self.tokens.get(user), **changes}
        return replace(self.settings, **chosen)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    require_mosquitto()
    home = tmp_path_factory.mktemp("production")
    config_path = home / "hipline.toml"
    config_path.write_text(GYM)
    port, websocket_port = _free_ports(2)
    out = home / "broker"
    arguments = ["broker", "config", "mosquitto", "--out", str(out), "--address", "127.0.0.1"]
    arguments += ["--port", str(port), "--websocket-port", str(websocket_port), "--config", str(config_path)]
    assert run_command(arguments) == 0
    config_path.write_text(GYM + (out / "hipline-mqtt.toml").read_text())
    # A process started by root would become the user mosquitto, who may not read the folder.
    own_user = ["user root\n"] if os.geteuid() == 0 else []
    run_with = home / "run.conf"
    run_with.write_text("".join([*own_user, (out / "mosquitto.conf").read_text()]))
    executable = shutil.which("mosquitto", path=_search_path())
    assert executable is not None
    log = (home / "log").open("w+")
    process = subprocess.Popen([executable, "-c", str(run_with)], stdout=log, stderr=log)
    mqtt = load_config(config_path).mqtt
    tokens = read_tokens(home / "data")
    settings = MqttSettings(
        client_id="x", host=mqtt.host, port=port, tls=mqtt.tls, ca_file=mqtt.ca_file, longest_backoff_s=0.2
    )
    try:
        asyncio.run(answers(replace(settings, username="coach", password=tokens["coach"])))
        yield Production(out, config_path, tokens, settings, websocket_port)
    finally:
        process.terminate()
        assert process.wait(10) == 0
        log.seek(0)
        print(log.read())
        log.close()


async def answers(settings: MqttSettings) -> None:
    async with MqttClient(settings) as client:
        await client.connected(30)


async def test_the_bridge_finds_it_with_what_was_printed(production: Production) -> None:
    config = load_config(production.config_path)
    async with (
        open_broker(config, TOPICS) as access,
        MqttClient(access.bridge_settings("gym-1-bridge")) as client,
    ):
        await client.connected(30)
        assert client.protocol is Protocol.V5
        await client.publish(TOPICS.repetition("anna"), b"{}")
        assert access.websocket_url == f"wss://127.0.0.1:{production.websocket_port}"
        assert access.coach_credential == f"coach.{production.tokens['coach']}"


async def test_each_user_may_do_what_is_theirs(production: Production) -> None:
    async with (
        MqttClient(production.as_user("bridge")) as bridge,
        MqttClient(production.as_user("coach")) as coach,
        MqttClient(production.as_user("athlete-anna")) as anna,
    ):
        for client in (bridge, coach, anna):
            await client.connected(30)
        await bridge.subscribe(TOPICS.everything, qos=1)
        await coach.subscribe(TOPICS.everything, qos=1)
        # mosquitto grants any subscription, and delivers what the reader may see.
        for topic_filter in ("#", TOPICS.everything, f"{TOPICS.root}/athlete/+/#"):
            await anna.subscribe(topic_filter, qos=1)
        for topic in (
            TOPICS.repetition("bea"),
            TOPICS.sensor_status("clip-2"),
            TOPICS.response("bridge", "c"),
        ):
            await bridge.publish(topic, b"not for anna")
        for topic in (
            TOPICS.repetition("anna"),
            TOPICS.sensor_status("clip-1"),
            TOPICS.service_status("bridge"),
        ):
            await bridge.publish(topic, b"for anna")
        await coach.publish(TOPICS.command("bridge", "start-set"), b"from the coach")
        for topic in (TOPICS.repetition("anna"), TOPICS.response("bridge", "c"), "elsewhere"):
            with pytest.raises(BrokerRefused):
                await coach.publish(topic, b"forged")
        for topic in (TOPICS.command("bridge", "start-set"), TOPICS.repetition("anna")):
            with pytest.raises(BrokerRefused):
                await anna.publish(topic, b"forged")
        heard = {message.payload async for message in first(anna, 3)}
        assert heard == {b"for anna"}
        assert {message.payload async for message in first(bridge, 7)} == {
            *(b"not for anna", b"for anna", b"from the coach")
        }


async def first(client: MqttClient, count: int):  # type: ignore[no-untyped-def]
    async with asyncio.timeout(30):
        for _ in range(count):
            yield await anext(client.messages())


@pytest.mark.parametrize("changes", [{"password": "guessed"}, {"username": None, "password": None}])
async def test_strangers_are_refused(production: Production, changes: dict[str, str | None]) -> None:
    async with MqttClient(production.as_user("coach", **changes)) as client:
        with pytest.raises(BrokerRefused):
            await client.connected(30)


async def test_nothing_goes_unencrypted_or_to_who_cannot_prove_itself(production: Production) -> None:
    unencrypted = ({"tls": False}, BrokerUnavailable, 3.0)  # mosquitto hangs up without a word
    untrusted = ({"ca_file": None}, BrokerRefused, 30.0)
    for changes, error, wait_s in (unencrypted, untrusted):
        settings = production.as_user("coach", **changes)
        async with MqttClient(settings) as client:
            with pytest.raises(error):
                await client.connected(wait_s)


async def test_pages_reach_it_encrypted(production: Production) -> None:
    page = production.as_user("coach", port=production.websocket_port, transport="websockets")
    async with MqttClient(page) as client:
        await client.connected(30)
        await client.subscribe(TOPICS.everything)


async def test_a_payload_of_a_megabyte_is_not_taken(production: Production) -> None:
    async with MqttClient(production.as_user("bridge", protocol=Protocol.V311)) as client:
        await client.connected(30)
        with pytest.raises((BrokerRefused, BrokerUnavailable)):
            await client.publish(TOPICS.state("anna"), b"x" * 1_000_000)


def test_all_files_are_for_their_owner_only(production: Production) -> None:
    for path in (production.folder, *production.folder.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    passwords = (production.folder / "passwords").read_text()
    assert not any(token in passwords for token in production.tokens.values())


def test_passwords_are_hashed_as_mosquitto_does(tmp_path: Path) -> None:
    require_mosquitto()
    theirs = tmp_path / "theirs"
    theirs.touch(mode=0o600)
    subprocess.run(["mosquitto_passwd", "-b", theirs, "coach", "secret"], check=True)
    line = theirs.read_text()
    found = re.fullmatch(r"coach:\$7\$101\$([A-Za-z0-9+/=]+)\$[A-Za-z0-9+/=]+\n", line)
    assert found is not None
    salt = base64.b64decode(found[1])
    assert password_line("coach", "secret", salt) == line
