from __future__ import annotations

import pytest

from sensor_bridge import intake as intake_module
from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.errors import BridgeError
from sensor_bridge.intake import Intake


class Disk:
    """A frame log on a disk that is full at times."""

    def __init__(self) -> None:
        self.logged: list[int] = []
        self.is_full = False

    def append(self, frame: ReceivedFrame) -> None:
        if self.is_full:
            raise BridgeError("the frame log cannot be written: No space left on device")
        self.logged.append(frame.arrival_ns)


def frame(number: int) -> ReceivedFrame:
    return ReceivedFrame("anna-pelvis", number, FrameKind.DATA, b"")


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def intake(disk: Disk) -> Intake:
    return Intake(disk)  # type: ignore[arg-type]


async def test_frames_a_full_disk_refuses_are_measured_at_once_and_logged_later_in_order(
    intake: Intake, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    intake.take(frame(1))
    disk.is_full = True
    for number in (2, 3, 4):
        intake.take(frame(number))
    assert [one.arrival_ns for one in intake.rest()] == [1, 2, 3, 4]
    assert (disk.logged, intake.unlogged, intake.is_log_whole) == ([1], 3, False)
    assert caplog.messages == ["the frame log cannot be written: No space left on device"]
    disk.is_full = False
    intake.take(frame(5))
    assert (disk.logged, intake.unlogged, intake.never_logged) == ([1, 2, 3, 4, 5], 0, 0)
    assert intake.is_log_whole


async def test_room_is_used_though_no_frame_comes_any_more(intake: Intake, disk: Disk) -> None:
    disk.is_full = True
    intake.take(frame(1))
    disk.is_full = False
    intake.log_unlogged()
    assert (disk.logged, intake.unlogged) == ([1], 0)


async def test_what_finds_no_room_in_memory_either_is_counted(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "_UNLOGGED_FRAMES", 3)
    intake = Intake(disk)  # type: ignore[arg-type]
    disk.is_full = True
    for number in range(5):
        intake.take(frame(number))
    disk.is_full = False
    intake.log_unlogged()
    assert (disk.logged, intake.never_logged) == ([2, 3, 4], 2)
    assert not intake.is_log_whole
    assert len(intake.rest()) == 5
