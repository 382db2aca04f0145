public import Events

/// What a correlation holds for one key, in bytes that refer to its events by their place in a list.
public struct KeyState: Sendable {
    public var body: [UInt8]
    public var events: [RetainedEvent]
}

/// What became of one key since the last time.
public struct StateChange: Sendable {
    public enum Record: Sendable {
        case written(KeyState)
        /// There was a record of the key, and nothing is held for it any more.
        case removed
        /// Neither.
        case same
    }

    public var key: CorrelationKey
    /// The events that the key's record has referred to so far.
    public var before: Set<RecordOrigin>
    public var record: Record
}

/// What could be taken up of one key.
public struct RestoredKey: Sendable {
    /// Partial matches that were left out because an event of theirs is missing.
    public var missing: Int
    /// The events that the key holds now.
    public var origins: Set<RecordOrigin>
    /// A key can hold something without an event: that one was seen which must be missing.
    public var isEmpty: Bool
}

/// Numbers the events that a state refers to.
struct EventTable {
    private(set) var events: [RetainedEvent] = []
    private var numbers: [ObjectIdentifier: Int] = [:]

    mutating func number(of event: RetainedEvent) -> Int {
        if let number = numbers[ObjectIdentifier(event)] { return number }
        numbers[ObjectIdentifier(event)] = events.count
        events.append(event)
        return events.count - 1
    }
}

extension StateWriter {
    mutating func append(_ event: RetainedEvent, _ table: inout EventTable) {
        append(count: table.number(of: event))
    }
}

extension StateReader {
    /// An event by its number; nil when it is missing.
    mutating func event(_ events: [RetainedEvent?]) throws(StateCorruption) -> RetainedEvent? {
        let number = try unsigned()
        guard number < UInt64(events.count) else { throw StateCorruption("event \(number) of \(events.count)") }
        return events[Int(number)]
    }
}
