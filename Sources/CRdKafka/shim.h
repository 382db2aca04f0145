#ifndef APUS_CRDKAFKA_SHIM_H
#define APUS_CRDKAFKA_SHIM_H

/* What Swift cannot import from librdkafka and Linux by itself: variadic functions, casts in macros,
 * eventfd. Nothing here keeps state. */

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Let the partitioner choose: the macro carries a cast, so Swift does not see it. */
static const int32_t apus_kafka_partition_unassigned = RD_KAFKA_PARTITION_UA;

/* A nonblocking eventfd, closed on exec; -1 and errno on failure. */
static inline int apus_kafka_eventfd(void) {
    return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

/* Makes the eventfd readable. Only fails when the counter is saturated, and then it is readable anyway. */
static inline void apus_kafka_eventfd_raise(int fd) {
    const uint64_t one = 1;
    ssize_t written = write(fd, &one, sizeof(one));
    (void)written;
}

/* Makes the eventfd unreadable until it is raised again. */
static inline void apus_kafka_eventfd_clear(int fd) {
    uint64_t count;
    ssize_t received = read(fd, &count, sizeof(count));
    (void)received;
}

/* librdkafka writes these eight bytes to `fd` whenever the empty queue receives something. */
static inline void apus_kafka_queue_signal(rd_kafka_queue_t *queue, int fd) {
    const uint64_t one = 1;
    rd_kafka_queue_io_event_enable(queue, fd, &one, sizeof(one));
}

static inline void apus_kafka_queue_unsignal(rd_kafka_queue_t *queue) {
    rd_kafka_queue_io_event_enable(queue, -1, NULL, 0);
}

/* Queues one copied record. On success librdkafka owns `headers`; on failure the caller still does. */
static inline rd_kafka_resp_err_t apus_kafka_produce(
    rd_kafka_t *client, rd_kafka_topic_t *topic, int32_t partition, const void *key, size_t key_size,
    const void *value, size_t value_size, int64_t timestamp, rd_kafka_headers_t *headers, uintptr_t opaque) {
    if (headers) {
        return rd_kafka_producev(
            client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY((void *)key, key_size), RD_KAFKA_V_VALUE((void *)value, value_size),
            RD_KAFKA_V_TIMESTAMP(timestamp), RD_KAFKA_V_OPAQUE((void *)opaque), RD_KAFKA_V_HEADERS(headers),
            RD_KAFKA_V_END);
    }
    return rd_kafka_producev(
        client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY((void *)key, key_size), RD_KAFKA_V_VALUE((void *)value, value_size),
        RD_KAFKA_V_TIMESTAMP(timestamp), RD_KAFKA_V_OPAQUE((void *)opaque), RD_KAFKA_V_END);
}

/* The next request of this kind to this broker of the mock cluster fails. */
static inline rd_kafka_resp_err_t apus_kafka_mock_fail(
    rd_kafka_mock_cluster_t *cluster, int32_t broker, int16_t api, rd_kafka_resp_err_t error) {
    return rd_kafka_mock_broker_push_request_error_rtts(cluster, broker, api, 1, error, 0);
}

#endif
