/* What the host asks of a sensor, and the answers. */
#include "hipline_codec.h"
#include "hipline_wire.h"

/* Start, Stop, Configure, Identify --------------------------------------------------------------------------------- */

static bool is_start(const struct hipline_start *packet)
{
    if (packet->flags == HIPLINE_START_RESUME) {
        return packet->resume_stream_id != HIPLINE_NO_STREAM;
    }
    return packet->flags == 0u && packet->resume_stream_id == 0u && packet->resume_index == 0u;
}

static bool is_configure(const struct hipline_configure *packet)
{
    return is_member(packet->rate_id, HIPLINE_SAMPLING_RATE_MEMBERS)
           && is_member(packet->accel_range, HIPLINE_ACCEL_RANGE_MEMBERS)
           && is_member(packet->gyro_range, HIPLINE_GYRO_RANGE_MEMBERS) && is_batch(packet->batch);
}

static bool is_command(const struct hipline_command *packet)
{
    switch (packet->opcode) {
    case HIPLINE_OPCODE_START:
        return is_start(&packet->as.start);
    case HIPLINE_OPCODE_CONFIGURE:
        return is_configure(&packet->as.configure);
    default:
        return is_member(packet->opcode, HIPLINE_OPCODE_MEMBERS);
    }
}

/* 0 for an opcode that is not known */
static size_t command_size(uint8_t opcode)
{
    switch (opcode) {
    case HIPLINE_OPCODE_START:
        return HIPLINE_START_SIZE;
    case HIPLINE_OPCODE_STOP:
        return HIPLINE_STOP_SIZE;
    case HIPLINE_OPCODE_CONFIGURE:
        return HIPLINE_CONFIGURE_SIZE;
    case HIPLINE_OPCODE_IDENTIFY:
        return HIPLINE_IDENTIFY_SIZE;
    default:
        return 0;
    }
}

static void read_start(const uint8_t *payload, struct hipline_start *packet) { HIPLINE_START_FIELDS(READ_FIELD) }
static void read_stop(const uint8_t *payload, struct hipline_stop *packet) { HIPLINE_STOP_FIELDS(READ_FIELD) }
static void read_configure(const uint8_t *payload, struct hipline_configure *packet)
{
    HIPLINE_CONFIGURE_FIELDS(READ_FIELD)
}
static void read_identify(const uint8_t *payload, struct hipline_identify *packet)
{
    HIPLINE_IDENTIFY_FIELDS(READ_FIELD)
}

static void write_start(const struct hipline_start *packet, uint8_t *buffer) { HIPLINE_START_FIELDS(WRITE_FIELD) }
static void write_stop(const struct hipline_stop *packet, uint8_t *buffer) { HIPLINE_STOP_FIELDS(WRITE_FIELD) }
static void write_configure(const struct hipline_configure *packet, uint8_t *buffer)
{
    HIPLINE_CONFIGURE_FIELDS(WRITE_FIELD)
}
static void write_identify(const struct hipline_identify *packet, uint8_t *buffer)
{
    HIPLINE_IDENTIFY_FIELDS(WRITE_FIELD)
}

enum hipline_error hipline_read_command(const uint8_t *payload, size_t size, struct hipline_command *packet)
{
    enum hipline_error error = check_start(payload, size, HIPLINE_PACKET_TYPE_COMMAND, HIPLINE_COMMAND_START_SIZE);
    if (error != HIPLINE_NO_ERROR) {
        return error;
    }
    packet->opcode = payload[1];
    if (!is_member(packet->opcode, HIPLINE_OPCODE_MEMBERS)) {
        return HIPLINE_ERROR_UNKNOWN_PACKET;
    }
    error = check_length(size, command_size(packet->opcode));
    if (error != HIPLINE_NO_ERROR) {
        return error;
    }
    switch (packet->opcode) {
    case HIPLINE_OPCODE_START:
        read_start(payload, &packet->as.start);
        break;
    case HIPLINE_OPCODE_STOP:
        read_stop(payload, &packet->as.stop);
        break;
    case HIPLINE_OPCODE_CONFIGURE:
        read_configure(payload, &packet->as.configure);
        break;
    default:
        read_identify(payload, &packet->as.identify);
        break;
    }
    return in_range(is_command(packet));
}

enum hipline_error hipline_write_command(const struct hipline_command *packet, uint8_t *buffer, size_t capacity,
                                         size_t *size)
{
    const enum hipline_error error = begin_writing(is_command(packet), buffer, capacity, command_size(packet->opcode),
                                                   HIPLINE_PACKET_TYPE_COMMAND, size);
    if (error != HIPLINE_NO_ERROR) {
        return error;
    }
    buffer[1] = packet->opcode;
    switch (packet->opcode) {
    case HIPLINE_OPCODE_START:
        write_start(&packet->as.start, buffer);
        break;
    case HIPLINE_OPCODE_STOP:
        write_stop(&packet->as.stop, buffer);
        break;
    case HIPLINE_OPCODE_CONFIGURE:
        write_configure(&packet->as.configure, buffer);
        break;
    default:
        write_identify(&packet->as.identify, buffer);
        break;
    }
    return HIPLINE_NO_ERROR;
}

/* CommandReply ----------------------------------------------------------------------------------------------------- */

static bool is_reply(const struct hipline_command_reply *packet)
{
    return is_member(packet->result, HIPLINE_COMMAND_RESULT_MEMBERS)
           && (is_member(packet->opcode, HIPLINE_OPCODE_MEMBERS)
               || packet->result == HIPLINE_COMMAND_RESULT_UNKNOWN_COMMAND);
}

HIPLINE_FIXED_PACKET(command_reply, COMMAND_REPLY, HIPLINE_PACKET_TYPE_REPLY, is_reply)

enum hipline_command_result hipline_result_of_refusal(enum hipline_error refusal)
{
    const bool is_unknown = refusal == HIPLINE_ERROR_UNKNOWN_PACKET || refusal == HIPLINE_ERROR_UNSUPPORTED_VERSION;
    return is_unknown ? HIPLINE_COMMAND_RESULT_UNKNOWN_COMMAND : HIPLINE_COMMAND_RESULT_INVALID_ARGUMENT;
}
