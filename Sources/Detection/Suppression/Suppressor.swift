public import Alerts
public import EventSchema
public import Events
import Matching
import Rules

/// Says which findings repeat an alert, so that they are counted instead of told again; see `Rule.Suppression`.
///
/// A finding without a window of its group raises an alert and opens one. Findings of the group whose time is less than
/// the rule's window away from that alert, to either side, are held back. The next one raises an alert again, which
/// says how many there were, and opens a window anew. The time of a finding is that of its last event, so that the same
/// findings in the same order give the same alerts whenever they are replayed.
///
/// *Cost:* one decoding of the events of a finding; nothing for rules without suppression.
public final class Suppressor {
    /// A group of findings that count as the same: a digest of the rule and of the values of its fields.
    public struct Group: Hashable, Sendable {
        public var high: UInt64
        public var low: UInt64

        public init(high: UInt64, low: UInt64) {
            self.high = high
            self.low = low
        }
    }

    /// What is remembered of a group.
    public struct Window: Hashable, Sendable {
        /// The time of the alert that opened it.
        public var start: EventTime
        /// Findings held back since.
        public var count: UInt64 = 0
        /// The times of the earliest and the latest of them.
        public var first: EventTime?
        public var last: EventTime?

        public init(start: EventTime) {
            self.start = start
        }
    }

    public enum Judgement: Sendable {
        /// With what the alert has to say of its group; nil where the rule suppresses nothing.
        case alert(SuppressedFindings?)
        case suppressed(by: Window)
    }

    /// Running totals, and how much is held.
    public struct Counters: Hashable, Sendable {
        /// Findings held back, by rule.
        public var suppressed: [UInt64]
        /// Windows that are remembered now.
        public var windows = 0
        /// Findings that were held back and of which no later alert told: none came, or a bound was reached.
        public var forgotten: UInt64 = 0
        /// Windows given up for ``Suppressor/maximumGroups``: the group's next finding raises an alert.
        public var evicted: UInt64 = 0
    }

    /// Windows of one rule and lane; beyond it the oldest is given up.
    static let maximumGroups = 100_000
    /// How long a closed window is kept for findings that come late.
    static let grace: Int64 = 3_600_000_000_000
    /// How long a closed window is kept that has something to tell with the next alert.
    static let retention: Int64 = 86_400_000_000_000

    private var totals: Counters

    private let decoder: EventReader
    private let verbatimTopics: Set<TopicID>
    private var rules: [RuleWindows?]

    /// - Parameters:
    ///   - verbatimTopics: as of ``EvaluatorOptions``.
    ///   - tracksChanges: whether ``takeChanges()`` is going to be called.
    public init(
        _ rules: CompiledRules, limits: DecodeLimits = DecodeLimits(), verbatimTopics: Set<TopicID> = [],
        tracksChanges: Bool = false
    ) {
        self.verbatimTopics = verbatimTopics
        decoder = rules.queries.makeDecoder(limits: limits)
        let layout = rules.queries.layout
        self.rules = rules.rules.map { rule in
            rule.suppression.map { suppression in
                RuleWindows(
                    ruleID: rule.id, suppression: suppression,
                    fields: suppression.fields.compactMap { layout.id(of: $0) }, tracksChanges: tracksChanges)
            }
        }
        totals = Counters(suppressed: Array(repeating: 0, count: rules.rules.count))
    }

    public var counters: Counters {
        var counters = totals
        counters.windows = rules.reduce(0) { $0 + ($1?.windows.count ?? 0) }
        return counters
    }

    // MARK: Judging

    /// Decides about one finding, and remembers it.
    public func judge(_ match: QueryMatch) -> Judgement {
        guard let rule = rules[match.query], let time = match.events.map(\.timestamp).max() else { return .alert(nil) }
        let terms = terms(of: match, rule)
        guard rule.suppression.includesMissing || !terms.contains(where: \.values.isEmpty) else {
            return .alert(SuppressedFindings(terms: terms))
        }
        let verdict = rules[match.query]?.judge(rule.group(terms), at: time, counters: &totals)
        switch verdict {
        case .repeated(let window):
            totals.suppressed[match.query] += 1
            return .suppressed(by: window)
        case .new(let window):
            return .alert(
                SuppressedFindings(
                    terms: terms, count: window?.count ?? 0, first: window?.first, last: window?.last))
        case nil: return .alert(nil)
        }
    }

    /// The values of the rule's fields: those of the named stage's event, else of the first event that has any.
    private func terms(of match: QueryMatch, _ rule: RuleWindows) -> [SuppressedFindings.Term] {
        var values: [[String]] = rule.fields.map { _ in [] }
        var events = match.events[...]
        if let stage = rule.suppression.stage { events = events.dropFirst(stage - 1).prefix(1) }
        for event in events where values.contains(where: \.isEmpty) {
            // It decoded before, under the same limits.
            let normalizes = !verbatimTopics.contains(event.origin.topic)
            guard event.bytes.withUnsafeBytes({ decoder.decode($0, normalizes: normalizes) }) == nil else { continue }
            for (index, field) in rule.fields.enumerated() where values[index].isEmpty {
                let found = decoder.event.values(field).map { String(decoding: $0.text, as: UTF8.self) }
                values[index] = Set(found.map { ExactString($0) }).sorted().map(\.string)
            }
        }
        return zip(rule.suppression.fields, values).map { SuppressedFindings.Term(field: $0.dotted, values: $1) }
    }

    // MARK: Time

    /// Forgets windows that no finding after `watermark` can fall into, but for late ones.
    public func expire(_ watermark: EventTime) {
        for index in rules.indices where rules[index]?.windows.isEmpty == false {
            rules[index]?.expire(watermark, counters: &totals)
        }
    }

    // MARK: State

    /// What changed since the last call: the window of a group of a rule, or nil when it is forgotten. In no
    /// particular order.
    public func takeChanges() -> [(rule: Int, group: Group, window: Window?)] {
        guard hasChanges else { return [] }
        return rules.indices.flatMap { index in
            (rules[index]?.takeChanged() ?? []).map { (index, $0, rules[index]?.windows[$0]) }
        }
    }

    public var hasChanges: Bool { rules.contains { $0?.changed.isEmpty == false } }

    /// Takes up a window that ``takeChanges()`` gave. Before the first finding, and ``finishRestoring()`` after the last.
    ///
    /// - Returns: false when the rule suppresses nothing any more, so that the window is of no use.
    public func restore(rule: Int, group: Group, window: Window) -> Bool {
        guard rules[rule] != nil else { return false }
        rules[rule]?.windows[group] = window
        return true
    }

    /// Takes over the windows of the rules that stay; those of rules that suppress otherwise now are not.
    ///
    /// - Parameter origins: for each rule, its index in `old`; nil for one that begins anew.
    func takeOver(_ old: Suppressor, origins: [Int?]) {
        for (index, origin) in origins.enumerated() {
            if let origin, let windows = old.rules[origin] { rules[index]?.takeOver(windows) }
        }
    }

    /// Counts on where `old` has come to.
    ///
    /// - Parameter predecessors: for each rule, the index of its count in `old`; nil for one that begins with nothing.
    func count(on old: Suppressor, predecessors: [Int?]) {
        totals = old.totals
        totals.suppressed = predecessors.map { $0.map { old.totals.suppressed[$0] } ?? 0 }
    }

    /// Forgets what is remembered of a rule, so that ``takeChanges()`` tells of it.
    func abandon(_ rule: Int) { rules[rule]?.abandon() }

    public func finishRestoring() {
        for index in rules.indices { rules[index]?.finishRestoring() }
    }
}
