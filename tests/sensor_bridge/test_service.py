from __future__ import annotations

import gc
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sensor_bridge.ble.adapter import Adapter, Found
from sensor_bridge.config import Config, PrescriptionConfig
from sensor_bridge.errors import BridgeError, ConfigError, SensorNotFound
from sensor_bridge.host_clock import HostClock
from sensor_bridge.prescribed import PrescriptionStore
from sensor_bridge.recording.session import open_session
from sensor_bridge.service import Bridge, run_bridge

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_bridge.ble.link import SensorSettings


class DeafAdapter(Adapter):
    """A radio that never hears anybody."""

    async def find(self, sensor: SensorSettings, timeout_s: float, **_how: Any) -> Found:
        raise SensorNotFound(f"{sensor.sensor_id} was not heard")


def config(folder: Path, *, tempo: str = "5-0-1-0", **changes: Any) -> Config:
    athlete = {
        "id": "anna",
        "sensors": [{"placement": "pelvis", "name": "Hipline 1"}],
        "prescription": {"exercise": "romanian_deadlift", "tempo": tempo},
    }
    return Config.model_validate(
        {"data_folder": folder, "athletes": [athlete], "dashboard": {"enabled": False}, **changes}
    )


async def session_of(config: Config) -> str:
    """Run a bridge and end it at once; return the id of its session."""
    sessions = []

    async def end(bridge: Bridge) -> None:
        sessions.append(bridge.session.session_id)

    await run_bridge(config, DeafAdapter(), end)
    return sessions[0]


async def cut_off(config: Config) -> str:
    """Run a bridge until something breaks; return the id of its session, which stays open."""
    sessions = []

    async def fail(bridge: Bridge) -> None:
        sessions.append(bridge.session.session_id)
        raise BridgeError("cut off")

    with pytest.raises(BridgeError, match=r"^cut off$"):
        await run_bridge(config, DeafAdapter(), fail)
    assert not open_session(config.data_folder / "sessions" / sessions[0]).is_closed
    return sessions[0]


async def test_a_session_that_ended_in_order_is_over(tmp_path: Path) -> None:
    first = await session_of(config(tmp_path))
    assert open_session(tmp_path / "sessions" / first).is_closed
    assert await session_of(config(tmp_path)) != first


async def test_an_error_comes_out_as_itself_and_the_session_goes_on(tmp_path: Path) -> None:
    first = await cut_off(config(tmp_path))
    assert await session_of(config(tmp_path)) == first
    assert open_session(tmp_path / "sessions" / first).is_closed


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells one start of the machine from another")
async def test_a_session_that_goes_on_does_so_on_the_clock_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await cut_off(config(tmp_path))
    set_forward = HostClock(lambda: time.time_ns() + 3_600_000_000_000)
    monkeypatch.setattr("sensor_bridge.service.HostClock", lambda: set_forward)
    assert await session_of(config(tmp_path)) == first
    ended = datetime.fromisoformat((tmp_path / "sessions" / first / "closed").read_text().strip())
    assert abs((ended - datetime.now(UTC)).total_seconds()) < 600


async def test_with_another_configuration_another_session_begins(tmp_path: Path) -> None:
    first = await cut_off(config(tmp_path))
    assert await session_of(config(tmp_path, tempo="3-0-1-0")) != first
    # Its log says who wore what: only the same configuration may write on in it.
    assert not open_session(tmp_path / "sessions" / first).is_closed


async def test_what_was_prescribed_holds_in_the_next_session_and_in_one_that_goes_on(tmp_path: Path) -> None:
    configured = config(tmp_path)

    def prescribed(session: str) -> Any:
        return open_session(tmp_path / "sessions" / session).metadata["prescribed"]

    first = await cut_off(configured)
    assert prescribed(first) == {}
    slow = PrescriptionConfig.model_validate({"exercise": "deadlift", "tempo": "8-0-1-0"})
    PrescriptionStore(tmp_path, configured).keep("anna", slow)
    assert await session_of(configured) == first  # what was prescribed in it is in its log
    following = prescribed(await session_of(configured))
    assert (following["anna"]["exercise"], following["anna"]["tempo"]) == ("deadlift", "8-0-1-0")
    assert prescribed(await session_of(config(tmp_path, tempo="3-0-1-0"))) == {}


async def test_where_nothing_can_be_kept_nothing_begins(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(ConfigError, match=r"^data_folder: .* cannot be made: "):
        await session_of(config(tmp_path / "data"))


async def test_every_sensor_has_a_quality_though_none_was_heard(tmp_path: Path) -> None:
    async def end(_bridge: Bridge) -> None:
        return

    qualities = await run_bridge(config(tmp_path), DeafAdapter(), end)
    assert list(qualities) == ["anna-pelvis"]
    assert (qualities["anna-pelvis"].received, qualities["anna-pelvis"].clock_residual_ms) == (0, None)


async def test_the_collector_does_not_walk_through_what_was_imported(tmp_path: Path) -> None:
    spared = []

    async def count(_bridge: Bridge) -> None:
        spared.append(gc.get_freeze_count())

    await run_bridge(config(tmp_path), DeafAdapter(), count)
    assert spared[0] > 50_000  # a bridge imports some 150 000 objects
    assert gc.get_freeze_count() == 0
