"""Tokens for a gym that only a test uses."""

from __future__ import annotations

from sensor_bridge.access.tokens import create_token
from sensor_bridge.mqtt.users import user_names


def create_tokens(*athletes: str) -> dict[str, str]:
    """Make a token for each user of a gym with these athletes."""
    return {user: create_token() for user in user_names(athletes)}
