/* Puts the C codec to work on lines from stdin, for tests: one answer a line.
 *
 *   read PACKET HEX        ->  ERROR, or NO_ERROR and the fields in the order of the header, then the tail
 *   write PACKET NUMBERS   ->  ERROR, or NO_ERROR and the value in hexadecimal digits
 *
 * PACKET is the name on the protocol page. Payloads and buffers are allocated with exactly their size, so that the
 * address sanitizer sees a byte read or written beyond them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hipline_codec.h"

static const char *const ERRORS[] = {"NO_ERROR",      "Truncated",       "TrailingBytes", "UnsupportedVersion",
                                     "UnknownPacket", "FieldOutOfRange", "ChecksumMismatch"};

static char *rest_of_line;

static uint64_t next_number(void) { return strtoull(rest_of_line, &rest_of_line, 10); }
static int16_t next_count(void) { return (int16_t)strtol(rest_of_line, &rest_of_line, 10); }

#define SCAN_u8 (uint8_t)next_number()
#define SCAN_u16 (uint16_t)next_number()
#define SCAN_i16 next_count()
#define SCAN_u32 (uint32_t)next_number()
#define SCAN_u48 next_number()
#define SCAN_u64 next_number()
#define PRINT_u8(value) printf(" %u", (unsigned int)(value))
#define PRINT_u16(value) printf(" %u", (unsigned int)(value))
#define PRINT_i16(value) printf(" %d", (int)(value))
#define PRINT_u32(value) printf(" %lu", (unsigned long)(value))
#define PRINT_u48(value) printf(" %llu", (unsigned long long)(value))
#define PRINT_u64(value) printf(" %llu", (unsigned long long)(value))

#define SCAN_FIELD(type, name, offset) packet->name = SCAN_##type;
#define PRINT_FIELD(type, name, offset) PRINT_##type(packet->name);

static void answer(enum hipline_error error) { fputs(ERRORS[error], stdout); }

static void answer_written(enum hipline_error error, const uint8_t *buffer, size_t size)
{
    answer(error);
    if (error == HIPLINE_NO_ERROR) {
        putchar(' ');
        for (size_t index = 0; index < size; index++) {
            printf("%02x", buffer[index]);
        }
    }
}

/* Writes twice: into room enough, then into a buffer of exactly the size, and finds one byte less refused. */
#define WRITE(kind, packet)                                                                                           \
    do {                                                                                                              \
        uint8_t room[HIPLINE_MAX_PACKET_SIZE];                                                                        \
        size_t size = 0;                                                                                              \
        const enum hipline_error error = hipline_write_##kind(packet, room, sizeof room, &size);                      \
        if (error == HIPLINE_NO_ERROR) {                                                                              \
            uint8_t *exact = malloc(size);                                                                            \
            if (exact == NULL || hipline_write_##kind(packet, exact, size, &size) != HIPLINE_NO_ERROR                 \
                || memcmp(exact, room, size) != 0                                                                     \
                || hipline_write_##kind(packet, exact, size - 1, &size) != HIPLINE_ERROR_TRUNCATED) {                 \
                abort();                                                                                              \
            }                                                                                                         \
            free(exact);                                                                                              \
        }                                                                                                             \
        answer_written(error, room, size);                                                                            \
    } while (0)

/* Packets without a part of variable length */
#define FIXED(kind, KIND)                                                                                             \
    static void read_##kind(const uint8_t *payload, size_t payload_size)                                              \
    {                                                                                                                 \
        struct hipline_##kind read, *packet = &read;                                                                  \
        const enum hipline_error error = hipline_read_##kind(payload, payload_size, packet);                          \
        answer(error);                                                                                                \
        if (error == HIPLINE_NO_ERROR) {                                                                              \
            HIPLINE_##KIND##_FIELDS(PRINT_FIELD)                                                                      \
        }                                                                                                             \
    }                                                                                                                 \
    static void write_##kind(void)                                                                                    \
    {                                                                                                                 \
        struct hipline_##kind scanned, *packet = &scanned;                                                            \
        HIPLINE_##KIND##_FIELDS(SCAN_FIELD)                                                                           \
        WRITE(kind, packet);                                                                                          \
    }

FIXED(stream_status, STREAM_STATUS)
FIXED(command_reply, COMMAND_REPLY)
FIXED(time_request, TIME_REQUEST)
FIXED(time_reply, TIME_REPLY)
FIXED(bulk_reply, BULK_REPLY)

static void read_imu_frame(const uint8_t *payload, size_t payload_size)
{
    struct hipline_imu_frame read, *packet = &read;
    const enum hipline_error error = hipline_read_imu_frame(payload, payload_size, packet);
    answer(error);
    if (error == HIPLINE_NO_ERROR) {
        HIPLINE_IMU_FRAME_FIELDS(PRINT_FIELD)
        for (size_t index = 0; index < packet->n_samples * 6u; index++) {
            PRINT_i16(packet->samples[index / 6][index % 6]);
        }
    }
}

static void write_imu_frame(void)
{
    struct hipline_imu_frame scanned, *packet = &scanned;
    HIPLINE_IMU_FRAME_FIELDS(SCAN_FIELD)
    for (size_t index = 0; index < HIPLINE_MAX_SAMPLES * 6u; index++) {
        packet->samples[index / 6][index % 6] = next_count();
    }
    WRITE(imu_frame, packet);
}

static void read_device_info(const uint8_t *payload, size_t payload_size)
{
    struct hipline_device_info read, *packet = &read;
    const enum hipline_error error = hipline_read_device_info(payload, payload_size, packet);
    answer(error);
    if (error == HIPLINE_NO_ERROR) {
        HIPLINE_DEVICE_INFO_FIELDS(PRINT_FIELD)
        for (size_t index = 0; index < packet->serial_size; index++) {
            PRINT_u8(packet->serial[index]);
        }
    }
}

static void write_device_info(void)
{
    struct hipline_device_info scanned, *packet = &scanned;
    HIPLINE_DEVICE_INFO_FIELDS(SCAN_FIELD)
    for (size_t index = 0; index < HIPLINE_MAX_SERIAL_BYTES; index++) {
        packet->serial[index] = (uint8_t)next_number();
    }
    WRITE(device_info, packet);
}

static void read_bulk_page(const uint8_t *payload, size_t payload_size)
{
    struct hipline_bulk_page read, *packet = &read;
    const enum hipline_error error = hipline_read_bulk_page(payload, payload_size, packet);
    answer(error);
    if (error == HIPLINE_NO_ERROR) {
        HIPLINE_BULK_PAGE_FIELDS(PRINT_FIELD)
        for (size_t index = 0; index < packet->n_samples * 6u; index++) {
            PRINT_i16(packet->samples[index / 6][index % 6]);
        }
    }
}

static void write_bulk_page(void)
{
    struct hipline_bulk_page scanned, *packet = &scanned;
    HIPLINE_BULK_PAGE_FIELDS(SCAN_FIELD)
    for (size_t index = 0; index < HIPLINE_MAX_PAGE_SAMPLES * 6u; index++) {
        packet->samples[index / 6][index % 6] = next_count();
    }
    WRITE(bulk_page, packet);
}

/* Packets that share a reader with others: `group` is the union they are in */
#define MEMBER(group, kind, KIND, OPCODE)                                                                             \
    static void print_##kind(const struct hipline_##kind *packet) { HIPLINE_##KIND##_FIELDS(PRINT_FIELD) }            \
    static void write_##kind(void)                                                                                    \
    {                                                                                                                 \
        struct hipline_##group member = {.opcode = HIPLINE_##OPCODE##_##KIND};                                        \
        struct hipline_##kind *packet = &member.as.kind;                                                              \
        HIPLINE_##KIND##_FIELDS(SCAN_FIELD)                                                                           \
        WRITE(group, &member);                                                                                        \
    }

MEMBER(command, start, START, OPCODE)
MEMBER(command, stop, STOP, OPCODE)
MEMBER(command, configure, CONFIGURE, OPCODE)
MEMBER(command, identify, IDENTIFY, OPCODE)
MEMBER(bulk_request, fetch, FETCH, BULK_OPCODE)
MEMBER(bulk_request, grant, GRANT, BULK_OPCODE)
MEMBER(bulk_request, survey, SURVEY, BULK_OPCODE)
MEMBER(bulk_request, erase, ERASE, BULK_OPCODE)

static void read_command(const uint8_t *payload, size_t payload_size)
{
    struct hipline_command command;
    const enum hipline_error error = hipline_read_command(payload, payload_size, &command);
    answer(error);
    if (error != HIPLINE_NO_ERROR) {
        return;
    }
    switch (command.opcode) {
    case HIPLINE_OPCODE_START:
        print_start(&command.as.start);
        break;
    case HIPLINE_OPCODE_STOP:
        print_stop(&command.as.stop);
        break;
    case HIPLINE_OPCODE_CONFIGURE:
        print_configure(&command.as.configure);
        break;
    default:
        print_identify(&command.as.identify);
        break;
    }
}

static void read_bulk_request(const uint8_t *payload, size_t payload_size)
{
    struct hipline_bulk_request request;
    const enum hipline_error error = hipline_read_bulk_request(payload, payload_size, &request);
    answer(error);
    if (error != HIPLINE_NO_ERROR) {
        return;
    }
    switch (request.opcode) {
    case HIPLINE_BULK_OPCODE_FETCH:
        print_fetch(&request.as.fetch);
        break;
    case HIPLINE_BULK_OPCODE_GRANT:
        print_grant(&request.as.grant);
        break;
    case HIPLINE_BULK_OPCODE_SURVEY:
        print_survey(&request.as.survey);
        break;
    default:
        print_erase(&request.as.erase);
        break;
    }
}

static const struct {
    const char *packet;
    void (*read)(const uint8_t *payload, size_t payload_size);
    void (*write)(void);
} KINDS[] = {
    {"ImuFrame", read_imu_frame, write_imu_frame},
    {"DeviceInfo", read_device_info, write_device_info},
    {"StreamStatus", read_stream_status, write_stream_status},
    {"Start", read_command, write_start},
    {"Stop", read_command, write_stop},
    {"Configure", read_command, write_configure},
    {"Identify", read_command, write_identify},
    {"CommandReply", read_command_reply, write_command_reply},
    {"TimeRequest", read_time_request, write_time_request},
    {"TimeReply", read_time_reply, write_time_reply},
    {"Fetch", read_bulk_request, write_fetch},
    {"Grant", read_bulk_request, write_grant},
    {"Survey", read_bulk_request, write_survey},
    {"Erase", read_bulk_request, write_erase},
    {"BulkPage", read_bulk_page, write_bulk_page},
    {"BulkReply", read_bulk_reply, write_bulk_reply},
};

static void read_hex(const char *digits, void (*read)(const uint8_t *, size_t))
{
    const size_t size = strspn(digits, "0123456789abcdef") / 2;
    uint8_t *payload = malloc(size > 0 ? size : 1);
    if (payload == NULL) {
        abort();
    }
    for (size_t index = 0; index < size; index++) {
        const char pair[] = {digits[2 * index], digits[2 * index + 1], '\0'};
        payload[index] = (uint8_t)strtoul(pair, NULL, 16);
    }
    read(payload, size);
    free(payload);
}

int main(void)
{
    static char line[8192];
    while (fgets(line, sizeof line, stdin) != NULL) {
        char verb[8], name[32];
        int end = 0;
        if (sscanf(line, "%7s %31s %n", verb, name, &end) != 2) {
            return 2;
        }
        rest_of_line = line + end;
        for (size_t index = 0; index < sizeof KINDS / sizeof KINDS[0]; index++) {
            if (strcmp(KINDS[index].packet, name) != 0) {
                continue;
            }
            if (strcmp(verb, "read") == 0) {
                read_hex(rest_of_line, KINDS[index].read);
            } else {
                KINDS[index].write();
            }
        }
        putchar('\n');
    }
    return 0;
}
