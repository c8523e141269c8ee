"""A service's own status: online while it runs, offline by its last will when it dies, and its alarms."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Self

from sensor_bridge.mqtt.event_ids import message_id
from sensor_bridge.mqtt.payloads import ServiceState, ServiceStatus, encode, envelope
from sensor_bridge.mqtt.settings import Will

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor_bridge.mqtt.retained import RetainedBoard

log = logging.getLogger(__name__)

_FAREWELL_TIMEOUT_S = 2.0


class ServiceStatusPublisher:
    """Keeps the retained status of one service.

    Make it first, give its `will` to the client, then enter it with the client's board.

    Parameters
    ----------
    topic
        Where the status goes.
    version
        Version of the program.
    session
        Session the messages belong to.
    now_ms
        The clock, UTC in ms since 1970.
    """

    def __init__(
        self,
        topic: str,
        *,
        version: str,
        session: str,
        now_ms: Callable[[], float] = lambda: time.time() * 1000.0,
    ) -> None:
        self._topic = topic
        self._version = version
        self._session = session
        self._now_ms = now_ms
        self._seq = 0
        self._state: ServiceState = "offline"
        self._alarms: dict[str, str] = {}
        self._board: RetainedBoard | None = None
        # Its time is when the service came, not when it died: the broker cannot tell.
        self.will = Will(topic, self._message())

    def attach(self, board: RetainedBoard) -> Self:
        """Publish on this board from now on; use the result in ``async with``."""
        self._board = board
        return self

    async def __aenter__(self) -> Self:
        self._state = "online"
        self._publish()
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        self._state = "offline"
        self._publish()
        if self._board is not None:
            await self._board.flush(_FAREWELL_TIMEOUT_S)

    @property
    def alarms(self) -> list[str]:
        """What is wrong now, one sentence each."""
        return list(self._alarms.values())

    def set_alarm(self, code: str, text: str | None) -> None:
        """Raise or change the alarm `code`, on the topic and at its rise in the terminal; None ends it."""
        before = self._alarms.get(code)
        if before == text:
            return
        if text is None:
            del self._alarms[code]
            log.warning("over: %s", before)
        else:
            self._alarms[code] = text
            if before is None:
                log.warning("%s", text)
        self._publish()

    def _publish(self) -> None:
        if self._board is not None:
            self._board.put(self._topic, self._message())

    def _message(self) -> bytes:
        now_ms = self._now_ms()
        seq = self._seq
        self._seq += 1
        return encode(
            envelope(
                ServiceStatus(state=self._state, version=self._version, alarms=self.alarms),
                message_id=message_id(now_ms, session=self._session, topic=self._topic, seq=seq),
                sample_time_ms=now_ms,
                session=self._session,
                seq=seq,
            )
        )
