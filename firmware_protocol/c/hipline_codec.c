/* What a sensor tells of itself: ImuFrame, DeviceInfo, StreamStatus, TimeReply. */
#include "hipline_codec.h"

#include "hipline_wire.h"

#define PROTOCOL_VERSION_MAX 15u
#define INTERVAL_MIN 6u /* 7.5 ms ... 4 s: Bluetooth Core, Vol 4, Part E, 7.8.12 */
#define INTERVAL_MAX 3200u
#define MTU_MIN 23u
#define MTU_MAX 517u

/* ImuFrame --------------------------------------------------------------------------------------------------------- */

static bool is_frame_header(const struct hipline_imu_frame *packet)
{
    return is_batch(packet->n_samples) && is_scale(packet->flags, packet->rate_id);
}

static bool is_frame(const struct hipline_imu_frame *packet)
{
    return is_frame_header(packet)
           && is_place(packet->stream_id, packet->first_sample_index, packet->n_samples, packet->device_time_us);
}

static size_t frame_size(const struct hipline_imu_frame *packet)
{
    return HIPLINE_IMU_FRAME_SIZE + (size_t)packet->n_samples * HIPLINE_SAMPLE_SIZE;
}

enum hipline_error hipline_read_imu_frame(const uint8_t *payload, size_t size, struct hipline_imu_frame *packet)
{
    enum hipline_error error = check_start(payload, size, HIPLINE_PACKET_TYPE_DATA, HIPLINE_IMU_FRAME_SIZE);
    if (error != HIPLINE_NO_ERROR) {
        return error;
    }
    HIPLINE_IMU_FRAME_FIELDS(READ_FIELD)
    if (!is_frame_header(packet)) {
        return HIPLINE_ERROR_FIELD_OUT_OF_RANGE;
    }
    error = check_length(size, frame_size(packet));
    if (error != HIPLINE_NO_ERROR) {
        return error;
    }
    get_samples(payload + HIPLINE_IMU_FRAME_SIZE, packet->samples, packet->n_samples);
    return in_range(is_frame(packet));
}

enum hipline_error hipline_write_imu_frame(const struct hipline_imu_frame *packet, uint8_t *buffer, size_t capacity,
                                           size_t *size)
{
    const enum hipline_error error =
        begin_writing(is_frame(packet), buffer, capacity, frame_size(packet), HIPLINE_PACKET_TYPE_DATA, size);
    if (error == HIPLINE_NO_ERROR) {
        HIPLINE_IMU_FRAME_FIELDS(WRITE_FIELD)
        put_samples(buffer + HIPLINE_IMU_FRAME_SIZE, packet->samples, packet->n_samples);
    }
    return error;
}

uint8_t hipline_samples_per_frame(uint8_t batch, uint16_t mtu)
{
    if (mtu < HIPLINE_MIN_STREAMING_MTU) {
        return 0;
    }
    const uint32_t fitting = (mtu - HIPLINE_NOTIFICATION_OVERHEAD - HIPLINE_HEADER_SIZE) / HIPLINE_SAMPLE_SIZE;
    return fitting < batch ? (uint8_t)fitting : batch;
}

/* DeviceInfo ------------------------------------------------------------------------------------------------------- */

/* Bytes of the UTF-8 character (RFC 3629) at the beginning of `text`; 0 where there is none, or a control character. */
static size_t character_size(const uint8_t *text, size_t size)
{
    static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    const uint8_t lead = text[0];
    if (lead < 0x80u) {
        return lead >= 0x20u && lead != 0x7fu ? 1 : 0;
    }
    const size_t n_following = lead >= 0xf0u ? 3 : lead >= 0xe0u ? 2 : 1;
    if (lead < 0xc0u || lead > 0xf7u || n_following >= size) {
        return 0;
    }
    uint32_t code = lead & (0x3fu >> n_following);
    for (size_t index = 1; index <= n_following; index++) {
        if ((text[index] & 0xc0u) != 0x80u) {
            return 0;
        }
        code = code << 6 | (text[index] & 0x3fu);
    }
    const bool is_surrogate = code >= 0xd800u && code <= 0xdfffu;
    return code >= smallest[n_following] && code <= 0x10ffffu && !is_surrogate ? n_following + 1 : 0;
}

static bool is_serial(const uint8_t *text, size_t size)
{
    if (size == 0 || size > HIPLINE_MAX_SERIAL_BYTES) {
        return false;
    }
    for (size_t position = 0; position < size;) {
        const size_t step = character_size(text + position, size - position);
        if (step == 0) {
            return false;
        }
        position += step;
    }
    return true;
}

static bool is_info(const struct hipline_device_info *packet)
{
    return packet->protocol_version >= HIPLINE_PROTOCOL_VERSION && packet->protocol_version <= PROTOCOL_VERSION_MAX
           && is_choice(packet->rates, HIPLINE_SAMPLING_RATE_MEMBERS)
           && is_choice(packet->accel_ranges, HIPLINE_ACCEL_RANGE_MEMBERS)
           && is_choice(packet->gyro_ranges, HIPLINE_GYRO_RANGE_MEMBERS) && is_batch(packet->max_batch)
           && is_serial(packet->serial, packet->serial_size);
}

enum hipline_error hipline_read_device_info(const uint8_t *payload, size_t size, struct hipline_device_info *packet)
{
    enum hipline_error error = check_start(payload, size, HIPLINE_PACKET_TYPE_INFO, HIPLINE_DEVICE_INFO_SIZE);
    if (error != HIPLINE_NO_ERROR) {
        return error;
    }
    HIPLINE_DEVICE_INFO_FIELDS(READ_FIELD)
    error = check_length(size, HIPLINE_DEVICE_INFO_SIZE + (size_t)packet->serial_size);
    if (error != HIPLINE_NO_ERROR) {
        return error;
    }
    if (packet->serial_size > HIPLINE_MAX_SERIAL_BYTES) {
        return HIPLINE_ERROR_FIELD_OUT_OF_RANGE;
    }
    for (size_t index = 0; index < packet->serial_size; index++) {
        packet->serial[index] = payload[HIPLINE_DEVICE_INFO_SIZE + index];
    }
    return in_range(is_info(packet));
}

enum hipline_error hipline_write_device_info(const struct hipline_device_info *packet, uint8_t *buffer,
                                             size_t capacity, size_t *size)
{
    const enum hipline_error error =
        begin_writing(is_info(packet), buffer, capacity, HIPLINE_DEVICE_INFO_SIZE + (size_t)packet->serial_size,
                      HIPLINE_PACKET_TYPE_INFO, size);
    if (error == HIPLINE_NO_ERROR) {
        HIPLINE_DEVICE_INFO_FIELDS(WRITE_FIELD)
        for (size_t index = 0; index < packet->serial_size; index++) {
            buffer[HIPLINE_DEVICE_INFO_SIZE + index] = packet->serial[index];
        }
    }
    return error;
}

/* StreamStatus ----------------------------------------------------------------------------------------------------- */

static bool is_status(const struct hipline_stream_status *packet)
{
    const bool is_streaming = packet->flags == HIPLINE_STATUS_IS_STREAMING;
    return (is_streaming ? packet->stream_id != HIPLINE_NO_STREAM : packet->flags == 0u)
           && packet->oldest_sample_index <= packet->newest_sample_index && packet->battery_percent <= 100u
           && packet->connection_interval >= INTERVAL_MIN && packet->connection_interval <= INTERVAL_MAX
           && packet->mtu >= MTU_MIN && packet->mtu <= MTU_MAX;
}

HIPLINE_FIXED_PACKET(stream_status, STREAM_STATUS, HIPLINE_PACKET_TYPE_STATUS, is_status)

/* TimeRequest, TimeReply ------------------------------------------------------------------------------------------- */

static bool is_time_request(const struct hipline_time_request *packet)
{
    (void)packet; /* every value of its fields is allowed */
    return true;
}

static bool is_time_reply(const struct hipline_time_reply *packet)
{
    return packet->device_send_us <= U48_MAX && packet->device_receive_us <= packet->device_send_us;
}

HIPLINE_FIXED_PACKET(time_request, TIME_REQUEST, HIPLINE_PACKET_TYPE_TIME_REQUEST, is_time_request)
HIPLINE_FIXED_PACKET(time_reply, TIME_REPLY, HIPLINE_PACKET_TYPE_TIME_REPLY, is_time_reply)
