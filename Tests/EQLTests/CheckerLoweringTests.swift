import EventSchema
import Testing

@testable import EQL

/// The form conditions take: literals by type, merged and flattened tests.
@Suite struct CheckerLoweringTests {
    private static func values(_ fill: (inout FieldTest.ValueSet) -> Void) -> FieldTest.ValueSet {
        var values = FieldTest.ValueSet()
        fill(&values)
        return values
    }

    private static let time = EventTime(milliseconds: 1_700_000_000_000 as Int64)

    @Test(
        arguments: [
            (.string("a"), .keyword, values { $0.strings = ["a"] }),
            (.integer(4104), .keyword, values { $0.strings = ["4104"] }),
            (.boolean(true), .keyword, values { $0.strings = ["true"] }),
            (
                .integer(443), .long,
                values {
                    $0.integers = [443]
                    $0.doubles = [443]
                }
            ),
            (
                .string("443"), .long,
                values {
                    $0.integers = [443]
                    $0.doubles = [443]
                }
            ),
            (.double(1.5), .long, nil),
            (.string("x"), .long, nil),
            (.string("nan"), .float, nil),
            (.double(1.5), .float, values { $0.doubles = [1.5] }),
            (.string("1.5"), .float, values { $0.doubles = [1.5] }),
            (.string("true"), .boolean, values { $0.booleans = [true] }),
            (.integer(1), .boolean, nil),
            (.string("2023-11-14T22:13:20Z"), .date, time.map { time in values { $0.dates = [time] } }),
            (.integer(1_700_000_000_000), .date, time.map { time in values { $0.dates = [time] } }),
            (.string("soon"), .date, nil),
            (
                .string("10.1.2.3/8"), .ip,
                IPBlock(parsing: "10.0.0.0/8").map { block in values { $0.addresses = [block] } }
            ),
            (.string("10.1.2"), .ip, nil),
            (
                .integer(443), .dynamic,
                values {
                    $0.integers = [443]
                    $0.doubles = [443]
                    $0.strings = ["443"]
                }
            ),
            (
                .string("443"), .dynamic,
                values {
                    $0.integers = [443]
                    $0.doubles = [443]
                    $0.strings = ["443"]
                }
            ),
            (.string("0443"), .dynamic, values { $0.strings = ["0443"] }),
            (
                .string("true"), .dynamic,
                values {
                    $0.booleans = [true]
                    $0.strings = ["true"]
                }
            ),
            (
                .boolean(false), .dynamic,
                values {
                    $0.booleans = [false]
                    $0.strings = ["false"]
                }
            ),
        ] as [(Literal, FieldType, FieldTest.ValueSet?)])
    func literalsReadByType(literal: Literal, type: FieldType, expected: FieldTest.ValueSet?) {
        var values = FieldTest.ValueSet()
        #expect(values.insert(literal, as: type) == (expected != nil))
        #expect(values == expected ?? FieldTest.ValueSet())
    }

    @Test(
        arguments: [
            (.integer(5), .long, .integer(5)), (.string("5"), .long, .integer(5)), (.double(5.5), .long, .double(5.5)),
            (.string("b"), .keyword, .string("b")), (.string("b"), .dynamic, .string("b")), (.string("b"), .long, nil),
            (.integer(1_700_000_000_000), .date, time.map { .date($0) }),
            (.string("10.0.0.1"), .ip, IPAddress(parsing: "10.0.0.1").map { .address($0) }),
            (.boolean(true), .boolean, nil), (.string("1"), .version, nil), (.string("10.0.0.0/8"), .ip, nil),
        ] as [(Literal, FieldType, FieldTest.Bound?)])
    func boundsReadByType(literal: Literal, type: FieldType, expected: FieldTest.Bound?) {
        #expect(FieldTest.Bound(literal, as: type) == expected)
    }

    private let name = Expression.field("process.name")

    private func test(_ test: FieldTest.Test) -> Condition {
        .test(FieldTest(field: "process.name", type: .keyword, test: test))
    }

    private func strings(_ strings: Set<ExactString>) -> FieldTest.Test {
        .equals(Self.values { $0.strings = strings })
    }

    @Test func alternativesOfOneFieldMerge() {
        #expect(lowered(name .== "a" .|| name .== "b" .|| name.isIn("c", "a")) == test(strings(["a", "b", "c"])))
        guard case .test(let merged)? = lowered(name.matches(.colon, "a*", "b*") .|| name.matches(.regex, "c.d")),
            case .matches(let patterns) = merged.test
        else {
            Issue.record("the patterns are not one test")
            return
        }
        #expect(patterns.map(\.expression) == [#"\A[Aa]"#, #"\A[Bb]"#, #"\Ac.d\z"#])
        #expect(patterns.map(\.source) == ["a*", "b*", "c.d"])
    }

    @Test func conjunctionsOfOneFieldStayApart() {
        #expect(lowered(name .== "a" .&& name .== "b") == .all([test(strings(["a"])), test(strings(["b"]))]))
    }

    @Test func conditionsAreFlattened() {
        let (a, b) = (name .== "a", name .> "b")
        let (testA, testB) = (test(strings(["a"])), test(.ordered(.greater, .string("b"))))
        #expect(lowered((a .&& b) .&& (true .&& (b .&& a))) == .all([testA, testB]))
        #expect(lowered(.not(.not(a))) == testA)
        #expect(lowered(a .|| (false .|| (b .|| a))) == .any([testA, testB]))
        #expect(lowered(.not(name .!= "a")) == testA)
        #expect(lowered(name.matches(.like, "a")) == testA)
        #expect(lowered(name.matches(.colon, "A")) == test(.equalsFolded(["a"])))
        #expect(lowered(name.matches(.colon, "*")) == test(.exists))
    }

    @Test func longChainsBecomeOneTest() {
        let tests = (0...2_000).map { "process.name == \"\($0)\"" }.joined(separator: " or ")
        guard case .test(let merged)? = understand("any where " + tests).query?.conditions.first,
            case .equals(let values) = merged.test
        else {
            Issue.record("the chain is not one test")
            return
        }
        #expect(values.strings.count == 2_001)
    }

    /// Swift holds the two spellings of é equal.
    @Test func spellingsOfOneCharacterStayApart() {
        let (composed, decomposed) = ("\u{E9}", "e\u{301}")
        let tests = Expression(.literal(.string(composed))), others = Expression(.literal(.string(decomposed)))
        guard case .test(let merged)? = lowered(name .== tests .|| name .== others),
            case .equals(let values) = merged.test
        else {
            Issue.record("the two are not one test")
            return
        }
        #expect(values.strings.count == 2)
        #expect(lowered(name .> tests .|| name .> others) != lowered(name .> tests))
    }

    // MARK: Correlations

    private func term(_ condition: Expression, by keys: [String] = [], runs: Int = 1, missing: Bool = false) -> Term {
        Term(
            query: eventQuery(condition),
            keys: keys.map { FieldReference(path: FieldPath($0), isOptional: $0 == "user.name", span: nowhere) },
            runs: runs,
            isMissing: missing, span: nowhere)
    }

    private func sequence(
        by keys: [String] = [], maxspan: Int64? = 5, _ terms: Term..., until: Term? = nil
    ) -> CheckResult {
        let keys = keys.map { FieldReference(path: FieldPath($0), span: nowhere) }
        let span = maxspan.map { Timespan(count: $0, unit: .minutes, span: nowhere) }
        return check(
            Query(form: .sequence(SequenceQuery(keys: keys, maxspan: span, terms: terms, until: until)), span: nowhere))
    }

    @Test func sequencesBecomePlans() throws {
        let result = sequence(
            by: ["host.id"], term(name .== "a", by: ["process.pid"]),
            term(name .== "b", by: ["process.parent.pid"], runs: 2),
            until: term(name .== "c", by: ["process.pid"]))
        guard case .sequence(let plan)? = result.query?.form else {
            Issue.record("\(result.diagnostics)")
            return
        }
        #expect(plan.maxspan == 300_000_000_000)
        #expect(plan.stages.map(\.condition) == ["a", "b", "b"].map { test(strings([$0])) })
        #expect(plan.stages[1].keys.map(\.path) == ["host.id", "process.parent.pid"])
        #expect(plan.until?.condition == test(strings(["c"])))
        #expect(result.diagnostics.isEmpty)
    }

    @Test func sequencesAreChecked() {
        #expect(sequence(term(name .== "a")).query == nil)
        #expect(sequence(term(name .== "a", runs: 2)).query != nil)
        #expect(sequence(term(name .== "a"), term(name .== "b", by: ["host.id"])).query == nil)
        #expect(
            sequence(term(name .== "a"), term(name .== "b"), until: term(name .== "c", by: ["host.id"])).query == nil)
        #expect(sequence(term(name .== "a", by: ["process.pid"]), term(name .== "b", by: ["source.ip"])).query == nil)
        let unbounded = sequence(maxspan: nil, term(name .== "a"), term(name .== "b"))
        #expect(unbounded.query != nil)
        #expect(unbounded.diagnostics.map(\.severity) == [.warning])
    }

    @Test func missingEventsBecomeGaps() throws {
        let result = sequence(
            term(name .== "a", missing: true), term(name .== "b", runs: 2), term(name .== "c", missing: true),
            term(name .== "d", missing: true), term(name .== "e"), term(name .== "f", missing: true))
        guard case .sequence(let plan)? = result.query?.form else {
            Issue.record("\(result.diagnostics)")
            return
        }
        #expect(plan.stages.map(\.condition) == ["b", "b", "e"].map { test(strings([$0])) })
        #expect(plan.gaps.map(\.stage.condition) == ["a", "c", "d", "f"].map { test(strings([$0])) })
        #expect(plan.gaps.map(\.position) == [0, 2, 2, 3])
        #expect(plan.steps == [.gap(0), .stage(0), .stage(1), .gap(1), .gap(2), .stage(2), .gap(3)])
        #expect(result.query?.conditions.count == 7)
    }

    @Test func missingEventsAreChecked() {
        let (a, missing) = (term(name .== "a"), term(name .== "b", missing: true))
        #expect(sequence(a, missing).query != nil)
        #expect(sequence(missing, a).query != nil)
        #expect(sequence(missing, missing).query == nil)
        #expect(sequence(a, term(name .== "b", by: ["host.id"], missing: true)).query == nil)
        let unbounded = sequence(maxspan: nil, a, missing)
        #expect(unbounded.query == nil)
        #expect(unbounded.diagnostics.map(\.severity) == [.error])
    }

    @Test func samplesNeedKeys() {
        func sample(by keys: [FieldReference], _ terms: Term...) -> CheckResult {
            check(Query(form: .sample(SampleQuery(keys: keys, maxspan: nil, terms: terms)), span: nowhere))
        }
        let host = FieldReference(path: "host.id", span: nowhere)
        #expect(sample(by: [host], term(name .== "a"), term(name .== "b")).query != nil)
        #expect(sample(by: [], term(name .== "a", by: ["host.id"]), term(name .== "b", by: ["agent.id"])).query != nil)
        #expect(sample(by: [], term(name .== "a"), term(name .== "b")).query == nil)
        #expect(sample(by: [host], term(name .== "a")).query == nil)
        #expect(sample(by: [host], term(name .== "a", runs: 2), term(name .== "b")).query == nil)
    }

    @Test func pipesAreCarriedThrough() {
        var piped = query(name .== "a")
        piped.pipes = [Pipe(name: .head, count: 4, span: nowhere), Pipe(name: .tail, count: 2, span: nowhere)]
        #expect(check(piped).query?.pipes == piped.pipes)
    }
}
