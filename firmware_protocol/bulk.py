"""The messages of BULK, as values: requests of the host for stored samples, pages and replies of the sensor.

They check themselves when they are built, as all packets do (``packets``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from firmware_protocol.bounds import (
    MAX_FETCH_SAMPLES,
    MAX_PAGE_SAMPLES,
    NO_STREAM,
    U8_MAX,
    U16_MAX,
    U32_MAX,
)
from firmware_protocol.frame import ImuFrame
from firmware_protocol.invariants import check_integer, check_member


class BulkOpcode(IntEnum):
    """What a request of BULK asks for."""

    FETCH = 1
    GRANT = 2
    SURVEY = 3
    ERASE = 4


class BulkResult(IntEnum):
    """How a request of BULK ended."""

    OK = 0
    UNKNOWN_REQUEST = 1
    INVALID_ARGUMENT = 2
    RANGE_GONE = 3
    BUSY = 4


_OPCODES: Final = frozenset(int(opcode) for opcode in BulkOpcode)


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask for stored samples of one stream; replaces the fetch under way.

    Parameters
    ----------
    tag
        Chosen by the host, returned in the pages and in the reply (u8).
    credits
        Pages that the sensor may send at once, 1 to 255; ``Grant`` adds to them.
    stream_id
        The stream, 1 to 65535; it need not be running.
    first_sample_index, end_sample_index
        The first sample wanted and the one after the last: 1 to ``MAX_FETCH_SAMPLES`` apart (u32).
    """

    tag: int
    credits: int
    stream_id: int
    first_sample_index: int
    end_sample_index: int

    def __post_init__(self) -> None:
        check_integer("tag", self.tag, 0, U8_MAX)
        check_integer("credits", self.credits, 1, U8_MAX)
        check_integer("stream_id", self.stream_id, 1, U16_MAX)
        check_integer("first_sample_index", self.first_sample_index, 0, U32_MAX - 1)
        check_integer(
            "end_sample_index",
            self.end_sample_index,
            self.first_sample_index + 1,
            min(self.first_sample_index + MAX_FETCH_SAMPLES, U32_MAX),
        )


@dataclass(frozen=True, slots=True)
class Grant:
    """Let the fetch under way send more pages.

    Parameters
    ----------
    tag
        That of the fetch (u8).
    credits
        Pages more, 1 to 255.
    """

    tag: int
    credits: int

    def __post_init__(self) -> None:
        check_integer("tag", self.tag, 0, U8_MAX)
        check_integer("credits", self.credits, 1, U8_MAX)


@dataclass(frozen=True, slots=True)
class Survey:
    """Ask what the flash holds of one stream.

    Parameters
    ----------
    tag
        Chosen by the host, returned in the reply (u8).
    stream_id
        The stream (u16); 0 for the oldest that is kept.
    """

    tag: int
    stream_id: int

    def __post_init__(self) -> None:
        check_integer("tag", self.tag, 0, U8_MAX)
        check_integer("stream_id", self.stream_id, NO_STREAM, U16_MAX)


@dataclass(frozen=True, slots=True)
class Erase:
    """Forget all stored samples of all streams.

    Parameters
    ----------
    tag
        Chosen by the host, returned in the reply (u8).
    """

    tag: int

    def __post_init__(self) -> None:
        check_integer("tag", self.tag, 0, U8_MAX)


BulkRequest: TypeAlias = Fetch | Grant | Survey | Erase


@dataclass(frozen=True, slots=True)
class BulkPage:
    """Stored samples, as they were made.

    Parameters
    ----------
    tag
        That of the fetch (u8).
    page_number
        Place of the page among those sent for the fetch, from 0 (u16).
    frame
        The samples with their index, time and ranges: 1 to ``MAX_PAGE_SAMPLES``. Its ``gap_before`` is set
        where samples directly before it, asked for or not, are gone for good.
    """

    tag: int
    page_number: int
    frame: ImuFrame

    def __post_init__(self) -> None:
        check_integer("tag", self.tag, 0, U8_MAX)
        check_integer("page_number", self.page_number, 0, U16_MAX)
        if not isinstance(self.frame, ImuFrame):
            raise TypeError(f"frame must be an ImuFrame, not {type(self.frame).__name__}")
        check_integer("n_samples", self.frame.n_samples, 1, MAX_PAGE_SAMPLES)


@dataclass(frozen=True, slots=True)
class BulkReply:
    """The sensor's last word on one request, and what its flash holds.

    Parameters
    ----------
    tag, opcode
        Those of the request. An opcode that is not a ``BulkOpcode`` comes only with ``UNKNOWN_REQUEST``.
    result
        How it ended.
    pages
        Pages sent for a fetch (u16), 0 for other requests.
    stream_id
        The stream asked about; for ``Survey`` of 0 the oldest kept, 0 where none is kept (u16).
    first_sample_index, end_sample_index
        What is kept of that stream: the oldest sample and the one after the newest (u32); both 0 where
        nothing is.
    next_stream_id
        The stream kept after that one, 0 where there is none (u16).
    capacity_samples, stored_samples
        Samples that the flash holds when full, and holds now, of all streams (u32).
    """

    tag: int
    opcode: int
    result: BulkResult
    pages: int
    stream_id: int
    first_sample_index: int
    end_sample_index: int
    next_stream_id: int
    capacity_samples: int
    stored_samples: int

    def __post_init__(self) -> None:
        check_integer("tag", self.tag, 0, U8_MAX)
        check_integer("opcode", self.opcode, 0, U8_MAX)
        check_member("result", self.result, BulkResult)
        if self.opcode not in _OPCODES and self.result is not BulkResult.UNKNOWN_REQUEST:
            raise ValueError(f"opcode {self.opcode} is unknown, so result must be UNKNOWN_REQUEST")
        check_integer("pages", self.pages, 0, U16_MAX if self.opcode == BulkOpcode.FETCH else 0)
        check_integer("stream_id", self.stream_id, NO_STREAM, U16_MAX)
        check_integer("end_sample_index", self.end_sample_index, 0, U32_MAX)
        check_integer("first_sample_index", self.first_sample_index, 0, max(self.end_sample_index - 1, 0))
        check_integer("next_stream_id", self.next_stream_id, NO_STREAM, U16_MAX)
        check_integer("capacity_samples", self.capacity_samples, 0, U32_MAX)
        check_integer("stored_samples", self.stored_samples, 0, self.capacity_samples)
