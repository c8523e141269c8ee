"""One sensor's frames to samples, by the driver that the frames themselves name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware_protocol.errors import UnknownPacket
from sensor_bridge.ble.driver import StreamDescription
from sensor_bridge.ble.drivers import DRIVERS
from sensor_bridge.ble.drivers.hipline import HiplineDecoder
from sensor_bridge.ble.link import FrameKind

if TYPE_CHECKING:
    from sensor_bridge.ble.driver import SampleDecoder
    from sensor_bridge.ble.link import ReceivedFrame
    from sensor_bridge.ble.samples import SampleRun, StreamTraits


class FrameDecoder:
    """Follows what one sensor sends over all its links; no clock and no I/O.

    Each link of a sensor that is not Hipline's begins with a frame of kind DRIVER, which names the decoder of
    what follows; a Hipline sensor's begins with INFO and needs none.

    """

    def __init__(self) -> None:
        self._decoder: SampleDecoder = HiplineDecoder()
        self._n_rejected = 0

    @property
    def traits(self) -> StreamTraits:
        """What the running stream lacks."""
        return self._decoder.traits

    @property
    def n_rejected(self) -> int:
        """Pieces refused inside payloads that otherwise held samples."""
        return self._n_rejected + self._decoder.n_rejected

    def push(self, frame: ReceivedFrame) -> list[SampleRun]:
        """Take one frame of any kind, return the runs that are complete.

        Raises
        ------
        ProtocolError
            The payload is not what it should be; later ones can be pushed.
        """
        if frame.kind in {FrameKind.HEALED, FrameKind.COMMAND}:
            return []  # the bridge's own
        if frame.kind is FrameKind.DRIVER:
            return self._change_to(_described(frame.payload))
        if frame.kind is FrameKind.INFO and not isinstance(self._decoder, HiplineDecoder):
            return self._change_to(HiplineDecoder())
        return self._decoder.push(frame)

    def flush(self) -> list[SampleRun]:
        """Return what was held back; no frame comes after this."""
        return self._decoder.flush()

    def _change_to(self, decoder: SampleDecoder) -> list[SampleRun]:
        left = self._decoder.flush()
        self._n_rejected += self._decoder.n_rejected
        self._decoder = decoder
        return left


def _described(payload: bytes) -> SampleDecoder:
    description = StreamDescription.from_bytes(payload)
    driver = DRIVERS.get(description.driver)
    if driver is None:
        raise UnknownPacket(f"a stream of the unknown sensor kind {description.driver!r}", payload)
    return driver.decoder(description)
