"""Firmware update as a virtual sensor answers it: the SMP server of MCUmgr.

Sources: Zephyr documentation, "SMP protocol specification", groups 0 (OS) and 1 (image), and "SMP over
Bluetooth". Written apart from the client's library, so that an error of the one cannot hide in the other.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import cbor2

from hardware_sim.boot_loader import Swap
from hardware_sim.firmware_image import IMAGE_MAGIC

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hardware_sim.boot_loader import BootLoader
    from hardware_sim.firmware_image import FirmwareImage

_HEADER: Final = struct.Struct("!BBHHBB")
_READ, _WRITE = 0, 2
_OS, _IMAGE = 0, 1
_INVALID, _NOT_SUPPORTED = 3, 8  # general errors
_NO_IMAGE, _INVALID_HEADER_MAGIC, _TOO_LARGE, _OVERRUN = 3, 23, 30, 31  # errors of the image group
_BUFFER_SIZE: Final = 2475


class _Refusal(Exception):  # noqa: N818 - not an error of ours: the answer to a client's request
    def __init__(self, code: int, group: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.group = group


@dataclass(slots=True)
class _Upload:
    """An image on its way into the second slot; outlives the link, not a reboot."""

    length: int
    digest: bytes
    data: bytearray


class ImageServer:
    """The management half of a virtual sensor.

    Parameters
    ----------
    boot_loader
        Whose slots are managed.
    on_reset
        Called when the sensor was told to boot anew.
    """

    def __init__(self, boot_loader: BootLoader, on_reset: Callable[[], None]) -> None:
        self._boot_loader = boot_loader
        self._on_reset = on_reset
        self._received = bytearray()
        self._upload: _Upload | None = None
        self._handlers: Mapping[tuple[int, int, int], Callable[[dict[str, Any]], dict[str, Any]]] = {
            (_OS, 0, _WRITE): self._echo,
            (_OS, 5, _WRITE): self._reset,
            (_OS, 6, _READ): lambda _asked: {"buf_size": _BUFFER_SIZE, "buf_count": 1},
            (_IMAGE, 0, _READ): lambda _asked: self._states(),
            (_IMAGE, 0, _WRITE): self._choose,
            (_IMAGE, 1, _WRITE): self._take_upload,
            (_IMAGE, 5, _WRITE): self._erase,
        }

    def reboot(self) -> None:
        """Lose what is in RAM."""
        self._received.clear()
        self._upload = None

    def forget_link(self) -> None:
        """Forget half a message of a link that is gone."""
        self._received.clear()

    def take(self, fragment: bytes) -> bytes | None:
        """Take what was written; return the answer once a message is complete."""
        self._received += fragment
        if len(self._received) < _HEADER.size:
            return None
        kind, flags, length, group, sequence, command = _HEADER.unpack_from(self._received)
        end = _HEADER.size + length
        if end > _BUFFER_SIZE:  # no room for it: nothing that follows can be understood either
            self._received.clear()
            return None
        if len(self._received) < end:
            return None
        body = bytes(self._received[_HEADER.size : end])
        del self._received[:end]
        operation, is_version_2 = kind & 0x07, bool(kind >> 3 & 0x03)
        try:
            answer = self._answer(group, command, operation, body)
        except _Refusal as refusal:
            if refusal.group is None or not is_version_2:
                answer = {"rc": refusal.code}
            else:
                answer = {"err": {"group": refusal.group, "rc": refusal.code}}
        told = cbor2.dumps(answer)
        head = _HEADER.pack(kind & 0x18 | operation + 1, flags, len(told), group, sequence, command)
        return head + told

    def _answer(self, group: int, command: int, operation: int, body: bytes) -> dict[str, Any]:
        handler = self._handlers.get((group, command, operation))
        if handler is None:
            raise _Refusal(_NOT_SUPPORTED)
        try:
            asked = cbor2.loads(body)
        except (cbor2.CBORDecodeError, EOFError):
            raise _Refusal(_INVALID) from None
        if not isinstance(asked, dict):
            raise _Refusal(_INVALID)
        return handler(asked)

    # Operating system ------------------------------------------------------------------------------------

    def _echo(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"r": str(asked.get("d", ""))}

    def _reset(self, _asked: dict[str, Any]) -> dict[str, Any]:
        self._on_reset()
        return {}

    # Images ----------------------------------------------------------------------------------------------

    def _states(self) -> dict[str, Any]:
        loader = self._boot_loader
        states = [_state(0, loader.running, active=True, confirmed=loader.is_confirmed)]
        if (waiting := loader.waiting) is not None:
            states.append(
                _state(
                    1,
                    waiting,
                    pending=loader.swap is not Swap.NONE,
                    permanent=loader.swap is Swap.PERMANENT,
                    confirmed=not loader.is_confirmed,  # the one that a boot would go back to
                )
            )
        return {"images": states, "splitStatus": 0}

    def _choose(self, asked: dict[str, Any]) -> dict[str, Any]:
        loader, digest, confirm = self._boot_loader, asked.get("hash"), bool(asked.get("confirm"))
        if confirm and digest in (None, loader.running.digest):
            loader.is_confirmed = True
        elif loader.waiting is not None and digest == loader.waiting.digest:
            loader.swap = Swap.PERMANENT if confirm else Swap.TEST
        else:
            raise _Refusal(_NO_IMAGE, _IMAGE)
        return self._states()

    def _erase(self, _asked: dict[str, Any]) -> dict[str, Any]:
        self._boot_loader.second, self._boot_loader.swap, self._upload = b"", Swap.NONE, None
        return {}

    def _take_upload(self, asked: dict[str, Any]) -> dict[str, Any]:
        offset, data = asked.get("off"), asked.get("data", b"")
        if not isinstance(offset, int) or not isinstance(data, bytes):
            raise _Refusal(_INVALID)
        if offset == 0:
            self._begin_upload(asked, data)
        upload = self._upload
        if upload is None:
            raise _Refusal(_INVALID)
        if offset == len(upload.data):  # anything else is answered with where to go on
            if offset + len(data) > upload.length:
                raise _Refusal(_OVERRUN, _IMAGE)
            upload.data += data
        told: dict[str, Any] = {"off": len(upload.data)}
        if len(upload.data) == upload.length:
            told["match"] = not upload.digest or sha256(upload.data).digest() == upload.digest
            self._boot_loader.second, self._upload = bytes(upload.data), None
        return told

    def _begin_upload(self, asked: dict[str, Any], data: bytes) -> None:
        length, digest = asked.get("len"), asked.get("sha", b"")
        if not isinstance(length, int) or not isinstance(digest, bytes):
            raise _Refusal(_INVALID)
        running = self._upload
        if running is not None and digest and (running.digest, running.length) == (digest, length):
            return
        if length > self._boot_loader.slot_size:
            raise _Refusal(_TOO_LARGE, _IMAGE)
        if int.from_bytes(data[:4], "little") != IMAGE_MAGIC:
            raise _Refusal(_INVALID_HEADER_MAGIC, _IMAGE)
        self._boot_loader.second, self._boot_loader.swap = b"", Swap.NONE
        self._upload = _Upload(length, digest, bytearray())


def _state(slot: int, image: FirmwareImage, **flags: bool) -> dict[str, Any]:
    version = ".".join(map(str, image.version))
    return {"slot": slot, "version": version, "hash": image.digest, "bootable": True} | flags
