public import EQL
public import EventSchema

/// One detection rule, checked and ready to be compiled. Never changes once loaded.
///
/// The file format is that of Elastic's public rule repository, plus an `[apus]` table.
public struct Rule: Sendable {
    /// `rule_id`: the identity across versions, unique within a ``RuleSet``.
    public let id: String
    public let name: String
    public let description: String
    public let severity: Severity
    /// 0 to 100.
    public let riskScore: Double
    /// Nil where the file gives none; Elastic's repository keeps versions elsewhere.
    public let version: Int?
    public let author: [String]
    public let license: String?
    public let tags: [String]
    public let references: [String]
    public let falsePositives: [String]
    /// The triage guide, Markdown.
    public let note: String?
    /// What has to be in place for the rule to see its events, Markdown.
    public let setup: String?
    public let threats: [Threat]
    /// A building block is context for other rules rather than work for a person.
    public let isBuildingBlock: Bool
    /// `timestamp_override`: the field by which Kibana chooses the events of one run, usually the time of
    /// ingestion. It does not order events, and a stream has no runs: read for those who pass rules on.
    public let timestampOverride: FieldPath?
    /// `investigation_fields.field_names`: what to look at first.
    public let investigationFields: [FieldPath]

    /// As written in the file.
    public let query: String
    public let checked: CheckedQuery
    public let options: QueryOptions
    /// How far one run looks back in Elastic, in nanoseconds: `from`, six minutes unless the file says
    /// otherwise. No sequence without `maxspan` can be longer.
    ///
    /// The rest of Elastic's schedule has little meaning on a stream, which has no runs: `interval` only tells how
    /// long a ``SignalCap`` counts, and `timestamp_override` moves the window of a run and not the order of events.
    public let lookback: Int64
    public let signalCap: SignalCap
    public private(set) var stage: Stage
    public let suppression: Suppression?

    /// 64 lower-case hexadecimal digits; see ``ContentHash``.
    public let contentHash: String
    /// The file the rule was read from, as it was named to the loader.
    public let path: String

    public enum Severity: String, Hashable, Sendable, CaseIterable, Comparable {
        case low
        case medium
        case high
        case critical

        /// For `event.severity`: the risk scores Elastic pairs with the four names.
        public var number: Int {
            switch self {
            case .low: 21
            case .medium: 47
            case .high: 73
            case .critical: 99
            }
        }

        public static func < (left: Severity, right: Severity) -> Bool { left.number < right.number }
    }

    /// `max_signals`: how many alerts Elastic makes in one run of the rule. Apus drops none; it counts those beyond.
    public struct SignalCap: Hashable, Sendable {
        /// 100 unless the file says otherwise.
        public let count: Int64
        /// Nanoseconds from one run to the next: `interval`, five minutes unless the file says otherwise.
        public let interval: Int64
    }

    /// Whether findings become alerts or are only counted.
    public enum Stage: String, Hashable, Sendable, CaseIterable {
        case active
        case shadow
    }

    /// Repeats of a finding with the same values in `fields` are held back for `window`, counted, and
    /// reported with the next alert.
    public struct Suppression: Hashable, Sendable {
        /// Without any, all findings of the rule are one group.
        public let fields: [FieldPath]
        /// The stage of a correlation whose event has the fields, counted from 1 without events that must be missing;
        /// nil is the first event that has them.
        public let stage: Int?
        /// Nanoseconds of event time, from the alert that begins it.
        public let window: Int64
        /// Whether findings that miss one of the fields are suppressed too, as a value of its own.
        public let includesMissing: Bool
    }
}

extension Rule {
    /// The same rule in the active stage: a rule in the shadow is tested like any other.
    public var activated: Rule {
        var rule = self
        rule.stage = .active
        return rule
    }

    /// The folder the file stands in: the name of the pack.
    public var ruleset: String? {
        path.split(separator: "/").dropLast().last.map(String.init)
    }

    /// The fields a correlation joins one of its steps by, header keys first; empty for an event query.
    ///
    /// - Parameter step: counts the stages as written, runs expanded and events that must be missing included.
    public func joinFields(ofStage step: Int) -> [FieldPath] {
        let stages: [EQL.Stage] =
            switch checked.form {
            case .event: []
            case .sequence(let plan):
                plan.steps.map { step in
                    switch step {
                    case .stage(let index): plan.stages[index]
                    case .gap(let index): plan.gaps[index].stage
                    }
                }
            case .sample(let plan): plan.stages
            }
        return stages.indices.contains(step) ? stages[step].keys.map(\.path) : []
    }
}
