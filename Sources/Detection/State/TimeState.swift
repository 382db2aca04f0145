public import EventSchema

/// How far a detector's time has come, and which events wait for it: everything that is not in the state records.
public struct TimeState: Hashable, Sendable {
    /// Time as one timestamp field tells it.
    public struct Clock: Hashable, Sendable {
        /// Dotted.
        public var field: String
        public var watermark: EventTime?

        public init(field: String, watermark: EventTime?) {
            self.field = field
            self.watermark = watermark
        }
    }

    /// One partition that feeds the detector.
    public struct Source: Hashable, Sendable {
        public var topic: String
        public var partition: Int32
        /// The newest event by each clock.
        public var newest: [EventTime?]
        public var isIdle: Bool
        /// Ascending by offset.
        public var held: [Held]

        public init(topic: String, partition: Int32, newest: [EventTime?], isIdle: Bool, held: [Held]) {
            self.topic = topic
            self.partition = partition
            self.newest = newest
            self.isIdle = isIdle
            self.held = held
        }
    }

    /// A record whose matches wait until the watermark of a clock passes its time.
    public struct Held: Hashable, Sendable {
        public var offset: Int64
        /// Index into ``TimeState/clocks``.
        public var clock: Int
        public var time: EventTime

        public init(offset: Int64, clock: Int, time: EventTime) {
            self.offset = offset
            self.clock = clock
            self.time = time
        }
    }

    /// How far what the lanes of an input partition have handed on was taken; of a detector for the correlate topic.
    public struct Taken: Hashable, Sendable {
        public var topic: String
        public var partition: Int32
        public var offset: Int64
        /// Of the record at `offset`, a digest of each rule and join key.
        public var hits: [UInt64]

        public init(topic: String, partition: Int32, offset: Int64, hits: [UInt64]) {
            self.topic = topic
            self.partition = partition
            self.offset = offset
            self.hits = hits
        }
    }

    public var clocks: [Clock]
    public var sources: [Source]
    public var taken: [Taken]
    /// Serves the next record without any timestamp.
    public var previous: EventTime

    public init(
        clocks: [Clock] = [], sources: [Source] = [], taken: [Taken] = [],
        previous: EventTime = EventTime(nanoseconds: 0)
    ) {
        self.clocks = clocks
        self.sources = sources
        self.taken = taken
        self.previous = previous
    }
}

/// The last record of a checkpoint: with it, everything before it counts.
public struct CheckpointMarker: Hashable, Sendable {
    /// How far one source has been read.
    public struct Position: Hashable, Sendable {
        public var topic: String
        public var partition: Int32
        /// The offset behind the last record that was processed.
        public var position: Int64
        /// The offset committed to the group with this checkpoint: `position`, or that of the oldest held record.
        public var resume: Int64
        /// For `at_least_once`, where the two are not written together: what a crash before `resume` is committed may
        /// leave to the group. The newest offset known to be committed (-1 for none), then those asked for since.
        public var former: [Int64]?

        public init(topic: String, partition: Int32, position: Int64, resume: Int64, former: [Int64]?) {
            self.topic = topic
            self.partition = partition
            self.position = position
            self.resume = resume
            self.former = former
        }
    }

    public var stamp: CheckpointStamp
    public var positions: [Position]
    public var time: TimeState

    public init(stamp: CheckpointStamp, positions: [Position], time: TimeState) {
        self.stamp = stamp
        self.positions = positions
        self.time = time
    }
}
