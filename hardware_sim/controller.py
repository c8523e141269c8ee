"""A Bluetooth controller that does what bumble's test controller only claims to do.

bumble 0.0.236 acknowledges LE Create Connection Cancel without cancelling, cleans nothing on reset, names
commands as supported that hang, acknowledges data before it went out, and hard-codes signal strength and
connection parameters. Each override below mends one of these.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from bumble import hci, ll
from bumble.controller import Connection, Controller

if TYPE_CHECKING:
    from hardware_sim.radio_link import RadioLink

_ACL_PACKET_BYTES: Final = 251  # one ATT packet at MTU 247; bumble's 27 would cut it into ten
_ADVERTISING_REPORT: Final = hci.HCI_LE_Extended_Advertising_Report_Event
_REPORT_ADVERTISING: Final = (
    _ADVERTISING_REPORT.EventType.CONNECTABLE_ADVERTISING
    | _ADVERTISING_REPORT.EventType.SCANNABLE_ADVERTISING
    | _ADVERTISING_REPORT.EventType.LEGACY_ADVERTISING_PDU_USED
)


class RadioController(Controller):
    """One radio chip on a `RadioLink`.

    Parameters
    ----------
    name
        For log lines.
    link
        The air it sends into.
    max_connections
        Connections it holds at a time; one more is refused with "connection limit exceeded".
    host_source, host_sink
        HCI towards the host, where that is not attached later.
    """

    def __init__(
        self,
        name: str,
        link: RadioLink,
        *,
        max_connections: int = 20,
        host_source: Any = None,
        host_sink: Any = None,
    ) -> None:
        super().__init__(
            name, host_source=host_source, host_sink=host_sink, link=link, public_address="00:00:00:00:00:00"
        )
        self._radio = link
        self._max_connections = max_connections
        self._incoming: ll.ConnectInd | None = None
        self._phys: dict[int, hci.Phy] = {}
        self.le_acl_data_packet_length = _ACL_PACKET_BYTES
        self.supported_max_tx_octets = self.supported_max_rx_octets = _ACL_PACKET_BYTES
        self.supported_max_tx_time = self.supported_max_rx_time = 2120

    @property
    def is_listening(self) -> bool:
        """True while it scans or waits for somebody to connect to."""
        return self.le_scan_enable or self.pending_le_connection is not None

    # Advertising -----------------------------------------------------------------------------------------

    def scan_response(self, address: hci.Address) -> bytes:
        """Return its answer to a scan request for one of its advertising sets."""
        return next(
            (
                bytes(each.scan_response_data)
                for each in self.advertising_sets.values()
                if each.address == address
            ),
            bytes(self.le_legacy_advertiser.scan_response_data),
        )

    def hear(self, address: hci.Address, data: bytes, scan_response: bytes, rssi_dbm: int) -> None:
        """Take in one advertisement: report it while scanning, connect where that was asked for."""
        if self.le_scan_enable:
            for event_type, content in (
                (_REPORT_ADVERTISING, data),
                (_REPORT_ADVERTISING | _ADVERTISING_REPORT.EventType.SCAN_RESPONSE, scan_response),
            ):
                report = _ADVERTISING_REPORT.Report(
                    event_type=event_type,
                    address_type=address.address_type,
                    address=address,
                    primary_phy=hci.Phy.LE_1M,
                    secondary_phy=0,
                    advertising_sid=0xFF,
                    tx_power=127,
                    rssi=rssi_dbm,
                    periodic_advertising_interval=0,
                    direct_address_type=0,
                    direct_address=hci.Address.ANY,
                    data=content,
                )
                self.send_hci_packet(_ADVERTISING_REPORT([report]))
        pending = self.pending_le_connection
        if pending is not None and pending.peer_address == address and address not in self.le_connections:
            self.create_le_connection(address)

    # Connections -----------------------------------------------------------------------------------------

    def on_hci_le_create_connection_command(self, command: hci.HCI_LE_Create_Connection_Command) -> None:
        """Refuse above the limit; let the air decide on interval and supervision timeout."""
        if len(self.le_connections) >= self._max_connections:
            self._send_hci_command_status(hci.HCI_ErrorCode.CONNECTION_LIMIT_EXCEEDED_ERROR, command.op_code)
            return
        interval, timeout = self._radio.connection_parameters(
            command.peer_address, command.connection_interval_min, command.supervision_timeout
        )
        command.connection_interval_min = command.connection_interval_max = interval
        command.supervision_timeout = timeout
        super().on_hci_le_create_connection_command(command)

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Withdraw the pending connection and say so, as the specification asks (Vol 4, Part E, 7.8.13)."""
        pending = self.pending_le_connection
        if pending is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        self.pending_le_connection = None
        asyncio.get_running_loop().call_soon(
            self.send_hci_packet,
            hci.HCI_LE_Connection_Complete_Event(
                status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
                connection_handle=0,
                role=hci.Role.CENTRAL,
                peer_address_type=pending.peer_address.address_type,
                peer_address=pending.peer_address,
                connection_interval=0,
                peripheral_latency=0,
                supervision_timeout=0,
                central_clock_accuracy=0,
            ),
        )
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def on_le_connect_ind(self, packet: ll.ConnectInd) -> None:
        """Accept a connection with the parameters it really has."""
        self._incoming = packet
        try:
            super().on_le_connect_ind(packet)
        finally:
            self._incoming = None

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Hand an event to the host; an incoming connection reports its true parameters."""
        if self._incoming is not None and isinstance(packet, hci.HCI_LE_Connection_Complete_Event):
            packet = hci.HCI_LE_Connection_Complete_Event(
                status=packet.status,
                connection_handle=packet.connection_handle,
                role=packet.role,
                peer_address_type=packet.peer_address_type,
                peer_address=packet.peer_address,
                connection_interval=self._incoming.interval,
                peripheral_latency=self._incoming.latency,
                supervision_timeout=self._incoming.timeout,
                central_clock_accuracy=packet.central_clock_accuracy,
            )
        if self.host is not None:  # as in bumble, but not spelt out in colours for a log that is off
            asyncio.get_running_loop().call_soon(self.host.on_packet, bytes(packet))

    def break_connection(self, connection: Connection | None, reason: int) -> None:
        """End a connection from here, as the link layer does on its own; one that is over already is fine."""
        if connection is not None and self.le_connections.get(connection.peer_address) is connection:
            self.on_le_disconnected(connection, reason)

    def on_le_disconnected(self, connection: Connection, reason: int) -> None:
        """Forget the connection and what it still wanted to send."""
        self._radio.close_path(connection.self_address, connection.peer_address)
        self._phys.pop(connection.handle, None)
        super().on_le_disconnected(connection, reason)

    def on_hci_reset_command(self, command: hci.HCI_Reset_Command) -> hci.HCI_StatusReturnParameters:
        """Drop everything: a host that was killed must not leave connections behind."""
        self.forget_host()
        return super().on_hci_reset_command(command)

    def forget_host(self) -> None:
        """Stop scanning, advertising and connecting, and let the peers notice that nobody is there."""
        self.pending_le_connection = None
        self.le_scan_enable = False
        self.le_legacy_advertiser.stop()
        for advertising_set in self.advertising_sets.values():
            advertising_set.stop()
        self.advertising_sets.clear()
        for connection in list(self.le_connections.values()):
            connection.send_ll_control_pdu(
                ll.TerminateInd(hci.HCI_ErrorCode.REMOTE_DEVICE_TERMINATED_CONNECTION_DUE_TO_POWER_OFF_ERROR)
            )
            self.on_le_disconnected(connection, hci.HCI_ErrorCode.CONNECTION_TERMINATED_BY_LOCAL_HOST_ERROR)

    # Data ------------------------------------------------------------------------------------------------

    def on_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Take a packet from the host; data goes straight on, without a line in the log."""
        if isinstance(packet, hci.HCI_AclDataPacket):
            self.on_hci_acl_data_packet(packet)
        else:
            super().on_hci_packet(packet)

    def on_hci_acl_data_packet(self, packet: hci.HCI_AclDataPacket) -> None:
        """Take data from the host; its buffer is free again only when the air has carried the data."""
        connection = self.find_le_connection_by_handle(packet.connection_handle)
        if connection is None:
            return  # it went away while the packet was on its way from the host
        before = self._radio.pdus_accepted
        connection.assembler.feed_packet(packet)
        if self._radio.pdus_accepted == before:
            self.free_buffer(connection.handle)  # a fragment: the last one stands for the whole

    def free_buffer(self, handle: int) -> None:
        """Tell the host that one of its packets has gone out."""
        self.send_hci_packet(
            hci.HCI_Number_Of_Completed_Packets_Event(connection_handles=[handle], num_completed_packets=[1])
        )

    # Commands that bumble lists as supported but does not answer --------------------------------------------

    def on_hci_le_set_data_length_command(
        self, command: hci.HCI_LE_Set_Data_Length_Command
    ) -> hci.HCI_StatusAndConnectionHandleReturnParameters:
        """Agree to what was asked for."""
        asyncio.get_running_loop().call_soon(
            self.send_hci_packet,
            hci.HCI_LE_Data_Length_Change_Event(
                connection_handle=command.connection_handle,
                max_tx_octets=command.tx_octets,
                max_tx_time=command.tx_time,
                max_rx_octets=self.supported_max_rx_octets,
                max_rx_time=self.supported_max_rx_time,
            ),
        )
        return hci.HCI_StatusAndConnectionHandleReturnParameters(
            status=hci.HCI_ErrorCode.SUCCESS, connection_handle=command.connection_handle
        )

    def on_hci_le_set_phy_command(self, command: hci.HCI_LE_Set_PHY_Command) -> None:
        """Switch this end to 2M where that was allowed, else stay on 1M."""
        self._send_hci_command_status(hci.HCI_COMMAND_STATUS_PENDING, command.op_code)
        phy = hci.Phy.LE_2M if command.tx_phys & (1 << hci.HCI_LE_2M_PHY_BIT) else hci.Phy.LE_1M
        self._phys[command.connection_handle] = phy
        self.send_hci_packet(
            hci.HCI_LE_PHY_Update_Complete_Event(
                status=hci.HCI_ErrorCode.SUCCESS,
                connection_handle=command.connection_handle,
                tx_phy=phy,
                rx_phy=phy,
            )
        )

    def on_hci_le_read_phy_command(
        self, command: hci.HCI_LE_Read_PHY_Command
    ) -> hci.HCI_LE_Read_PHY_ReturnParameters:
        """Tell the PHY in use."""
        phy = self._phys.get(command.connection_handle, hci.Phy.LE_1M)
        return hci.HCI_LE_Read_PHY_ReturnParameters(
            status=hci.HCI_ErrorCode.SUCCESS,
            connection_handle=command.connection_handle,
            tx_phy=phy,
            rx_phy=phy,
        )

    def on_hci_read_rssi_command(
        self, command: hci.HCI_Read_RSSI_Command
    ) -> hci.HCI_Read_RSSI_ReturnParameters:
        """Tell the signal strength of a connection."""
        connection = self.find_le_connection_by_handle(command.handle)
        if connection is None:
            return hci.HCI_Read_RSSI_ReturnParameters(
                status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR, handle=command.handle, rssi=127
            )
        return hci.HCI_Read_RSSI_ReturnParameters(
            status=hci.HCI_ErrorCode.SUCCESS,
            handle=command.handle,
            rssi=self._radio.rssi_dbm(connection.self_address, connection.peer_address),
        )
