"""The air between virtual controllers: signal strength, loss, connection events, range.

bumble's link delivers everything at once and for ever. Here each connection has its own rhythm of connection
events, packets that fail are sent again at a later chance, and who hears nothing for the supervision timeout
loses the connection.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from typing import TYPE_CHECKING, Final, cast

from bumble import core, hci, ll
from bumble.link import LocalLink

if TYPE_CHECKING:
    from bumble.controller import Controller

    from hardware_sim.controller import RadioController
    from hardware_sim.radio_conditions import RadioConditions

_INTERVAL_UNIT_S: Final = 0.00125
_TIMEOUT_UNIT_S: Final = 0.01
_ESTABLISHMENT_EVENTS: Final = 6  # connection events a new connection may stay silent (Vol 6, Part B, 4.5.2)


class _Direction:
    """What one end of a connection wants to send."""

    def __init__(
        self, sender: RadioController, receiver: RadioController, receiver_address: hci.Address
    ) -> None:
        self.sender = sender
        self.receiver = receiver
        self.receiver_address = receiver_address
        self.pdus: deque[bytes] = deque()


class _Path:
    """One connection in the air."""

    def __init__(
        self,
        link: RadioLink,
        sensor: str,
        directions: tuple[_Direction, _Direction],
        interval_s: float,
        supervision_timeout_s: float,
    ) -> None:
        self._link = link
        self._loop = asyncio.get_running_loop()
        self.sensor = sensor
        self.interval_s = interval_s
        self._supervision_timeout_s = supervision_timeout_s
        self._directions = directions
        self._anchor_s = self._loop.time() + link.random.random() * interval_s
        self._last_event_s = -math.inf
        self._event: asyncio.TimerHandle | None = None
        self._supervision: asyncio.TimerHandle | None = None

    def send(self, sender: Controller, pdu: bytes) -> None:
        next(each for each in self._directions if each.sender is sender).pdus.append(pdu)
        self._arm()

    def follow_reachability(self) -> None:
        if self._link.is_reachable(self.sensor):
            if self._supervision is not None:
                self._supervision.cancel()
                self._supervision = None
            self._arm()
        elif self._supervision is None:
            self._supervision = self._loop.call_later(self._supervision_timeout_s, self._expire)

    def close(self) -> None:
        for timer in (self._event, self._supervision):
            if timer is not None:
                timer.cancel()
        self._event = self._supervision = None
        for direction in self._directions:
            direction.pdus.clear()

    def expire_later(self, survivor: RadioController, gone: hci.Address) -> None:
        """Let the end that was not told find out by silence."""
        self._loop.call_later(
            self._supervision_timeout_s,
            survivor.break_connection,
            survivor.le_connections.get(gone),
            hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR,
        )

    def _arm(self) -> None:
        if self._event is not None or not any(each.pdus for each in self._directions):
            return
        now = self._loop.time()
        events = max((now - self._anchor_s) // self.interval_s + 1, 0)
        event_s = self._anchor_s + events * self.interval_s
        if event_s - self._last_event_s < 0.5 * self.interval_s:  # the same event again, but for rounding
            event_s += self.interval_s
        self._event = self._loop.call_at(event_s, self._connection_event, event_s)

    def _connection_event(self, event_s: float) -> None:
        self._event = None
        self._last_event_s = event_s
        link = self._link
        if not link.is_reachable(self.sensor):
            return  # armed again when it is back
        error_rate = link.error_rate(self.sensor)
        attempts = link.conditions(self.sensor).packets_per_event
        for direction in self._directions:
            for _ in range(attempts):
                if not direction.pdus:
                    break
                if error_rate > 0.0 and link.random.random() < error_rate:
                    continue
                self._deliver(direction, direction.pdus.popleft())
        self._arm()

    def _deliver(self, direction: _Direction, pdu: bytes) -> None:
        connection = direction.sender.le_connections.get(direction.receiver_address)
        if connection is None:
            return
        direction.receiver.on_link_acl_data(connection.self_address, core.PhysicalTransport.LE, pdu)
        direction.sender.free_buffer(connection.handle)

    def _expire(self) -> None:
        self.break_off(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)

    def break_off(self, reason: int) -> None:
        """End the connection at both ends."""
        ends = [
            (each.sender, each.sender.le_connections.get(each.receiver_address)) for each in self._directions
        ]
        for controller, connection in ends:
            controller.break_connection(connection, reason)


class RadioLink(LocalLink):
    """The air.

    Parameters
    ----------
    conditions
        For every sensor that has none of its own.
    seed
        For all randomness: equal seeds and equal timing give equal losses.
    """

    def __init__(self, conditions: RadioConditions, seed: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.random = random.Random(seed)
        self.pdus_accepted = 0
        self._default = conditions
        self._conditions: dict[str, RadioConditions] = {}
        self._fades_db: dict[str, float] = {}
        self._hidden: set[str] = set()
        self._paths: dict[frozenset[bytes], _Path] = {}

    # Conditions ------------------------------------------------------------------------------------------

    def conditions(self, sensor: str) -> RadioConditions:
        """Conditions of the sensor with this address."""
        return self._conditions.get(sensor, self._default)

    def set_conditions(self, sensor: str, conditions: RadioConditions) -> None:
        """Change the conditions of one sensor, at once."""
        self._conditions[sensor] = conditions
        self._reachability_changed(sensor)

    def set_fade(self, sensor: str, fade_db: float) -> None:
        """Weaken the signal of one sensor by so much; 0 ends it."""
        self._fades_db[sensor] = fade_db
        self._reachability_changed(sensor)

    def set_in_range(self, sensor: str, *, in_range: bool) -> None:
        """Carry a sensor out of range, or back."""
        (self._hidden.discard if in_range else self._hidden.add)(sensor)
        self._reachability_changed(sensor)

    def break_links(self, sensor: str, reason: int) -> None:
        """End the connections of one sensor at both ends, at once."""
        for path in list(self._paths.values()):
            if path.sensor == sensor:
                path.break_off(reason)

    def abandon(self, controller: RadioController) -> None:
        """Let a controller forget its connections without a word; the other ends find out by silence."""
        for connection in list(controller.le_connections.values()):
            path = self._paths.get(_pair(connection.self_address, connection.peer_address))
            peer = cast("RadioController | None", self.find_le_controller(connection.peer_address))
            if path is not None and peer is not None:
                path.expire_later(peer, connection.self_address)
            controller.break_connection(connection, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)

    def is_reachable(self, sensor: str) -> bool:
        """Tell whether packets of this sensor can get through at all."""
        return sensor not in self._hidden and self.conditions(sensor).is_audible(
            self._fades_db.get(sensor, 0.0)
        )

    def error_rate(self, sensor: str) -> float:
        """Share of packets that need another attempt, at the moment."""
        return self.conditions(sensor).error_rate(self._fades_db.get(sensor, 0.0))

    def rssi_dbm(self, *ends: hci.Address) -> int:
        """Signal strength of one packet of the sensor that is among these ends."""
        sensor = self._sensor_of(*ends)
        conditions = self.conditions(sensor)
        level = conditions.rssi_dbm - self._fades_db.get(sensor, 0.0)
        return round(min(max(level + self.random.gauss(0.0, conditions.rssi_sd_db), -127.0), 20.0))

    def connection_parameters(
        self, peer: hci.Address, wanted_interval: int, wanted_timeout: int
    ) -> tuple[int, int]:
        """Interval (1.25 ms) and supervision timeout (10 ms) that a connection to ``peer`` gets."""
        del wanted_timeout  # the host's default would hide the losses one wants to see
        conditions = self.conditions(_text(peer))
        interval = wanted_interval
        if conditions.connection_interval_ms is not None:
            interval = round(conditions.connection_interval_ms / 1000.0 / _INTERVAL_UNIT_S)
        return interval, round(conditions.supervision_timeout_s / _TIMEOUT_UNIT_S)

    # What controllers send -------------------------------------------------------------------------------

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        """Carry advertisements to whoever listens, and connection requests to the advertiser."""
        sender = cast("RadioController", sender_controller)
        match packet:
            case ll.ConnectInd():
                self._open_path(sender, packet)
            case ll.AdvInd() | ll.AdvExtInd():
                self._advertise(sender, packet.advertiser_address, packet.data)

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: core.PhysicalTransport,
        data: bytes,
    ) -> None:
        """Queue data for the next connection event."""
        del transport
        path = self._paths.get(_pair(sender_controller.random_address, destination_address))
        if path is not None:
            self.pdus_accepted += 1
            path.send(sender_controller, data)

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        """Carry a link-layer message; what ends a connection out of range is not heard."""
        path = self._paths.get(_pair(sender_address, receiver_address))
        receiver = cast("RadioController | None", self.find_le_controller(receiver_address))
        if path is None or receiver is None:
            return
        if not self.is_reachable(path.sensor):
            if isinstance(packet, ll.TerminateInd):
                path.expire_later(receiver, sender_address)
            return
        if isinstance(packet, ll.ConnectionUpdateInd):
            path.interval_s = packet.interval * _INTERVAL_UNIT_S
        super().send_ll_control_pdu(sender_address, receiver_address, packet)

    def close_path(self, one: hci.Address, other: hci.Address) -> None:
        """Forget a connection with all it still wanted to send; none is fine."""
        if path := self._paths.pop(_pair(one, other), None):
            path.close()

    def close(self) -> None:
        """Stop every timer."""
        for path in self._paths.values():
            path.close()
        self._paths.clear()

    # ------------------------------------------------------------------------------------------------------

    def _advertise(self, sender: RadioController, address: hci.Address, data: bytes) -> None:
        sensor = _text(address)
        listeners = [
            each
            for each in cast("set[RadioController]", self.controllers)
            if each is not sender and each.is_listening
        ]
        if not listeners or not self.is_reachable(sensor):
            return
        for listener in sorted(listeners, key=lambda each: each.name):
            lost = max(self.conditions(sensor).advertising_loss, self.error_rate(sensor))
            if lost > 0.0 and self.random.random() < lost:
                continue
            listener.hear(address, bytes(data), sender.scan_response(address), self.rssi_dbm(address))

    def _open_path(self, initiator: RadioController, packet: ll.ConnectInd) -> None:
        advertiser = cast("RadioController | None", self.find_le_controller(packet.advertiser_address))
        sensor = _text(packet.advertiser_address)
        interval_s = packet.interval * _INTERVAL_UNIT_S
        lost = self.error_rate(sensor)
        heard = self.is_reachable(sensor) and (lost == 0.0 or self.random.random() >= lost)
        if heard and advertiser is not None:
            advertiser.on_le_connect_ind(packet)
        if not heard or advertiser is None or packet.initiator_address not in advertiser.le_connections:
            asyncio.get_running_loop().call_later(
                _ESTABLISHMENT_EVENTS * interval_s,
                initiator.break_connection,
                initiator.le_connections.get(packet.advertiser_address),
                hci.HCI_ErrorCode.CONNECTION_FAILED_TO_BE_ESTABLISHED_ERROR,
            )
            return
        self._paths[_pair(packet.initiator_address, packet.advertiser_address)] = _Path(
            self,
            sensor,
            (
                _Direction(initiator, advertiser, packet.advertiser_address),
                _Direction(advertiser, initiator, packet.initiator_address),
            ),
            interval_s,
            packet.timeout * _TIMEOUT_UNIT_S,
        )

    def _sensor_of(self, *ends: hci.Address) -> str:
        if len(ends) > 1 and (path := self._paths.get(_pair(*ends))):
            return path.sensor
        return _text(ends[0])

    def _reachability_changed(self, sensor: str) -> None:
        for path in list(self._paths.values()):
            if path.sensor == sensor:
                path.follow_reachability()


def _text(address: hci.Address) -> str:
    return str(address.to_string(with_type_qualifier=False)).upper()


def _pair(*ends: hci.Address) -> frozenset[bytes]:
    return frozenset(each.address_bytes for each in ends)
