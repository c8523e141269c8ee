"""The tables of the protocol page, printed from the code.

``python -m firmware_protocol.tables`` prints them all; with the name of a Markdown file it rewrites the
blocks of that file that stand between ``<!-- table: NAME -->`` and ``<!-- end of table -->``.
"""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from firmware_protocol import packets
from firmware_protocol.clauses import CLAUSES
from firmware_protocol.errors import (
    ChecksumMismatch,
    FieldOutOfRange,
    TrailingBytes,
    Truncated,
    UnknownPacket,
    UnsupportedVersion,
)
from firmware_protocol.gatt import CHARACTERISTICS, SERVICES
from firmware_protocol.layouts import LAYOUTS, SIZES, Layout
from firmware_protocol.packets import (
    AccelRange,
    BulkOpcode,
    BulkResult,
    CommandResult,
    GyroRange,
    Opcode,
    PacketType,
    SamplingRate,
)
from firmware_protocol.ranges import FULL_SCALE_LSB, STANDARD_GRAVITY_M_S2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_BLOCK: Final = re.compile(r"<!-- table: (?P<name>[^>]+?) -->\n.*?<!-- end of table -->", re.DOTALL)

_CONSTANTS: Final = {
    "PROTOCOL_VERSION": "high nibble of the first byte of every packet",
    "HEADER_SIZE": "bytes of an ImuFrame before its samples",
    "SAMPLE_SIZE": "bytes of one sample",
    "MAX_SAMPLES": "most samples in one ImuFrame",
    "MAX_SERIAL_BYTES": "longest serial, bytes of UTF-8",
    "NO_STREAM": "the stream_id that says that there is no stream",
    "NOTIFICATION_OVERHEAD": "bytes of the ATT MTU that a notification itself takes",
    "MIN_STREAMING_MTU": "smallest ATT MTU at which a sensor streams",
    "PAGE_HEADER_SIZE": "bytes of a BulkPage before its samples",
    "MAX_PAGE_SAMPLES": "most samples in one BulkPage",
    "MIN_BULK_MTU": "smallest ATT MTU at which a sensor sends pages",
    "MAX_FETCH_SAMPLES": "most samples that one Fetch asks for",
}

_PACKET_TYPES: Final = {
    PacketType.DATA: "ImuFrame",
    PacketType.INFO: "DeviceInfo",
    PacketType.STATUS: "StreamStatus",
    PacketType.COMMAND: "Start, Stop, Configure, Identify",
    PacketType.REPLY: "CommandReply",
    PacketType.TIME_REQUEST: "TimeRequest",
    PacketType.TIME_REPLY: "TimeReply",
    PacketType.BULK_REQUEST: "Fetch, Grant, Survey, Erase",
    PacketType.BULK_PAGE: "BulkPage",
    PacketType.BULK_REPLY: "BulkReply",
}

_OPCODES: Final = {
    Opcode.START: "begin a stream, or go on with the running one",
    Opcode.STOP: "end the running stream and forget its ring",
    Opcode.CONFIGURE: "set rate, ranges and batch of the next stream",
    Opcode.IDENTIFY: "blink",
}

_RESULTS: Final = {
    CommandResult.OK: "done",
    CommandResult.UNKNOWN_COMMAND: "no such opcode, or another protocol version: nothing was done",
    CommandResult.INVALID_ARGUMENT: "malformed, or not possible on this sensor or link: nothing was done",
    CommandResult.BUSY: "not while this stream runs: nothing was done",
    CommandResult.NOT_STREAMING: "there is no stream to stop",
}

_BULK_OPCODES: Final = {
    BulkOpcode.FETCH: "send stored samples of one stream",
    BulkOpcode.GRANT: "send more pages of the Fetch under way",
    BulkOpcode.SURVEY: "say what is stored of a stream",
    BulkOpcode.ERASE: "forget all stored samples",
}

_BULK_RESULTS: Final = {
    BulkResult.OK: "done; for Fetch: every sample asked for was sent",
    BulkResult.UNKNOWN_REQUEST: "no such opcode, or another protocol version: nothing was done",
    BulkResult.INVALID_ARGUMENT: "malformed, or not possible: nothing was done",
    BulkResult.RANGE_GONE: "samples asked for do not exist (any more); those that do were sent",
    BulkResult.BUSY: "not while a stream runs: nothing was done",
}

_ERRORS: Final = (
    Truncated,
    TrailingBytes,
    UnsupportedVersion,
    UnknownPacket,
    ChecksumMismatch,
    FieldOutOfRange,
)


def tables() -> dict[str, str]:
    """Write every table of the page as Markdown, by name."""
    written = {name: write() for name, write in _WRITERS.items()}
    return written | {layout.packet: _packet_table(layout) for layout in LAYOUTS}


def fill(document: str) -> str:
    """Return the document with each of its table blocks written anew.

    Raises
    ------
    KeyError
        A block names a table that does not exist.
    """
    written = tables()
    return _BLOCK.sub(lambda match: _block(match["name"], written[match["name"]]), document)


def main(arguments: Sequence[str]) -> int:
    """Print the tables, or rewrite those of the file named."""
    if not arguments:
        sys.stdout.write("\n\n".join(_block(name, table) for name, table in tables().items()) + "\n")
        return 0
    path = Path(arguments[0])
    try:
        path.write_text(fill(path.read_text(encoding="utf-8")), encoding="utf-8")
    except OSError as error:
        sys.stderr.write(f"{path}: {error.strerror}\n")
        return 2
    except KeyError as error:
        sys.stderr.write(f"{path}: there is no table {error}; choose from {', '.join(tables())}\n")
        return 2
    return 0


def _block(name: str, table: str) -> str:
    return f"<!-- table: {name} -->\n{table}\n<!-- end of table -->"


def _markdown(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _services() -> str:
    return _markdown(
        ("service", "UUID", "meaning"), ((each.name, f"`{each.uuid}`", each.meaning) for each in SERVICES)
    )


def _characteristics() -> str:
    services = {service.uuid: service.name for service in SERVICES}
    return _markdown(
        ("characteristic", "UUID", "service", "properties", "value", "who starts, and why"),
        (
            (
                each.name,
                f"`{each.uuid}`",
                services[each.service_uuid],
                ", ".join(each.properties),
                each.packet,
                each.meaning,
            )
            for each in CHARACTERISTICS
        ),
    )


def _constants() -> str:
    return _markdown(
        ("name", "value", "meaning"),
        ((f"`{name}`", getattr(packets, name), meaning) for name, meaning in _CONSTANTS.items()),
    )


def _packet_types() -> str:
    return _markdown(
        ("type", "name", "packet"),
        ((int(each), f"`{each.name}`", _PACKET_TYPES[each]) for each in PacketType),
    )


def _accel_ranges() -> str:
    return _markdown(
        ("value", "name", "full scale", "m/s² a count"),
        (
            (
                int(each),
                f"`{each.name}`",
                f"±{each.m_s2_per_lsb * FULL_SCALE_LSB / STANDARD_GRAVITY_M_S2:.0f} g",
                f"{each.m_s2_per_lsb:.9g}",
            )
            for each in AccelRange
        ),
    )


def _gyro_ranges() -> str:
    return _markdown(
        ("value", "name", "full scale", "rad/s a count"),
        (
            (
                int(each),
                f"`{each.name}`",
                f"±{math.degrees(each.rad_s_per_lsb * FULL_SCALE_LSB):.0f} °/s",
                f"{each.rad_s_per_lsb:.9g}",
            )
            for each in GyroRange
        ),
    )


def _sampling_rates() -> str:
    return _markdown(
        ("value", "name", "Hz"), ((int(each), f"`{each.name}`", f"{each.hz:g}") for each in SamplingRate)
    )


def _opcodes() -> str:
    return _markdown(
        ("value", "name", "asks to"), ((int(each), f"`{each.name}`", _OPCODES[each]) for each in Opcode)
    )


def _results() -> str:
    return _markdown(
        ("value", "name", "meaning"),
        ((int(each), f"`{each.name}`", _RESULTS[each]) for each in CommandResult),
    )


def _bulk_opcodes() -> str:
    return _markdown(
        ("value", "name", "asks to"),
        ((int(each), f"`{each.name}`", _BULK_OPCODES[each]) for each in BulkOpcode),
    )


def _bulk_results() -> str:
    return _markdown(
        ("value", "name", "meaning"),
        ((int(each), f"`{each.name}`", _BULK_RESULTS[each]) for each in BulkResult),
    )


def _errors() -> str:
    return _markdown(
        ("error", "meaning"), ((f"`{each.__name__}`", str(each.__doc__).rstrip(".")) for each in _ERRORS)
    )


def _clauses() -> str:
    return _markdown(
        ("clause", "under", "the sensor keeps it where"),
        ((f"`{each.id}`", each.section, each.demand) for each in CLAUSES),
    )


def _packet_table(layout: Layout) -> str:
    rows: list[tuple[object, ...]] = []
    offset = 0
    for field in layout.fields:
        size = SIZES[field.type]
        rows.append((offset, size, f"`{field.name}`", field.type, field.unit, field.meaning))
        offset += size
    if layout.tail is not None:
        tail = layout.tail
        rows.append((offset, "variable", f"`{tail.name}`", tail.type, tail.unit, tail.meaning))
    return _markdown(("offset", "bytes", "field", "type", "unit", "meaning"), rows)


_WRITERS: Final[Mapping[str, Callable[[], str]]] = {
    "services": _services,
    "characteristics": _characteristics,
    "constants": _constants,
    "packet types": _packet_types,
    "accel ranges": _accel_ranges,
    "gyro ranges": _gyro_ranges,
    "sampling rates": _sampling_rates,
    "opcodes": _opcodes,
    "results": _results,
    "bulk opcodes": _bulk_opcodes,
    "bulk results": _bulk_results,
    "errors": _errors,
    "clauses": _clauses,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
