import Detection
import EventSchema
import Events
import Normalization
import Rules
import Settings
import TestSupport
import Testing
import Traffic

/// Rules with a prefilter find what they find without, and say where they cannot have one.
@Suite struct PrefilteringTests {
    /// The rules of the pack that allow a prefilter, each by itself.
    private static func rules() throws -> [(rules: CompiledRules, filtered: CompiledRules)] {
        try Pack.load().rules.compactMap { rule in
            let rules = try CompiledRules(RuleSet([rule]))
            return (try? rules.prefiltered(recordsHaveTimes: true)).map { (rules, $0) }
        }
    }

    /// Generated traffic, half of it respelled.
    private static func records(_ seed: UInt64) throws -> [[UInt8]] {
        let plan = try TrafficPlan(
            seed: seed, events: 3_000, hosts: TrafficPlan.minimumHosts,
            start: EventTime(nanoseconds: 1_764_000_000_000_000_000), seconds: TrafficPlan.minimumSeconds)
        var random = SeededRandom(seed: seed)
        return TrafficGenerator(plan: plan).enumerated().map { number, event in
            guard number % 2 == 0 else { return event.bytes }
            let text = String(decoding: event.bytes, as: UTF8.self)
            return Array(JSONSpelling.respelled(text, oneIn: 60, &random).utf8)
        }
    }

    @Test func findsWhatIsFoundWithout() throws {
        let records = try Self.records(5)
        var findings = 0
        var passedOver: UInt64 = 0
        let rules = try Self.rules()
        #expect(rules.count > 5)
        for (rules, filtered) in rules {
            let (plain, fast) = (Lane(rules), Lane(filtered))
            for record in records {
                plain.send(record)
                fast.send(record)
            }
            let found = plain.findings().map(\.offsets)
            #expect(fast.findings().map(\.offsets) == found, "\(rules.rules[0].name)")
            findings += found.count
            passedOver += fast.detector.counters.passedOver
        }
        #expect(findings > 0 && passedOver > UInt64(records.count), "\(findings) findings, \(passedOver) passed over")
    }

    @Test func whatIsPassedOverIsCountedAndNotDecoded() throws {
        let lane = Lane(
            try CompiledRules(RuleSet([rule(#"process where process.name : "powershell.exe""#)])).prefiltered(
                recordsHaveTimes: true))
        #expect(lane.send(#"{"process.name":"cmd.exe"}"#) == nil)
        #expect(!lane.detector.hasEvent)
        #expect(lane.send("no event") == nil)
        #expect(lane.send(#"{"event.category":"process","process.name":"powershell.exe"}"#) == nil)
        #expect(lane.detector.hasEvent)
        #expect(lane.send("powershell.exe") == .notJSON)
        #expect(!lane.detector.hasEvent)
        #expect(lane.detector.counters.records == 4)
        #expect(lane.detector.counters.passedOver == 2)
        #expect(lane.findings().count == 1)
    }

    /// What a record is brought into ECS with does not stand in it.
    @Test func recordsThatAreNormalisedAreNotJudgedByTheirBytes() throws {
        let compiled = try CompiledRules(
            RuleSet([try rule(#"process where process.name : "powershell.exe""#)]), normalizers: NormalizerTable.builtIn
        ).prefiltered(recordsHaveTimes: true)
        var options = EvaluatorOptions(ordering: .stream(lateness: 0))
        options.verbatimTopics = [TopicID(rawValue: 1)]
        let detector = Detector(compiled, options: options)
        let source = detector.addSource()
        for topic in [0, 1, 0, 1] as [UInt16] {
            _ = Array("{}".utf8).withUnsafeBytes {
                detector.process(
                    $0, origin: RecordOrigin(topic: TopicID(rawValue: topic), partition: 0, offset: 0), source: source,
                    recordTime: nil)
            }
        }
        #expect(detector.counters.passedOver == 2)
    }

    @Test(arguments: [
        (
            #"sequence by host.id [process where process.name == "one.exe"] [any where user.name == "ada"]"#,
            "event time"
        ),
        (#"any where powershell.file.script_block_text : "*mailsniper*""#, "script blocks"),
        ("any where destination.port == 443", "no particular text"),
    ])
    func rulesThatNeedEveryRecordSaySo(query: String, reason: String) throws {
        let compiled = try CompiledRules(RuleSet([rule(query)]))
        let obstacle = try #require(throws: PrefilterObstacle.self) { try compiled.prefiltered(recordsHaveTimes: true) }
        #expect("\(obstacle)".contains(reason))
        #expect("\(obstacle)".contains(compiled.rules[0].name))
    }

    /// A line without a time has that of the line before, which decides whether the exception is over.
    @Test func exceptionsThatExpireNeedTheTimeOfEveryLine() throws {
        let rule = try rule(#"any where process.name == "powershell.exe""#)
        let report = ExceptionLoader(checker: .standard).load(
            toml: """
                [[exception]]
                id = "until-june"
                global = true
                condition = 'user.name == "ada"'
                owner = "me"
                reason = "because"
                expires = 2027-06-30T00:00:00Z
                """, path: "x.toml")
        try #require(report.problems.isEmpty, "\(report.problems)")
        let exceptions = report.exceptions
        let compiled = try CompiledRules(RuleSet([rule]), exceptions: exceptions)
        #expect(throws: PrefilterObstacle.inheritsTime(exception: "until-june")) {
            try compiled.prefiltered(recordsHaveTimes: false)
        }
        #expect(try compiled.prefiltered(recordsHaveTimes: true).prefilter != nil)
    }
}
