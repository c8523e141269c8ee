"""The demands of the protocol page that a sensor can be examined for, each with an id that stays the same.

An id is never given to another demand; a demand that falls away takes its id with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Clause:
    """One demand.

    Parameters
    ----------
    id
        Its name for ever.
    section
        Heading of the protocol page under which it is explained.
    demand
        What the sensor has to do.
    """

    id: str
    section: str
    demand: str


def _under(section: str, **demands: str) -> tuple[Clause, ...]:
    return tuple(Clause(name.replace("_", "-"), section, demand) for name, demand in demands.items())


DESTRUCTIVE: Final = frozenset({"bulk-erase"})
"""Ids of clauses that cost the sensor's owner something: they are examined only where they are named."""

CLAUSES: Final = (
    *_under(
        "Services and characteristics",
        gatt_services="the services of the table are there, but optional ones",
        gatt_characteristics="the characteristics of the table, but optional ones, are where they belong",
        gatt_properties="each characteristic has the properties of the table and no others",
        device_texts="the texts of Device Information can be read, are UTF-8 and not empty",
        device_serial="Serial Number is the serial of INFO",
        device_firmware="Firmware Revision is the firmware version of INFO, as major.minor.patch",
        battery_level="Battery Level is one byte, 0 to 100, and STATUS says the same",
    ),
    *_under(
        "Pairing, an option",
        pairing_commands="who asks for pairing takes no command unencrypted; INFO and STATUS stay open",
    ),
    *_under(
        "INFO",
        info_layout="INFO is a DeviceInfo of version 1",
        info_constant="INFO does not change while a link is up, streaming or not",
    ),
    *_under(
        "Commands",
        control_short="fewer than 3 bytes are refused with ATT error 0x0D",
        control_subscribed="a command without subscription to CONTROL is refused with ATT error 0xFD",
        reply_layout="every indication of CONTROL is a CommandReply of version 1",
        reply_one="every command has exactly one reply",
        reply_echo="opcode and tag of the reply are those of the command",
        reply_time="the reply comes within 1 s",
        reply_stream="the reply tells of the stream that runs after the command, whatever the result",
        identify_ok="Identify is answered OK, also with 0 s",
        configure_offered="every rate, range and batch that INFO offers is answered OK while no stream runs",
        configure_not_offered="what INFO does not offer is answered INVALID_ARGUMENT",
        configure_running="while a stream runs its own settings are answered OK, others BUSY",
        start_new="Start is answered OK with a stream_id and index 0",
        start_unsubscribed="Start while DATA is not subscribed is answered INVALID_ARGUMENT",
        start_busy="Start without resume, or with another stream, is BUSY while frames are being sent",
        stop_running="Stop is answered OK, stream_id 0, index 0, and no frame follows",
        stop_idle="Stop where no stream runs is answered NOT_STREAMING",
        command_malformed="a wrong length, value or reserved bit is answered INVALID_ARGUMENT",
        command_unknown="an unknown opcode is answered UNKNOWN_COMMAND",
        command_version="another protocol version is answered UNKNOWN_COMMAND, in version 1",
        command_refused="a refused command changes nothing",
    ),
    *_under(
        "DATA",
        frame_layout="every notification of DATA is an ImuFrame of version 1",
        frame_stream="every frame carries the stream_id of the reply to Start",
        frame_first="the first frame begins with the index of the reply",
        frame_numbering="each frame goes on where the last one ended; a jump carries gap_before",
        frame_time="device_time_us goes up with the index, at the sampling rate",
        frame_settings="rate and ranges are those of Configure",
        frame_clipped="clipped is set only where a count is at the end of its range",
        frame_batch="a frame holds as many samples as Configure and MTU allow, never more",
    ),
    *_under(
        "STATUS",
        status_layout="STATUS is a StreamStatus of version 1, read and notified",
        status_period="STATUS is notified once a second, streaming or not",
        status_stream="STATUS names the running stream and says whether samples are made",
        status_ring="oldest and newest sample are those of the ring, no more than its capacity",
        status_mtu="STATUS says which MTU is in force",
    ),
    *_under(
        "Clocks",
        time_echo="a reply returns sequence and host_send_us",
        time_one="every request has exactly one reply",
        time_forward="the clock counts microseconds and never goes back",
        time_stamps="DATA is stamped by the same clock: no sample is of the future, none of long ago",
        time_malformed="a malformed request is ignored",
    ),
    *_under(
        "Streams, indices and the ring",
        stream_id="a new stream has another stream_id than those before it",
        resume_running="a resume within the ring goes on at the index asked for",
        resume_same="a sample sent again is the same sample with the same time",
        resume_beyond="a resume beyond the next sample is answered INVALID_ARGUMENT",
        resume_unknown="a resume of a stream that does not run begins a new one",
        resume_link="the stream survives a lost link; a resume loses no sample that the ring holds",
        resume_fallen="a resume before the ring begins at the oldest sample kept, with gap_before",
        start_link="Start without resume after a lost link begins a new stream",
    ),
    *_under(
        "Backfill",
        bulk_survey="Survey of 0, then of each next_stream_id, tells of every stream kept, once",
        bulk_fetch="Fetch brings exactly the samples asked for, as they were in frames, then one reply OK",
        bulk_pages="pages are consecutive, as full as the MTU allows, their checksums right",
        bulk_credits="a page uses one credit; without credit the sensor waits",
        bulk_replaced="a new Fetch takes the place of the one under way, which gets no reply",
        bulk_gone="a Fetch of samples that do not exist is answered RANGE_GONE",
        bulk_beyond="a Fetch beyond the next sample to be made is answered INVALID_ARGUMENT",
        bulk_live="a running stream loses nothing to a Fetch: 3 pages in 10 connection intervals",
        bulk_refused="malformed requests are answered INVALID_ARGUMENT, unknown ones UNKNOWN_REQUEST",
        bulk_ignored="requests of fewer than 3 bytes and Grants without a Fetch are ignored",
        bulk_link="the end of the link ends a Fetch",
        bulk_busy="Erase while a stream runs is answered BUSY",
        bulk_erase="Erase forgets all that is stored (examined only where --only asks for it)",
    ),
    *_under(
        "MTU and batch",
        mtu_small="below MTU 33 Start is refused and neither STATUS nor TIME is notified",
    ),
)
