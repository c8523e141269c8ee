"""The messages of BULK to bytes and back.

A page is its own header, then everything of the frame of DATA that would hold the same samples but its
first byte.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, assert_never

from firmware_protocol import layouts
from firmware_protocol.bounds import HEADER_SIZE, MAX_PAGE_SAMPLES, PAGE_HEADER_SIZE, SAMPLE_SIZE, PacketType
from firmware_protocol.bulk import (
    BulkOpcode,
    BulkPage,
    BulkReply,
    BulkRequest,
    BulkResult,
    Erase,
    Fetch,
    Grant,
    Survey,
)
from firmware_protocol.errors import ChecksumMismatch, FieldOutOfRange, ProtocolError, UnknownPacket
from firmware_protocol.frame_codec import decode_frame, encode_frame
from firmware_protocol.payload import (
    check_head,
    check_length,
    check_reaches,
    head_of,
    read_fixed,
    read_member,
)

if TYPE_CHECKING:
    from firmware_protocol.payload import Payload

_RESULTS: Final = {int(result): result for result in BulkResult}
_REQUESTS: Final = {
    int(layout.opcode): layout
    for layout in layouts.LAYOUTS
    if layout.opcode is not None and layout.packet_type is PacketType.BULK_REQUEST
}
_REQUEST_START_SIZE: Final = layouts.ERASE.size
_CHECKED_FROM: Final = 5  # behind head and checksum
_FRAME_FROM: Final = PAGE_HEADER_SIZE - HEADER_SIZE
_N_SAMPLES_AT: Final = PAGE_HEADER_SIZE - 2
_DATA_HEAD: Final = bytes([head_of(PacketType.DATA)])


def encode_bulk(packet: BulkRequest | BulkPage | BulkReply) -> bytes:
    """Write a message of BULK as its GATT value."""
    head = head_of(PacketType.BULK_REQUEST)
    match packet:
        case Fetch(tag, n_pages, stream_id, first, end):
            return layouts.FETCH.pack(head, BulkOpcode.FETCH, tag, n_pages, stream_id, first, end)
        case Grant(tag, n_pages):
            return layouts.GRANT.pack(head, BulkOpcode.GRANT, tag, n_pages)
        case Survey(tag, stream_id):
            return layouts.SURVEY.pack(head, BulkOpcode.SURVEY, tag, stream_id)
        case Erase(tag):
            return layouts.ERASE.pack(head, BulkOpcode.ERASE, tag)
        case BulkPage(tag, page_number, frame):
            checked = bytes([tag, *page_number.to_bytes(2, "little")]) + encode_frame(frame)[1:]
            checksum = zlib.crc32(checked).to_bytes(4, "little")
            return bytes([head_of(PacketType.BULK_PAGE)]) + checksum + checked
        case BulkReply():
            return layouts.BULK_REPLY.pack(
                head_of(PacketType.BULK_REPLY),
                packet.opcode,
                packet.tag,
                packet.result,
                packet.pages,
                packet.stream_id,
                packet.first_sample_index,
                packet.end_sample_index,
                packet.next_stream_id,
                packet.capacity_samples,
                packet.stored_samples,
            )
        case _:
            assert_never(packet)


def request_start(payload: Payload) -> tuple[int, int]:
    """Read only (opcode, tag) of a value written to BULK.

    A sensor needs them to answer a request that ``decode_request`` refuses.
    """
    check_head(payload, PacketType.BULK_REQUEST)
    check_reaches(payload, _REQUEST_START_SIZE)
    return payload[1], payload[2]


def decode_request(payload: Payload) -> BulkRequest:
    """Read a value written to BULK."""
    opcode, tag = request_start(payload)
    layout = _REQUESTS.get(opcode)
    if layout is None:
        raise UnknownPacket(f"there is no request of BULK with opcode {opcode}", payload)
    check_length(payload, layout.size)
    arguments = layout.unpack(payload)[3:]
    try:
        match layout.opcode:
            case BulkOpcode.FETCH:
                return Fetch(tag, *arguments)
            case BulkOpcode.GRANT:
                return Grant(tag, *arguments)
            case BulkOpcode.SURVEY:
                return Survey(tag, *arguments)
            case _:
                return Erase(tag)
    except ValueError as error:
        raise FieldOutOfRange(str(error), payload) from None


def decode_page(payload: Payload) -> BulkPage:
    """Read a page notified by BULK."""
    check_head(payload, PacketType.BULK_PAGE)
    check_reaches(payload, PAGE_HEADER_SIZE)
    n_samples = payload[_N_SAMPLES_AT]
    if not 1 <= n_samples <= MAX_PAGE_SAMPLES:
        raise FieldOutOfRange(f"n_samples must be 1 to {MAX_PAGE_SAMPLES}, not {n_samples}", payload)
    check_length(payload, PAGE_HEADER_SIZE + n_samples * SAMPLE_SIZE)
    _, checksum, tag, page_number, *_ = layouts.BULK_PAGE.unpack(payload)
    found = zlib.crc32(payload[_CHECKED_FROM:])
    if found != checksum:
        raise ChecksumMismatch(f"the checksum is {checksum:08x}, that of the bytes {found:08x}", payload)
    try:
        frame = decode_frame(_DATA_HEAD + payload[_FRAME_FROM + 1 :])
    except ProtocolError as error:
        raise FieldOutOfRange(error.reason, payload) from None
    return BulkPage(tag, page_number, frame)


def decode_bulk_reply(payload: Payload) -> BulkReply:
    """Read a reply notified by BULK."""
    _, opcode, tag, result, *rest = read_fixed(payload, layouts.BULK_REPLY)
    member = read_member("result", result, _RESULTS, payload)
    try:
        return BulkReply(tag, opcode, member, *rest)
    except ValueError as error:
        raise FieldOutOfRange(str(error), payload) from None


def decode_notified(payload: Payload) -> BulkPage | BulkReply:
    """Read a value notified by BULK, page or reply."""
    if payload and payload[0] == head_of(PacketType.BULK_REPLY):
        return decode_bulk_reply(payload)
    return decode_page(payload)
