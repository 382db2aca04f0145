#!/usr/bin/env python3
"""A Kafka broker for tests: one process, everything in memory, on a loopback port.

It is for what the embedded broker (librdkafka's mock cluster) cannot do: transactions that keep their promises (aborted
records are hidden from readers of committed records, offsets commit with the transaction or not at all, older
producers are fenced by epoch, members of an older generation by their generation, open transactions time out), static
members, TLS and SASL. It is strict where clients could err, and makes no attempt at speed, replication, retention or
compaction: nothing is ever deleted.

Signals: USR1 breaks every connection, USR2 breaks them and accepts none for two seconds, TERM ends it.
"""

import argparse
import asyncio
import signal
import ssl
import struct
import sys
import time

import sasl
from groups import Group
from log import NONE, OFFSET_OUT_OF_RANGE, Partition
from transactions import Coordinator
from wire import Batch, Reader, Writer

UNKNOWN_TOPIC_OR_PARTITION = 3
ILLEGAL_SASL_STATE = 34
UNSUPPORTED_MECHANISM = 33
UNSUPPORTED_VERSION = 35
TOPIC_ALREADY_EXISTS = 36
INVALID_PARTITIONS = 37
SASL_AUTHENTICATION_FAILED = 58
UNSTABLE_OFFSET_COMMIT = 88

TOPIC_RESOURCE = 2

SASL_HANDSHAKE, API_VERSIONS, SASL_AUTHENTICATE = 17, 18, 36

# Key: name, oldest and newest version spoken, and the first in the compact encoding.
APIS = {
    0: ("produce", 0, 7, 99),
    1: ("fetch", 0, 6, 99),
    2: ("list_offsets", 1, 3, 99),
    3: ("metadata", 0, 4, 99),
    8: ("offset_commit", 0, 7, 99),
    9: ("offset_fetch", 0, 7, 6),
    10: ("find_coordinator", 0, 2, 99),
    11: ("join_group", 0, 5, 99),
    12: ("heartbeat", 0, 3, 99),
    13: ("leave_group", 0, 1, 99),
    14: ("sync_group", 0, 3, 99),
    SASL_HANDSHAKE: ("sasl_handshake", 0, 1, 99),
    API_VERSIONS: ("api_versions", 0, 2, 99),
    19: ("create_topics", 0, 4, 99),
    20: ("delete_topics", 0, 1, 99),
    22: ("init_producer_id", 0, 4, 2),
    24: ("add_partitions_to_transaction", 0, 1, 99),
    25: ("add_offsets_to_transaction", 0, 1, 99),
    26: ("end_transaction", 0, 1, 99),
    28: ("transaction_offset_commit", 0, 3, 3),
    32: ("describe_configs", 0, 1, 99),
    SASL_AUTHENTICATE: ("sasl_authenticate", 0, 1, 99),
    37: ("create_partitions", 0, 1, 99),
}


class Closed(Exception):
    """The connection has to go."""


class Connection:
    def __init__(self, broker, writer):
        self.broker = broker
        self.writer = writer
        self.is_authenticated = not broker.users
        self.exchange = None


class Broker:
    def __init__(self, options):
        self.host, self.port = "127.0.0.1", options.advertise or options.port
        self.topics = {}
        # What topics were created with; kept to be told, and without effect.
        self.configurations = {}
        self.groups = {}
        self.coordinator = Coordinator(lambda at: self.topics[at[0]][at[1]], self.group)
        self.users = dict(user.split(":", 1) for user in options.user)
        self.tokens = set(options.token)
        self.connections = set()
        # asyncio itself holds them only weakly.
        self.tasks = set()

    def group(self, name):
        return self.groups.setdefault(name, Group(name))

    def partition(self, topic, number):
        partitions = self.topics.get(topic, [])
        return partitions[number] if 0 <= number < len(partitions) else None

    # Connections

    async def serve(self, reader, writer):
        connection = Connection(self, writer)
        self.connections.add(writer)
        task = asyncio.current_task()
        self.tasks.add(task)
        try:
            while True:
                (size,) = struct.unpack(">i", await reader.readexactly(4))
                if not 0 < size <= 200_000_000:
                    break
                await self.answer(connection, await reader.readexactly(size))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, Closed, ssl.SSLError):
            pass
        finally:
            self.connections.discard(writer)
            self.tasks.discard(task)
            writer.close()

    async def answer(self, connection, frame):
        request = Reader(frame)
        key, version, correlation = request.i16(), request.i16(), request.i32()
        request.string()
        if key == API_VERSIONS and version > APIS[API_VERSIONS][2]:
            return self.respond(connection, correlation, self.versions(UNSUPPORTED_VERSION, 0))
        if key not in APIS or not APIS[key][1] <= version <= APIS[key][2]:
            print(f"request {key} of version {version} is not spoken here", file=sys.stderr)
            raise Closed
        if not connection.is_authenticated and key not in (SASL_HANDSHAKE, API_VERSIONS, SASL_AUTHENTICATE):
            raise Closed
        name, _, _, flexible = APIS[key]
        if version >= flexible:
            request.tags()
        out = Writer()
        if version >= flexible:
            out.tags()
        silent = await getattr(self, name)(request, out, version, connection)
        if not silent:
            self.respond(connection, correlation, out)

    def respond(self, connection, correlation, out):
        body = out.done()
        connection.writer.write(struct.pack(">ii", len(body) + 4, correlation) + body)

    def break_connections(self):
        for writer in list(self.connections):
            writer.transport.abort()

    # Who is there

    def versions(self, error, version):
        out = Writer().i16(error)
        out.array(
            sorted(APIS.items()), lambda entry: out.i16(entry[0]).i16(entry[1][1]).i16(entry[1][2]))
        return out.i32(0) if version >= 1 else out

    async def api_versions(self, request, out, version, connection):
        out.raw(self.versions(NONE, version).done())

    async def metadata(self, request, out, version, connection):
        names = request.array(Reader.string)
        if names is None or (version == 0 and not names):
            names = list(self.topics)
        if version >= 3:
            out.i32(0)

        def broker(_):
            out.i32(1).string(self.host).i32(self.port)
            if version >= 1:
                out.string(None)

        out.array([1], broker)
        if version >= 2:
            out.string("test")
        if version >= 1:
            out.i32(1)

        def partition(number):
            out.i16(NONE).i32(number).i32(1).array([1], out.i32).array([1], out.i32)

        def topic(name):
            known = self.topics.get(name)
            out.i16(UNKNOWN_TOPIC_OR_PARTITION if known is None else NONE).string(name)
            if version >= 1:
                out.i8(0)
            out.array(range(len(known or [])), partition)

        out.array(names, topic)

    async def find_coordinator(self, request, out, version, connection):
        if version >= 1:
            out.i32(0)
        out.i16(NONE)
        if version >= 1:
            out.string(None)
        out.i32(1).string(self.host).i32(self.port)

    async def create_topics(self, request, out, version, connection):
        def topic(r):
            entry = (r.string(), r.i32(), r.i16(), r.array(lambda r: (r.i32(), r.array(Reader.i32))))
            return *entry, dict(r.array(lambda r: (r.string(), r.string())))

        def create(entry):
            name, partitions, _, assignments, configuration = entry
            error = NONE
            if name in self.topics:
                error = TOPIC_ALREADY_EXISTS
            else:
                self.topics[name] = [Partition() for _ in range(len(assignments) or max(1, partitions))]
                self.configurations[name] = configuration
            out.string(name).i16(error)
            if version >= 1:
                out.string(None)

        topics = request.array(topic)
        if version >= 2:
            out.i32(0)
        out.array(topics, create)

    async def delete_topics(self, request, out, version, connection):
        names = request.array(Reader.string)
        if version >= 1:
            out.i32(0)

        def delete(name):
            gone = self.topics.pop(name, None)
            self.configurations.pop(name, None)
            out.string(name).i16(NONE if gone else UNKNOWN_TOPIC_OR_PARTITION)

        out.array(names, delete)

    async def describe_configs(self, request, out, version, connection):
        resources = request.array(lambda r: (r.i8(), r.string(), r.array(Reader.string)))
        out.i32(0)

        def describe(entry):
            kind, name, wanted = entry
            is_known = kind == TOPIC_RESOURCE and name in self.topics
            values = {"cleanup.policy": "delete"} | self.configurations.get(name, {}) if is_known else {}
            out.i16(NONE if is_known else UNKNOWN_TOPIC_OR_PARTITION).string(None).i8(kind).string(name)

            def value(item):
                # Not read-only; the topic's own, which is no default; not sensitive.
                out.string(item[0]).string(item[1]).i8(0).i8(1 if version >= 1 else 0).i8(0)
                if version >= 1:
                    out.array([], out.string)

            out.array([item for item in values.items() if wanted is None or item[0] in wanted], value)

        out.array(resources, describe)

    async def create_partitions(self, request, out, version, connection):
        topics = request.array(
            lambda r: (r.string(), r.i32(), r.array(lambda r: r.array(Reader.i32))))
        out.i32(0)

        def grow(entry):
            name, count, _ = entry
            partitions = self.topics.get(name)
            if partitions is None:
                error = UNKNOWN_TOPIC_OR_PARTITION
            elif count <= len(partitions):
                error = INVALID_PARTITIONS
            else:
                error = NONE
                partitions += [Partition() for _ in range(count - len(partitions))]
            out.string(name).i16(error).string(None)

        out.array(topics, grow)

    # SASL

    async def sasl_handshake(self, request, out, version, connection):
        connection.exchange = sasl.mechanism(request.string(), self.users, self.tokens)
        out.i16(NONE if connection.exchange else UNSUPPORTED_MECHANISM).array(sasl.NAMES, out.string)

    async def sasl_authenticate(self, request, out, version, connection):
        error, words, answer = NONE, None, b""
        if connection.exchange is None:
            error, words = ILLEGAL_SASL_STATE, "no mechanism was agreed on"
        else:
            try:
                answer, connection.is_authenticated = connection.exchange.step(request.bytes())
            except sasl.Refused:
                error = SASL_AUTHENTICATION_FAILED
                words = f"Authentication failed during authentication due to invalid credentials with SASL mechanism " \
                    f"{connection.exchange.name}"
        out.i16(error).string(words).bytes(answer)
        if version >= 1:
            out.i64(0)

    # Records

    async def produce(self, request, out, version, connection):
        transactional = request.string() if version >= 3 else None
        acknowledge = request.i16()
        request.i32()
        topics = request.array(
            lambda r: (r.string(), r.array(lambda r: (r.i32(), r.bytes()))))

        def write(topic, entry):
            number, data = entry
            partition = self.partition(topic, number)
            error, base = NONE, -1
            if partition is None:
                error = UNKNOWN_TOPIC_OR_PARTITION
            else:
                for batch in Batch.split(data):
                    if batch.is_transactional:
                        error = self.coordinator.may_write(transactional, batch, (topic, number))
                    if not error:
                        error, offset = partition.append(batch)
                    if error:
                        base = -1
                        break
                    base = offset if base < 0 else base
            out.i32(number).i16(error).i64(base)
            if version >= 2:
                out.i64(-1)
            if version >= 5:
                out.i64(0)

        out.array(
            topics,
            lambda entry: out.string(entry[0]).array(entry[1], lambda part: write(entry[0], part)))
        if version >= 1:
            out.i32(0)
        return acknowledge == 0

    async def fetch(self, request, out, version, connection):
        request.i32()
        patience, minimum = request.i32() / 1000, request.i32()
        limit = request.i32() if version >= 3 else 50_000_000
        committed = version >= 4 and request.i8() == 1

        def part(r):
            number, offset = r.i32(), r.i64()
            if version >= 5:
                r.i64()
            return number, offset, r.i32()

        topics = request.array(lambda r: (r.string(), r.array(part)))
        wanted = [
            (self.partition(topic, number), offset) for topic, parts in topics for number, offset, _ in parts]
        await self.await_records(
            [(p, offset) for p, offset in wanted if p is not None], committed, patience if minimum > 0 else 0)

        left = limit
        if version >= 1:
            out.i32(0)

        def read(topic, entry):
            nonlocal left
            number, offset, most = entry
            partition = self.partition(topic, number)
            error, data, aborted = NONE, b"", []
            if partition is None:
                error = UNKNOWN_TOPIC_OR_PARTITION
            elif not 0 <= offset <= partition.end:
                error = OFFSET_OUT_OF_RANGE
            elif left > 0:
                data, aborted = partition.read(offset, committed, min(most, left))
                left -= len(data)
            out.i32(number).i16(error).i64(partition.end if partition else -1)
            if version >= 4:
                out.i64(partition.stable_end if partition else -1)
                if version >= 5:
                    out.i64(0)
                out.array(aborted, lambda entry: out.i64(entry[0]).i64(entry[1]))
            out.bytes(data)

        out.array(
            topics, lambda entry: out.string(entry[0]).array(entry[1], lambda part: read(entry[0], part)))

    async def await_records(self, wanted, committed, patience):
        deadline = time.monotonic() + patience
        while not any(p.has(offset, committed) or offset > p.end for p, offset in wanted):
            left = deadline - time.monotonic()
            if left <= 0:
                return
            if not wanted:
                await asyncio.sleep(left)
                return
            waits = [asyncio.ensure_future(p.changed.wait()) for p, _ in wanted]
            try:
                await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()

    async def list_offsets(self, request, out, version, connection):
        request.i32()
        committed = version >= 2 and request.i8() == 1
        topics = request.array(lambda r: (r.string(), r.array(lambda r: (r.i32(), r.i64()))))
        if version >= 2:
            out.i32(0)

        def find(topic, entry):
            number, timestamp = entry
            partition = self.partition(topic, number)
            time_, offset = -1, -1
            if partition is not None:
                if timestamp == -1:
                    offset = partition.stable_end if committed else partition.end
                elif timestamp == -2:
                    offset = 0
                else:
                    time_, offset = partition.at(timestamp)
            error = UNKNOWN_TOPIC_OR_PARTITION if partition is None else NONE
            out.i32(number).i16(error).i64(time_).i64(offset)

        out.array(
            topics, lambda entry: out.string(entry[0]).array(entry[1], lambda part: find(entry[0], part)))

    # Groups

    async def join_group(self, request, out, version, connection):
        group, session = request.string(), request.i32()
        rebalance = request.i32() if version >= 1 else session
        member = request.string()
        instance = request.string() if version >= 5 else None
        kind = request.string()
        protocols = request.array(lambda r: (r.string(), r.bytes()))
        error, generation, protocol, leader, member, members = await self.group(group).join(
            member, instance, session, rebalance, kind, protocols, version)
        if version >= 2:
            out.i32(0)

        def write(entry):
            out.string(entry[0])
            if version >= 5:
                out.string(entry[1])
            out.bytes(entry[2])

        out.i16(error).i32(generation).string(protocol).string(leader).string(member).array(members, write)

    async def sync_group(self, request, out, version, connection):
        group, generation, member = request.string(), request.i32(), request.string()
        instance = request.string() if version >= 3 else None
        assignments = request.array(lambda r: (r.string(), r.bytes()))
        error, assignment = await self.group(group).sync(member, instance, generation, assignments)
        if version >= 1:
            out.i32(0)
        out.i16(error).bytes(assignment)

    async def heartbeat(self, request, out, version, connection):
        group, generation, member = request.string(), request.i32(), request.string()
        instance = request.string() if version >= 3 else None
        if version >= 1:
            out.i32(0)
        out.i16(self.group(group).heartbeat(member, instance, generation))

    async def leave_group(self, request, out, version, connection):
        group, member = request.string(), request.string()
        if version >= 1:
            out.i32(0)
        out.i16(self.group(group).leave(member))

    async def offset_commit(self, request, out, version, connection):
        group = self.group(request.string())
        generation, member = (request.i32(), request.string()) if version >= 1 else (-1, "")
        instance = request.string() if version >= 7 else None
        if 2 <= version <= 4:
            request.i64()

        def part(r):
            number, offset = r.i32(), r.i64()
            if version >= 6 or version == 1:
                r.i32() if version >= 6 else r.i64()
            return number, offset, r.string()

        topics = request.array(lambda r: (r.string(), r.array(part)))
        error = group.may_commit(member, instance, generation, transactional=False)
        if version >= 3:
            out.i32(0)

        def commit(topic, entry):
            number, offset, metadata = entry
            if not error:
                group.offsets[topic, number] = (offset, metadata)
            out.i32(number).i16(error)

        out.array(
            topics, lambda entry: out.string(entry[0]).array(entry[1], lambda part: commit(entry[0], part)))

    async def offset_fetch(self, request, out, version, connection):
        is_flexible = version >= 6
        string, array = (
            (Reader.compact_string, Reader.compact_array) if is_flexible else (Reader.string, Reader.array))
        group = self.group(string(request))

        def topic(r):
            entry = (string(r), array(r, Reader.i32))
            if is_flexible:
                r.tags()
            return entry

        topics = array(request, topic)
        unstable = set()
        if version >= 7 and request.bool():
            # An open transaction may yet commit an offset: the reader has to ask again.
            unstable = {place for offsets in group.pending.values() for place in offsets}
        if topics is None:
            names = sorted({topic for topic, _ in group.offsets})
            topics = [(name, sorted(n for topic, n in group.offsets if topic == name)) for name in names]
        if version >= 3:
            out.i32(0)
        write_string = out.compact_string if is_flexible else out.string
        write_array = out.compact_array if is_flexible else out.array

        def close():
            if is_flexible:
                out.tags()

        def write(topic, number):
            offset, metadata = group.offsets.get((topic, number), (-1, ""))
            error = NONE
            if (topic, number) in unstable:
                offset, metadata, error = -1, "", UNSTABLE_OFFSET_COMMIT
            out.i32(number).i64(offset)
            if version >= 5:
                out.i32(-1)
            write_string(metadata)
            out.i16(error)
            close()

        def write_topic(entry):
            write_string(entry[0])
            write_array(entry[1], lambda number: write(entry[0], number))
            close()

        write_array(topics, write_topic)
        if version >= 2:
            out.i16(NONE)
        close()

    # Transactions

    async def init_producer_id(self, request, out, version, connection):
        id = request.compact_string() if version >= 2 else request.string()
        timeout = request.i32()
        producer, epoch = (request.i64(), request.i16()) if version >= 3 else (-1, -1)
        error, producer, epoch = self.coordinator.init(id, timeout, producer, epoch)
        if error == 90 and version < 4:
            error = 47
        out.i32(0).i16(error).i64(producer).i16(epoch)
        if version >= 2:
            out.tags()

    async def add_partitions_to_transaction(self, request, out, version, connection):
        id, producer, epoch = request.string(), request.i64(), request.i16()
        topics = request.array(lambda r: (r.string(), r.array(Reader.i32)))
        unknown = {
            (topic, n) for topic, numbers in topics for n in numbers if self.partition(topic, n) is None}
        error = self.coordinator.check(id, producer, epoch)
        if not error and not unknown:
            self.coordinator.add_partitions(
                id, producer, epoch, [(topic, n) for topic, numbers in topics for n in numbers])
        out.i32(0)

        def write(topic, number):
            # One that is unknown keeps all from being added; the others were not attempted (55).
            refused = UNKNOWN_TOPIC_OR_PARTITION if (topic, number) in unknown else 55 if unknown else NONE
            out.i32(number).i16(error or refused)

        out.array(
            topics,
            lambda entry: out.string(entry[0]).array(entry[1], lambda number: write(entry[0], number)))

    async def add_offsets_to_transaction(self, request, out, version, connection):
        id, producer, epoch, group = request.string(), request.i64(), request.i16(), request.string()
        out.i32(0).i16(self.coordinator.add_group(id, producer, epoch, group))

    async def transaction_offset_commit(self, request, out, version, connection):
        is_flexible = version >= 3
        string = Reader.compact_string if is_flexible else Reader.string
        array = Reader.compact_array if is_flexible else Reader.array
        id, name, producer, epoch = string(request), string(request), request.i64(), request.i16()
        generation, member, instance = -1, "", None
        if is_flexible:
            generation, member, instance = request.i32(), string(request), string(request)

        def part(r):
            number, offset = r.i32(), r.i64()
            if version >= 2:
                r.i32()
            entry = (number, offset, string(r))
            if is_flexible:
                r.tags()
            return entry

        def topic(r):
            entry = (string(r), array(r, part))
            if is_flexible:
                r.tags()
            return entry

        topics = array(request, topic)
        group = self.group(name)
        error = self.coordinator.may_commit_offsets(id, producer, epoch, name) or group.may_commit(
            member, instance, generation, transactional=True)
        if not error:
            pending = group.pending.setdefault(producer, {})
            for topic_name, parts in topics:
                for number, offset, metadata in parts:
                    pending[topic_name, number] = (offset, metadata)
        out.i32(0)
        write_string = out.compact_string if is_flexible else out.string
        write_array = out.compact_array if is_flexible else out.array

        def close(_=None):
            if is_flexible:
                out.tags()

        def write_part(entry):
            out.i32(entry[0]).i16(error)
            close()

        def write_topic(entry):
            write_string(entry[0])
            write_array(entry[1], write_part)
            close()

        write_array(topics, write_topic)
        close()

    async def end_transaction(self, request, out, version, connection):
        id, producer, epoch, committed = request.string(), request.i64(), request.i16(), request.bool()
        out.i32(0).i16(self.coordinator.end(id, producer, epoch, committed))


async def main(options):
    broker = Broker(options)
    context = None
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.key)
        if options.client_authority:
            context.load_verify_locations(options.client_authority)
            context.verify_mode = ssl.CERT_REQUIRED
    for topic in options.topic:
        name, partitions, policy = (topic.split(":") + ["", ""])[:3]
        broker.topics[name] = [Partition() for _ in range(int(partitions or 1))]
        if policy:
            broker.configurations[name] = {"cleanup.policy": policy}

    async def listen(port):
        return await asyncio.start_server(broker.serve, "127.0.0.1", port, ssl=context)

    server = await listen(options.port)
    port = server.sockets[0].getsockname()[1]
    broker.port = options.advertise or port
    ended = asyncio.Event()

    async def outage():
        nonlocal server
        server.close()
        broker.break_connections()
        await asyncio.sleep(2)
        server = await listen(port)

    outages = set()

    def begin_outage():
        if not outages:
            task = asyncio.ensure_future(outage())
            outages.add(task)
            task.add_done_callback(outages.discard)

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, broker.break_connections)
    loop.add_signal_handler(signal.SIGUSR2, begin_outage)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    print(f"bootstrap servers: 127.0.0.1:{broker.port}", flush=True)
    await ended.wait()
    broker.break_connections()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--port", type=int, default=0, help="0, the default, lets the system choose")
    parser.add_argument("--advertise", type=int, help="the port clients are told, where something stands in front")
    parser.add_argument("--topic", action="append", default=[], metavar="NAME:PARTITIONS:POLICY",
                        help="partitions (1) and cleanup.policy (delete, and without effect) may be left out")
    parser.add_argument("--user", action="append", default=[], metavar="NAME:PASSWORD", help="demands SASL")
    parser.add_argument("--token", action="append", default=[], help="an OAUTHBEARER token to accept")
    parser.add_argument("--certificate", help="PEM; makes it a TLS listener")
    parser.add_argument("--key", help="PEM, the certificate's key")
    parser.add_argument("--client-authority", help="PEM; demands client certificates it has signed")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(arguments()))
