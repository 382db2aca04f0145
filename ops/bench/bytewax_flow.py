"""The seed rule as a Bytewax pipeline, for streams.py: reads a topic to its end and prints events, matches, seconds, and seconds of CPU."""

import atexit
import json
import os
import time
from datetime import timedelta

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition

from seed_rule import matches

count = 0
first = last = before = 0.0


def look(message):
    global count, first, last, before
    if count == 0:
        first, before = time.monotonic(), time.process_time()
    count += 1
    hit = matches(json.loads(message.value))
    last = time.monotonic()
    return hit


class Drop(StatelessSinkPartition):
    taken = 0

    def write_batch(self, items):
        Drop.taken += len(items)


class DropSink(DynamicSink):
    def build(self, step_id, worker_index, worker_count):
        return Drop()


atexit.register(lambda: print(f"{count}\t{Drop.taken}\t{last - first:.6f}\t{time.process_time() - before:.6f}", flush=True))
flow = Dataflow("seed")
source = KafkaSource([os.environ["BROKERS"]], [os.environ["TOPIC"]], tail=False, batch_size=1000)
events = op.input("events", flow, source)
op.output("alerts", op.filter("seed_rule", events, look), DropSink())
