"""Measuring code is there before the first sample; what takes long is said."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from sensor_bridge import readiness, service
from sensor_bridge.errors import BridgeError
from tests.sensor_bridge.test_service import DeafAdapter, config

if TYPE_CHECKING:
    from pathlib import Path


def test_compiling_is_said_where_it_takes_a_while(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told = threading.Event()
    monkeypatch.setattr(readiness, "_SILENT_S", 0.01)
    monkeypatch.setattr(readiness.log, "warning", lambda *_: told.set())
    monkeypatch.setattr(readiness, "prepare_pipeline", lambda: told.wait(20))
    readiness.prepare_to_measure()
    assert told.is_set()


def test_what_is_quick_is_not_said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(readiness, "prepare_pipeline", lambda: None)
    readiness.prepare_to_measure()
    assert caplog.messages == []


async def test_no_sensor_is_looked_for_before_samples_can_be_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail() -> None:
        raise BridgeError("not ready")

    async def never(*_: object) -> None:
        pytest.fail("the bridge streams")

    monkeypatch.setattr(service, "prepare_to_measure", fail)
    with pytest.raises(BridgeError, match="not ready"):
        await service.run_bridge(config(tmp_path), DeafAdapter(), never)
