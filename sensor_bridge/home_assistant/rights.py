"""What Home Assistant, and the bridge for it, may do on a broker of one's own. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sensor_bridge.mqtt.topics import Channel
from sensor_bridge.mqtt.users import BRIDGE_USER, SERVICE, BrokerUser

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sensor_bridge.mqtt.topics import Topics

HOME_ASSISTANT_USER = "home-assistant"


def with_home_assistant_user(
    users: Iterable[BrokerUser], topics: Topics, token: str, *, prefix: str
) -> tuple[BrokerUser, ...]:
    """Let the bridge describe itself to Home Assistant, and that read what it is told of.

    Parameters
    ----------
    users
        Those of the gym.
    topics
        The gym.
    token
        Home Assistant's password.
    prefix
        Its discovery prefix.
    """
    descriptions = f"{prefix}/device/hipline-{topics.gym}/+/config"
    return (
        *(
            replace(user, publish=(*user.publish, descriptions)) if user.name == BRIDGE_USER else user
            for user in users
        ),
        BrokerUser(
            HOME_ASSISTANT_USER,
            token,
            publish=(f"{prefix}/status",),  # where it says itself whether it runs
            read=(
                f"{prefix}/#",
                topics.service_status(SERVICE),
                topics.every(Channel.STATE),
                topics.every(Channel.SENSOR_STATUS),
            ),
        ),
    )
