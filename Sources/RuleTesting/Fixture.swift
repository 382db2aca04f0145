public import EventSchema
public import Rules

/// The tests of one rule: events that must give findings, near misses that must give none, and events that exceptions
/// leave out.
///
/// A fixture is a YAML file beside its rule, `NAME.test.yaml` beside `NAME.toml`; ``FixtureReader`` says what is in it.
public struct Fixture: Sendable {
    /// As it was named to the reader.
    public let path: String
    /// The `rule_id` it asks for; nil means the one rule of the file beside it.
    public let ruleID: String?
    public let tests: [RuleTest]
    /// Where `rule` stands, or the first line.
    let rulePlace: RuleProblem.Place
}

/// One test of a rule.
public struct RuleTest: Sendable {
    /// By the key that tells it in a fixture.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case match
        case nearMiss = "near_miss"
        /// A match that exceptions leave out.
        case excepted

        /// `near miss`.
        public var name: String { rawValue.replacing("_", with: " ") }
    }

    public let name: String
    public let kind: Kind
    public let place: RuleProblem.Place
    public let events: [TestEvent]
    /// Of an excepted case, what there would be without the exceptions.
    public let expected: Expectation
    /// The ids of the exceptions that must leave an excepted case out; empty when any of them may.
    public var exceptions: [String] = []

    /// What findings there must be.
    public struct Expectation: Hashable, Sendable {
        public var findings: Int
        /// For each finding the numbers of its events, from 1, in the order of the query's stages; nil asks for none in
        /// particular.
        public var steps: [[Int]]?
        /// Fields that the evidence must name, with a part of the value that passed.
        public var evidence: [Evidence] = []

        public struct Evidence: Hashable, Sendable {
            public var field: FieldPath
            public var text: String
        }
    }
}

/// One event of a test, in the order of arrival.
public struct TestEvent: Sendable {
    /// The record's value.
    public let bytes: [UInt8]
    public let place: RuleProblem.Place
}

extension Fixture {
    /// How the name of a fixture ends.
    public static let suffix = ".test.yaml"

    public static func isFixture(_ path: String) -> Bool { path.hasSuffix(suffix) }

    /// Where the fixture of a rule file stands.
    public static func path(beside rule: String) -> String { stem(of: rule) + suffix }

    /// The rule file a fixture belongs to, without the end of its name.
    public static func stem(of path: String) -> String {
        for end in [suffix, ".toml", ".ndjson"] where path.hasSuffix(end) { return String(path.dropLast(end.count)) }
        return path
    }

    /// The time of an event at `+0s`.
    public static let start = EventTime(nanoseconds: 1_767_258_000_000_000_000)
}
