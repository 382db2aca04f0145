/// What the work would cost with nothing of Apus in it: floors to compare with.
#ifndef APUS_FLOORS_H
#define APUS_FLOORS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct apus_floor_parser apus_floor_parser;

/// simdjson's DOM parser, as it comes; NULL when memory is short.
apus_floor_parser *apus_floor_parser_create(void);
void apus_floor_parser_destroy(apus_floor_parser *parser);

/// Copies one document into a padded buffer and parses it. 0 when it is not JSON.
int apus_floor_parse(apus_floor_parser *parser, const uint8_t *bytes, size_t length);

/// Reads `count` records of all `partitions` of `topic` from their beginning with librdkafka's plain consumer
/// and drops them. `seconds` is the time from the first record to the last; 0 when they did not all come in
/// `timeout_ms`.
int apus_floor_consume(const char *brokers, const char *topic, int32_t partitions, uint64_t count, int timeout_ms,
                       double *seconds);

#ifdef __cplusplus
}
#endif

#endif
