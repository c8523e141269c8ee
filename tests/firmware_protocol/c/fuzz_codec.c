/* What must hold for every string of bytes, for libFuzzer: the first byte chooses the packet, the rest is the value.
 *
 * A value that is read is written back byte by byte; any values of the fields are refused, or written so that they
 * are read again. The sanitizers see what is out of bounds or undefined.
 */
#include <stdlib.h>
#include <string.h>

#include "hipline_codec.h"

static void require(int holds)
{
    if (!holds) {
        abort();
    }
}

#define CHECK(kind)                                                                                                   \
    static void check_##kind(const uint8_t *payload, size_t size)                                                     \
    {                                                                                                                 \
        struct hipline_##kind packet, again;                                                                          \
        uint8_t buffer[HIPLINE_MAX_PACKET_SIZE];                                                                      \
        size_t written = 0;                                                                                           \
        memset(&packet, 0, sizeof packet);                                                                            \
        if (hipline_read_##kind(payload, size, &packet) == HIPLINE_NO_ERROR) {                                        \
            require(hipline_write_##kind(&packet, buffer, sizeof buffer, &written) == HIPLINE_NO_ERROR);              \
            require(written == size && memcmp(buffer, payload, size) == 0);                                           \
            require(hipline_write_##kind(&packet, buffer, size - 1, &written) == HIPLINE_ERROR_TRUNCATED);            \
        }                                                                                                             \
        memset(&packet, 0, sizeof packet);                                                                            \
        memcpy(&packet, payload, size < sizeof packet ? size : sizeof packet);                                        \
        if (hipline_write_##kind(&packet, buffer, sizeof buffer, &written) == HIPLINE_NO_ERROR) {                     \
            uint8_t second[HIPLINE_MAX_PACKET_SIZE];                                                                  \
            require(hipline_read_##kind(buffer, written, &again) == HIPLINE_NO_ERROR);                                \
            require(hipline_write_##kind(&again, second, sizeof second, &size) == HIPLINE_NO_ERROR);                  \
            require(size == written && memcmp(buffer, second, size) == 0);                                            \
        }                                                                                                             \
    }

CHECK(imu_frame)
CHECK(device_info)
CHECK(stream_status)
CHECK(command)
CHECK(command_reply)
CHECK(time_request)
CHECK(time_reply)
CHECK(bulk_request)
CHECK(bulk_page)
CHECK(bulk_reply)

static void (*const CHECKS[])(const uint8_t *, size_t) = {
    check_imu_frame,     check_device_info,  check_stream_status, check_command,
    check_command_reply, check_time_request, check_time_reply,
    check_bulk_request,  check_bulk_page,    check_bulk_reply,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0) {
        CHECKS[data[0] % (sizeof CHECKS / sizeof CHECKS[0])](data + 1, size - 1);
    }
    return 0;
}
