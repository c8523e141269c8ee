"""Who uses a gym, and what each may publish and read. Pure; every broker's rules are made from this."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sensor_bridge.mqtt.topics import Channel, is_valid_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sensor_bridge.mqtt.topics import Topics

BRIDGE_USER = "bridge"
COACH_USER = "coach"
SERVICE = "bridge"

_ATHLETE_PREFIX = "athlete-"


@dataclass(frozen=True, slots=True)
class User:
    """One who was let in.

    Attributes
    ----------
    name
        The username.
    athlete
        Whose data the user may see; None: everybody's.
    """

    name: str
    athlete: str | None = None

    def may_see(self, athlete: str) -> bool:
        """Whether the data of this athlete are the user's to see."""
        return self.athlete is None or self.athlete == athlete


@dataclass(frozen=True, slots=True)
class BrokerUser:
    """One who may use the broker.

    Attributes
    ----------
    name, token
        Username and password; the token is long and random.
    publish, read
        Topic filters granted for publishing and for subscribing.
    """

    name: str
    token: str = field(repr=False)
    publish: tuple[str, ...] = ()
    read: tuple[str, ...] = ()


def athlete_user(athlete: str) -> str:
    """Name the user of an athlete."""
    return f"{_ATHLETE_PREFIX}{athlete}"


def user_called(name: str) -> User:
    """Tell what a username may see: an athlete's own only her or his data, any other the whole gym's."""
    athlete = name.removeprefix(_ATHLETE_PREFIX)
    return User(name, athlete) if athlete != name and is_valid_id(athlete) else User(name)


def user_names(athletes: Sequence[str]) -> list[str]:
    """Name all users of a gym with these athletes."""
    return [BRIDGE_USER, COACH_USER, *map(athlete_user, athletes)]


def gym_users(
    topics: Topics, tokens: Mapping[str, str], worn: Mapping[str, Sequence[str]] | None = None
) -> tuple[BrokerUser, ...]:
    """Grant each user of a gym what is theirs.

    The bridge has everything in the gym. The coach reads everything and publishes commands to the bridge. An
    athlete reads her or his own topics, whether the bridge runs, and the sensors she or he wears.

    Parameters
    ----------
    topics
        The gym.
    tokens
        Token of each user that `user_names` names.
    worn
        The athletes, and the ids of the sensors each wears.
    """
    whole_gym = (topics.everything,)
    commands = topics.every(Channel.COMMAND).replace("svc/+", f"svc/{SERVICE}")
    return (
        BrokerUser(BRIDGE_USER, tokens[BRIDGE_USER], publish=whole_gym, read=whole_gym),
        BrokerUser(COACH_USER, tokens[COACH_USER], publish=(commands,), read=whole_gym),
        *(
            BrokerUser(
                athlete_user(athlete),
                tokens[athlete_user(athlete)],
                read=(
                    f"{topics.root}/athlete/{athlete}/#",
                    topics.service_status(SERVICE),
                    *map(topics.sensor_status, sensors),
                ),
            )
            for athlete, sensors in (worn or {}).items()
        ),
    )
