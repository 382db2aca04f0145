public import EQL
public import EventSchema

/// What somebody has decided not to be told about: events that satisfy `condition` take no part in the rules it is for.
///
/// It holds for single events, before they are correlated: an excepted event does not reach the stages of a sequence or
/// sample, so it can neither complete one nor stand in the way of another. It is never asked about `until` and events
/// that must be missing, where leaving an event out would make more findings instead of fewer.
public struct RuleException: Sendable {
    /// Unique in its ``ExceptionSet``; names it in counters, logs and explanations.
    public let id: String
    public let scope: Scope
    /// The stage of a correlation it is for, counted from 1 as `apus explain` does; nil is every stage.
    public let stage: Int?
    /// As written in the file.
    public let text: String
    public let condition: Condition
    public let owner: String
    public let reason: String
    /// It holds for events before this instant of event time; nil holds for ever.
    public let expiry: EventTime?
    /// The names of the lists the condition asks, ascending.
    public let lists: [String]
    /// 64 lower-case hexadecimal digits over all that decides which events it holds for, values of lists included.
    public let contentHash: String
    /// Where it is declared, and where its scope is.
    public let place: RuleProblem.Place
    public let scopePlace: RuleProblem.Place

    public enum Scope: Hashable, Sendable {
        case all
        /// Of the rules with these ids.
        case rules([String])

        public func contains(_ rule: Rule) -> Bool {
            switch self {
            case .all: true
            case .rules(let ids): ids.contains(rule.id)
            }
        }
    }

    public func isExpired(at time: EventTime) -> Bool { expiry.map { time >= $0 } ?? false }
}

/// The exceptions of one load that are in force, in the order of their ids; never changes.
public struct ExceptionSet: Sendable {
    /// Ascending by the UTF-8 bytes of the id.
    public let exceptions: [RuleException]
    /// SHA-256 over the content hashes in order, as 64 lower-case hexadecimal digits; empty when there are none.
    public let hash: String

    public static let none = ExceptionSet([])

    public init(_ exceptions: [RuleException]) {
        self.exceptions = exceptions.sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
        guard !exceptions.isEmpty else {
            hash = ""
            return
        }
        var digest = PartDigest()
        digest.add("apus-exception-set-1")
        for exception in self.exceptions { digest.add(exception.contentHash) }
        hash = digest.finish()
    }

    public var isEmpty: Bool { exceptions.isEmpty }

    /// What does not fit the rules that are loaded: a rule that is not there, a stage that it does not have.
    public func problems(with rules: RuleSet) -> [RuleProblem] {
        exceptions.flatMap { exception -> [RuleProblem] in
            guard case .rules(let ids) = exception.scope else { return [] }
            return ids.compactMap { id in
                guard let rule = rules[id] else {
                    return RuleProblem(
                        severity: .warning, place: exception.scopePlace,
                        message: "exception \(exception.id) is for a rule that is not loaded: \(id)",
                        hint: "correct the id, or remove the exception with the rule")
                }
                guard let stage = exception.stage, stage > rule.checked.positiveStages else { return nil }
                return RuleProblem(
                    severity: .warning, place: exception.place,
                    message: "exception \(exception.id) never holds: it is for stage \(stage), and '\(rule.name)' has "
                        + "\(rule.checked.positiveStages)", hint: "stages count from 1, as in apus explain")
            }
        }
    }

    /// A warning for each exception that is over at `now`.
    public func problems(at now: EventTime) -> [RuleProblem] {
        exceptions.filter { $0.isExpired(at: now) }.map { exception in
            RuleProblem(
                severity: .warning, place: exception.place,
                message:
                    "exception \(exception.id) of \(exception.owner) expired at \(exception.expiry?.description ?? "")",
                hint: "remove it, or have it confirmed and move its date")
        }
    }
}
