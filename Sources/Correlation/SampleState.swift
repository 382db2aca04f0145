import EventSchema
import Events

/// What a sample remembers for one key: the events that wait, by stage, in order of time.
struct SampleState: WindowState {
    private(set) var stages: [[RetainedEvent]]
    private(set) var eventCount = 0
    private(set) var eventBytes = 0

    init(stageCount: Int) {
        stages = Array(repeating: [], count: stageCount)
    }

    var isEmpty: Bool { eventCount == 0 }

    func forEachEvent(_ body: (RetainedEvent) -> Void) {
        for events in stages { events.forEach(body) }
    }

    /// Keeps the newest by event time last, whatever came first.
    mutating func insert(_ event: RetainedEvent, in stage: Int) {
        let place = stages[stage].lastIndex { $0.timestamp <= event.timestamp }.map { $0 + 1 } ?? 0
        stages[stage].insert(event, at: place)
        eventCount += 1
        eventBytes += event.bytes.count
    }

    /// Takes the oldest event out of a stage that has more than `limit`.
    mutating func takeOldest(of stage: Int, beyond limit: Int) -> RetainedEvent? {
        guard stages[stage].count > limit else { return nil }
        let event = stages[stage].removeFirst()
        eventCount -= 1
        eventBytes -= event.bytes.count
        return event
    }

    /// Removes the events of a sample from every stage that has them.
    mutating func remove(_ sample: [RetainedEvent]) {
        remove { event in sample.contains { $0 === event } }
    }

    mutating func expire(before horizon: EventTime, dropped: (RetainedEvent) -> Void) -> EventTime? {
        remove { event in
            let isDropped = event.timestamp < horizon
            if isDropped { dropped(event) }
            return isDropped
        }
        return stages.compactMap(\.first?.timestamp).min()
    }

    private mutating func remove(where isRemoved: (RetainedEvent) -> Bool) {
        var count = 0
        var bytes = 0
        for stage in stages.indices {
            stages[stage].removeAll { event in
                guard isRemoved(event) else { return false }
                count += 1
                bytes += event.bytes.count
                return true
            }
        }
        eventCount -= count
        eventBytes -= bytes
    }
}

extension SampleState {
    func write(to writer: inout StateWriter, _ events: inout EventTable) {
        writer.append(count: stages.count)
        for stage in stages {
            writer.append(count: stage.count)
            for event in stage { writer.append(event, &events) }
        }
    }

    init(
        _ reader: inout StateReader, events: [RetainedEvent?], shape stageCount: Int, dropped: inout Int
    ) throws(StateCorruption) {
        self.init(stageCount: stageCount)
        guard try reader.count() == stageCount else { throw StateCorruption("the query has \(stageCount) stages") }
        for stage in 0..<stageCount {
            for _ in 0..<(try reader.count()) {
                if let event = try reader.event(events) { insert(event, in: stage) } else { dropped += 1 }
            }
        }
    }
}
