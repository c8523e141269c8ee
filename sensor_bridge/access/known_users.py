"""Whom a token belongs to. Pure."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from sensor_bridge.mqtt.users import user_called

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sensor_bridge.mqtt.users import User

_NOBODY = bytes(32)


class KnownUsers:
    """The users who may be let in, with digests of their tokens.

    Tokens hold 130 random bits, so SHA-256 is enough: there is no list of likely ones to try, and a slow
    password hash would only hold up the event loop.

    Parameters
    ----------
    tokens
        By username.
    """

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self._digests = {user: _digest(token) for user, token in tokens.items()}

    def __repr__(self) -> str:
        return f"KnownUsers({', '.join(self._digests)})"

    def of(self, credential: str) -> User | None:
        """Tell whose a credential ``<user>.<token>`` is; None: nobody's. Takes the same time for all."""
        user, _, token = credential.partition(".")
        known = self._digests.get(user, _NOBODY)
        return user_called(user) if hmac.compare_digest(_digest(token), known) else None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
