#!/usr/bin/env python3
"""Tells whether a broker's transactions are real: an aborted record, and one of a transaction that is still open, must
be hidden from a reader of committed records, a committed one must not, and offsets must go with the transaction.

Exit code 0: they are. 1: they are not, and why. Runs in the Python that ops/broker/install names.
"""

import argparse
import sys
import time
import uuid

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic


def _read(client, topic, isolation):
    consumer = Consumer(
        {
            **client, "group.id": f"{topic}.reader", "isolation.level": isolation, "enable.partition.eof": True,
            "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    values, deadline = [], time.monotonic() + 20
    while time.monotonic() < deadline:
        message = consumer.poll(0.2)
        if message is None:
            continue
        if message.error() is not None:
            break
        values.append(message.value().decode())
    consumer.close()
    return values


def why_not_real(client):
    """Nil when the transactions of the broker keep their promises, else what they break."""
    topic = f"apus-probe-{uuid.uuid4().hex[:12]}"
    admin = AdminClient(client)
    for future in admin.create_topics([NewTopic(topic, 1, 1)]).values():
        future.result(30)
    try:
        return _probe(client, topic)
    except KafkaException as error:
        return f"a transaction failed: {error.args[0].str()}"
    finally:
        admin.delete_topics([topic])


def _probe(client, topic):
    producer = Producer({**client, "transactional.id": topic, "transaction.timeout.ms": 30_000})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, b"aborted", partition=0)
    producer.flush(30)
    producer.abort_transaction(30)
    producer.begin_transaction()
    producer.produce(topic, b"committed", partition=0)
    producer.flush(30)
    if _read(client, topic, "read_committed"):
        return "records of aborted or open transactions are shown to readers of committed records"
    producer.commit_transaction(30)
    if _read(client, topic, "read_committed") != ["committed"]:
        return "readers of committed records do not see exactly what was committed"

    consumer = Consumer({**client, "group.id": topic, "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe([topic])
    deadline = time.monotonic() + 30
    while not consumer.assignment() and time.monotonic() < deadline:
        consumer.poll(0.2)
    place = [TopicPartition(topic, 0, 1)]
    for commits in (False, True):
        producer.begin_transaction()
        producer.send_offsets_to_transaction(place, consumer.consumer_group_metadata(), 30)
        producer.commit_transaction(30) if commits else producer.abort_transaction(30)
        committed = consumer.committed([TopicPartition(topic, 0)], timeout=30)[0].offset
        if (committed == 1) != commits:
            return "offsets of an aborted transaction are kept" if not commits else "offsets of a transaction are lost"
    consumer.close()
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--property", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    client = {
        "bootstrap.servers": options.brokers, "log_level": 2, **dict(pair.split("=", 1) for pair in options.property)}
    reason = why_not_real(client)
    print(f"transactions: {'real' if reason is None else f'not real: {reason}'}")
    sys.exit(0 if reason is None else 1)


if __name__ == "__main__":
    main()
