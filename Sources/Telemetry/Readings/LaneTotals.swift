/// What one lane has counted since it began. Every member only grows, so that lanes can be added up.
public struct LaneTotals: Sendable, Hashable {
    /// Taken from the inputs.
    public var records: UInt64 = 0
    /// Of these, what could be decoded.
    public var decoded: UInt64 = 0
    /// Of the records, what was passed over without decoding it, since no rule can match.
    public var passedOver: UInt64 = 0
    public var bytes: UInt64 = 0
    public var matched: UInt64 = 0
    public var late: UInt64 = 0
    public var ahead: UInt64 = 0
    public var withoutTimestamp: UInt64 = 0
    public var coercionFailures: UInt64 = 0
    public var truncatedKeys: UInt64 = 0
    /// Parts of script blocks that were taken in, and those that were matched by themselves.
    public var scriptBlockParts: UInt64 = 0
    public var scriptBlockPartsAlone: UInt64 = 0
    /// By what became of them.
    public var scriptBlocks: [String: UInt64] = [:]
    public var scriptBlocksCut: UInt64 = 0
    /// By reason.
    public var deadLetters: [String: UInt64] = [:]
    /// Taken from the correlate topic.
    public var hits: UInt64 = 0
    /// Left there, for they are of rules or topics that are not known here.
    public var unknownHits: UInt64 = 0

    /// In the order of ``EngineDescription/rules``, like the next ones.
    public var findings: [UInt64] = []
    public var suppressed: [UInt64] = []
    public var costs: [RuleCost] = []
    /// In the order of ``EngineDescription/exceptions``.
    public var exceptions: [UInt64] = []
    public var expiredExceptions: [UInt64] = []

    public var completed: UInt64 = 0
    public var expired: UInt64 = 0
    public var evicted: UInt64 = 0
    public var suppressionEvicted: UInt64 = 0
    /// Join keys taken up from the state topic.
    public var restoredKeys: UInt64 = 0
    public var stateWritten: UInt64 = 0
    public var stateDiscarded: UInt64 = 0
    /// By reason.
    public var stateSkipped: [String: UInt64] = [:]
    /// From an alert's newest event to the moment it was raised.
    public var eventToAlert = Histogram()

    public init() {}

    public static func += (left: inout LaneTotals, right: LaneTotals) {
        left.records += right.records
        left.decoded += right.decoded
        left.passedOver += right.passedOver
        left.bytes += right.bytes
        left.matched += right.matched
        left.late += right.late
        left.ahead += right.ahead
        left.withoutTimestamp += right.withoutTimestamp
        left.coercionFailures += right.coercionFailures
        left.truncatedKeys += right.truncatedKeys
        left.scriptBlockParts += right.scriptBlockParts
        left.scriptBlockPartsAlone += right.scriptBlockPartsAlone
        left.scriptBlocks.merge(right.scriptBlocks, uniquingKeysWith: +)
        left.scriptBlocksCut += right.scriptBlocksCut
        left.deadLetters.merge(right.deadLetters, uniquingKeysWith: +)
        left.hits += right.hits
        left.unknownHits += right.unknownHits
        add(right.findings, to: &left.findings)
        add(right.suppressed, to: &left.suppressed)
        add(right.exceptions, to: &left.exceptions)
        add(right.expiredExceptions, to: &left.expiredExceptions)
        for (index, cost) in right.costs.enumerated() {
            if index < left.costs.count { left.costs[index] += cost } else { left.costs.append(cost) }
        }
        left.completed += right.completed
        left.expired += right.expired
        left.evicted += right.evicted
        left.suppressionEvicted += right.suppressionEvicted
        left.restoredKeys += right.restoredKeys
        left.stateWritten += right.stateWritten
        left.stateDiscarded += right.stateDiscarded
        left.stateSkipped.merge(right.stateSkipped, uniquingKeysWith: +)
        left.eventToAlert += right.eventToAlert
    }

    /// Puts what is counted by rule and by exception into the order of another set. What the set lacks is forgotten.
    ///
    /// - Parameters: for each rule and exception of the set, its index so far; nil for a new one.
    public mutating func arrange(rules: [Int?], exceptions: [Int?]) {
        findings = Self.arranged(findings, rules, 0)
        suppressed = Self.arranged(suppressed, rules, 0)
        costs = Self.arranged(costs, rules, RuleCost())
        self.exceptions = Self.arranged(self.exceptions, exceptions, 0)
        expiredExceptions = Self.arranged(expiredExceptions, exceptions, 0)
    }

    private static func arranged<Value>(_ values: [Value], _ origins: [Int?], _ none: Value) -> [Value] {
        origins.map { origin in
            guard let origin, values.indices.contains(origin) else { return none }
            return values[origin]
        }
    }

    private static func add(_ values: [UInt64], to sums: inout [UInt64]) {
        for (index, value) in values.enumerated() {
            if index < sums.count { sums[index] += value } else { sums.append(value) }
        }
    }
}

/// What evaluating one rule alone took, on the records where that was measured.
public struct RuleCost: Sendable, Hashable {
    public var samples: UInt64 = 0
    public var nanoseconds: UInt64 = 0

    public init(samples: UInt64 = 0, nanoseconds: UInt64 = 0) {
        self.samples = samples
        self.nanoseconds = nanoseconds
    }

    public static func += (left: inout RuleCost, right: RuleCost) {
        left.samples += right.samples
        left.nanoseconds += right.nanoseconds
    }
}
