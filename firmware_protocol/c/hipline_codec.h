/* Hipline sensor protocol: packets to bytes and back, for firmware.
 *
 * C99. No memory is allocated, no floating point is used, nothing is kept between two calls: every function may be
 * called from any task, also from an interrupt. Sizes, fields and numbers are in hipline_layouts.h.
 *
 * A reader takes one whole GATT value. What it refuses is told by one of the errors of the protocol page; the
 * packet is then half filled and must not be used.
 *
 * A writer checks the packet first: HIPLINE_ERROR_FIELD_OUT_OF_RANGE is a mistake of the caller, and
 * HIPLINE_ERROR_TRUNCATED says that the buffer is too small. Nothing is written in either case.
 */
#ifndef HIPLINE_CODEC_H
#define HIPLINE_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "hipline_layouts.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HIPLINE_MAX_PACKET_SIZE (HIPLINE_IMU_FRAME_SIZE + HIPLINE_MAX_SAMPLES * HIPLINE_SAMPLE_SIZE)
#define HIPLINE_COMMAND_START_SIZE HIPLINE_STOP_SIZE
#define HIPLINE_BULK_REQUEST_START_SIZE HIPLINE_ERASE_SIZE

/* flags of an ImuFrame; the ranges stand beside them */
#define HIPLINE_FRAME_CLIPPED 0x01u
#define HIPLINE_FRAME_GAP_BEFORE 0x02u
#define HIPLINE_FRAME_RANGES(accel_range, gyro_range) ((uint8_t)((accel_range) << 2 | (gyro_range) << 4))
/* flags of a StreamStatus, of a Start */
#define HIPLINE_STATUS_IS_STREAMING 0x01u
#define HIPLINE_START_RESUME 0x01u

/* A value written to CONTROL: opcode says which member holds it. */
struct hipline_command {
    uint8_t opcode;
    union {
        struct hipline_start start;
        struct hipline_stop stop;
        struct hipline_configure configure;
        struct hipline_identify identify;
    } as;
};

/* A value written to BULK, likewise. */
struct hipline_bulk_request {
    uint8_t opcode;
    union {
        struct hipline_fetch fetch;
        struct hipline_grant grant;
        struct hipline_survey survey;
        struct hipline_erase erase;
    } as;
};

enum hipline_error hipline_read_imu_frame(const uint8_t *payload, size_t size, struct hipline_imu_frame *packet);
enum hipline_error hipline_read_device_info(const uint8_t *payload, size_t size, struct hipline_device_info *packet);
enum hipline_error hipline_read_stream_status(const uint8_t *payload, size_t size,
                                              struct hipline_stream_status *packet);
enum hipline_error hipline_read_command(const uint8_t *payload, size_t size, struct hipline_command *packet);
enum hipline_error hipline_read_command_reply(const uint8_t *payload, size_t size,
                                              struct hipline_command_reply *packet);
enum hipline_error hipline_read_time_request(const uint8_t *payload, size_t size,
                                             struct hipline_time_request *packet);
enum hipline_error hipline_read_time_reply(const uint8_t *payload, size_t size, struct hipline_time_reply *packet);
enum hipline_error hipline_read_bulk_request(const uint8_t *payload, size_t size,
                                             struct hipline_bulk_request *packet);
enum hipline_error hipline_read_bulk_page(const uint8_t *payload, size_t size, struct hipline_bulk_page *packet);
enum hipline_error hipline_read_bulk_reply(const uint8_t *payload, size_t size, struct hipline_bulk_reply *packet);

/* `size` is set to the bytes written. A buffer of HIPLINE_MAX_PACKET_SIZE takes every packet. */
enum hipline_error hipline_write_imu_frame(const struct hipline_imu_frame *packet, uint8_t *buffer, size_t capacity,
                                           size_t *size);
enum hipline_error hipline_write_device_info(const struct hipline_device_info *packet, uint8_t *buffer,
                                             size_t capacity, size_t *size);
enum hipline_error hipline_write_stream_status(const struct hipline_stream_status *packet, uint8_t *buffer,
                                               size_t capacity, size_t *size);
enum hipline_error hipline_write_command(const struct hipline_command *packet, uint8_t *buffer, size_t capacity,
                                         size_t *size);
enum hipline_error hipline_write_command_reply(const struct hipline_command_reply *packet, uint8_t *buffer,
                                               size_t capacity, size_t *size);
enum hipline_error hipline_write_time_request(const struct hipline_time_request *packet, uint8_t *buffer,
                                              size_t capacity, size_t *size);
enum hipline_error hipline_write_time_reply(const struct hipline_time_reply *packet, uint8_t *buffer,
                                            size_t capacity, size_t *size);

enum hipline_error hipline_write_bulk_request(const struct hipline_bulk_request *packet, uint8_t *buffer,
                                              size_t capacity, size_t *size);
/* The checksum of a page is computed here. */
enum hipline_error hipline_write_bulk_page(const struct hipline_bulk_page *packet, uint8_t *buffer, size_t capacity,
                                           size_t *size);
enum hipline_error hipline_write_bulk_reply(const struct hipline_bulk_reply *packet, uint8_t *buffer,
                                            size_t capacity, size_t *size);

/* The result with which a sensor answers a command that hipline_read_command refused. Opcode and tag of the reply
 * are the second and third byte of the value; a value of fewer than HIPLINE_COMMAND_START_SIZE bytes gets an ATT
 * error instead. */
enum hipline_command_result hipline_result_of_refusal(enum hipline_error refusal);
/* The same for a request that hipline_read_bulk_request refused; one of fewer than
 * HIPLINE_BULK_REQUEST_START_SIZE bytes is ignored instead. */
enum hipline_bulk_result hipline_bulk_result_of_refusal(enum hipline_error refusal);

/* Samples that fit one frame: `batch`, or fewer where the ATT MTU holds fewer; 0 where it is too small to stream. */
uint8_t hipline_samples_per_frame(uint8_t batch, uint16_t mtu);
/* Samples that fit one page of BULK; 0 where the MTU is too small for a page. */
uint8_t hipline_samples_per_page(uint16_t mtu);

#ifdef __cplusplus
}
#endif

#endif /* HIPLINE_CODEC_H */
