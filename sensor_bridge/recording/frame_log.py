r"""Every byte that came from a sensor, on disk before anything else looks at it.

An append-only file, all integers little-endian::

    header   8 bytes "HIPLFLOG" · u16 version (1) · u32 length · JSON of that length · u32 CRC-32 of the JSON
    record   2 bytes A5 5A · u16 length of body · u32 CRC-32 of body · body
    body     u64 arrival_ns · u8 kind · u8 length of sensor_id · sensor_id (UTF-8) · payload

Each record is one unbuffered write: it survives the death of the process (SIGKILL), not a power cut. A
record torn by that death is dropped when reading and cut off when the log is opened again. Damage in the
middle costs the damaged records only: the reader looks for the next mark whose checksum holds.
"""

from __future__ import annotations

import contextlib
import json
import logging
import mmap
import os
import struct
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.errors import BridgeError, RecordingError

try:
    import fcntl
except ImportError:  # Windows: nothing keeps two bridges from one log there
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

_log = logging.getLogger(__name__)

VERSION = 1
_MAGIC = b"HIPLFLOG"
_HEADER = struct.Struct("<8sHI")
_CRC = struct.Struct("<I")
_MARK = b"\xa5\x5a"
_RECORD = struct.Struct("<2sHI")
_BODY = struct.Struct("<QBB")


class FrameLogInUse(BridgeError):  # noqa: N818  (named as its relatives in errors.py)
    """Another process is writing to this log."""


class FrameLogWriter:
    """Appends frames to a log; creates it, or goes on behind its last whole record.

    Parameters
    ----------
    path
        The log; its folder must exist.
    metadata
        What the header of a new log says of the session; an existing header stays as it is.

    Raises
    ------
    RecordingError
        The file is there and is no frame log.
    FrameLogInUse
        Another process has it open.
    BridgeError
        The disk refuses.
    """

    def __init__(self, path: Path, metadata: Mapping[str, Any] | None = None) -> None:
        self._path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        except OSError as error:
            raise BridgeError(f"{path}: the frame log cannot be opened: {error.strerror}") from error
        try:
            _lock(self._fd, path)
            self._end = self._prepare(metadata or {})
        except BaseException:
            os.close(self._fd)
            raise
        self._is_open = True

    def append(self, frame: ReceivedFrame) -> None:
        """Write one frame; it is in the hands of the operating system when this returns.

        Raises
        ------
        BridgeError
            The disk refuses (full, gone); the log stays whole.
        """
        sensor_id = frame.sensor_id.encode()
        body = (
            _BODY.pack(frame.arrival_ns, int(frame.kind), len(sensor_id)) + sensor_id + bytes(frame.payload)
        )
        self._write(_RECORD.pack(_MARK, len(body), zlib.crc32(body)) + body)

    def close(self) -> None:
        """Hand the log to the disk and close it; a second time does nothing.

        Raises
        ------
        BridgeError
            The disk refuses; the log is closed all the same.
        """
        if not self._is_open:
            return
        self._is_open = False
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise BridgeError(
                f"{self._path}: the end of the frame log may not be on the disk: {error.strerror}"
            ) from error
        finally:
            os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _prepare(self, metadata: Mapping[str, Any]) -> int:
        """Write the header of a new log, cut the torn tail of an old one; return where records end."""
        size = os.fstat(self._fd).st_size
        whole = _whole_length(self._path) if size else 0
        os.ftruncate(self._fd, whole)
        self._end = whole
        if not whole:
            text = json.dumps(metadata).encode()
            self._write(
                _HEADER.pack(_MAGIC, VERSION, len(text)) + text + _CRC.pack(zlib.crc32(text)),
            )
        elif whole < size:
            _log.warning("%s: cut off %d bytes of a record that was never finished", self._path, size - whole)
        return self._end

    def _write(self, data: bytes) -> None:
        try:
            os.lseek(self._fd, self._end, os.SEEK_SET)  # over what a failed write left behind
            written = os.write(self._fd, data)
            while written < len(data):
                written += os.write(self._fd, data[written:])
        except OSError as error:
            with contextlib.suppress(OSError):  # a disk that is gone does not cut either
                os.ftruncate(self._fd, self._end)
            raise BridgeError(
                f"{self._path}: the frame log cannot be written: {error.strerror}: free some space"
            ) from error
        self._end += len(data)


def read_frame_log(path: Path, reach: int | None = None) -> Iterator[ReceivedFrame]:
    """Yield the frames of a log, oldest first; a torn tail and damaged records are left out.

    Parameters
    ----------
    path
        The log.
    reach
        Read only the records that end before this byte.

    Raises
    ------
    RecordingError
        The file is not there, or is no frame log of this version.
    """
    with _Mapped(path) as data:
        for record in _records(path, data):
            if reach is not None and record.end > reach:
                return
            yield record.frame


def read_session_metadata(path: Path) -> dict[str, Any]:
    """Read what the header of a log says of the session.

    Raises
    ------
    RecordingError
        The file is not there, or is no frame log of this version.
    """
    with _Mapped(path) as data:
        metadata, _ = _header(path, data)
        return metadata


def is_in_use(path: Path) -> bool:
    """Whether a living process is writing to the log."""
    try:
        with held(path):
            return False
    except FrameLogInUse:
        return True


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep everybody else from writing to the log inside the block, without touching it.

    Raises
    ------
    FrameLogInUse
        Another process has it open.
    OSError
        It is not there, or not ours to open.
    """
    fd = os.open(path, os.O_RDWR)
    try:
        _lock(fd, path)
        yield
    finally:
        os.close(fd)


class _Record(NamedTuple):
    frame: ReceivedFrame
    end: int


class _Mapped:
    """The file's bytes, without reading them all at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._map: mmap.mmap | None = None

    def __enter__(self) -> mmap.mmap:
        try:
            with self._path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            raise RecordingError(f"{self._path}: there is no such frame log") from None
        except (OSError, ValueError) as error:  # mmap of an empty file is a ValueError
            raise RecordingError(f"{self._path}: is no frame log: {error}") from error
        return self._map

    def __exit__(self, *_: object) -> None:
        if self._map is not None:
            self._map.close()


def _lock(fd: int, path: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise FrameLogInUse(f"{path}: another bridge is writing to this session: stop it first") from error


def _header(path: Path, data: mmap.mmap) -> tuple[dict[str, Any], int]:
    if len(data) < _HEADER.size or data[: len(_MAGIC)] != _MAGIC:
        raise RecordingError(f"{path}: is no frame log")
    _, version, length = _HEADER.unpack_from(data)
    if version != VERSION:
        raise RecordingError(f"{path}: is a frame log of version {version}: this program reads {VERSION}")
    start, end = _HEADER.size, _HEADER.size + length
    text = data[start:end]
    if len(data) < end + _CRC.size or _CRC.unpack_from(data, end)[0] != zlib.crc32(text):
        raise RecordingError(f"{path}: the header of this frame log is damaged")
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError):
        metadata = None
    if not isinstance(metadata, dict):
        raise RecordingError(f"{path}: the header of this frame log is not one of ours")
    return metadata, end + _CRC.size


def _records(path: Path, data: mmap.mmap) -> Iterator[_Record]:
    _, position = _header(path, data)
    while position < len(data):
        record = _record_at(data, position)
        if record is None:
            following = _next_record(data, position + 1)
            if following is None:
                return
            _log.warning("%s: %d damaged bytes at %d left out", path, following - position, position)
            position = following
            continue
        yield record
        position = record.end


def _next_record(data: mmap.mmap, position: int) -> int | None:
    while (position := data.find(_MARK, position)) >= 0:
        if _record_at(data, position) is not None:
            return position
        position += 1
    return None


def _record_at(data: mmap.mmap, position: int) -> _Record | None:
    start = position + _RECORD.size
    if start > len(data):
        return None
    mark, length, crc = _RECORD.unpack_from(data, position)
    body = data[start : start + length]
    if mark != _MARK or len(body) != length or length < _BODY.size or zlib.crc32(body) != crc:
        return None
    arrival_ns, kind, id_length = _BODY.unpack_from(body)
    id_end = _BODY.size + id_length
    try:
        frame_kind = FrameKind(kind)
    except ValueError:
        raise RecordingError(
            f"the record at byte {position} is of kind {kind}: a newer Hipline wrote it, update this one"
        ) from None
    frame = ReceivedFrame(
        sensor_id=body[_BODY.size : id_end].decode(errors="replace"),
        arrival_ns=arrival_ns,
        kind=frame_kind,
        payload=body[id_end:],
    )
    return _Record(frame, start + length)


def _whole_length(path: Path) -> int:
    """Bytes up to the end of the last whole record; 0 where not even the header was finished."""
    with _Mapped(path) as data:
        try:
            _, end = _header(path, data)
        except RecordingError:
            begun = data[: len(_MAGIC)]
            if begun == _MAGIC[: len(begun)] and len(data) < _HEADER.size + _header_length(data):
                return 0
            raise
        for record in _records(path, data):
            end = record.end
        return end


def _header_length(data: mmap.mmap) -> int:
    """Length of JSON and checksum that the header announces, as far as it is there."""
    if len(data) < _HEADER.size:
        return _CRC.size
    length: int = _HEADER.unpack_from(data)[2]
    return length + _CRC.size
