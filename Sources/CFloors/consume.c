#include "floors.h"

#include <librdkafka/rdkafka.h>
#include <time.h>

enum { batch_size = 1000 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static uint64_t drain(rd_kafka_t *client, uint64_t count, int timeout_ms, double *seconds) {
    rd_kafka_queue_t *const queue = rd_kafka_queue_get_consumer(client);
    rd_kafka_message_t *messages[batch_size];
    const double deadline = now() + timeout_ms / 1000.0;
    double first = 0;
    uint64_t taken = 0;
    while (taken < count && now() < deadline) {
        const ssize_t received = rd_kafka_consume_batch_queue(queue, 100, messages, batch_size);
        if (received > 0 && first == 0) { first = now(); }
        for (ssize_t index = 0; index < received; ++index) {
            if (messages[index]->err == RD_KAFKA_RESP_ERR_NO_ERROR) { ++taken; }
            rd_kafka_message_destroy(messages[index]);
        }
    }
    *seconds = now() - first;
    rd_kafka_queue_destroy(queue);
    return taken;
}

int apus_floor_consume(const char *brokers, const char *topic, int32_t partitions, uint64_t count, int timeout_ms,
                       double *seconds) {
    char reason[256];
    rd_kafka_conf_t *const configuration = rd_kafka_conf_new();
    rd_kafka_conf_set(configuration, "bootstrap.servers", brokers, reason, sizeof reason);
    rd_kafka_conf_set(configuration, "group.id", "apus-bench-floor", reason, sizeof reason);
    rd_kafka_conf_set(configuration, "enable.auto.commit", "false", reason, sizeof reason);
    rd_kafka_t *const client = rd_kafka_new(RD_KAFKA_CONSUMER, configuration, reason, sizeof reason);
    if (client == NULL) {
        rd_kafka_conf_destroy(configuration);
        return 0;
    }
    rd_kafka_poll_set_consumer(client);
    rd_kafka_topic_partition_list_t *const list = rd_kafka_topic_partition_list_new(partitions);
    for (int32_t partition = 0; partition < partitions; ++partition) {
        rd_kafka_topic_partition_list_add(list, topic, partition)->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    rd_kafka_assign(client, list);
    rd_kafka_topic_partition_list_destroy(list);
    const uint64_t taken = drain(client, count, timeout_ms, seconds);
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
    return taken >= count;
}
