"""A listening socket that asks the doorkeeper before anybody is served."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from sensor_bridge.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor_bridge.access.doorkeeper import Doorkeeper

_BACKLOG = 128


class GuardedSocket(socket.socket):
    """Closes connections at once that the doorkeeper does not admit, unread and without an answer."""

    doorkeeper: Doorkeeper

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept the next connection.

        Raises
        ------
        ConnectionAbortedError
            It was turned away; asyncio then waits for the next.
        """
        plain, address = super().accept()
        host = str(address[0])
        if not self.doorkeeper.admit(host):
            plain.close()
            raise ConnectionAbortedError(f"{host} was turned away")
        guest = _Guest(self.family, self.type, self.proto, fileno=plain.detach())
        guest.on_close = lambda: self.doorkeeper.leave(host)
        return guest, address


class _Guest(socket.socket):
    on_close: Callable[[], None] | None = None

    def close(self) -> None:
        told, self.on_close = self.on_close, None
        super().close()
        if told is not None:
            told()


def listen(host: str, port: int, doorkeeper: Doorkeeper, key: str) -> GuardedSocket:
    """Listen on one address.

    Parameters
    ----------
    host, port
        Where; port 0 takes any free one.
    doorkeeper
        Who is asked.
    key
        The setting to blame.

    Raises
    ------
    ConfigError
        The address is not one of this machine, or the port is taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise ConfigError(
            f"{key}: cannot listen on {host} port {port} ({error.strerror}): choose a host of this machine"
        ) from error
    listening = GuardedSocket(family, kind, protocol)
    listening.doorkeeper = doorkeeper
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"{key}: port {port} of {host} cannot be used ({error.strerror}): "
            "choose another port, or 0 for any"
        ) from error
    return listening
