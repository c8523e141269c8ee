"""Polar's delta compression of three-axis samples, undone (polarofficial/polar-ble-sdk, PmdDataFrame.kt)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from firmware_protocol.errors import FieldOutOfRange, Truncated

if TYPE_CHECKING:
    from analytics.imu import FloatArray
    from analytics.timebase import IntArray

AXES: Final = 3
MOST_SAMPLES: Final = 4096  # of one payload: a block of zero bits unpacks to 255 from two bytes


def signed_integers(body: bytes, size: int) -> IntArray:
    """Read signed little-endian integers of 1 to 4 bytes; `body` holds a whole number of them."""
    unsigned: IntArray = np.frombuffer(body, dtype=np.uint8).reshape(-1, size).astype(np.int64) @ (
        1 << 8 * np.arange(size, dtype=np.int64)
    )
    return unsigned - ((unsigned >> (8 * size - 1)) << 8 * size)


def decompressed(body: bytes, reference_bytes: int) -> FloatArray:
    """Undo the compression.

    Parameters
    ----------
    body
        A sample in full, then blocks: bits a difference (u8), samples (u8), the differences.
    reference_bytes
        Size of a value of the sample in full, 1 to 4.

    Returns
    -------
    FloatArray
        Shape (n, 3).

    Raises
    ------
    ProtocolError
        It ends early, or holds more than 4096 samples or differences of more than 32 bits.
    """
    position = reference_bytes * AXES
    if len(body) < position:
        raise Truncated("a compressed frame without its reference sample", body)
    pieces = [signed_integers(body[:position], reference_bytes).reshape(1, AXES)]
    n_samples = 1
    while position < len(body):
        if position + 2 > len(body):
            raise Truncated("a block of differences without its head", body)
        bits, count = body[position], body[position + 1]
        n_bytes = math.ceil(bits * count * AXES / 8)
        position += 2
        n_samples += count
        if bits > 32 or n_samples > MOST_SAMPLES:
            raise FieldOutOfRange(f"differences of {bits} bits, {n_samples} samples in all", body)
        if position + n_bytes > len(body):
            raise Truncated(f"{count} differences of {bits} bits do not fit", body)
        pieces.append(_differences(body[position : position + n_bytes], bits, count))
        position += n_bytes
    return np.cumsum(np.concatenate(pieces), axis=0).astype(np.float64)


def _differences(block: bytes, bits: int, count: int) -> IntArray:
    """Two's complement numbers of some bits, packed from the least significant bit on, shape (count, 3)."""
    if not bits:
        return np.zeros((count, AXES), dtype=np.int64)
    n = count * AXES
    spread = np.unpackbits(np.frombuffer(block, dtype=np.uint8), bitorder="little")[: n * bits]
    unsigned: IntArray = spread.reshape(n, bits).astype(np.int64) @ (1 << np.arange(bits, dtype=np.int64))
    return (unsigned - ((unsigned >> (bits - 1)) << bits)).reshape(count, AXES)
