"""The table of subscriptions, made safe to walk through while it changes. Pure."""

from __future__ import annotations

from typing import Any


class Subscriptions(dict[str, list[Any]]):
    """Filters and their subscribers; who walks through them walks through what they were at the start.

    amqtt asks for rights, and so lets others run, between two subscribers of one message. Were somebody to
    come or go meanwhile, the walk would break off, and the message, acknowledged already, would reach nobody
    that is left.
    """

    def items(self) -> list[tuple[str, list[Any]]]:  # type: ignore[override]  # walked through only
        """Return filters with their subscribers as they are now."""
        return [(topic_filter, list(subscribers)) for topic_filter, subscribers in super().items()]
