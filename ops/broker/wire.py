"""Kafka's wire format: the primitive types of requests and responses, and the header of a record batch."""

import struct


class Reader:
    """Takes primitive types off the front of a request."""

    def __init__(self, data, position=0):
        self.data = data
        self.position = position

    def _unpack(self, code, size):
        (value,) = struct.unpack_from(code, self.data, self.position)
        self.position += size
        return value

    def i8(self):
        return self._unpack(">b", 1)

    def i16(self):
        return self._unpack(">h", 2)

    def i32(self):
        return self._unpack(">i", 4)

    def i64(self):
        return self._unpack(">q", 8)

    def bool(self):
        return self.i8() != 0

    def uvarint(self):
        value = shift = 0
        while True:
            byte = self.data[self.position]
            self.position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def varint(self):
        value = self.uvarint()
        return (value >> 1) ^ -(value & 1)

    def _take(self, size):
        value = bytes(self.data[self.position : self.position + size])
        self.position += size
        return value

    def string(self):
        size = self.i16()
        return None if size < 0 else self._take(size).decode()

    def bytes(self):
        size = self.i32()
        return None if size < 0 else self._take(size)

    def array(self, element):
        count = self.i32()
        return None if count < 0 else [element(self) for _ in range(count)]

    def compact_string(self):
        size = self.uvarint() - 1
        return None if size < 0 else self._take(size).decode()

    def compact_array(self, element):
        count = self.uvarint() - 1
        return None if count < 0 else [element(self) for _ in range(count)]

    def tags(self):
        for _ in range(self.uvarint()):
            self.uvarint()
            self._take(self.uvarint())


class Writer:
    """Puts primitive types together to a response. Every method returns the writer."""

    def __init__(self):
        self.parts = []

    def _pack(self, code, value):
        self.parts.append(struct.pack(code, value))
        return self

    def i8(self, value):
        return self._pack(">b", value)

    def i16(self, value):
        return self._pack(">h", value)

    def i32(self, value):
        return self._pack(">i", value)

    def i64(self, value):
        return self._pack(">q", value)

    def uvarint(self, value):
        out = bytearray()
        while value >= 0x80:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        out.append(value)
        return self.raw(bytes(out))

    def varint(self, value):
        return self.uvarint((value << 1) ^ (value >> 63))

    def raw(self, value):
        self.parts.append(value)
        return self

    def string(self, value):
        if value is None:
            return self.i16(-1)
        data = value.encode()
        return self.i16(len(data)).raw(data)

    def bytes(self, value):
        return self.i32(-1) if value is None else self.i32(len(value)).raw(value)

    def array(self, values, write):
        self.i32(len(values))
        for value in values:
            write(value)
        return self

    def compact_string(self, value):
        if value is None:
            return self.uvarint(0)
        data = value.encode()
        return self.uvarint(len(data) + 1).raw(data)

    def compact_array(self, values, write):
        self.uvarint(len(values) + 1)
        for value in values:
            write(value)
        return self

    def tags(self):
        return self.uvarint(0)

    def done(self):
        return b"".join(self.parts)


def _crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ 0x82F63B78 if byte & 1 else byte >> 1
        table.append(byte)
    return table


_TABLE = _crc32c_table()


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value = _TABLE[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF


TRANSACTIONAL = 0x10
CONTROL = 0x20
COMPRESSION = 0x07

# Base offset, length, leader epoch, magic, checksum, attributes, last offset delta, base timestamp, newest timestamp,
# producer id, producer epoch, base sequence, number of records.
_HEADER = struct.Struct(">qiibIhiqqqhii")


class Batch:
    """One record batch (version 2) as the producer sent it; only its offset is ours."""

    __slots__ = (
        "attributes", "base", "base_timestamp", "count", "data", "delta", "epoch", "newest", "producer", "sequence",
    )

    def __init__(self, data):
        self.data = bytearray(data)
        (
            self.base, _, _, magic, _, self.attributes, self.delta, self.base_timestamp, self.newest, self.producer,
            self.epoch, self.sequence, self.count,
        ) = _HEADER.unpack_from(data)
        if magic != 2:
            raise ValueError(f"record batch of version {magic}; this broker takes version 2 only")

    @classmethod
    def split(cls, data):
        """The batches of a produce request."""
        batches, position = [], 0
        while position < len(data):
            (length,) = struct.unpack_from(">i", data, position + 8)
            batches.append(cls(data[position : position + 12 + length]))
            position += 12 + length
        return batches

    @classmethod
    def marker(cls, producer, epoch, committed, now):
        """The control batch that ends a producer's transaction in one partition."""
        key = struct.pack(">hh", 0, 1 if committed else 0)
        value = struct.pack(">hi", 0, 0)
        body = Writer().i8(0).varint(0).varint(0).varint(len(key)).raw(key).varint(len(value)).raw(value).varint(0)
        record = body.done()
        records = Writer().varint(len(record)).raw(record).done()
        tail = (
            struct.pack(">hiqqqhii", TRANSACTIONAL | CONTROL, 0, now, now, producer, epoch, -1, 1) + records
        )
        return cls(struct.pack(">qiibI", 0, 9 + len(tail), 0, 2, crc32c(tail)) + tail)

    def place(self, offset):
        """Gives the batch its place in the log; the checksum does not cover it."""
        self.base = offset
        struct.pack_into(">q", self.data, 0, offset)

    @property
    def last(self):
        return self.base + self.delta

    @property
    def is_transactional(self):
        return self.attributes & TRANSACTIONAL != 0

    @property
    def last_sequence(self):
        return (self.sequence + self.count - 1) & 0x7FFFFFFF

    def first_at(self, timestamp):
        """Offset and time of the first record that is not older; the batch's own where records are compressed."""
        if self.attributes & COMPRESSION:
            return self.base, self.base_timestamp
        reader = Reader(self.data, _HEADER.size)
        for _ in range(self.count):
            size = reader.varint()
            end = reader.position + size
            reader.i8()
            time = self.base_timestamp + reader.varint()
            if time >= timestamp:
                return self.base + reader.varint(), time
            reader.position = end
        return self.base, self.base_timestamp
