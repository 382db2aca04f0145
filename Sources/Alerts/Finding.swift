public import EventSchema
public import Events
public import Rules

/// That a rule matched, with all that is needed to prove it. Becomes one alert.
public struct Finding: Sendable {
    public var rule: Rule
    /// The contributing records: one of an event query; of a correlation one per stage, in stage order.
    /// A step that asks for a missing event has none.
    public var evidence: [Evidence]
    /// The step an analyst looks at first; its `host`, `user` and `process` stand for the finding.
    public var keyStep: Int
    /// The values of the join keys, in the order of the rule; nil where an optional key was missing.
    public var joinKeys: [String?]
    /// An event of it came after its lane's watermark, so that order is as it came and not as it happened.
    public var isLate: Bool
    /// Of a rule with suppression: the group the finding is one of, and what was held back of it before.
    public var suppression: SuppressedFindings?

    public init(
        rule: Rule, evidence: [Evidence], keyStep: Int = 0, joinKeys: [String?] = [], isLate: Bool = false,
        suppression: SuppressedFindings? = nil
    ) {
        self.rule = rule
        self.evidence = evidence
        self.keyStep = keyStep
        self.joinKeys = joinKeys
        self.isLate = isLate
        self.suppression = suppression
    }

    /// Whether it is only looked at: its rule is in the shadow stage, and nobody is to be alarmed.
    public var isShadow: Bool { rule.stage == .shadow }

    /// The evidence of the key step, if the step exists.
    public var keyEvidence: Evidence? {
        evidence.indices.contains(keyStep) ? evidence[keyStep] : evidence.first
    }

    /// The host the finding is about: that of the key step, else of the first step that has one.
    public var hostKey: HostKey? {
        keyEvidence?.hostKey ?? evidence.lazy.compactMap(\.hostKey).first
    }
}

/// One contributing record.
public struct Evidence: Sendable {
    /// Which step of the query it matched, as written: runs expanded, and steps that ask for a missing
    /// event counted. 0 for an event query.
    public var stage: Int
    public var origin: RecordOrigin
    public var timestamp: EventTime
    /// The record's value, unchanged.
    public var original: [UInt8]
    /// The record in ECS, when it was not; what the alert says of host, user and process is taken from here.
    public var normalized: [UInt8]?
    /// The conditions that held, in query order.
    public var matches: [PredicateMatch]
    public var hostKey: HostKey?

    public init(
        stage: Int = 0, origin: RecordOrigin, timestamp: EventTime, original: [UInt8], matches: [PredicateMatch] = [],
        hostKey: HostKey? = nil
    ) {
        self.stage = stage
        self.origin = origin
        self.timestamp = timestamp
        self.original = original
        self.matches = matches
        self.hostKey = hostKey
    }

    /// The evidence of an event a correlation kept.
    public init(stage: Int, event: RetainedEvent, matches: [PredicateMatch] = [], hostKey: HostKey? = nil) {
        self.init(
            stage: stage, origin: event.origin, timestamp: event.timestamp, original: event.bytes, matches: matches,
            hostKey: hostKey)
    }
}

/// The identity of a host, and which field of the record gave it.
public struct HostKey: Hashable, Sendable {
    public var value: String
    public var field: String

    public init(value: String, field: String) {
        self.value = value
        self.field = field
    }
}

/// One condition of the query that held for a record.
public struct PredicateMatch: Hashable, Sendable {
    public var field: String
    /// As in the query: `==`, `in~`, `regex~`, `:`, …
    public var operation: String
    /// The value of the field that passed, as text.
    public var value: String
    /// Where in the UTF-8 bytes of `value` the pattern matched; nil when the whole value is meant.
    public var span: Range<Int>?

    public init(field: String, operation: String, value: String, span: Range<Int>? = nil) {
        self.field = field
        self.operation = operation
        self.value = value
        self.span = span
    }
}

/// Repeats of an alert that were held back, as the next alert of their group tells of them.
public struct SuppressedFindings: Hashable, Sendable {
    /// What the findings of the group have in common.
    public struct Term: Hashable, Sendable {
        public var field: String
        /// All different and in order; none where the field is missing.
        public var values: [String]

        public init(field: String, values: [String]) {
            self.field = field
            self.values = values
        }
    }

    public var terms: [Term]
    /// Findings held back since the last alert of the group.
    public var count: UInt64
    /// The times of the earliest and the latest of them; nil when there are none.
    public var first: EventTime?
    public var last: EventTime?

    public init(terms: [Term], count: UInt64 = 0, first: EventTime? = nil, last: EventTime? = nil) {
        self.terms = terms
        self.count = count
        self.first = first
        self.last = last
    }
}
