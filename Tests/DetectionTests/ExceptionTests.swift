import Alerts
import Detection
import EventSchema
import Foundation
import Rules
import Testing

/// What exceptions leave out, and what they do not.
@Suite struct ExceptionTests {
    private static let ruleID = "8a4b1c52-0d0e-4c58-9d0b-000000000001"

    /// Exceptions of one condition each, in force until 2027.
    private func exceptions(
        _ conditions: String..., more: String = "", lists: String = "", expires: String = "2027-01-01T00:00:00Z"
    ) throws -> ExceptionSet {
        let text = conditions.enumerated().map { index, condition in
            """
            [[exception]]
            id = "e\(index)"
            global = true
            condition = '''
            \(condition)'''
            owner = "me"
            reason = "because"
            expires = \(expires)
            \(more)

            """
        }.joined()
        let report = ExceptionLoader(checker: .standard).load(toml: lists + text, path: "x.toml")
        try #require(report.problems.isEmpty, "\(report.problems)")
        return report.exceptions
    }

    private func event(_ action: String, user: String, second: Int = 0, ip: String = "10.0.0.1") -> String {
        let time = "2026-11-24T00:00:\(second < 10 ? "0" : "")\(second)Z"
        return #"""
            {"@timestamp":"\#(time)","host":{"id":"h"},"event":{"action":"\#(action)"},"user":{"name":"\#(user)"},
             "source":{"ip":"\#(ip)"}}
            """#
    }

    private func counters(_ lane: Lane) -> [UInt64] { lane.detector.detectionCounters.exceptions.map(\.hits) }

    @Test func keepsEventsFromARule() throws {
        let rules = RuleSet([try rule(#"any where event.action == "a""#)])
        let lane = try Lane(rules, exceptions: try exceptions(#"user.name == "admin""#, #"user.name : "adm*""#))
        for user in ["admin", "eve", "adm2", "admin"] { lane.send(event("a", user: user)) }
        lane.send(event("b", user: "admin"))
        #expect(lane.findings().flatMap(\.offsets) == [1])
        #expect(counters(lane) == [2, 3], "every exception that holds counts, and only where a rule matched")
    }

    @Test func holdsForItsRulesOnly() throws {
        let other = "8a4b1c52-0d0e-4c58-9d0b-000000000002"
        let rules = RuleSet([
            try rule(#"any where event.action == "a""#), try rule(#"any where event.action in ("a", "b")"#, id: other),
        ])
        let text = """
            [[exception]]
            id = "e"
            rules = ["\(Self.ruleID)"]
            condition = 'user.name == "admin"'
            owner = "me"
            reason = "because"
            expires = "never"
            """
        let report = ExceptionLoader(checker: .standard).load(toml: text, path: "x.toml")
        let lane = try Lane(rules, exceptions: report.exceptions)
        lane.send(event("a", user: "admin"))
        #expect(lane.findings().map(\.rule.id) == [other])
    }

    /// The event's own time decides, so that a replay finds what was found.
    @Test func expiresInEventTime() throws {
        let rules = RuleSet([try rule(#"any where event.action == "a""#)])
        let exceptions = try exceptions(#"user.name == "admin""#, expires: "2026-11-24T00:00:05Z")
        let lane = try Lane(rules, exceptions: exceptions)
        for second in [6, 4, 5] { lane.send(event("a", user: "admin", second: second)) }
        #expect(lane.findings().flatMap(\.offsets) == [0, 2])
        let counters = try #require(lane.detector.detectionCounters.exceptions.first)
        #expect(counters.hits == 1 && counters.hitsAfterExpiry == 2)
    }

    /// Were it asked when the sequence is complete, the administrator's start would have taken the place of the
    /// attacker's, and hidden it.
    @Test func anExceptedEventTakesNobodysPlace() throws {
        let rules = RuleSet([
            try rule(
                """
                sequence by host.id with maxspan=1m
                  [any where event.action == "a"] [any where event.action == "b"]
                """)
        ])
        let lane = try Lane(rules, exceptions: try exceptions(#"user.name == "admin""#))
        lane.send(event("a", user: "eve", second: 1))
        lane.send(event("a", user: "admin", second: 2))
        lane.send(event("b", user: "eve", second: 3))
        #expect(lane.finish().map(\.offsets) == [[0, 2]])
    }

    @Test func holdsForAnyStageOrForOne() throws {
        let rules = RuleSet([
            try rule(
                """
                sequence by host.id with maxspan=1m
                  [any where event.action == "a"] [any where event.action == "b"]
                """)
        ])
        func found(_ stage: String) throws -> Int {
            let lane = try Lane(rules, exceptions: try exceptions(#"user.name == "admin""#, more: stage))
            lane.send(event("a", user: "eve", second: 1))
            lane.send(event("b", user: "admin", second: 3))
            return lane.finish().count
        }
        #expect(try found("") == 0)
        #expect(try found("stage = 2") == 0)
        #expect(try found("stage = 1") == 1)
    }

    /// An exception only ever leaves findings out.
    @Test func untilAndMissingEventsSeeEverything() throws {
        let rules = RuleSet([
            try rule(
                """
                sequence by host.id with maxspan=1m
                  [any where event.action == "a"] [any where event.action == "b"] until [any where event.action == "u"]
                """),
            try rule(
                """
                sequence by host.id with maxspan=10s
                  [any where event.action == "a"] ![any where event.action == "u"] [any where event.action == "b"]
                """, id: "8a4b1c52-0d0e-4c58-9d0b-000000000002"),
        ])
        let lane = try Lane(rules, exceptions: try exceptions(#"user.name == "admin""#))
        lane.send(event("a", user: "eve", second: 1))
        lane.send(event("u", user: "admin", second: 2))
        lane.send(event("b", user: "eve", second: 3))
        #expect(lane.finish().isEmpty)
        #expect(counters(lane) == [0])
    }

    @Test func samplesToo() throws {
        let rules = RuleSet([
            try rule(
                """
                sample by host.id with maxspan=1m
                  [any where event.action == "a"] [any where event.action == "b"]
                """)
        ])
        let lane = try Lane(rules, exceptions: try exceptions(#"user.name == "admin""#))
        lane.send(event("b", user: "eve"))
        lane.send(event("a", user: "admin"))
        lane.send(event("a", user: "eve"))
        #expect(lane.findings().map(\.offsets) == [[2, 0]])
    }

    @Test func asksLists() throws {
        let rules = RuleSet([try rule(#"any where event.action == "a""#)])
        let lists = """
            [[list]]
            name = "admins"
            kind = "names"
            values = ["Admin", "root"]
            [[list]]
            name = "office"
            kind = "cidr"
            values = ["10.1.0.0/16", "2001:db8::/32"]

            """
        let lane = try Lane(
            rules,
            exceptions: try exceptions(#"inList(user.name, "admins") and INLIST(source.ip, "office")"#, lists: lists))
        lane.send(event("a", user: "ADMIN", ip: "10.1.9.9"))
        lane.send(event("a", user: "root", ip: "10.2.9.9"))
        lane.send(event("a", user: "eve", ip: "10.1.9.9"))
        lane.send(event("a", user: "root", ip: "2001:db8::7"))
        #expect(lane.findings().flatMap(\.offsets) == [1, 2])
    }

    @Test(arguments: [
        (#"user.name = "x""#, "4:11: error: '=' does not compare"),
        ("user.nmae == \"x\"", "4:1: warning: `user.nmae` is not an ECS field"),
        (#"inList(user.name, "nobody")"#, "4:19: error: there is no list \"nobody\""),
        (#"inList(user.name, "admin")"#, "4:19: error: there is no list \"admin\"; Did you mean \"admins\"?"),
        (#"inList(source.ip, "admins")"#, "4:8: error: `source.ip` is a ip field and is never one of the names"),
        (#"inList(user.name)"#, "4:1: error: `inList` takes 2 arguments, not 1"),
        (#"inList(length(user.name), "admins")"#, "4:8: error: `inList` compares a field"),
        (#"user.name == "x" | head 5"#, "4:18: error: a condition takes no pipe"),
        ("user.name ==\n  and x == 1", "5:3: error: "),
        ("", "4:1: error: the condition is empty"),
        (#"user.name regex "(""#, "4:"),
    ])
    func conditionsAreCheckedAtTheirPlace(condition: String, expected: String) {
        let text = """
            [[exception]]
            id = "e"
            condition = '''
            \(condition)'''
            global = true
            owner = "me"
            reason = "because"
            expires = "never"
            [[list]]
            name = "admins"
            kind = "names"
            values = ["admin"]
            """
        let report = ExceptionLoader(checker: .standard).load(toml: text, path: "x.toml")
        #expect(
            report.problems.map(\.description).contains { $0.hasPrefix("x.toml:" + expected) }, "\(report.problems)")
    }

    @Test func theSetsHashTellsExceptions() throws {
        let rules = RuleSet([try rule(#"any where event.action == "a""#)])
        let plain = try CompiledRules(rules)
        let tuned = try CompiledRules(rules, exceptions: try exceptions(#"user.name == "admin""#))
        #expect(plain.hash == rules.hash && tuned.hash != plain.hash)
    }

    /// The examples are switched off; switched on, each leaves out the false positive it is for and nothing else.
    @Test func theShippedExamplesDoWhatTheySay() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "config/exceptions")
        let shipped = ExceptionLoader(checker: .standard).load(paths: [folder.path])
        #expect(shipped.problems.isEmpty, "\(shipped.problems)")
        #expect(shipped.exceptions.isEmpty && shipped.disabled == 3)

        let file = folder.appending(path: "mail_collection.toml")
        let text = try String(contentsOf: file, encoding: .utf8).replacing("enabled = false", with: "")
        let exceptions = ExceptionLoader(checker: .standard).load(toml: text, path: file.path).exceptions
        let lane = try Lane(try Pack.load(), exceptions: exceptions)
        func shell(_ user: String, _ host: String, _ command: String) -> String {
            #"""
            {"@timestamp":"2026-11-24T00:00:00Z","event":{"category":["process"],"type":["start"]},
             "host":{"id":"\#(host)","name":"\#(host)"},"user":{"name":"\#(user)"},
             "process":{"name":"powershell.exe","command_line":"\#(command)"}}
            """#
        }
        func client(_ user: String, _ address: String) -> String {
            #"""
            {"@timestamp":"2026-11-24T00:00:00Z","event":{"category":["network"],"type":["connection"]},
             "user":{"name":"\#(user)"},"source":{"ip":"\#(address)"},"destination":{"port":443},
             "user_agent":{"original":"Microsoft.Exchange.WebServices/15.0"}}
            """#
        }
        lane.send(shell("ediscovery.one", "LEGAL-WS-01", "New-ComplianceSearch -Name case"))
        lane.send(shell("ediscovery.one", "ws-7", "New-ComplianceSearch -Name case"))
        lane.send(shell("ediscovery.one", "legal-ws-01", "New-MailboxExportRequest -Mailbox ceo"))
        lane.send(client("svc-archive", "192.0.2.7"))
        lane.send(client("svc-archive", "203.0.113.7"))
        lane.send(client("eve", "192.0.2.7"))
        lane.send(shell("svc-capacity", "monitor-1", "Get-MailboxExportRequest"))
        lane.send(shell("svc-capacity", "ws-9", "Get-MailboxExportRequest"))
        let seed = lane.finish().filter { $0.rule.id == Pack.seedID }
        #expect(seed.flatMap(\.offsets) == [1, 2, 4, 5, 7])
    }
}
