"""What the wizard says when one sensor is moved, when several are, and when none is."""

from __future__ import annotations

import asyncio
import contextlib
from types import SimpleNamespace

import pytest

from sensor_bridge.ble.hipline_link import HiplineLink
from sensor_bridge.commands import moved_wizard
from sensor_bridge.config import Config
from sensor_bridge.errors import BridgeError, LinkLost


class Scripted:
    """A sensor whose liveliness is known beforehand, look by look; the last one stays."""

    def __init__(self, name: str, *liveliness: float) -> None:
        self.name = name
        self._left = list(liveliness)

    def liveliness(self) -> float:
        if self._left[0] < 0:
            raise LinkLost(f"{self.name}: the link was lost; begin again")
        return self._left.pop(0) if len(self._left) > 1 else self._left[0]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moved_wizard, "_LOOK_S", 0.001)
    monkeypatch.setattr(moved_wizard, "_PATIENCE_S", 0.1)
    monkeypatch.setattr(moved_wizard, "_REST_S", 0.02)


async def test_one_that_moves_for_a_while_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    sensors = {"A": Scripted("a", 0.1), "B": Scripted("b", 0.1, 9.0, 0.1, 9.0)}
    assert await moved_wizard._moved(sensors, {}) == "B"  # type: ignore[arg-type]
    assert capsys.readouterr().err == ""


async def test_two_that_move_together_are_named_until_one_moves_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sensors = {"A": Scripted("a", *[8.0] * 15, 0.1), "B": Scripted("b", 9.0)}
    assert await moved_wizard._moved(sensors, {}) == "B"  # type: ignore[arg-type]
    assert capsys.readouterr().err == "  Cannot tell: b and a move together. Put all down but one.\n"


async def test_one_that_is_known_already_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    sensors = {"A": Scripted("a", *[9.0] * 3, 0.1), "B": Scripted("b", *[0.1] * 6, 9.0)}
    assert await moved_wizard._moved(sensors, {"A": "pelvis"}) == "B"  # type: ignore[arg-type]
    assert "That is a, which is for pelvis already." in capsys.readouterr().err


@pytest.mark.parametrize("liveliness", [(0.1, 0.1), (9.0, 9.0)])
async def test_when_it_cannot_be_told_nothing_is_written(liveliness: tuple[float, float]) -> None:
    sensors = {"A": Scripted("a", liveliness[0]), "B": Scripted("b", liveliness[1])}
    with pytest.raises(BridgeError, match="which sensor was moved; nothing was written"):
        await moved_wizard._moved(sensors, {})  # type: ignore[arg-type]


async def test_a_lost_link_ends_it() -> None:
    with pytest.raises(LinkLost, match="b: the link was lost; begin again"):
        await moved_wizard._moved({"A": Scripted("a", 0.1), "B": Scripted("b", -1.0)}, {})  # type: ignore[arg-type]


class _StartedLink(HiplineLink):
    """Notes whether it streams; one that is refused does not."""

    def __init__(self, *, is_refused: bool) -> None:
        self.calls: list[str] = []
        self._is_refused = is_refused

    async def start(self, resume: tuple[int, int] | None) -> int:
        if self._is_refused:
            raise BridgeError("B: the sensor refuses to stream")
        assert resume is None
        self.calls.append("start")
        return 1

    async def stop(self) -> None:
        self.calls.append("stop")

    async def frames(self):  # type: ignore[no-untyped-def,override]
        await asyncio.get_running_loop().create_future()
        yield


async def test_those_that_stream_already_are_ended_when_another_cannot_be_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    links = {"A": _StartedLink(is_refused=False), "B": _StartedLink(is_refused=True)}

    @contextlib.asynccontextmanager
    async def connected(_adapter, found, _sensor):  # type: ignore[no-untyped-def]
        yield links[found.sighting.address]

    monkeypatch.setattr(moved_wizard, "connected", connected)
    heard = [SimpleNamespace(sighting=SimpleNamespace(name=each, address=each)) for each in links]
    config = Config.model_validate({"athletes": []})
    with pytest.raises(BridgeError, match="B: the sensor refuses to stream"):
        await moved_wizard.recognise(None, heard, ["pelvis"], config)  # type: ignore[arg-type]
    assert {name: link.calls for name, link in links.items()} == {"A": ["start", "stop"], "B": []}
