from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analytics.exercises import Exercise
from analytics.imu import Mount, Placement
from firmware_protocol.ranges import AccelRange, GyroRange, SamplingRate
from sensor_bridge.config import Config, MqttConfig
from sensor_bridge.config_file import load_config, read_password
from sensor_bridge.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

FULL = """
gym = "north"
data_folder = "data"

[[athletes]]
id = "mia"
name = "Mia"
[[athletes.sensors]]
placement = "pelvis"
mount = "sacrum"
address = "C0:FF:EE:00:00:01"
[[athletes.sensors]]
placement = "thigh_left"
name = "Hipline 2"
[athletes.prescription]
exercise = "romanian_deadlift"
repetitions = 8
tempo = "5-0-X-0"

[[athletes]]
id = "tom"
sensors = [{placement = "pelvis", id = "belt-3", name = "Hipline 3"}]

[mqtt]
broker = "external"
host = "broker.example"
username = "bridge"
password_file = "password"
tls = true

[streaming]
sampling_rate_hz = 52
accel_range_g = 4
gyro_range_dps = 500
batch = 4
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hipline.toml"


def problem(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    assert caught.value.exit_code == 2
    return message.removeprefix(f"{path}: ")


def test_nothing_needs_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensor_bridge.config_file.user_config_path", lambda _: tmp_path)
    config = load_config()
    assert config == Config()
    assert (config.gym, config.athletes, config.mqtt.broker) == ("gym", (), "embedded")
    assert config.data_folder.is_absolute()
    assert config.streaming.batch == 10
    (tmp_path / "hipline.toml").write_text('gym = "south"', encoding="utf-8")
    assert load_config().gym == "south"


def test_a_full_file_is_read(path: Path) -> None:
    path.write_text(FULL, encoding="utf-8")
    config = load_config(path)
    mia, tom = config.athletes
    assert [(s.id, s.placement, s.mount) for s in mia.sensors] == [
        ("mia-pelvis", Placement.PELVIS, Mount.SACRUM),
        ("mia-thigh-left", Placement.THIGH_LEFT, Mount.UNKNOWN),
    ]
    assert (tom.name, tom.sensors[0].id, tom.prescription) == ("tom", "belt-3", None)
    assert mia.prescription is not None
    asked = mia.prescription.prescription()
    assert (asked.exercise, asked.repetitions) == (Exercise.ROMANIAN_DEADLIFT, 8)
    assert asked.tempo is not None
    assert (asked.tempo.eccentric_s, asked.tempo.concentric_s) == (5.0, None)
    streaming = config.streaming
    assert (streaming.sampling_rate, streaming.accel_range) == (SamplingRate.HZ52, AccelRange.G4)
    assert (streaming.gyro_range, streaming.batch) == (GyroRange.DPS500, 4)
    assert config.data_folder == path.parent / "data"
    assert config.mqtt.password_file == path.parent / "password"
    assert (config.mqtt.external_port, config.mqtt.external_websocket_url) == (
        8883,
        "wss://broker.example:9001",
    )


def test_configurations_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Config().gym = "other"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("gym =", "gim =", "unknown key gim: did you mean gym?"),
        ("gym =", "weather =", "unknown key weather: known are gym, data_folder, athletes, layouts, mqtt, "),
        ("mount =", "mout =", "unknown key athletes[1].sensors[1].mout: did you mean mount?"),
        ("batch =", "bach =", "unknown key streaming.bach: did you mean batch?"),
        ("repetitions =", "reps =", "unknown key athletes[1].prescription.reps: known are exercise, rep"),
        ('"sacrum"', '"back"', "athletes[1].sensors[1].mount: input should be 'sacrum', 'hip_left', "),
        ("batch = 4", "batch = 20", "streaming.batch: input should be less than or equal to 19, not 20"),
        (
            "sampling_rate_hz = 52",
            "sampling_rate_hz = 99",
            "streaming.sampling_rate_hz: there is no sampling rate of 99 Hz; choose from 10, 12.5, ",
        ),
        ('"5-0-X-0"', '"5-0-X"', "athletes[1].prescription.tempo: tempo '5-0-X' has 3 parts, not 4: "),
        ('"north"', '"The North"', "gym: identifier 'The North' may hold only a-z, 0-9 and '-'"),
        ('id = "mia"\n', "", "athletes[1].id is missing"),
        ('"thigh_left"', '"pelvis"', "athletes[1]: placement 'pelvis' is used twice"),
        ('id = "tom"', 'id = "mia"', "athlete id 'mia' is used twice"),
        ('"belt-3"', '"mia-pelvis"', "sensor id 'mia-pelvis' is used twice"),
        ('name = "Hipline 3"', 'address = "c0:ff:ee:00:00:01"', "sensor address 'C0:FF:EE:00:00:01' is used"),
        ('"Hipline 3"', '"Hipline 2"', "sensor name 'Hipline 2' is used twice"),
        (
            'data_folder = "data"',
            'data_folder = "~nobody-here/x"',
            "data_folder: there is no home folder for ~n",
        ),
        (
            'name = "Hipline 2"',
            "",
            "athletes[1].sensors[2]: give its address or its name, as 'hipline sensors",
        ),
        (
            'name = "Hipline 2"',
            'name = "Hipline 2"\nkind = "movela-dot"',
            "athletes[1].sensors[2].kind: there is no sensor kind 'movela-dot'; known are hipline, ",
        ),
        (
            'name = "Hipline 2"',
            'name = "Hipline 2"\nkind = "generic"',
            'athletes[1].sensors[2]: a layout goes with kind = "generic", and such a sensor needs one',
        ),
        (
            'name = "Hipline 2"',
            'name = "Hipline 2"\nkind = "generic"\nlayout = "sketch"',
            "sensor mia-thigh-left: there is no layout 'sketch', known: none",
        ),
        (
            "[streaming]",
            "[layouts.sketch]\nrate_hz = 50\n[streaming]",
            "layouts.sketch: a layout needs 'service'",
        ),
        ('broker = "external"', "", "mqtt: host, username, password_file, tls only go with broker = "),
        ('username = "bridge"', "", "mqtt: a password needs a username"),
        ("tls = true", 'password_env = "P"', "mqtt: give password_file or password_env, not both"),
        ("tls = true", 'tls = "maybe"', "mqtt.tls: input should be a valid boolean, "),
        ("[mqtt]", "[mqtt", "is not TOML: "),
    ],
)
def test_what_does_not_fit_is_named(path: Path, old: str, new: str, message: str) -> None:
    assert old in FULL
    assert problem(path, FULL.replace(old, new, 1)).startswith(message)


def test_certificate_and_key_go_together_and_are_found_beside_the_file(path: Path) -> None:
    assert problem(path, '[tls]\nkey = "key.pem"\n') == "tls: give certificate and key, or neither"
    path.write_text('[tls]\ncertificate = "server.pem"\nkey = "key.pem"\n')
    tls = load_config(path).tls
    assert (tls.certificate, tls.key) == (path.parent / "server.pem", path.parent / "key.pem")


def test_a_file_that_cannot_be_read_is_named(path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory"):
        load_config(path)
    path.write_bytes(b"gym = \xff")
    with pytest.raises(ConfigError, match="it is not UTF-8 text"):
        load_config(path)


def test_the_password_stays_outside(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    from_file = MqttConfig(broker="external", username="bridge", password_file=secret)
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_password(from_file)
    secret.write_text("s3cret\n", encoding="utf-8")
    secret.chmod(0o644)
    with pytest.raises(ConfigError, match="run chmod 600"):
        read_password(from_file)
    secret.chmod(0o600)
    assert read_password(from_file) == "s3cret"
    secret.write_text("\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="is empty"):
        read_password(from_file)
    from_environment = MqttConfig(broker="external", username="bridge", password_env="HIPLINE_PASSWORD")
    assert read_password(from_environment, {"HIPLINE_PASSWORD": "other"}) == "other"
    with pytest.raises(ConfigError, match="environment variable HIPLINE_PASSWORD is not set"):
        read_password(from_environment, {})
    assert read_password(MqttConfig()) is None
