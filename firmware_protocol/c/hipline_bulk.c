/* Stored samples: what the host asks for, pages and replies. A sensor without flash leaves this file out. */
#include "hipline_codec.h"
#include "hipline_wire.h"

#define CHECKSUM_AT 1u
#define CHECKED_FROM 5u

/* Fetch, Grant, Survey, Erase -------------------------------------------------------------------------------------- */

static bool is_fetch(const struct hipline_fetch *packet)
{
    return packet->credits != 0u && packet->stream_id != HIPLINE_NO_STREAM
           && packet->end_sample_index > packet->first_sample_index
           && packet->end_sample_index - packet->first_sample_index <= HIPLINE_MAX_FETCH_SAMPLES;
}

static bool is_request(const struct hipline_bulk_request *packet)
{
    switch (packet->opcode) {
    case HIPLINE_BULK_OPCODE_FETCH:
        return is_fetch(&packet->as.fetch);
    case HIPLINE_BULK_OPCODE_GRANT:
        return packet->as.grant.credits != 0u;
    default:
        return is_member(packet->opcode, HIPLINE_BULK_OPCODE_MEMBERS);
    }
}

/* 0 for an opcode that is not known */
static size_t request_size(uint8_t opcode)
{
    switch (opcode) {
    case HIPLINE_BULK_OPCODE_FETCH:
        return HIPLINE_FETCH_SIZE;
    case HIPLINE_BULK_OPCODE_GRANT:
        return HIPLINE_GRANT_SIZE;
    case HIPLINE_BULK_OPCODE_SURVEY:
        return HIPLINE_SURVEY_SIZE;
    case HIPLINE_BULK_OPCODE_ERASE:
        return HIPLINE_ERASE_SIZE;
    default:
        return 0;
    }
}

static void read_fetch(const uint8_t *payload, struct hipline_fetch *packet) { HIPLINE_FETCH_FIELDS(READ_FIELD) }
static void read_grant(const uint8_t *payload, struct hipline_grant *packet) { HIPLINE_GRANT_FIELDS(READ_FIELD) }
static void read_survey(const uint8_t *payload, struct hipline_survey *packet) { HIPLINE_SURVEY_FIELDS(READ_FIELD) }
static void read_erase(const uint8_t *payload, struct hipline_erase *packet) { HIPLINE_ERASE_FIELDS(READ_FIELD) }

static void write_fetch(const struct hipline_fetch *packet, uint8_t *buffer) { HIPLINE_FETCH_FIELDS(WRITE_FIELD) }
static void write_grant(const struct hipline_grant *packet, uint8_t *buffer) { HIPLINE_GRANT_FIELDS(WRITE_FIELD) }
static void write_survey(const struct hipline_survey *packet, uint8_t *buffer) { HIPLINE_SURVEY_FIELDS(WRITE_FIELD) }
static void write_erase(const struct hipline_erase *packet, uint8_t *buffer) { HIPLINE_ERASE_FIELDS(WRITE_FIELD) }

enum hipline_error hipline_read_bulk_request(const uint8_t *payload, size_t size,
                                             struct hipline_bulk_request *packet)
{
    enum hipline_error error =
        check_start(payload, size, HIPLINE_PACKET_TYPE_BULK_REQUEST, HIPLINE_BULK_REQUEST_START_SIZE);
    if (error != HIPLINE_NO_ERROR) {
        return error;
    }
    packet->opcode = payload[1];
    if (!is_member(packet->opcode, HIPLINE_BULK_OPCODE_MEMBERS)) {
        return HIPLINE_ERROR_UNKNOWN_PACKET;
    }
    error = check_length(size, request_size(packet->opcode));
    if (error != HIPLINE_NO_ERROR) {
        return error;
    }
    switch (packet->opcode) {
    case HIPLINE_BULK_OPCODE_FETCH:
        read_fetch(payload, &packet->as.fetch);
        break;
    case HIPLINE_BULK_OPCODE_GRANT:
        read_grant(payload, &packet->as.grant);
        break;
    case HIPLINE_BULK_OPCODE_SURVEY:
        read_survey(payload, &packet->as.survey);
        break;
    default:
        read_erase(payload, &packet->as.erase);
        break;
    }
    return in_range(is_request(packet));
}

enum hipline_error hipline_write_bulk_request(const struct hipline_bulk_request *packet, uint8_t *buffer,
                                              size_t capacity, size_t *size)
{
    const enum hipline_error error = begin_writing(is_request(packet), buffer, capacity, request_size(packet->opcode),
                                                   HIPLINE_PACKET_TYPE_BULK_REQUEST, size);
    if (error != HIPLINE_NO_ERROR) {
        return error;
    }
    buffer[1] = packet->opcode;
    switch (packet->opcode) {
    case HIPLINE_BULK_OPCODE_FETCH:
        write_fetch(&packet->as.fetch, buffer);
        break;
    case HIPLINE_BULK_OPCODE_GRANT:
        write_grant(&packet->as.grant, buffer);
        break;
    case HIPLINE_BULK_OPCODE_SURVEY:
        write_survey(&packet->as.survey, buffer);
        break;
    default:
        write_erase(&packet->as.erase, buffer);
        break;
    }
    return HIPLINE_NO_ERROR;
}

/* BulkPage --------------------------------------------------------------------------------------------------------- */

/* CRC-32 of Ethernet, four bits at a time: sixteen words of table, as fast as flash is read. */
static uint32_t crc32(const uint8_t *bytes, size_t size)
{
    static const uint32_t table[] = {
        0x00000000u, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu, 0x76dc4190u, 0x6b6b51f4u, 0x4db26158u, 0x5005713cu,
        0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu, 0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu,
    };
    uint32_t rest = 0xffffffffu;
    for (size_t index = 0; index < size; index++) {
        rest = rest >> 4 ^ table[(rest ^ bytes[index]) & 0x0fu];
        rest = rest >> 4 ^ table[(rest ^ (uint32_t)bytes[index] >> 4) & 0x0fu];
    }
    return ~rest;
}

static bool is_page_size(uint8_t n_samples) { return n_samples >= 1u && n_samples <= HIPLINE_MAX_PAGE_SAMPLES; }

static bool is_page(const struct hipline_bulk_page *packet)
{
    return is_page_size(packet->n_samples) && is_scale(packet->flags, packet->rate_id)
           && is_place(packet->stream_id, packet->first_sample_index, packet->n_samples, packet->device_time_us);
}

static size_t page_size(const struct hipline_bulk_page *packet)
{
    return HIPLINE_BULK_PAGE_SIZE + (size_t)packet->n_samples * HIPLINE_SAMPLE_SIZE;
}

enum hipline_error hipline_read_bulk_page(const uint8_t *payload, size_t size, struct hipline_bulk_page *packet)
{
    enum hipline_error error = check_start(payload, size, HIPLINE_PACKET_TYPE_BULK_PAGE, HIPLINE_BULK_PAGE_SIZE);
    if (error != HIPLINE_NO_ERROR) {
        return error;
    }
    HIPLINE_BULK_PAGE_FIELDS(READ_FIELD)
    if (!is_page_size(packet->n_samples)) {
        return HIPLINE_ERROR_FIELD_OUT_OF_RANGE;
    }
    error = check_length(size, page_size(packet));
    if (error != HIPLINE_NO_ERROR) {
        return error;
    }
    if (get_u32(payload + CHECKSUM_AT) != crc32(payload + CHECKED_FROM, size - CHECKED_FROM)) {
        return HIPLINE_ERROR_CHECKSUM_MISMATCH;
    }
    get_samples(payload + HIPLINE_BULK_PAGE_SIZE, packet->samples, packet->n_samples);
    return in_range(is_page(packet));
}

enum hipline_error hipline_write_bulk_page(const struct hipline_bulk_page *packet, uint8_t *buffer, size_t capacity,
                                           size_t *size)
{
    const enum hipline_error error =
        begin_writing(is_page(packet), buffer, capacity, page_size(packet), HIPLINE_PACKET_TYPE_BULK_PAGE, size);
    if (error == HIPLINE_NO_ERROR) {
        HIPLINE_BULK_PAGE_FIELDS(WRITE_FIELD)
        put_samples(buffer + HIPLINE_BULK_PAGE_SIZE, packet->samples, packet->n_samples);
        put_u32(buffer + CHECKSUM_AT, crc32(buffer + CHECKED_FROM, page_size(packet) - CHECKED_FROM));
    }
    return error;
}

uint8_t hipline_samples_per_page(uint16_t mtu)
{
    if (mtu < HIPLINE_MIN_BULK_MTU) {
        return 0;
    }
    const uint32_t fitting = (mtu - HIPLINE_NOTIFICATION_OVERHEAD - HIPLINE_PAGE_HEADER_SIZE) / HIPLINE_SAMPLE_SIZE;
    return (uint8_t)(fitting < HIPLINE_MAX_PAGE_SAMPLES ? fitting : HIPLINE_MAX_PAGE_SAMPLES);
}

/* BulkReply -------------------------------------------------------------------------------------------------------- */

static bool is_bulk_reply(const struct hipline_bulk_reply *packet)
{
    const bool is_kept = packet->first_sample_index < packet->end_sample_index;
    return is_member(packet->result, HIPLINE_BULK_RESULT_MEMBERS)
           && (is_member(packet->opcode, HIPLINE_BULK_OPCODE_MEMBERS)
               || packet->result == HIPLINE_BULK_RESULT_UNKNOWN_REQUEST)
           && (packet->opcode == HIPLINE_BULK_OPCODE_FETCH || packet->pages == 0u)
           && (is_kept || (packet->first_sample_index == 0u && packet->end_sample_index == 0u))
           && packet->stored_samples <= packet->capacity_samples;
}

HIPLINE_FIXED_PACKET(bulk_reply, BULK_REPLY, HIPLINE_PACKET_TYPE_BULK_REPLY, is_bulk_reply)

enum hipline_bulk_result hipline_bulk_result_of_refusal(enum hipline_error refusal)
{
    const bool is_unknown = refusal == HIPLINE_ERROR_UNKNOWN_PACKET || refusal == HIPLINE_ERROR_UNSUPPORTED_VERSION;
    return is_unknown ? HIPLINE_BULK_RESULT_UNKNOWN_REQUEST : HIPLINE_BULK_RESULT_INVALID_ARGUMENT;
}
