import Alerts
import Correlation
import EventSchema
import Events
import Rules
import Testing

@testable import Detection

/// Repeats are held back, counted, and told with the next alert.
@Suite struct SuppressionTests {
    private static let byUser = """

        [apus.suppression]
        fields = ["user.name"]
        window = "10m"
        """

    private func ruleSet(
        _ query: String = #"any where event.action == "a""#, keys: String = "", suppression: String = byUser
    ) throws -> RuleSet {
        let report = RuleLoader(checker: .streaming).load(
            toml: """
                [rule]
                name = "Test rule"
                rule_id = "8a4b1c52-0d0e-4c58-9d0b-000000000001"
                description = "Finds a test."
                severity = "high"
                risk_score = 73
                type = "eql"
                query = '''
                \(query)
                '''
                \(keys)
                \(suppression)
                """, path: "rule.toml")
        try #require(report.problems.isEmpty, "\(report.problems)")
        return report.rules
    }

    private func event(
        _ user: String?, minute: Int, second: Int = 0, action: String = "a", host: String = "h"
    ) -> String {
        func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
        let time = "2026-11-24T\(two(minute / 60)):\(two(minute % 60)):\(two(second))Z"
        let user = user.map { #","user":{"name":"\#($0)"}"# } ?? ""
        return #"{"@timestamp":"\#(time)","host":{"id":"\#(host)"},"event":{"action":"\#(action)"}\#(user)}"#
    }

    private func time(_ minute: Int) throws -> EventTime {
        try #require(EventTime(parsing: "2026-11-24T0\(minute / 60):\(minute % 60 < 10 ? "0" : "")\(minute % 60):00Z"))
    }

    @Test func holdsBackWithinTheWindowAndTellsAfterIt() throws {
        let lane = try Lane(try ruleSet())
        for (user, minute) in [("eve", 0), ("eve", 3), ("bob", 4), ("eve", 9), ("eve", 10), ("eve", 11)] {
            lane.send(event(user, minute: minute))
        }
        let findings = lane.findings()
        #expect(
            findings.map(\.offsets) == [[0], [2], [4]], "the window counts from its alert and ends before ten minutes")
        #expect(findings.map { $0.suppression?.count } == [0, 0, 2])
        let told = try #require(findings.last?.suppression)
        let span = [try time(3), try time(9)]
        #expect([told.first, told.last] == span)
        #expect(told.terms.map(\.field) == ["user.name"] && told.terms.map(\.values) == [["eve"]])
        let counters = lane.detector.detectionCounters
        #expect(counters.findings == [6] && counters.suppression.suppressed == [3])
    }

    @Test func rulesWithoutSuppressionSayNothing() throws {
        let lane = try Lane(try ruleSet(suppression: ""))
        lane.send(event("eve", minute: 0))
        lane.send(event("eve", minute: 0))
        #expect(lane.findings().map { $0.suppression == nil } == [true, true])
    }

    /// A finding a little before the alert that was raised first belongs to the same burst.
    @Test func whatComesLateFallsIntoTheWindowToo() throws {
        let lane = try Lane(try ruleSet())
        for minute in [30, 25, 15, 31, 41] { lane.send(event("eve", minute: minute)) }
        let findings = lane.findings()
        #expect(findings.map(\.offsets) == [[0], [2], [4]], "fifteen minutes earlier is another burst")
        #expect(findings.map { $0.suppression?.count } == [0, 0, 2])
        let first = try time(25)
        #expect(findings.last?.suppression?.first == first)
    }

    @Test func fieldsOfTheEventMakeTheGroup() throws {
        let lane = try Lane(
            try ruleSet(suppression: "[apus.suppression]\nfields = [\"user.name\", \"apus.host_key\"]\nwindow = \"1h\"")
        )
        lane.send(event("eve", minute: 0, host: "h1"))
        lane.send(event("eve", minute: 1, host: "h2"))
        lane.send(event("eve", minute: 2, host: "h1"))
        lane.send(#"{"@timestamp":"2026-11-24T00:03:00Z","host.id":"h1","event.action":"a","user.name":["mal","eve"]}"#)
        lane.send(#"{"@timestamp":"2026-11-24T00:04:00Z","host.id":"h1","event.action":"a","user.name":["eve","mal"]}"#)
        #expect(lane.findings().map(\.offsets) == [[0], [1], [3]], "several values are a set")
    }

    @Test func noFieldsMakeOneGroup() throws {
        let lane = try Lane(try ruleSet(suppression: "[apus.suppression]\nfields = []\nwindow = \"1h\""))
        for user in ["eve", "bob", nil] { lane.send(event(user, minute: 0)) }
        #expect(lane.findings().map(\.offsets) == [[0]])
    }

    @Test(arguments: [("suppress", [[0], [1]] as [[Int64]]), ("alert", [[0], [1], [2]])])
    func missingValues(policy: String, expected: [[Int64]]) throws {
        let lane = try Lane(try ruleSet(suppression: Self.byUser + "\nmissing = \"\(policy)\""))
        lane.send(event("eve", minute: 0))
        lane.send(event(nil, minute: 1))
        lane.send(event(nil, minute: 2))
        lane.send(event("eve", minute: 3))
        #expect(lane.findings().map(\.offsets) == expected)
    }

    @Test func elasticsOwnTable() throws {
        let keys = """
            [rule.alert_suppression]
            group_by = ["user.name"]
            missing_fields_strategy = "doNotSuppress"
            [rule.alert_suppression.duration]
            value = 5
            unit = "m"
            """
        let lane = try Lane(try ruleSet(keys: keys, suppression: ""))
        for (user, minute) in [("eve", 0), ("eve", 4), ("eve", 5), (nil, 6), (nil, 6)] as [(String?, Int)] {
            lane.send(event(user, minute: minute))
        }
        #expect(lane.findings().map(\.offsets) == [[0], [2], [3], [4]])
    }

    /// Without a duration Elastic suppresses within one run of the rule.
    @Test func withoutADurationTheIntervalIsTheWindow() throws {
        let table = "[rule.alert_suppression]\ngroup_by = [\"user.name\"]"
        func found(_ keys: String) throws -> [[Int64]] {
            let lane = try Lane(try ruleSet(keys: keys + table, suppression: ""))
            for minute in [0, 4, 6] { lane.send(event("eve", minute: minute)) }
            return lane.findings().map(\.offsets)
        }
        #expect(try found("") == [[0], [2]])
        #expect(try found("interval = \"1m\"\n") == [[0], [1], [2]])
    }

    @Test func aStageOfASequenceIsNamed() throws {
        let query = """
            sequence by host.id with maxspan=1m
              [any where event.action == "a"] ![any where event.action == "x"] [any where event.action == "b"]
            """
        func found(_ stage: String) throws -> [[Int64]] {
            let lane = try Lane(try ruleSet(query, suppression: Self.byUser + stage))
            for (minute, users) in [("eve", "svc1"), ("eve", "svc2"), ("bob", "svc1")].enumerated() {
                lane.send(event(users.0, minute: minute, action: "a"))
                lane.send(event(users.1, minute: minute, second: 9, action: "b"))
            }
            return lane.finish().map(\.offsets)
        }
        #expect(try found("") == [[0, 1], [4, 5]], "the first stage that has a value")
        #expect(try found("\nstage = 1") == [[0, 1], [4, 5]])
        #expect(try found("\nstage = 2") == [[0, 1], [2, 3]])
    }

    @Test func isForgottenInTime() throws {
        let lane = try Lane(try ruleSet())
        func live() -> Int { lane.detector.detectionCounters.suppression.windows }
        lane.send(event("eve", minute: 0))
        lane.send(event("bob", minute: 1))
        lane.send(event("bob", minute: 2))
        #expect(lane.findings().count == 2 && live() == 2)
        lane.send(event("x", minute: 90, action: "other"))
        #expect(lane.findings().isEmpty && live() == 1, "bob's next alert has something to tell")
        lane.send(#"{"@timestamp":"2026-11-25T12:00:00Z","event.action":"other"}"#)
        #expect(lane.findings().isEmpty && live() == 0)
        #expect(lane.detector.detectionCounters.suppression.forgotten == 1)
        lane.send(#"{"@timestamp":"2026-11-25T12:00:00Z","event.action":"a","user.name":"bob"}"#)
        #expect(lane.findings().map { $0.suppression?.count } == [0])
    }

    @Test func theSameRecordsGiveTheSameAlertsHoweverTheyAreCut() throws {
        func run(batch: Int) throws -> [String] {
            let lane = try Lane(try ruleSet())
            var findings: [Finding] = []
            for number in 0..<400 {
                lane.send(
                    event(["eve", "bob", "mal"][number * number % 3], minute: number / 3, second: number * 7 % 60))
                if number % batch == 0 { findings += lane.findings() }
            }
            return (findings + lane.finish()).map { "\($0.offsets) \($0.suppression?.count ?? .max)" }
        }
        let once = try run(batch: 1_000)
        #expect(once.count > 10)
        #expect(try run(batch: 1) == once)
        #expect(try run(batch: 7) == once)
    }

    /// Stopping anywhere and going on with what was kept gives what an uninterrupted run gives.
    @Test func windowsCanBeTakenUp() throws {
        let rules = try CompiledRules(try ruleSet())
        func match(_ user: String, _ minute: Int) throws -> QueryMatch {
            let bytes = Array(event(user, minute: minute).utf8)
            let event = bytes.withUnsafeBytes {
                RetainedEvent(
                    copying: $0,
                    origin: RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: Int64(minute)),
                    timestamp: EventTime(nanoseconds: Int64(minute) * 60_000_000_000), tiebreaker: nil, isLate: false)
            }
            return QueryMatch(query: 0, steps: [event], key: CorrelationKey([]))
        }
        func text(_ judgement: Suppressor.Judgement) -> String {
            switch judgement {
            case .alert(let told): "alert \(told?.count ?? 0)"
            case .suppressed(let window): "suppressed \(window.count)"
            }
        }
        let matches = try [("eve", 0), ("bob", 2), ("eve", 3), ("eve", 12), ("bob", 13), ("eve", 14), ("bob", 40)]
            .map { try match($0.0, $0.1) }
        let straight = Suppressor(rules)
        let expected = matches.map { text(straight.judge($0)) }
        #expect(expected.last == "alert 0" && expected.contains("alert 1"))
        for cut in matches.indices {
            let before = Suppressor(rules, tracksChanges: true)
            var kept: [Suppressor.Group: Suppressor.Window] = [:]
            var told: [String] = []
            for match in matches[..<cut] {
                told.append(text(before.judge(match)))
                for change in before.takeChanges() { kept[change.group] = change.window }
            }
            #expect(!before.hasChanges)
            let after = Suppressor(rules, tracksChanges: true)
            for (group, window) in kept { #expect(after.restore(rule: 0, group: group, window: window)) }
            after.finishRestoring()
            told += matches[cut...].map { text(after.judge($0)) }
            #expect(told == expected, "cut before \(cut)")
        }
    }

    /// The same through the records of the state topic: a detector that dies after any checkpoint is taken over by one
    /// that raises what it would have raised.
    @Test func windowsSurviveInTheStateTopic() throws {
        let rules = try CompiledRules(try ruleSet())
        let tracking = StateTracking(topics: ["events"])
        let options = EvaluatorOptions(ordering: .stream(lateness: 0))
        let events = [("eve", 0), ("bob", 2), ("eve", 3), ("eve", 12), ("bob", 13), ("eve", 14), ("bob", 40)]
        func process(_ number: Int, _ detector: Detector, _ source: Int) -> [String] {
            let bytes = Array(event(events[number].0, minute: events[number].1).utf8)
            let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: Int64(number))
            bytes.withUnsafeBytes { bytes in
                _ = detector.process(bytes, origin: origin, source: source, recordTime: nil)
            }
            detector.advance()
            return detector.takeFindings().map { "\($0.offsets) \($0.suppression?.count ?? .max)" }
        }
        let straight = Detector(rules, options: options)
        let source = straight.addSource()
        let expected = events.indices.flatMap { process($0, straight, source) }
        #expect(expected == ["[0] 0", "[1] 0", "[3] 1", "[4] 0", "[6] 0"])

        for cut in events.indices {
            let first = Detector(rules, options: options, tracking: tracking)
            let firstSource = first.addSource(topic: TopicID(rawValue: 0), partition: 0)
            var log = StateLog(owner: .input)
            var told: [String] = []
            for number in 0..<cut {
                told += process(number, first, firstSource)
                let stamp = CheckpointStamp(epoch: 1, number: UInt64(number))
                #expect(first.hasStateChanges)
                let changes = first.takeStateChanges()
                let marker = CheckpointMarker(stamp: stamp, positions: [], time: try #require(first.timeState))
                for record in changes + marker.records(of: .input) {
                    log.read(key: record.key, value: record.value, stamp: stamp)
                }
            }
            let second = Detector(rules, options: options, tracking: tracking)
            let restoration = second.restore(log.finish())
            #expect(restoration.problems.isEmpty)
            #expect(!second.hasStateChanges, "nothing to write again")
            let secondSource = second.addSource(topic: TopicID(rawValue: 0), partition: 0)
            for number in cut..<events.count { told += process(number, second, secondSource) }
            #expect(told == expected, "cut before \(cut)")
        }
    }

    @Test func windowsOfRulesThatSuppressNoMoreAreRemoved() throws {
        let tracking = StateTracking(topics: ["events"])
        let options = EvaluatorOptions(ordering: .stream(lateness: 0))
        let first = Detector(try CompiledRules(try ruleSet()), options: options, tracking: tracking)
        let bytes = Array(event("eve", minute: 0).utf8)
        let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: 0)
        let source = first.addSource(topic: TopicID(rawValue: 0), partition: 0)
        bytes.withUnsafeBytes { _ = first.process($0, origin: origin, source: source, recordTime: nil) }
        _ = first.takeFindings()
        var log = StateLog(owner: .input)
        let stamp = CheckpointStamp(epoch: 1, number: 1)
        let changes = first.takeStateChanges()
        let marker = CheckpointMarker(stamp: stamp, positions: [], time: try #require(first.timeState))
        for record in changes + marker.records(of: .input) {
            log.read(key: record.key, value: record.value, stamp: stamp)
        }
        #expect(changes.count == 1 && changes[0].value != nil)
        let second = Detector(try CompiledRules(try ruleSet(suppression: "")), options: options, tracking: tracking)
        #expect(second.restore(log.finish()).problems.isEmpty)
        #expect(second.takeStateChanges() == [StateRecord(key: changes[0].key, value: nil)])
    }

    @Test(
        arguments: [
            [], [0], Array(repeating: 0xFF, count: 40), [0, 0, 0, 0, 0, 0, 0, 1, 5, 0, 0],
            [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9],
        ] as [[UInt8]])
    func corruptWindowsAreRefused(bytes: [UInt8]) {
        #expect(throws: StateCorruption.self) { try Suppressor.Window(stateBytes: bytes) }
    }

    @Test(arguments: [
        ("[apus.suppression]\nwindow = \"1h\"", "the required key \"fields\" is missing"),
        ("[apus.suppression]\nfields = []", "the required key \"window\" is missing"),
        ("[apus.suppression]\nfields = []\nwindow = \"soon\"", "\"soon\" is not a length of time"),
        ("[apus.suppression]\nfields = []\nwindow = \"0m\"", "\"0m\" is not a length of time"),
        ("[apus.suppression]\nfields = []\nwindow = \"1h\"\nstage = 2", "the rule has 1 stage"),
        ("[apus.suppression]\nfields = []\nwindow = \"1h\"\nmissing = \"supress\"", "\"supress\" is not a value"),
        ("[apus.suppression]\nfields = []\nwindow = \"1h\"\nfileds = []", "[apus.suppression] has no key \"fileds\""),
        ("[apus.suppression]\nfields = [\"user.nmae\"]\nwindow = \"1h\"", "`user.nmae` is not an ECS field"),
    ])
    func saysWhatIsWrong(table: String, expected: String) throws {
        let report = RuleLoader(checker: .streaming).load(
            toml: """
                [rule]
                name = "Test rule"
                rule_id = "r"
                description = "Finds a test."
                severity = "high"
                risk_score = 73
                type = "eql"
                query = 'any where true'
                \(table)
                """, path: "rule.toml")
        #expect(report.problems.map(\.message).contains { $0.hasPrefix(expected) }, "\(report.problems)")
    }

    @Test func theHashOfTheSetTellsSuppression() throws {
        let rules = try [ruleSet(), ruleSet(suppression: ""), ruleSet(suppression: Self.byUser + "\nstage = 1")]
        #expect(Set(rules.map(\.hash)).count == 3)
        #expect(Set(rules.flatMap { $0.rules.map(\.contentHash) }).count == 1, "old findings keep their ids")
    }
}
