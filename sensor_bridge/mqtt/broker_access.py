"""Who may do what on the embedded broker: the plugins amqtt loads by name.

amqtt's own are not used: its password check blocks the event loop for 0.2 s a connection, and its topic check
lets a user granted ``gym/+`` subscribe to ``gym/#``.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from amqtt.contexts import Action
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin

from sensor_bridge.mqtt.topics import covers, matches

if TYPE_CHECKING:
    from amqtt.session import Session

_NOBODY = "0" * 64


def digest(token: str) -> str:
    """Hash a token for `TokenAuthentication`; tokens are long and random, so a plain SHA-256 is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


class TokenAuthentication(BaseAuthPlugin):  # type: ignore[misc]  # amqtt carries no types
    """Lets in users who know their token, if their last will stays within what they may publish."""

    @dataclass
    class Config:
        """What amqtt reads from the plugin's configuration.

        Attributes
        ----------
        digests
            SHA-256 of each user's token, hexadecimal.
        publish
            Topic filters each user may publish on.
        """

        digests: dict[str, str] = field(default_factory=dict)
        publish: dict[str, list[str]] = field(default_factory=dict)

    config: Config

    async def authenticate(self, *, session: Session) -> bool:
        """Judge a CONNECT."""
        user = session.username or ""
        known = self.config.digests.get(user, _NOBODY)
        if not hmac.compare_digest(digest(session.password or ""), known):
            return False
        # amqtt publishes wills without asking the topic plugins.
        return not session.will_flag or _may_publish(self.config.publish, user, session.will_topic)


class TopicAccess(BaseTopicPlugin):  # type: ignore[misc]  # amqtt carries no types
    """Grants publishing and reading by topic filters; what is not granted is denied."""

    @dataclass
    class Config:
        """What amqtt reads from the plugin's configuration.

        Attributes
        ----------
        publish, read
            Topic filters each user may publish on, and may subscribe to.
        """

        publish: dict[str, list[str]] = field(default_factory=dict)
        read: dict[str, list[str]] = field(default_factory=dict)

    config: Config

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool:
        """Judge one publish, subscription or delivery."""
        user = (session.username if session else None) or ""
        if topic is None:
            return False
        if action is Action.PUBLISH:
            return _may_publish(self.config.publish, user, topic)
        return any(covers(granted, topic) for granted in self.config.read.get(user, []))


def _may_publish(grants: dict[str, list[str]], user: str, topic: Any) -> bool:
    return isinstance(topic, str) and any(matches(topic, granted) for granted in grants.get(user, []))
