import Correlation
import EventSchema

extension CheckpointStamp {
    /// The header's value.
    public var bytes: [UInt8] {
        var writer = StateWriter()
        writer.append(StateKey.version)
        writer.append(fixed: UInt64(bitPattern: epoch))
        writer.append(fixed: number)
        return writer.bytes
    }

    /// Nil for what is no stamp of this version, or one that leaves none above it.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        do throws(StateCorruption) {
            var reader = StateReader(Array(bytes))
            guard try reader.byte() == StateKey.version else { return nil }
            epoch = Int64(bitPattern: try reader.fixed())
            number = try reader.fixed()
            try reader.finish()
            guard epoch >= 0, epoch < .max / 2, number < .max / 2 else { return nil }
        } catch {
            return nil
        }
    }
}

extension CheckpointMarker {
    /// The marker as records, to be written last in a checkpoint: one key for each owner. While very many events are
    /// held it is too long for one record; the last one then says how many stand before it.
    public func records(of owner: StateOwner, longestValue: Int = 512 << 10) -> [StateRecord] {
        let bytes = bytes
        let count = max(1, (bytes.count + longestValue - 1) / longestValue)
        return (0..<count).map { part in
            let chunk = bytes[part * longestValue..<min(bytes.count, (part + 1) * longestValue)]
            guard part == count - 1 else {
                return StateRecord(key: StateKey.marker(owner, part: part), value: Array(chunk))
            }
            var writer = StateWriter()
            writer.append(count: part)
            writer.append(raw: Array(chunk))
            return StateRecord(key: StateKey.marker(owner), value: writer.bytes)
        }
    }

    private var bytes: [UInt8] {
        var writer = StateWriter()
        writer.append(fixed: UInt64(bitPattern: stamp.epoch))
        writer.append(fixed: stamp.number)
        writer.append(count: positions.count)
        for position in positions {
            writer.append(position.topic)
            writer.append(signed: Int64(position.partition))
            writer.append(signed: position.position)
            writer.append(signed: position.resume)
            writer.append(position.former != nil)
            guard let former = position.former else { continue }
            writer.append(count: former.count)
            for offset in former { writer.append(signed: offset) }
        }
        time.write(to: &writer)
        return writer.bytes
    }

    /// - Parameters:
    ///   - value: of the last record.
    ///   - part: the value of one that stands before it.
    init(_ value: [UInt8], part: (Int) -> [UInt8]?) throws(StateCorruption) {
        var last = StateReader(value)
        var bytes: [UInt8] = []
        for number in 0..<(try last.count()) {
            guard let part = part(number) else { throw StateCorruption("part \(number) is missing") }
            bytes += part
        }
        var reader = StateReader(bytes + last.remaining)
        stamp = CheckpointStamp(epoch: Int64(bitPattern: try reader.fixed()), number: try reader.fixed())
        positions = []
        for _ in 0..<(try reader.count()) {
            var position = Position(
                topic: try reader.text(), partition: try reader.integer(Int32.self),
                position: try reader.signed(), resume: try reader.signed(), former: nil)
            if try reader.flag() {
                var former: [Int64] = []
                for _ in 0..<(try reader.count()) { former.append(try reader.signed()) }
                position.former = former
            }
            positions.append(position)
        }
        time = try TimeState(&reader)
        try reader.finish()
    }
}

extension TimeState {
    fileprivate func write(to writer: inout StateWriter) {
        writer.append(previous)
        writer.append(count: clocks.count)
        for clock in clocks {
            writer.append(clock.field)
            writer.append(clock.watermark)
        }
        writer.append(count: sources.count)
        for source in sources {
            writer.append(source.topic)
            writer.append(signed: Int64(source.partition))
            writer.append(source.isIdle)
            for clock in clocks.indices { writer.append(source.newest[clock]) }
            writer.append(count: source.held.count)
            // Differences are small, and a marker must fit into one record.
            var offset: Int64 = 0
            var time: Int64 = 0
            for held in source.held {
                writer.append(signed: held.offset &- offset)
                writer.append(count: held.clock)
                writer.append(signed: held.time.nanoseconds &- time)
                offset = held.offset
                time = held.time.nanoseconds
            }
        }
        writer.append(count: taken.count)
        for taken in taken {
            writer.append(taken.topic)
            writer.append(signed: Int64(taken.partition))
            writer.append(signed: taken.offset)
            writer.append(count: taken.hits.count)
            for hit in taken.hits { writer.append(fixed: hit) }
        }
    }

    fileprivate init(_ reader: inout StateReader) throws(StateCorruption) {
        self.init(previous: try reader.time())
        for _ in 0..<(try reader.count()) {
            clocks.append(Clock(field: try reader.text(), watermark: try reader.optionalTime()))
        }
        for _ in 0..<(try reader.count()) {
            var source = Source(
                topic: try reader.text(), partition: try reader.integer(Int32.self), newest: [],
                isIdle: try reader.flag(), held: [])
            for _ in clocks { source.newest.append(try reader.optionalTime()) }
            var offset: Int64 = 0
            var time: Int64 = 0
            for _ in 0..<(try reader.count()) {
                offset &+= try reader.signed()
                let clock = try reader.unsigned()
                time &+= try reader.signed()
                guard clock < UInt64(clocks.count) else { throw StateCorruption("clock \(clock) does not exist") }
                source.held.append(Held(offset: offset, clock: Int(clock), time: EventTime(nanoseconds: time)))
            }
            sources.append(source)
        }
        for _ in 0..<(try reader.count()) {
            var taken = Taken(
                topic: try reader.text(), partition: try reader.integer(Int32.self), offset: try reader.signed(),
                hits: [])
            for _ in 0..<(try reader.count()) { taken.hits.append(try reader.fixed()) }
            self.taken.append(taken)
        }
    }
}
