from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from sensor_bridge.mqtt.broker import EmbeddedBroker, EmbeddedBrokerSettings
from sensor_bridge.mqtt.settings import MqttSettings, Protocol
from sensor_bridge.mqtt.topics import Topics
from sensor_bridge.mqtt.users import gym_users
from tests.gym_tokens import create_tokens
from tests.mosquitto_broker import PASSWORDS, Mosquitto, mosquitto, require_mosquitto

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

__all__ = ["mosquitto"]


@dataclass
class BrokerUnderTest:
    """Where a broker is and how to get in, whichever it is."""

    tcp_port: int
    websocket_port: int
    passwords: dict[str, str]
    protocol: Protocol
    topics: Topics = field(default_factory=lambda: Topics("gym-1"))

    def settings(self, user: str = "bridge", **changes: Any) -> MqttSettings:
        chosen: dict[str, Any] = {
            "client_id": f"test-{user}",
            "port": self.tcp_port,
            "username": user,
            "password": self.passwords[user],
            "protocol": self.protocol,
            "longest_backoff_s": 0.3,
        }
        return MqttSettings(**{**chosen, **changes})


@pytest.fixture
async def embedded() -> AsyncIterator[BrokerUnderTest]:
    tokens = create_tokens()
    async with EmbeddedBroker(EmbeddedBrokerSettings(gym_users(Topics("gym-1"), tokens))) as broker:
        yield BrokerUnderTest(broker.tcp_port, broker.websocket_port, tokens, Protocol.V311)


@pytest.fixture
def real(mosquitto: Mosquitto) -> BrokerUnderTest:
    return BrokerUnderTest(mosquitto.tcp_port, mosquitto.websocket_port, PASSWORDS, Protocol.V5)


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.broker)])
def any_broker(request: pytest.FixtureRequest) -> BrokerUnderTest:
    """Each test that asks for this runs against the embedded broker and against mosquitto."""
    broker: BrokerUnderTest = request.getfixturevalue(request.param)
    return broker


@pytest.fixture
def encrypted_mosquitto(tmp_path: Path) -> Callable[[Path, Path], Mosquitto]:
    """Make, but not start, a mosquitto whose TCP listener shows a certificate."""
    require_mosquitto()
    folder = tmp_path / "encrypted"
    folder.mkdir()
    return lambda certificate, key: Mosquitto(folder, certificate=certificate, key=key)
