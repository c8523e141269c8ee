"""What all packets share: protocol version, packet types, sizes, and what fits the link's MTU."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

PROTOCOL_VERSION: Final = 1
MAX_SAMPLES: Final = 19  # 16 + 19 * 12 = 244 bytes: one link-layer packet at ATT MTU 247
HEADER_SIZE: Final = 16
SAMPLE_SIZE: Final = 12
MAX_SERIAL_BYTES: Final = 32
NO_STREAM: Final = 0  # the stream_id that says "there is none"

MIN_STREAMING_MTU: Final = 33  # a StreamStatus (30 bytes) is the largest value that must fit a notification
NOTIFICATION_OVERHEAD: Final = 3  # ATT opcode and handle

PAGE_HEADER_SIZE: Final = 23
MAX_PAGE_SAMPLES: Final = 18  # 23 + 18 * 12 = 239 bytes: a page, too, fits one link-layer packet
MIN_BULK_MTU: Final = NOTIFICATION_OVERHEAD + PAGE_HEADER_SIZE + SAMPLE_SIZE
MAX_FETCH_SAMPLES: Final = 65535  # so that the pages of one fetch can be numbered in 16 bits

U8_MAX, U16_MAX, U32_MAX, U48_MAX, U64_MAX = ((1 << bits) - 1 for bits in (8, 16, 32, 48, 64))


class PacketType(IntEnum):
    """Low nibble of the first byte of every packet."""

    DATA = 1
    INFO = 2
    STATUS = 3
    COMMAND = 4
    REPLY = 5
    TIME_REQUEST = 6
    TIME_REPLY = 7
    BULK_REQUEST = 8
    BULK_PAGE = 9
    BULK_REPLY = 10


def samples_per_frame(batch: int, mtu: int) -> int:
    """Count the samples that a sensor puts into one frame.

    Parameters
    ----------
    batch
        What ``Configure`` asked for, 1 to ``MAX_SAMPLES``.
    mtu
        ATT MTU in force, bytes.

    Returns
    -------
    int
        ``batch``, or fewer where the MTU holds fewer; 0 where the MTU is too small to stream at all.
    """
    if mtu < MIN_STREAMING_MTU:
        return 0
    return min(batch, (mtu - NOTIFICATION_OVERHEAD - HEADER_SIZE) // SAMPLE_SIZE)


def samples_per_page(mtu: int) -> int:
    """Count the samples that a sensor puts into one page of BULK.

    Parameters
    ----------
    mtu
        ATT MTU in force, bytes.

    Returns
    -------
    int
        Up to ``MAX_PAGE_SAMPLES``; 0 where the MTU is too small for a page.
    """
    if mtu < MIN_BULK_MTU:
        return 0
    return min(MAX_PAGE_SAMPLES, (mtu - NOTIFICATION_OVERHEAD - PAGE_HEADER_SIZE) // SAMPLE_SIZE)
