public import EQL
public import EventSchema

/// Keeps events that satisfy a condition from the stages of queries; see `RuleException` for what it means and why.
public struct QueryException: Sendable {
    public var id: String
    public var condition: Condition
    /// Indices of the queries it is for.
    public var queries: Set<Int>
    /// The only stage it is for, counted from 0; nil is every stage that must happen.
    public var stage: Int?
    /// It holds for events before this instant.
    public var expiry: EventTime?

    public init(id: String, condition: Condition, queries: Set<Int>, stage: Int? = nil, expiry: EventTime? = nil) {
        self.id = id
        self.condition = condition
        self.queries = queries
        self.stage = stage
        self.expiry = expiry
    }
}

/// An exception as evaluators use it.
public struct CompiledException: Sendable {
    public let id: String
    /// The id of its condition in the program.
    let condition: Int
    let stage: Int?
    public let expiry: EventTime?

    /// Whether it is for stage `stage` of a query, of which `stages` must happen.
    func covers(stage: Int, of stages: Int) -> Bool {
        stage < stages && (self.stage ?? stage) == stage
    }
}

/// What became of one exception; running totals.
public struct ExceptionCounters: Hashable, Sendable {
    /// How often it kept an event from a stage of a rule.
    public var hits: UInt64 = 0
    /// How often it would have, had it not expired.
    public var hitsAfterExpiry: UInt64 = 0

    public init() {}

    public static func += (left: inout ExceptionCounters, right: ExceptionCounters) {
        left.hits += right.hits
        left.hitsAfterExpiry += right.hitsAfterExpiry
    }
}
