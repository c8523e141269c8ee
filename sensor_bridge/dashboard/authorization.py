"""Who asks: the bearer token of a request to the HTTP API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from sensor_bridge.access.doorkeeper import Doorkeeper
from sensor_bridge.access.known_users import KnownUsers

if TYPE_CHECKING:
    from sensor_bridge.mqtt.users import User

USERS = web.AppKey("users", KnownUsers)
"""Where the application keeps whom it knows."""
DOORKEEPER = web.AppKey("doorkeeper", Doorkeeper)
"""Where it counts who was wrong how often."""

_JSON = "application/json"


def user_of(request: web.Request) -> User:
    """Tell who asks, by ``Authorization: Bearer <user>.<token>``.

    Raises
    ------
    HTTPUnauthorized
        Nobody that is known; the answer is JSON: ``{"error": "..."}``.
    HTTPTooManyRequests
        Nobody, and from an address that was wrong too often. The right token opens even so: nobody locks
        others out.
    """
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    user = request.app[USERS].of(credential.strip()) if scheme.lower() == "bearer" else None
    if user is None:
        is_guessing = bool(credential) and request.app[DOORKEEPER].failed(request.remote or "")
        if is_guessing:
            raise web.HTTPTooManyRequests(
                text=error_text("too many wrong tokens from this address: wait a minute"),
                content_type=_JSON,
                headers={"Retry-After": "60", "Cache-Control": "no-store"},
            )
        raise web.HTTPUnauthorized(
            text=error_text("send a token that is in force: Authorization: Bearer <user>.<token>"),
            content_type=_JSON,
            headers={"WWW-Authenticate": "Bearer", "Cache-Control": "no-store"},
        )
    return user


def user_who_may_see(request: web.Request, athlete: str) -> User:
    """Tell who asks for the data of an athlete.

    Raises
    ------
    HTTPUnauthorized
        As `user_of`.
    HTTPForbidden
        They are not this user's to see; whether the athlete exists is not said.
    """
    user = user_of(request)
    if not user.may_see(athlete):
        raise web.HTTPForbidden(
            text=error_text(f"{user.name} may see only own data"),
            content_type=_JSON,
            headers={"Cache-Control": "no-store"},
        )
    return user


def error_text(sentence: str) -> str:
    """Return the JSON of a refusal."""
    return msgspec.json.encode({"error": sentence}).decode()
