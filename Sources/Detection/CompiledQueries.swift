import Correlation
public import EQL
public import EventSchema
public import Events
public import Matching
public import Normalization

/// Which fields of a record say when it happened, in which order, and on which host.
public struct EventFields: Hashable, Sendable {
    public var timestamp: FieldPath
    /// An integer that orders events of one instant.
    public var tiebreaker: FieldPath?
    /// The first of these that has a value is the host's identity, readable as `apus.host_key`.
    public var hostKey: [FieldPath]

    public init(
        timestamp: FieldPath = .timestamp, tiebreaker: FieldPath? = nil,
        hostKey: [FieldPath] = EventFields.defaultHostKey
    ) {
        self.timestamp = timestamp
        self.tiebreaker = tiebreaker
        self.hostKey = hostKey
    }

    public static let defaultHostKey: [FieldPath] = ["host.id", "agent.id", "winlog.computer_name", "host.name"]
}

/// Where one query departs from the engine in matters of time.
public struct QueryTiming: Hashable, Sendable {
    /// In place of ``EventFields/timestamp``: orders and spans the query's events.
    public var timestamp: FieldPath?
    /// In place of ``EventFields/tiebreaker``.
    public var tiebreaker: FieldPath?
    /// How far apart the events of a correlation without `maxspan` may be, in nanoseconds, in place of
    /// ``CorrelationLimits/retention``.
    public var retention: Int64?

    public init(timestamp: FieldPath? = nil, tiebreaker: FieldPath? = nil, retention: Int64? = nil) {
        self.timestamp = timestamp
        self.tiebreaker = tiebreaker
        self.retention = retention
    }
}

/// Queries compiled together into one program; immutable, shared by all lanes.
public struct CompiledQueries: Sendable {
    public let queries: [CheckedQuery]
    public let program: MatchProgram
    public let layout: FieldLayout
    public let fields: EventFields
    /// How records that are not ECS get the fields of `layout`.
    public let normalizers: CompiledNormalizers

    /// Fields that no record carries.
    let derived: DerivedFields
    /// Per condition of the program, the query and stage it belongs to.
    let owners: [Owner]
    /// Per query, the id of its first condition.
    let firstCondition: [Int]
    public let exceptions: [CompiledException]
    /// Per query, the exceptions that are for it: indices into ``exceptions``.
    let exceptionsOfQuery: [[Int]]
    /// Per query and stage, how to read its join key; empty for event queries.
    let keyReaders: [[KeyReader]]
    /// The fields that say when events happened: the engine's, then those of queries that have their own.
    let timestampFields: [FieldID]
    /// Per query, its fields of time and how long it remembers.
    let timings: [Timing]
    let tiebreakerField: FieldID?
    let hostKeyField: FieldID
    let hostKeyCandidates: [FieldID]

    struct Owner {
        var query: Int
        var stage: Int
    }

    struct Timing {
        /// Index into ``timestampFields``.
        var clock = 0
        var tiebreakerField: FieldID?
        var retention: Int64?
    }

    /// - Parameters:
    ///   - timings: one for each query; or none, and all queries follow `fields`.
    ///   - exceptions: keep events from the stages of queries.
    ///   - further: fields to be read although no condition asks for them.
    ///   - normalizers: how records that are not ECS become it.
    /// - Throws: the first pattern that Vectorscan refuses.
    public init(
        _ queries: [CheckedQuery], fields: EventFields = EventFields(), timings: [QueryTiming] = [],
        exceptions: [QueryException] = [], further: [FieldPath] = [],
        normalizers: [NormalizerTable] = []
    ) throws(PatternProblem) {
        precondition(timings.isEmpty || timings.count == queries.count, "one timing for each query")
        var layout = FieldLayout()
        var timestampFields = [layout.insert(fields.timestamp)]
        let tiebreakerField = fields.tiebreaker.map { layout.insert($0) }
        var compiledTimings = queries.map { _ in Timing(tiebreakerField: tiebreakerField) }
        for (query, timing) in timings.enumerated() {
            if let path = timing.timestamp {
                let field = layout.insert(path)
                if !timestampFields.contains(field) { timestampFields.append(field) }
                compiledTimings[query].clock = timestampFields.firstIndex(of: field) ?? 0
            }
            if let path = timing.tiebreaker { compiledTimings[query].tiebreakerField = layout.insert(path) }
            compiledTimings[query].retention = timing.retention
        }
        self.timestampFields = timestampFields
        self.tiebreakerField = tiebreakerField
        self.timings = compiledTimings
        hostKeyField = layout.insert(.hostKey)
        hostKeyCandidates = fields.hostKey.map { layout.insert($0) }

        var owners: [Owner] = []
        var conditions: [Condition] = []
        var firstCondition: [Int] = []
        var keyReaders: [[KeyReader]] = []
        for (index, query) in queries.enumerated() {
            firstCondition.append(conditions.count)
            for (stage, condition) in query.conditions.enumerated() {
                owners.append(Owner(query: index, stage: stage))
                conditions.append(condition)
            }
            keyReaders.append(query.stages.map { KeyReader($0.keys, layout: &layout) })
        }
        for path in further { _ = layout.insert(path) }
        program = try MatchProgram(
            conditions: conditions, asked: exceptions.map(\.condition), layout: &layout)
        self.exceptions = exceptions.enumerated().map { index, exception in
            CompiledException(
                id: exception.id, condition: conditions.count + index, stage: exception.stage, expiry: exception.expiry)
        }
        exceptionsOfQuery = queries.indices.map { query in
            exceptions.indices.filter { exceptions[$0].queries.contains(query) }
        }
        derived = DerivedFields(&layout)
        self.normalizers = CompiledNormalizers(normalizers, layout: &layout)
        self.queries = queries
        self.layout = layout
        self.fields = fields
        self.owners = owners
        self.firstCondition = firstCondition
        self.keyReaders = keyReaders
    }

    /// The condition of one stage of one query.
    func condition(query: Int, stage: Int) -> Int { firstCondition[query] + stage }

    /// A reader of the fields these queries ask for.
    public func makeDecoder(limits: DecodeLimits) -> EventReader {
        EventReader(self, limits: limits)
    }
}
