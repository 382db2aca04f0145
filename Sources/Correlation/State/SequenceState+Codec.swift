import EventSchema
import Events

extension SequenceState {
    /// What a stored state must agree with.
    struct Shape {
        var stages: Int
        var gaps: Int
    }

    func write(to writer: inout StateWriter, _ events: inout EventTable) {
        writer.append(count: slots.count)
        for slot in slots {
            writer.append(slot != nil)
            slot?.write(to: &writer, &events)
        }
        leading.write(to: &writer)
        writer.append(count: candidates.count)
        for candidate in candidates {
            writer.append(unsigned: candidate.number)
            writer.append(candidate.deadline)
            candidate.sequence.write(to: &writer, &events)
        }
    }

    init(
        _ reader: inout StateReader, events: [RetainedEvent?], shape: Shape, dropped: inout Int
    ) throws(StateCorruption) {
        self.init(stageCount: shape.stages)
        guard try reader.count() == slots.count else {
            throw StateCorruption("the query has \(shape.stages) stages")
        }
        for index in slots.indices where try reader.flag() {
            put(try PartialSequence(&reader, events: events, stages: index + 1, gaps: shape.gaps), in: index)
            if slots[index] == nil { dropped += 1 }
        }
        leading = try Leading(&reader, gaps: shape.gaps)
        for _ in 0..<(try reader.count()) {
            let number = try reader.unsigned()
            guard number < UInt64.max >> 1 else { throw StateCorruption("candidate \(number)") }
            let deadline = try reader.time()
            guard
                let sequence = try PartialSequence(&reader, events: events, stages: shape.stages, gaps: shape.gaps)
            else {
                dropped += 1
                continue
            }
            append(SequenceCandidate(number: number, sequence: sequence, deadline: deadline))
        }
    }
}

extension StateWriter {
    fileprivate mutating func append(_ sighting: Sighting?) {
        append(sighting != nil)
        guard let sighting else { return }
        append(count: sighting.gap)
        append(sighting.time)
    }
}

extension StateReader {
    fileprivate mutating func sighting(gaps: Int) throws(StateCorruption) -> Sighting? {
        guard try flag() else { return nil }
        let gap = try unsigned()
        guard gap < UInt64(gaps) else { throw StateCorruption("the query has \(gaps) missing events") }
        return Sighting(gap: Int(gap), time: try time())
    }
}

extension SequenceState.Leading {
    fileprivate func write(to writer: inout StateWriter) {
        writer.append(newest)
        writer.append(previous)
    }

    fileprivate init(_ reader: inout StateReader, gaps: Int) throws(StateCorruption) {
        self.init(newest: try reader.sighting(gaps: gaps), previous: try reader.sighting(gaps: gaps))
    }
}

extension PartialSequence {
    fileprivate func write(to writer: inout StateWriter, _ table: inout EventTable) {
        for event in events { writer.append(event, &table) }
        writer.append(before)
        writer.append(after)
        writer.append(rejection)
    }

    /// Nil when one of its events is missing.
    fileprivate init?(
        _ reader: inout StateReader, events: [RetainedEvent?], stages: Int, gaps: Int
    ) throws(StateCorruption) {
        var own: [RetainedEvent?] = []
        for _ in 0..<stages { own.append(try reader.event(events)) }
        let before = try reader.sighting(gaps: gaps)
        let after = try reader.sighting(gaps: gaps)
        let rejection = try reader.sighting(gaps: gaps)
        let present = own.compactMap(\.self)
        guard present.count == stages else { return nil }
        self.init(events: present, before: before, after: after, rejection: rejection)
    }
}
