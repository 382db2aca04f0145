"""Partitions: batches in order, idempotent producers, and which transactions are open or aborted."""

import asyncio
import bisect
import time

from wire import Batch

NONE = 0
OFFSET_OUT_OF_RANGE = 1
OUT_OF_ORDER_SEQUENCE = 45
INVALID_PRODUCER_EPOCH = 47


class ProducerState:
    """What a partition remembers of an idempotent producer: its newest batches, to recognise repeats."""

    __slots__ = ("batches", "epoch")

    def __init__(self, epoch):
        self.epoch = epoch
        self.batches = []


class Partition:
    def __init__(self):
        self.batches = []
        self.bases = []
        self.end = 0
        self.producers = {}
        # Producer id to the first offset of its open transaction.
        self.open = {}
        # (producer id, first offset, offset of the marker) of aborted transactions, by marker.
        self.aborted = []
        self._changed = asyncio.Event()

    @property
    def stable_end(self):
        """The last stable offset: what a reader of committed records may read up to."""
        return min(self.open.values(), default=self.end)

    def append(self, batch):
        """Appends a producer's batch, unless it is a repeat. Gives (error, base offset)."""
        if batch.producer >= 0:
            state = self.producers.get(batch.producer)
            if state is None:
                state = self.producers[batch.producer] = ProducerState(batch.epoch)
            if batch.epoch < state.epoch:
                return INVALID_PRODUCER_EPOCH, -1
            if batch.epoch > state.epoch:
                if batch.sequence != 0:
                    return OUT_OF_ORDER_SEQUENCE, -1
                state.epoch, state.batches = batch.epoch, []
            for first, last, base in state.batches:
                if first == batch.sequence and last == batch.last_sequence:
                    return NONE, base
            if state.batches and batch.sequence != (state.batches[-1][1] + 1) & 0x7FFFFFFF:
                return OUT_OF_ORDER_SEQUENCE, -1
            state.batches = [*state.batches[-4:], (batch.sequence, batch.last_sequence, self.end)]
            if batch.is_transactional:
                self.open.setdefault(batch.producer, self.end)
        base = self.end
        self._place(batch)
        return NONE, base

    def end_transaction(self, producer, epoch, committed):
        """Writes the marker that decides over a producer's records since the last one."""
        state = self.producers.setdefault(producer, ProducerState(epoch))
        if epoch > state.epoch:
            state.epoch, state.batches = epoch, []
        first = self.open.pop(producer, None)
        if first is not None and not committed:
            self.aborted.append((producer, first, self.end))
        self._place(Batch.marker(producer, epoch, committed, int(time.time() * 1000)))

    def _place(self, batch):
        batch.place(self.end)
        self.batches.append(batch)
        self.bases.append(batch.base)
        self.end = batch.last + 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def read(self, offset, committed, limit):
        """Whole batches from the one that holds the offset on, at least one if there is any."""
        upper = self.stable_end if committed else self.end
        data = bytearray()
        for index in range(max(0, bisect.bisect_right(self.bases, offset) - 1), len(self.batches)):
            batch = self.batches[index]
            if batch.base >= upper or (data and len(data) + len(batch.data) > limit):
                break
            if batch.last >= offset:
                data += batch.data
                last = batch.last
        aborted = []
        if committed and data:
            aborted = [(producer, first) for producer, first, end in self.aborted if first <= last and end >= offset]
        return bytes(data), aborted

    def has(self, offset, committed):
        return offset < (self.stable_end if committed else self.end)

    @property
    def changed(self):
        return self._changed

    def at(self, timestamp):
        """Offset and time of the first record that is not older; (-1, -1) when there is none."""
        for batch in self.batches:
            if batch.newest >= timestamp:
                offset, time_ = batch.first_at(timestamp)
                return time_, offset
        return -1, -1
