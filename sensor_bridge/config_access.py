"""The sections of the configuration that say how broker and page are reached."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Port = Annotated[int, Field(ge=0, le=65535)]


class Section(BaseModel):
    """A part of the configuration: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MqttConfig(Section):
    """The broker: one inside the bridge, or one of your own.

    Parameters
    ----------
    broker
        ``embedded`` or ``external``.
    tcp_port, websocket_port
        Ports of the embedded broker; 0 takes any free one.
    host, port
        Address of the external broker.
    websocket_url
        Where browsers reach the external broker; default: port 9001 of the same host.
    username, password_file, password_env
        Credentials for the external broker: the password stands in a file (mode 0600) or in the
        environment variable of that name.
    dashboard_username, dashboard_password_file, dashboard_password_env
        The same for the coach: a user of the external broker that reads the gym and publishes commands.
        Default: ``coach`` with the token that ``hipline tokens`` shows.
    tls, ca_file
        Encrypt; trust the certificates in that file, else those of the system.
    """

    broker: Literal["embedded", "external"] = "embedded"
    tcp_port: Port = 0
    websocket_port: Port = 0
    host: str = "127.0.0.1"
    port: Port | None = None
    websocket_url: str | None = None
    username: str | None = None
    password_file: Path | None = None
    password_env: str | None = None
    dashboard_username: str | None = None
    dashboard_password_file: Path | None = None
    dashboard_password_env: str | None = None
    tls: bool = False
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        own = {"broker", "tcp_port", "websocket_port"}
        stray = [name for name in type(self).model_fields if name in self.model_fields_set - own]
        if self.broker == "embedded" and stray:
            raise ValueError(f'{", ".join(stray)} only go with broker = "external"')
        for user in ("", "dashboard_"):
            from_file = getattr(self, f"{user}password_file") is not None
            from_environment = getattr(self, f"{user}password_env") is not None
            if from_file and from_environment:
                raise ValueError(f"give {user}password_file or {user}password_env, not both")
            if getattr(self, f"{user}username") is None and (from_file or from_environment):
                raise ValueError(f"a {user}password needs a {user}username")
        if self.dashboard_username is not None:
            if self.dashboard_password_file is None and self.dashboard_password_env is None:
                raise ValueError("a dashboard_username needs a dashboard_password_file or _env")
            if "." in self.dashboard_username:  # the page takes <user>.<token>
                raise ValueError("a dashboard_username may hold no dot")
        return self

    @property
    def external_port(self) -> int:
        """Port of the external broker: as given, else the usual one."""
        return self.port if self.port is not None else (8883 if self.tls else 1883)

    @property
    def external_websocket_url(self) -> str:
        """Where browsers reach the external broker: as given, else port 9001 of its host."""
        return self.websocket_url or f"{'wss' if self.tls else 'ws'}://{self.host}:9001"


class DashboardConfig(Section):
    """The page.

    Parameters
    ----------
    enabled
        Whether to serve it.
    host, port
        What the page server listens on; port 0 takes any. Host ``0.0.0.0`` opens page and embedded broker to
        the local network, with TLS or on a network that is trusted (docs/security.md).
    """

    enabled: bool = True
    host: str = "127.0.0.1"
    port: Port = 8321


class NetworkConfig(Section):
    """The network that ``dashboard.host`` opens the page to.

    Parameters
    ----------
    trusted
        Whether tokens and numbers may go over it without encryption.
    names
        More names of this machine on it; links carry the first.
    """

    trusted: bool = False
    names: tuple[str, ...] = ()


class TlsConfig(Section):
    """What page and embedded broker show for encryption.

    Parameters
    ----------
    certificate, key
        PEM files, the key with mode 0600. Default: for a page that is open to the network, those that
        ``hipline certificates create`` has made.
    """

    certificate: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _is_a_pair(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("give certificate and key, or neither")
        return self
