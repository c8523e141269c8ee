"""What a mosquitto of one's own needs to know of a gym: configuration, passwords, access rules. Pure."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from sensor_bridge.mqtt.broker_streams import LONGEST_PACKET

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import PurePath

    from sensor_bridge.mqtt.users import BrokerUser

PASSWORDS, ACCESS, CERTIFICATE, KEY, DATA = "passwords", "access", "server.pem", "server-key.pem", "data"

_ROUNDS = 101  # mosquitto_passwd's own; there is nothing to guess in a token of 130 random bits
_MOST_CONNECTIONS = 400


def password_line(user: str, password: str, salt: bytes) -> str:
    """Write a line of a password file: PBKDF2 with SHA-512, as ``mosquitto_passwd`` does (``$7$``)."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
    return f"{user}:$7${_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}\n"


def access_rules(users: Iterable[BrokerUser]) -> str:
    """Write an access file: each user's topics, and nothing for anybody else."""
    sections = []
    for user in users:
        both = [topic for topic in user.publish if topic in user.read]
        rules = [
            *(("readwrite", topic) for topic in both),
            *(("read", topic) for topic in user.read if topic not in both),
            *(("write", topic) for topic in user.publish if topic not in both),
        ]
        sections.append(
            "".join([f"user {user.name}\n", *(f"topic {right} {topic}\n" for right, topic in rules)])
        )
    return "\n".join(sections)


def configuration(folder: PurePath, port: int, websocket_port: int) -> str:
    """Write the configuration.

    Parameters
    ----------
    folder
        Where the files lie on the broker's machine.
    port, websocket_port
        Of MQTT and of MQTT over WebSocket, both encrypted.
    """
    encryption = f"certfile {folder / CERTIFICATE}\nkeyfile {folder / KEY}\ntls_version tlsv1.2\n"
    return f"""\
# Written by: hipline broker config mosquitto. For mosquitto 2.0 or newer; speaks MQTT 5 and 3.1.1.

allow_anonymous false
password_file {folder / PASSWORDS}
acl_file {folder / ACCESS}

# What was acknowledged survives: an event leaves the bridge's outbox as soon as this broker has it.
persistence true
persistence_location {folder / DATA}/
autosave_on_changes true
autosave_interval 1
persistent_client_expiration 14d

# Bounds: consumers that are away keep a day's events, nobody fills the memory.
max_packet_size {LONGEST_PACKET}
max_queued_messages 100000
max_queued_bytes 100000000
queue_qos0_messages false
max_inflight_messages 20
max_keepalive 600

# Without this a live message now and then waits 40 ms for an acknowledgement.
set_tcp_nodelay true
log_type error
log_type warning
log_type notice

listener {port}
protocol mqtt
max_connections {_MOST_CONNECTIONS}
{encryption}
listener {websocket_port}
protocol websockets
max_connections {_MOST_CONNECTIONS}
{encryption}"""
