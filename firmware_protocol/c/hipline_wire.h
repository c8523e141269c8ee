/* What the readers and writers of this codec share. For its own files only. */
#ifndef HIPLINE_WIRE_H
#define HIPLINE_WIRE_H

#include <stdbool.h>

#include "hipline_codec.h"

#define U48_MAX UINT64_C(0xffffffffffff)

/* Bytes ---------------------------------------------------------------------------------------------------------- */

static inline uint64_t get(const uint8_t *from, size_t n_bytes)
{
    uint64_t value = 0;
    while (n_bytes > 0) {
        n_bytes--;
        value = value << 8 | from[n_bytes];
    }
    return value;
}

static inline void put(uint8_t *to, uint64_t value, size_t n_bytes)
{
    for (size_t index = 0; index < n_bytes; index++) {
        to[index] = (uint8_t)(value & 0xffu);
        value >>= 8;
    }
}

static inline uint8_t get_u8(const uint8_t *from) { return *from; }
static inline uint16_t get_u16(const uint8_t *from) { return (uint16_t)get(from, 2); }
static inline uint32_t get_u32(const uint8_t *from) { return (uint32_t)get(from, 4); }
static inline uint64_t get_u48(const uint8_t *from) { return get(from, 6); }
static inline uint64_t get_u64(const uint8_t *from) { return get(from, 8); }
static inline int16_t get_i16(const uint8_t *from)
{
    /* Converting a large unsigned to a signed integer is left to the compiler by the standard; this is not. */
    const int32_t value = get_u16(from);
    return (int16_t)(value > INT16_MAX ? value - 65536 : value);
}

static inline void put_u8(uint8_t *to, uint8_t value) { *to = value; }
static inline void put_u16(uint8_t *to, uint16_t value) { put(to, value, 2); }
static inline void put_i16(uint8_t *to, int16_t value) { put(to, (uint16_t)value, 2); }
static inline void put_u32(uint8_t *to, uint32_t value) { put(to, value, 4); }
static inline void put_u48(uint8_t *to, uint64_t value) { put(to, value, 6); }
static inline void put_u64(uint8_t *to, uint64_t value) { put(to, value, 8); }

#define READ_FIELD(type, name, offset) packet->name = get_##type(payload + (offset));
#define WRITE_FIELD(type, name, offset) put_##type(buffer + (offset), packet->name);

/* What every reader and every writer asks first -------------------------------------------------------------------- */

static inline uint8_t head_of(enum hipline_packet_type type)
{
    return (uint8_t)(HIPLINE_PROTOCOL_VERSION << 4 | (unsigned int)type);
}

static inline enum hipline_error check_head(const uint8_t *payload, size_t size, enum hipline_packet_type type)
{
    if (size == 0) {
        return HIPLINE_ERROR_TRUNCATED;
    }
    if (payload[0] >> 4 != (int)HIPLINE_PROTOCOL_VERSION) {
        return HIPLINE_ERROR_UNSUPPORTED_VERSION;
    }
    return payload[0] == head_of(type) ? HIPLINE_NO_ERROR : HIPLINE_ERROR_UNKNOWN_PACKET;
}

static inline enum hipline_error check_length(size_t size, size_t expected)
{
    if (size < expected) {
        return HIPLINE_ERROR_TRUNCATED;
    }
    return size > expected ? HIPLINE_ERROR_TRAILING_BYTES : HIPLINE_NO_ERROR;
}

static inline enum hipline_error check_start(const uint8_t *payload, size_t size, enum hipline_packet_type type,
                                      size_t fixed)
{
    const enum hipline_error error = check_head(payload, size, type);
    if (error != HIPLINE_NO_ERROR) {
        return error;
    }
    return size < fixed ? HIPLINE_ERROR_TRUNCATED : HIPLINE_NO_ERROR;
}

static inline enum hipline_error check_whole(const uint8_t *payload, size_t size, enum hipline_packet_type type,
                                      size_t expected)
{
    const enum hipline_error error = check_head(payload, size, type);
    return error != HIPLINE_NO_ERROR ? error : check_length(size, expected);
}

static inline enum hipline_error begin_writing(bool is_valid, uint8_t *buffer, size_t capacity, size_t needed,
                                        enum hipline_packet_type type, size_t *size)
{
    if (!is_valid) {
        return HIPLINE_ERROR_FIELD_OUT_OF_RANGE;
    }
    if (capacity < needed) {
        return HIPLINE_ERROR_TRUNCATED;
    }
    buffer[0] = head_of(type);
    *size = needed;
    return HIPLINE_NO_ERROR;
}

/* Values that are defined ------------------------------------------------------------------------------------------ */

static inline enum hipline_error in_range(bool is_valid)
{
    return is_valid ? HIPLINE_NO_ERROR : HIPLINE_ERROR_FIELD_OUT_OF_RANGE;
}

static inline bool is_member(uint8_t value, uint32_t members) { return value < 32u && (members >> value & 1u) != 0u; }

static inline bool is_choice(uint32_t bits, uint32_t members) { return bits != 0u && (bits & ~members) == 0u; }

static inline bool is_batch(uint8_t n_samples) { return n_samples >= 1u && n_samples <= HIPLINE_MAX_SAMPLES; }

/* What frames and pages have in common --------------------------------------------------------------------------- */

#define COLUMNS 6u /* ax ay az gx gy gz */

static inline bool is_scale(uint8_t flags, uint8_t rate_id)
{
    return (flags & 0x80u) == 0u && is_member((uint8_t)(flags >> 4 & 0x07u), HIPLINE_GYRO_RANGE_MEMBERS)
           && is_member(rate_id, HIPLINE_SAMPLING_RATE_MEMBERS);
}

/* `n_samples` is not 0 */
static inline bool is_place(uint16_t stream_id, uint32_t first_sample_index, uint8_t n_samples, uint64_t time_us)
{
    return stream_id != HIPLINE_NO_STREAM && time_us <= U48_MAX && first_sample_index <= UINT32_MAX - (n_samples - 1u);
}

static inline void get_samples(const uint8_t *from, int16_t (*samples)[COLUMNS], size_t n_samples)
{
    for (size_t index = 0; index < n_samples * COLUMNS; index++) {
        samples[index / COLUMNS][index % COLUMNS] = get_i16(from + 2u * index);
    }
}

static inline void put_samples(uint8_t *to, const int16_t (*samples)[COLUMNS], size_t n_samples)
{
    for (size_t index = 0; index < n_samples * COLUMNS; index++) {
        put_i16(to + 2u * index, samples[index / COLUMNS][index % COLUMNS]);
    }
}

/* Packets of fixed length ------------------------------------------------------------------------------------------ */

/* Defines reader and writer of one; `is_valid` is asked about the values of the fields. */
#define HIPLINE_FIXED_PACKET(kind, KIND, type, is_valid)                                                              \
    enum hipline_error hipline_read_##kind(const uint8_t *payload, size_t size, struct hipline_##kind *packet)        \
    {                                                                                                                 \
        const enum hipline_error error = check_whole(payload, size, type, HIPLINE_##KIND##_SIZE);                     \
        if (error != HIPLINE_NO_ERROR) {                                                                              \
            return error;                                                                                             \
        }                                                                                                             \
        HIPLINE_##KIND##_FIELDS(READ_FIELD)                                                                           \
        return in_range(is_valid(packet));                                                                            \
    }                                                                                                                 \
    enum hipline_error hipline_write_##kind(const struct hipline_##kind *packet, uint8_t *buffer, size_t capacity,    \
                                            size_t *size)                                                             \
    {                                                                                                                 \
        const enum hipline_error error =                                                                              \
            begin_writing(is_valid(packet), buffer, capacity, HIPLINE_##KIND##_SIZE, type, size);                     \
        if (error == HIPLINE_NO_ERROR) {                                                                              \
            HIPLINE_##KIND##_FIELDS(WRITE_FIELD)                                                                      \
        }                                                                                                             \
        return error;                                                                                                 \
    }

#endif /* HIPLINE_WIRE_H */
