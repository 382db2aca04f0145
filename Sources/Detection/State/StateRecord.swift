/// One record for the state topic: the newest of its key wins.
public struct StateRecord: Hashable, Sendable {
    public var key: [UInt8]
    /// Nil is a tombstone: the key is gone.
    public var value: [UInt8]?

    public init(key: [UInt8], value: [UInt8]?) {
        self.key = key
        self.value = value
    }
}

/// Which of the lanes that share a partition of the state topic a record belongs to.
public enum StateOwner: UInt8, Hashable, Sendable, CaseIterable {
    /// The lane that reads the partitions of that number of the input topics.
    case input = 0x69  // i
    /// The lane that reads the partition of that number of the correlate topic.
    case correlate = 0x63  // c
}

/// What a detector needs to know to keep its state in a topic.
public struct StateTracking: Hashable, Sendable {
    public var owner: StateOwner
    /// The names of topics, by ``TopicID``: numbers change with the settings, names do not.
    public var topics: [String]
    /// Longer values are split, so that every record fits into the topic whatever an event's size.
    public var longestValue: Int

    public init(owner: StateOwner = .input, topics: [String], longestValue: Int = 512 << 10) {
        self.owner = owner
        self.topics = topics
        self.longestValue = longestValue
    }
}

/// When a state record was written and by whom; it travels in a header, since tombstones need it as well.
public struct CheckpointStamp: Hashable, Comparable, Sendable {
    /// The header's name.
    public static let header = "apus-checkpoint"

    /// Rises with every change of the owner; see ``StateSnapshot/nextEpoch(generation:)``.
    public var epoch: Int64
    /// Rises with every checkpoint of one partition of the state topic.
    public var number: UInt64

    public init(epoch: Int64, number: UInt64) {
        self.epoch = epoch
        self.number = number
    }

    public static func < (left: CheckpointStamp, right: CheckpointStamp) -> Bool {
        (left.epoch, left.number) < (right.epoch, right.number)
    }
}

/// Why something in the state topic could not be used. Nothing that is skipped stops a lane.
public enum StateProblem: String, Hashable, Sendable, CaseIterable {
    /// The record's bytes make no sense.
    case corrupt
    /// Written by a version of Apus with another format; it stays in the topic.
    case unknownVersion = "unknown_version"
    /// The rule it belongs to is gone or has changed; its state is removed.
    case unknownRule = "unknown_rule"
    /// An event it refers to is missing; what depended on the event is dropped.
    case missingEvent = "missing_event"
    /// It belongs to a checkpoint that was never finished.
    case torn
    /// Written by an instance that had lost the partition before.
    case zombie
    /// It was held for the watermark, and its record is no longer in the input topic.
    case missingHeldRecord = "missing_held_record"
}
