from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
import zlib
from typing import TYPE_CHECKING

import pytest

from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.errors import BridgeError, RecordingError
from sensor_bridge.recording.frame_log import (
    FrameLogInUse,
    FrameLogWriter,
    read_frame_log,
    read_session_metadata,
)

if TYPE_CHECKING:
    from pathlib import Path

FRAMES = [
    ReceivedFrame("mia-pelvis", 1_700_000_000_000_000_000 + k, FrameKind(1 + k % 5), bytes([k]) * (7 * k))
    for k in range(12)
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "frames.log"


def write(path: Path, frames: list[ReceivedFrame]) -> None:
    with FrameLogWriter(path, {"gym": "north"}) as log:
        for frame in frames:
            log.append(frame)


def test_frames_come_back_as_they_were(path: Path) -> None:
    write(path, FRAMES)
    assert list(read_frame_log(path)) == FRAMES
    assert read_session_metadata(path) == {"gym": "north"}


def test_bytes_on_disk_are_as_documented(path: Path) -> None:
    write(path, [ReceivedFrame("a", 258, FrameKind.DATA, b"\x07")])
    assert path.read_bytes().hex(" ") == (
        "48 49 50 4c 46 4c 4f 47 01 00 10 00 00 00 "  # HIPLFLOG, version 1, 16 bytes of JSON
        "7b 22 67 79 6d 22 3a 20 22 6e 6f 72 74 68 22 7d "  # {"gym": "north"}
        "98 7e ec 39 "  # CRC-32 of the JSON (gzip says the same)
        "a5 5a 0c 00 27 45 9c 0d "  # mark, 12 bytes, CRC-32 of the body
        "02 01 00 00 00 00 00 00 01 01 61 07"  # arrival, kind, "a", payload
    )


def test_a_log_of_a_newer_version_is_refused_in_words(path: Path) -> None:
    write(path, [ReceivedFrame("a", 258, FrameKind.DATA, b"\x07")])
    data = bytearray(path.read_bytes())
    data[-4] = 15  # the kind: none of ours
    data[-16:-12] = zlib.crc32(data[-12:]).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(RecordingError, match="record at byte 34 is of kind 15: a newer Hipline wrote it"):
        list(read_frame_log(path))


def test_a_frame_is_on_disk_when_append_returns(path: Path) -> None:
    log = FrameLogWriter(path)
    for n, frame in enumerate(FRAMES, start=1):
        log.append(frame)
        assert list(read_frame_log(path)) == FRAMES[:n]
    log.close()
    log.close()


def test_a_tail_torn_at_any_byte_costs_only_the_last_frame(path: Path) -> None:
    write(path, FRAMES[:3])
    whole = path.read_bytes()
    write(path, FRAMES[3:4])
    longer = path.read_bytes()
    for cut in range(len(whole), len(longer)):
        path.write_bytes(longer[:cut])
        assert list(read_frame_log(path)) == FRAMES[:3]
        write(path, [FRAMES[5]])
        assert path.read_bytes()[: len(whole)] == whole
        assert list(read_frame_log(path)) == [*FRAMES[:3], FRAMES[5]]


def test_a_header_torn_at_any_byte_is_begun_anew(path: Path) -> None:
    FrameLogWriter(path, {"gym": "north"}).close()
    header = path.read_bytes()
    for cut in range(len(header)):
        path.write_bytes(header[:cut])
        write(path, FRAMES[:1])
        assert list(read_frame_log(path)) == FRAMES[:1]
        assert read_session_metadata(path) == {"gym": "north"}


def test_damage_in_the_middle_costs_the_damaged_frame(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(path, FRAMES[:6])
    size_of_six = path.stat().st_size
    write(path, FRAMES[6:])
    damaged = bytearray(path.read_bytes())
    damaged[size_of_six - 3] ^= 0xFF
    path.write_bytes(damaged)
    left = [*FRAMES[:5], *FRAMES[6:]]
    assert list(read_frame_log(path)) == left
    assert "damaged bytes" in caplog.text
    write(path, FRAMES[:1])  # opening again keeps what lies behind the damage
    assert list(read_frame_log(path)) == [*left, FRAMES[0]]


def test_a_killed_writer_loses_nothing(path: Path) -> None:
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from sensor_bridge.ble.link import FrameKind, ReceivedFrame
        from sensor_bridge.recording.frame_log import FrameLogWriter
        log = FrameLogWriter(Path(sys.argv[1]))
        for k in range(10_000_000):
            log.append(ReceivedFrame("hip", k, FrameKind.DATA, bytes(160)))
            if k % 100 == 0:
                print(k, flush=True)
        """
    )
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        said = 0
        while said < 2000:
            said = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        said = int((writer.stdout.read().splitlines() or [said])[-1])
    frames = list(read_frame_log(path))
    assert [frame.arrival_ns for frame in frames] == list(range(len(frames)))
    assert len(frames) > said
    write(path, FRAMES[:1])
    assert len(list(read_frame_log(path))) == len(frames) + 1


def test_one_writer_at_a_time(path: Path) -> None:
    with FrameLogWriter(path), pytest.raises(FrameLogInUse, match="another bridge is writing"):
        FrameLogWriter(path)
    FrameLogWriter(path).close()


def test_a_full_disk_leaves_the_log_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = FrameLogWriter(path)
    log.append(FRAMES[1])
    real = os.write

    def write_half(fd: int, data: bytes) -> int:
        if len(data) < 60:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, data[: len(data) - 50])

    monkeypatch.setattr("sensor_bridge.recording.frame_log.os.write", write_half)
    with pytest.raises(BridgeError, match="No space left on device: free some space"):
        log.append(FRAMES[11])
    monkeypatch.undo()
    log.append(FRAMES[2])
    log.close()
    assert list(read_frame_log(path)) == FRAMES[1:3]


def test_a_disk_that_refuses_everything_costs_only_what_came_meanwhile(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = FrameLogWriter(path)
    log.append(FRAMES[1])
    real = os.write

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    def write_half(fd: int, data: bytes) -> int:
        monkeypatch.setattr("sensor_bridge.recording.frame_log.os.write", fail)
        return real(fd, data[: len(data) // 2])

    monkeypatch.setattr("sensor_bridge.recording.frame_log.os.write", write_half)
    monkeypatch.setattr("sensor_bridge.recording.frame_log.os.ftruncate", fail)
    with pytest.raises(BridgeError, match="Input/output error"):
        log.append(FRAMES[11])
    monkeypatch.undo()
    log.append(FRAMES[2])
    log.append(FRAMES[3])
    monkeypatch.setattr("sensor_bridge.recording.frame_log.os.fsync", fail)
    with pytest.raises(BridgeError, match="may not be on the disk: Input/output error"):
        log.close()
    log.close()
    assert list(read_frame_log(path)) == FRAMES[1:4]


def test_what_is_no_frame_log_is_refused_and_left_alone(path: Path) -> None:
    with pytest.raises(RecordingError, match="there is no such frame log"):
        list(read_frame_log(path))
    path.write_bytes(b"")
    with pytest.raises(RecordingError, match="is no frame log"):
        list(read_frame_log(path))
    path.write_bytes(b"t,pelvis_ax\n0,1\n")
    with pytest.raises(RecordingError, match="is no frame log"):
        FrameLogWriter(path)
    assert path.read_bytes() == b"t,pelvis_ax\n0,1\n"
    path.write_bytes(b"HIPLFLOG\x02\x00" + bytes(8))
    with pytest.raises(RecordingError, match="version 2: this program reads 1"):
        list(read_frame_log(path))
    with pytest.raises(RecordingError, match="version 2"):
        FrameLogWriter(path)
    with pytest.raises(BridgeError, match="cannot be opened: No such file or directory"):
        FrameLogWriter(path.parent / "nowhere" / "frames.log")


def test_a_damaged_header_is_named(path: Path) -> None:
    write(path, FRAMES[:1])
    damaged = bytearray(path.read_bytes())
    damaged[20] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(RecordingError, match="header of this frame log is damaged"):
        list(read_frame_log(path))
