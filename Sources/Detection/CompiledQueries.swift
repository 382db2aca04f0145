import Correlation
public import EQL
public import EventSchema
public import Events
public import Matching

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

/// Queries compiled together into one program; immutable, shared by all lanes.
public struct CompiledQueries: Sendable {
    public let queries: [CheckedQuery]
    public let program: MatchProgram
    public let layout: FieldLayout
    public let fields: EventFields

    /// Per condition of the program, the query and stage it belongs to.
    let owners: [Owner]
    /// Per query, the id of its first condition.
    let firstCondition: [Int]
    /// Per query and stage, how to read its join key; empty for event queries.
    let keyReaders: [[KeyReader]]
    let timestampField: FieldID
    let tiebreakerField: FieldID?
    let hostKeyField: FieldID
    let hostKeyCandidates: [FieldID]

    struct Owner {
        var query: Int
        var stage: Int
    }

    /// - Throws: the first pattern that Vectorscan refuses.
    public init(_ queries: [CheckedQuery], fields: EventFields = EventFields()) throws(PatternProblem) {
        var layout = FieldLayout()
        timestampField = layout.insert(fields.timestamp)
        tiebreakerField = fields.tiebreaker.map { layout.insert($0) }
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
        program = try MatchProgram(conditions: conditions, layout: &layout)
        self.queries = queries
        self.layout = layout
        self.fields = fields
        self.owners = owners
        self.firstCondition = firstCondition
        self.keyReaders = keyReaders
    }

    /// The condition of one stage of one query.
    func condition(query: Int, stage: Int) -> Int { firstCondition[query] + stage }

    /// A decoder for the fields these queries read.
    public func makeDecoder(limits: DecodeLimits) -> EventDecoder {
        EventDecoder(
            layout: layout, timestampField: timestampField,
            hostKey: (target: hostKeyField, candidates: hostKeyCandidates), limits: limits)
    }
}

extension CheckedQuery {
    /// The stages of a correlation, `until` last; none for an event query.
    var stages: [Stage] {
        switch form {
        case .event: []
        case .sequence(let plan): plan.stages + (plan.until.map { [$0] } ?? [])
        case .sample(let plan): plan.stages
        }
    }
}
