import EQL
import EventSchema
import Foundation
import Rules
import Testing

/// Accepts any condition but for each `BAD` in it, and says which lists it was given.
private let lenientConditions = ConditionChecker { source, _, _ in
    let diagnostics = source.text.ranges(of: "BAD").map { range in
        let lower = source.text.utf8.distance(from: source.text.startIndex, to: range.lowerBound)
        return Diagnostic.error("BAD is bad", at: Span(lower, lower + 3))
    }
    return (diagnostics.isEmpty ? .constant(true) : nil, diagnostics)
}

private func loadExceptions(_ toml: String) -> ExceptionLoadReport {
    ExceptionLoader(checker: lenientConditions).load(toml: toml, path: "exceptions/x.toml")
}

private func exception(_ changes: [String: String?] = [:], id: String = "one") -> String {
    let lines: [String: String?] = [
        "id": "id = \"\(id)\"", "scope": "global = true", "condition": "condition = 'user.name == \"x\"'",
        "owner": "owner = \"me\"", "reason": "reason = \"because\"", "expires": "expires = 2027-06-30",
    ].merging(changes) { $1 }
    let keys = ["id", "scope", "condition", "owner", "reason", "expires", "more"]
    return "[[exception]]\n" + keys.compactMap { lines[$0] ?? nil }.joined(separator: "\n") + "\n"
}

@Suite struct ExceptionLoaderTests {
    @Test func readsAnException() throws {
        let report = loadExceptions(exception(["scope": "rules = [\"r-1\", \"r-2\"]", "more": "stage = 2"]))
        #expect(report.problems == [] && report.disabled == 0)
        let one = try #require(report.exceptions.exceptions.first)
        #expect(one.id == "one" && one.scope == .rules(["r-1", "r-2"]) && one.stage == 2)
        #expect(one.owner == "me" && one.reason == "because" && one.text == "user.name == \"x\"")
        #expect(one.contentHash.count == 64 && report.exceptions.hash.count == 64)
    }

    /// A day is over when its last instant is, in UTC.
    @Test(arguments: [
        ("2027-06-30", "2027-07-01T00:00:00Z"), ("2027-06-30T12:00:00Z", "2027-06-30T12:00:00Z"),
        ("2027-06-30T12:00:00+02:00", "2027-06-30T10:00:00Z"), ("\"2027-06-30\"", "2027-07-01T00:00:00Z"),
    ])
    func expires(written: String, instant: String) throws {
        let one = try #require(
            loadExceptions(exception(["expires": "expires = \(written)"])).exceptions.exceptions.first)
        let expiry = try #require(EventTime(parsing: instant))
        #expect(one.expiry == expiry)
        #expect(!one.isExpired(at: EventTime(nanoseconds: expiry.nanoseconds - 1)))
        #expect(one.isExpired(at: expiry))
    }

    @Test func neverHasToBeWrittenOut() throws {
        let report = loadExceptions(exception(["expires": "expires = \"never\""]))
        let one = try #require(report.exceptions.exceptions.first)
        #expect(one.expiry == nil && report.exceptions.problems(at: EventTime(nanoseconds: .max)) == [])
    }

    @Test(
        arguments: [
            (["id": nil], "1:1: error: the required key \"id\" is missing"),
            (["owner": nil], "1:1: error: the required key \"owner\" is missing"),
            (["reason": nil], "1:1: error: the required key \"reason\" is missing"),
            (["expires": nil], "1:1: error: the required key \"expires\" is missing"),
            (["expires": "expires = \"soon\""], "7:11: error: \"soon\" is not a date"),
            (["scope": nil], "1:1: error: an exception is either for rules or global"),
            (["more": "rules = [\"r\"]"], "1:1: error: an exception is either for rules or global"),
            (["scope": "rules = []"], "3:9: error: \"rules\" names no rule"),
            (["more": "stage = 0"], "8:9: error: stages count from 1"),
            (["more": "ruels = [\"r\"]"], "8:1: error: [[exception]] has no key \"ruels\"; did you mean \"rules\"?"),
            (["condition": "condition = 'a BAD b'"], "4:16: error: BAD is bad"),
            (["more": "enabled = 1"], "8:11: error: \"enabled\" has to be true or false, and is an integer"),
        ] as [([String: String?], String)])
    func sayWhatIsWrong(changes: [String: String?], expected: String) {
        let report = loadExceptions(exception(changes))
        #expect(report.exceptions.isEmpty && report.hasErrors)
        #expect(
            report.problems.map(\.description).contains { $0.hasPrefix("exceptions/x.toml:" + expected) },
            "\(report.problems)")
    }

    @Test func oneBadExceptionLeavesTheOthers() {
        let report = loadExceptions(exception(id: "a") + exception(["owner": nil], id: "b") + exception(id: "c"))
        #expect(report.exceptions.exceptions.map(\.id) == ["a", "c"])
    }

    @Test func ofEqualIdsTheFirstStays() {
        let report = loadExceptions(
            exception(["owner": "owner = \"first\""]) + exception(["owner": "owner = \"second\""]))
        #expect(report.exceptions.exceptions.map(\.owner) == ["first"])
        #expect(report.problems.map(\.message) == ["exception one is there already, see exceptions/x.toml:2:6"])
    }

    @Test func disabledOnesAreCheckedAndNotInForce() {
        let report = loadExceptions(
            exception(["more": "enabled = false"]) + exception(["more": "enabled = false", "owner": nil]))
        #expect(report.exceptions.isEmpty && report.disabled == 1 && report.hasErrors)
    }

    @Test func everythingThatMattersChangesTheHash() {
        let texts = [
            exception(), exception(id: "two"), exception(["scope": "rules = [\"r\"]"]),
            exception(["condition": "condition = 'user.name == \"y\"'"]),
            exception(["expires": "expires = 2027-07-01"]),
            exception(["more": "stage = 1"]), exception(["more": "regex = \"search\""]),
            exception(["condition": "condition = 'inList(user.name, \"l\")'"])
                + "[[list]]\nname = \"l\"\nkind = \"names\"\nvalues = [\"a\"]\n",
            exception(["condition": "condition = 'inList(user.name, \"l\")'"])
                + "[[list]]\nname = \"l\"\nkind = \"names\"\nvalues = [\"b\"]\n",
        ]
        let hashes = texts.map { loadExceptions($0).exceptions.hash }
        #expect(Set(hashes).count == texts.count)
        #expect(
            loadExceptions(exception(["owner": "owner = \"you\""])).exceptions.hash == hashes[0],
            "who decided matters not")
    }

    @Test func saysWhichRulesAreNotThereAndWhichAreOver() throws {
        let rules = RuleSet([try Rule.parse(toml: ruleText(["rule_id": "rule_id = \"r-1\""]), checker: lenientChecker)])
        let exceptions = loadExceptions(
            exception(["scope": "rules = [\"r-1\", \"r-9\"]"])
                + exception(["scope": "rules = [\"r-1\"]", "more": "stage = 2"], id: "two")
        ).exceptions
        #expect(
            exceptions.problems(with: rules).map(\.message) == [
                "exception one is for a rule that is not loaded: r-9",
                "exception two never holds: it is for stage 2, and 'Test rule' has 1",
            ])
        #expect(exceptions.problems(with: rules).allSatisfy { $0.severity == .warning })
        let late = try #require(EventTime(parsing: "2027-07-01T00:00:00Z"))
        #expect(exceptions.problems(at: EventTime(nanoseconds: late.nanoseconds - 1)) == [])
        #expect(exceptions.problems(at: late).map(\.place.line) == [2, 9])
    }
}

@Suite struct ValueListTests {
    private func list(_ kind: String, _ text: String) throws -> ExceptionLoadReport {
        let folder = try TemporaryFolder()
        try folder.write(text, to: "lists/values.txt")
        try folder.write(
            "[[list]]\nname = \"l\"\nkind = \"\(kind)\"\npath = \"lists/values.txt\"\n", to: "exceptions.toml")
        return ExceptionLoader(checker: lenientConditions).load(paths: [folder.path])
    }

    @Test func readsOneValueALine() throws {
        let names = try list("names", "# people\n\nalice\n  Bob Smith \r\nALICE\nc#sharp # no remark\n")
        #expect(names.problems == [])
        #expect(names.lists.first?.values == ["alice", "Bob Smith", "c#sharp # no remark"])
        let blocks = try list("cidr", "10.0.0.0/8 # office\n2001:db8::1\n")
        #expect(blocks.lists.first?.values == ["10.0.0.0/8", "2001:db8::1"])
        let hash = String(repeating: "aB", count: 32)
        #expect(try list("hashes", "\(hash)\t# tool\n").lists.first?.values == [hash])
    }

    @Test(arguments: [
        ("names", "alice\nsvc-*\n", "2:1: error: a list compares whole names and knows no wildcards"),
        ("hashes", "xyz\n", "1:1: error: this is no hash"),
        ("hashes", "\n  abcd\n", "2:3: error: this is no hash"),
        ("cidr", "10.0.0.0/33\n", "1:1: error: this is no address and no block of addresses"),
        ("cidr", "10.0.0.1 10.0.0.2\n", "1:1: error: a line holds one value; a remark behind it begins with #"),
        ("names", String(repeating: "n", count: 1025), "1:1: error: the value is longer than 1024 bytes"),
        ("names", "# nobody\n", "1:1: warning: list \"l\" is empty"),
    ])
    func saysWhichLineIsWrong(kind: String, text: String, expected: String) throws {
        let report = try list(kind, text)
        #expect(report.problems.count == 1)
        #expect(report.problems[0].headline.hasSuffix("values.txt:" + expected), "\(report.problems)")
    }

    @Test func hasBounds() throws {
        let many = (0...100_000).map { "n\($0)\n" }.joined()
        let report = try list("names", many)
        #expect(report.lists.isEmpty)
        #expect(report.problems.map(\.place.line) == [100_001])
    }

    @Test func aListThatIsNotThereIsSaidWhereItIsNamed() {
        let report = loadExceptions("[[list]]\nname = \"l\"\nkind = \"names\"\npath = \"gone.txt\"\n")
        #expect(
            report.problems.map(\.description) == ["exceptions/x.toml:4:8: error: exceptions/gone.txt cannot be read"])
    }

    @Test func namesAreUniqueAndValuesStandInOnePlace() {
        let list = "[[list]]\nname = \"l\"\nkind = \"names\"\nvalues = [\"a\"]\n"
        #expect(
            loadExceptions(list + list).problems.map(\.message) == [
                "list \"l\" is declared already, see exceptions/x.toml:2:8"
            ])
        #expect(
            loadExceptions("[[list]]\nname = \"l\"\nkind = \"names\"\n").problems.map(\.message) == [
                "a list has either a path or values"
            ])
        #expect(
            loadExceptions("[[list]]\nname = \"l\"\nkind = \"cidr\"\nvalues = [\"a\"]\n").problems.map(\.description)
                == [
                    "exceptions/x.toml:4:10: error: \"a\": this is no address and no block of addresses; write it like "
                        + "10.1.2.3, 10.0.0.0/8 or 2001:db8::/32"
                ])
    }
}
