public import EQL
public import EventSchema
public import Matching
public import Normalization
public import Rules

/// The name and version of this engine, as alerts and dead letters carry them.
public enum Engine {
    public static let version = "0.1.0"
}

/// A rule set compiled for evaluation; immutable, shared by all lanes.
public struct CompiledRules: Sendable {
    public let rules: [Rule]
    /// What is left out, in the order of ``DetectionCounters/exceptions``.
    public let exceptions: [RuleException]
    /// Identifies the set: two processes with equal hashes raise the same alerts.
    public let hash: String
    public let queries: CompiledQueries
    /// Rules whose events do not come together in the lanes that read them; none before ``spread(over:)``.
    public private(set) var forwarded: Set<Int> = []
    /// The same by id, for the hits that come back.
    private(set) var forwardedByID: [String: Int] = [:]
    /// Per rule, the beginning of its content hash: the version of it that a hit is of.
    let versions: [String]
    /// The field that has to bring all events of a host to partitions of one number, since some rule correlates them
    /// there; nil when none relies on it, and before ``spread(over:)``.
    public internal(set) var partitionKey: FieldID?
    /// Tells records that no rule can match by their bytes; nil before ``prefiltered(recordsHaveTimes:)``.
    public internal(set) var prefilter: Prefilter?

    /// Whether any rule is in the shadow stage.
    public var hasShadowRules: Bool { rules.contains { $0.stage == .shadow } }

    /// - Throws: the first pattern that Vectorscan refuses; ``problems(in:)`` finds them all beforehand.
    public init(
        _ set: RuleSet, exceptions: ExceptionSet = .none, fields: EventFields = EventFields(),
        normalizers: [NormalizerTable] = []
    ) throws(PatternProblem) {
        rules = set.rules
        versions = set.rules.map { StateKey.prefix(ofHash: $0.contentHash) }
        self.exceptions = exceptions.exceptions
        hash = set.hash(with: exceptions)
        queries = try CompiledQueries(
            set.rules.map(\.checked), fields: fields,
            timings: set.rules.map { rule in
                QueryTiming(
                    timestamp: rule.options.timestampField, tiebreaker: rule.options.tiebreakerField,
                    retention: rule.lookback)
            },
            exceptions: exceptions.exceptions.map { exception in
                QueryException(
                    id: exception.id, condition: exception.condition,
                    queries: Set(set.rules.indices.filter { exception.scope.contains(set.rules[$0]) }),
                    stage: exception.stage.map { $0 - 1 }, expiry: exception.expiry)
            },
            further: set.rules.flatMap { $0.suppression?.fields ?? [] }, normalizers: normalizers)
    }

    /// Leaves the correlation of these rules to other lanes than those that read their events.
    mutating func forward(_ rules: Set<Int>) {
        forwarded = rules
        forwardedByID = Dictionary(uniqueKeysWithValues: rules.map { (self.rules[$0].id, $0) })
    }

    /// For each rule, the index of the rule of the same id in `former`, changed or not.
    public func predecessors(in former: CompiledRules) -> [Int?] {
        Self.places(of: rules.map(\.id), in: former.rules.map(\.id))
    }

    /// For each exception, the index of the one of the same id in `former`, changed or not.
    public func formerExceptions(in former: CompiledRules) -> [Int?] {
        Self.places(of: exceptions.map(\.id), in: former.exceptions.map(\.id))
    }

    private static func places(of ids: [String], in former: [String]) -> [Int?] {
        let places = Dictionary(former.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        return ids.map { places[$0] }
    }

    /// Whether some rule remembers anything between events, in lanes of this role: a correlation, or what it has told
    /// already.
    public func keepsState(in role: DetectorRole) -> Bool {
        if role != .inputs { return !forwarded.isEmpty }
        return queries.queries.indices.contains { index in
            if case .event = queries.queries[index].form { return rules[index].suppression != nil }
            return !forwarded.contains(index)
        }
    }

    /// Every pattern of a query that Vectorscan refuses by itself, as diagnostics at the pattern's place.
    public static func problems(in query: CheckedQuery) -> [Diagnostic] {
        query.conditions.flatMap(\.patterns).compactMap { pattern in
            PatternProblem.check(pattern).map { problem in
                Diagnostic.error(
                    "the pattern cannot be matched: \(problem.reason)", at: pattern.span,
                    hint: "patterns are matched in linear time, without look-around and back-references",
                    refused: "regex: a pattern the matcher refuses")
            }
        }
    }

    /// What a rule cannot ask for, although a query can: it has alerts, not a first or last result.
    static func ruleProblems(in query: CheckedQuery) -> [Diagnostic] {
        query.pipes.map {
            Diagnostic.error(
                "a stream has no first or last result: '| \($0.name.rawValue)' cannot be honoured", at: $0.span,
                hint: "remove the pipe; apus query accepts it")
        }
    }

    /// What input without an end cannot give, although a file can.
    static func streamProblems(in query: CheckedQuery, at span: Span) -> [Diagnostic] {
        guard case .sample(let plan) = query.form, plan.maxspan == nil else { return [] }
        return [
            .error(
                "a sample on a stream needs a window", at: span,
                hint: "write sample by … with maxspan=60s; apus eval and apus query accept it without")
        ]
    }
}

extension Condition {
    /// Every pattern below this condition.
    fileprivate var patterns: [StringPattern] {
        switch self {
        case .constant: []
        case .test(let test): if case .matches(let patterns) = test.test { patterns } else { [] }
        case .expression(let test): test.root.patterns
        case .not(let inner): inner.patterns
        case .all(let parts), .any(let parts): parts.flatMap(\.patterns)
        }
    }
}
