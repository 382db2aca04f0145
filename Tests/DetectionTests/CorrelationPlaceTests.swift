import Detection
import EQL
import EventSchema
import Events
import Rules
import Testing

/// Where the events of a rule come together, by what the inputs promise.
@Suite struct CorrelationPlaceTests {
    struct Case: CustomTestStringConvertible {
        var query: String
        var inputs: [InputKeying]
        var place: CorrelationPlace?

        var testDescription: String { "\(query) over \(inputs.map { "\($0.topic)/\($0.key?.dotted ?? "-")" })" }

        init(_ query: String, _ inputs: [(String, FieldPath?, Int)], _ place: CorrelationPlace?) {
            self.query = query
            self.inputs = inputs.map { InputKeying(topic: $0.0, key: $0.1, partitions: $0.2) }
            self.place = place
        }
    }

    private static let byHost = "sequence by host.id with maxspan=1m [process where true] [network where true]"
    private static let byUser = "sequence by user.name with maxspan=1m [process where true] [network where true]"
    private static let byBoth =
        "sequence by user.name, host.id with maxspan=1m [process where true] [network where true]"
    private static let mixed =
        "sequence with maxspan=1m [process where true] by host.id [network where true] by user.name"
    private static let unlessElsewhere =
        "sequence with maxspan=1m [process where true] by host.id ![file where true] by user.name [network where true] by host.id"
    private static let optional = "sequence by ?host.id with maxspan=1m [process where true] [network where true]"
    private static let unjoined = "sequence with maxspan=1m [process where true] [network where true]"
    private static let byHostKey =
        "sample by apus.host_key with maxspan=1m [process where true] [network where true]"

    static let cases = [
        Case("process where true", [("a", nil, 6)], nil),
        Case(byHost, [("a", "host.id", 6)], .inPlace),
        Case(byHost, [("a", nil, 1), ("b", "user.name", 1)], .inPlace),
        Case(byHost, [("a", nil, 6)], .correlateTopic(.unkeyed(topic: "a"))),
        Case(byHost, [("a", "host.id", 6), ("b", nil, 6)], .correlateTopic(.unkeyed(topic: "b"))),
        Case(byHost, [("a", "host.id", 6), ("b", "host.id", 6)], .inPlace),
        Case(
            byHost, [("a", "host.id", 6), ("b", "host.id", 12)],
            .correlateTopic(.unequalPartitions(topic: "a", other: "b"))),
        Case(
            byHost, [("a", "host.id", 6), ("b", "user.name", 6)],
            .correlateTopic(.keyedDifferently(topic: "a", other: "b"))),
        Case(byUser, [("a", "host.id", 6)], .correlateTopic(.keyed(topic: "a", by: "host.id"))),
        Case(byBoth, [("a", "host.id", 6)], .inPlace),
        Case(mixed, [("a", "host.id", 6)], .correlateTopic(.keyed(topic: "a", by: "host.id"))),
        Case(unlessElsewhere, [("a", "host.id", 6)], .correlateTopic(.keyed(topic: "a", by: "host.id"))),
        Case(optional, [("a", "host.id", 6)], .correlateTopic(.keyed(topic: "a", by: "host.id"))),
        Case(unjoined, [("a", "host.id", 6)], .correlateTopic(.noJoinKey)),
        Case(unjoined, [("a", "host.id", 1)], .inPlace),
        Case(byHostKey, [("a", "apus.host_key", 6)], .inPlace),
        Case(byHostKey, [("a", EventFields.defaultHostKey[0], 6)], .inPlace),
        Case(byHostKey, [("a", "user.name", 6)], .correlateTopic(.keyed(topic: "a", by: "user.name"))),
    ]

    @Test(arguments: cases) func isDecidedByTheInputs(_ test: Case) throws {
        #expect(CorrelationPlace(try rule(test.query).checked, inputs: test.inputs) == test.place)
    }

    @Test func onlyWhatCannotComeTogetherIsHandedOn() throws {
        let rules = try CompiledRules(
            RuleSet([
                try rule(Self.byHost, id: "8a4b1c52-0d0e-4c58-9d0b-000000000001"),
                try rule(Self.byUser, id: "8a4b1c52-0d0e-4c58-9d0b-000000000002"),
                try rule("process where true", id: "8a4b1c52-0d0e-4c58-9d0b-000000000003"),
            ]))
        #expect(rules.forwarded.isEmpty)
        let spread = rules.spread(over: [InputKeying(topic: "a", key: "host.id", partitions: 6)])
        #expect(spread.forwarded == [try #require(rules.rules.firstIndex { $0.id.hasSuffix("2") })])
    }

    @Test(
        arguments: [
            (byHost, "host.id", 6, "host.id"), (byHostKey, "host.id", 6, "apus.host_key"), (byHost, "host.id", 1, nil),
            (byUser, "host.id", 6, nil), ("process where true", "host.id", 6, nil),
        ] as [(String, FieldPath, Int, FieldPath?)])
    func theFieldThatRulesRelyOnIsKnown(_ query: String, _ key: FieldPath, _ partitions: Int, _ expected: FieldPath?)
        throws
    {
        let rules = try CompiledRules(RuleSet([try rule(query)]))
        let spread = rules.spread(over: [InputKeying(topic: "a", key: key, partitions: partitions)])
        #expect(spread.partitionKey == expected.flatMap { rules.queries.layout.id(of: $0) })
        #expect((spread.partitionKey == nil) == (expected == nil))
    }

    @Test func equalKeysHaveEqualHashes() throws {
        let rules = try CompiledRules(RuleSet([try rule(Self.byHost)]))
            .spread(over: [InputKeying(topic: "a", key: "host.id", partitions: 6)])
        let detector = Detector(rules, options: EvaluatorOptions(ordering: .stream(lateness: 0)))
        let source = detector.addSource()
        let hashes = [#""h1""#, #""h2""#, #"["h1","h2"]"#, "null", "7"].map { host -> UInt64? in
            let record = Array(#"{"event":{"category":"process"},"host":{"id":\#(host)}}"#.utf8)
            let failure = record.withUnsafeBytes {
                detector.process(
                    $0, origin: RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: 0), source: source,
                    recordTime: nil)
            }
            return failure == nil ? detector.partitionKeyHash : nil
        }
        #expect(hashes[0] != nil && hashes[0] == hashes[2] && hashes[0] != hashes[1] && hashes[3] == nil)
        // FNV-1a of "h1": the same in every process.
        #expect(hashes[0] == 0x8ba_8707_b55f_07d2)
    }
}
