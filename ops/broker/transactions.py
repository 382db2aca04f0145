"""The transaction coordinator: producer ids and epochs, what belongs to a transaction, its end and its time-out."""

import asyncio

NONE = 0
INVALID_PRODUCER_EPOCH = 47
INVALID_TXN_STATE = 48
INVALID_PRODUCER_ID_MAPPING = 49
PRODUCER_FENCED = 90


class Transactional:
    """What belongs to one transactional id."""

    def __init__(self, producer):
        self.producer = producer
        self.epoch = -1
        self.timeout = 60_000
        self.partitions = set()
        self.groups = set()
        self.is_open = False
        # How the last transaction ended: a commit asked for twice is answered twice.
        self.ended = None
        self.timer = None


class Coordinator:
    def __init__(self, partition, group):
        """`partition` and `group` look up by (topic, number) and by name."""
        self.partition = partition
        self.group = group
        self.ids = {}
        self.next_producer = 1000

    def init(self, id, timeout, producer=-1, epoch=-1):
        """(error, producer id, epoch): fences whoever had the id, and aborts what it left open."""
        if id is None:
            self.next_producer += 1
            return NONE, self.next_producer, 0
        state = self.ids.get(id)
        if state is None:
            self.next_producer += 1
            state = self.ids[id] = Transactional(self.next_producer)
        elif producer >= 0 and (producer != state.producer or epoch != state.epoch):
            return PRODUCER_FENCED, -1, -1
        state.timeout = timeout
        if state.is_open:
            state.epoch += 1
            self._end(state, committed=False)
        state.epoch += 1
        state.ended = None
        if state.epoch > 30_000:
            self.next_producer += 1
            state.producer, state.epoch = self.next_producer, 0
        return NONE, state.producer, state.epoch

    def check(self, id, producer, epoch):
        state = self.ids.get(id)
        if state is None or state.producer != producer:
            return INVALID_PRODUCER_ID_MAPPING
        return NONE if epoch == state.epoch else INVALID_PRODUCER_EPOCH

    def _begin(self, state):
        if state.is_open:
            return
        state.is_open = True
        state.timer = asyncio.get_running_loop().call_later(state.timeout / 1000, self._expire, state)

    def _expire(self, state):
        """Aborts in the producer's place and fences it."""
        if state.is_open:
            state.epoch += 1
            self._end(state, committed=False)

    def add_partitions(self, id, producer, epoch, partitions):
        error = self.check(id, producer, epoch)
        if not error:
            self._begin(self.ids[id])
            self.ids[id].partitions |= set(partitions)
        return error

    def add_group(self, id, producer, epoch, group):
        error = self.check(id, producer, epoch)
        if not error:
            self._begin(self.ids[id])
            self.ids[id].groups.add(group)
        return error

    def may_write(self, id, batch, topic_partition):
        """Whether a transactional batch belongs to the open transaction."""
        error = self.check(id, batch.producer, batch.epoch)
        if error:
            return error
        state = self.ids[id]
        return NONE if state.is_open and topic_partition in state.partitions else INVALID_TXN_STATE

    def may_commit_offsets(self, id, producer, epoch, group):
        error = self.check(id, producer, epoch)
        if error:
            return error
        state = self.ids[id]
        return NONE if state.is_open and group in state.groups else INVALID_TXN_STATE

    def end(self, id, producer, epoch, committed):
        error = self.check(id, producer, epoch)
        if error:
            return error
        state = self.ids[id]
        if not state.is_open:
            return NONE if state.ended == committed else INVALID_TXN_STATE
        self._end(state, committed)
        return NONE

    def _end(self, state, committed):
        if state.timer:
            state.timer.cancel()
        for topic_partition in state.partitions:
            self.partition(topic_partition).end_transaction(state.producer, state.epoch, committed)
        for group in state.groups:
            self.group(group).end_transaction(state.producer, committed)
        state.partitions, state.groups = set(), set()
        state.is_open, state.ended = False, committed
