import Foundation
import TestSupport
import Testing

/// Commands that need no Kafka: what they print where, and how they end.
@Suite(.timeLimit(.minutes(3)))
struct OfflineCommandTests {
    // MARK: check

    @Test func checkAcceptsGoodRules() async throws {
        let folder = try Folder()
        let path = try folder.write(goodRule, to: "good.toml")
        let text = try Command.apus("check", path)
        #expect(try await text.status() == 0)
        #expect(text.lines.last == "1 files: 1 valid rules, 0 errors, 0 warnings, 0 not supported")

        let json = try Command.apus("check", "--output", "json", path)
        #expect(try await json.status() == 0)
        let report = try object(json.output)
        #expect(report["valid"] as? Bool == true)
        #expect(
            (report["rules"] as? [[String: Any]])?.first?["id"] as? String == "00000000-0000-4000-8000-000000000001")
    }

    @Test func checkShowsThePlaceOfAProblem() async throws {
        let folder = try Folder()
        let path = try folder.write(brokenRule, to: "broken.toml")
        _ = try folder.write(goodRule, to: "good.toml")
        let text = try Command.apus("check", folder.url.path)
        #expect(try await text.status() == 1)
        #expect(text.output.contains("\(path):9:24: error: "))
        #expect(text.output.contains("^"))
        #expect(text.output.contains("1 valid rules, 1 errors"))

        let json = try Command.apus("check", "--output", "json", folder.url.path)
        #expect(try await json.status() == 1)
        let report = try object(json.output)
        #expect(report["valid"] as? Bool == false)
        let problem = try #require((report["problems"] as? [[String: Any]])?.first)
        #expect(problem["severity"] as? String == "error")
        #expect(problem["line"] as? Int == 9)
        #expect(problem["column"] as? Int == 24)
    }

    @Test func checkFindsTheShippedRulesGood() async throws {
        let check = try Command.apus("check", "config/rules")
        #expect(try await check.status() == 0)
        #expect(check.output.contains("ok  5f0c8a36-9d1e-4b77-8e43-2a6d1f9b7c10"))
    }

    // MARK: eval

    @Test func evalWritesAlertsAndSaysWhatItDid() async throws {
        let folder = try Folder()
        let rule = try folder.write(goodRule, to: "good.toml")
        let huge = #"{"message":"\#(String(repeating: "x", count: 20 << 20))"}"#
        let eval = try Command.apus(
            "eval", "--rules", rule, "--", "-",
            input: lines(event("alert"), "no json", event("quiet"), huge, event("alert", second: 5, host: "h2")))
        #expect(try await eval.status() == 0)
        #expect(eval.lines.count == 2)
        let ids = try eval.lines.map { try #require(try object($0)["event"] as? [String: Any])["id"] as? String }
        #expect(Set(ids).count == 2)
        #expect(eval.errors.contains("line 2: not evaluated: not_json"))
        #expect(eval.errors.contains("line 4: not evaluated: too_large"))
        #expect(eval.errors.contains("5 events, 2 alerts"))
        #expect(eval.errors.contains("not evaluated: 1 not_json, 1 too_large"))

        // The same again, the statistics for machines.
        let json = try Command.apus(
            "eval", "--statistics", "json", "--rules", rule, "--", "-", input: lines(event("alert"), "[]"))
        #expect(try await json.status() == 0)
        let report = try object(json.errors.split(separator: "\n").last.map(String.init) ?? "")
        #expect(report["alerts"] as? Int == 1)
        #expect(report["rejected"] as? [String: Int] == ["not_object": 1])
    }

    @Test func evalPassesOverWhatNoRuleCanMatch() async throws {
        let folder = try Folder()
        let rule = try folder.write(goodRule, to: "good.toml")
        let input = lines(event("alert"), event("quiet"), "no json", event("alert", second: 5, host: "h2"))
        let eval = try Command.apus(
            "eval", "--prefilter", "--no-normalize", "--rules", rule, "--", "-", input: input)
        #expect(try await eval.status() == 0)
        #expect(eval.lines.count == 2)
        #expect(eval.errors.contains("4 events, 2 alerts"))
        #expect(eval.errors.contains("passed over by their bytes: 2"))

        let normalizing = try Command.apus("eval", "--prefilter", "--rules", rule, "--", "-", input: input)
        #expect(try await normalizing.status() == 64)
        #expect(normalizing.errors.contains("--prefilter needs --no-normalize"))

        let waiting = try Command.apus(
            "eval", "--prefilter", "--no-normalize", "--rules",
            "config/rules/t1114_002/mail_collection_with_connection.toml",
            "--", "-", input: input)
        #expect(try await waiting.status() == 65)
        #expect(waiting.errors.contains("waits for event time"))
    }

    @Test func evalWithoutValidRulesIsAnError() async throws {
        let folder = try Folder()
        let rule = try folder.write(brokenRule, to: "broken.toml")
        let eval = try Command.apus("eval", "--rules", rule, "--", "-")
        #expect(try await eval.status() == 65)
        #expect(eval.errors.contains("broken.toml:9:24: error: "))
    }

    // MARK: query

    @Test func queryPrintsEventsAsTheyWereRead() async throws {
        let odd = #"  {"b" : 1.50,"@timestamp":"2025-01-01T00:00:01Z" , "event":{"action":"alert"}} "#
        let query = try Command.apus(
            "query", #"any where event.action == "alert""#, "-",
            input: lines(event("alert", second: 2), event("quiet"), odd))
        #expect(try await query.status() == 0)
        #expect(query.output == odd + "\n" + event("alert", second: 2) + "\n")
        #expect(query.errors.isEmpty)
    }

    @Test func queryPrintsSequencesInOrderOfCompletion() async throws {
        let (a1, a2) = (event("a", second: 1), event("a", second: 2, host: "h2"))
        let (b2, b1) = (event("b", second: 3, host: "h2"), event("b", second: 4))
        let query = try Command.apus(
            "query",
            #"sequence by host.id [any where event.action == "a"] [any where event.action == "b"]"#, "-",
            // In another order than that of their times.
            input: lines(b1, b2, a1, a2))
        #expect(try await query.status() == 0)
        #expect(
            query.lines == [
                #"{"join_keys":["h2"],"events":[\#(a2),\#(b2)]}"#, #"{"join_keys":["h1"],"events":[\#(a1),\#(b1)]}"#,
            ])
    }

    @Test func queryPrintsSamplesAndTypedKeys() async throws {
        let a = event("a", second: 1, more: #","process":{"pid":7}"#)
        let b = event("b", second: 2, more: #","process":{"pid":7}"#)
        let query = try Command.apus(
            "query", #"sample by host.id, process.pid [any where event.action == "b"] [any where event.action == "a"]"#,
            "-", input: lines(a, b))
        #expect(try await query.status() == 0)
        #expect(query.lines == [#"{"join_keys":["h1",7],"events":[\#(b),\#(a)]}"#])
    }

    @Test func queryTakesOtherFields() async throws {
        let first = #"{"when":"2025-01-01T00:00:00Z","seq":1,"kind":"process","x":1}"#
        let second = #"{"when":"2025-01-01T00:00:00Z","seq":2,"kind":"process","x":2}"#
        let other = #"{"when":"2025-01-01T00:00:00Z","seq":0,"kind":"file","x":3}"#
        let query = try Command.apus(
            "query", "--timestamp-field", "when", "--tiebreaker-field", "seq", "--event-category-field", "kind",
            "process where x > 0", "-", input: lines(second, first, other))
        #expect(try await query.status() == 0)
        #expect(query.lines == [first, second])
    }

    @Test func anInvalidQueryIsShownWithACaret() async throws {
        let query = try Command.apus("query", "any where event.action = 1", "-")
        #expect(try await query.status() == 65)
        #expect(query.errors.contains("any where event.action = 1"))
        #expect(query.errors.contains("^"))
        #expect(query.output.isEmpty)
    }

    @Test(arguments: ["query", "eval"])
    func aMissingFileIsNamed(command: String) async throws {
        let folder = try Folder()
        let rule = try folder.write(goodRule, to: "good.toml")
        let process =
            command == "query"
            ? try Command.apus("query", "any where true", "/nowhere/events.ndjson")
            : try Command.apus("eval", "--rules", rule, "--", "/nowhere/events.ndjson")
        #expect(try await process.status() == 66)
        #expect(process.errors.contains("cannot read /nowhere/events.ndjson: No such file or directory"))
    }

    // MARK: run, as far as it gets without a broker

    @Test func everyConfigurationErrorIsReportedAtOnce() async throws {
        let folder = try Folder()
        let config = try folder.write(
            """
            kafka:
              brokers: [localhost:9092]
              conect_timeout: 3s
            input:
              topics: [events]
            rules:
              paths: [\(folder.url.path)]
            runtime:
              batch_size: many
            """, to: "apus.yaml")
        let run = try Command.apus("run", "--config", config)
        #expect(try await run.status() == 78)
        #expect(
            run.errors == """
                \(config):3:3: unknown setting "kafka.conect_timeout"; did you mean kafka.connect_timeout?
                \(config):9:15: "many" is not a whole number from 1 to 100000

                """)
    }

    @Test func garbageIsAnAnswerAndNoCrash() async throws {
        let folder = try Folder()
        for text in ["", "\u{0}\u{1}", "[", "kafka: 1", ": :", "- a\n- b"] {
            let config = try folder.write(text, to: "apus.yaml")
            let run = try Command.apus("run", "--config", config)
            #expect(try await run.status() == 78, "\(text.debugDescription): \(run.errors)")
            #expect(!run.errors.isEmpty)
        }
        let missing = try Command.apus("run", "--config", "/nowhere/apus.yaml")
        #expect([66, 78].contains(try await missing.status()))
        #expect(missing.errors.contains("/nowhere/apus.yaml"))
        let wrong = try Command.apus("rnu")
        #expect(try await wrong.status() == 64)
    }

    @Test func anUnreachableBrokerIsUnavailable() async throws {
        let folder = try Folder()
        let rule = try folder.write(goodRule, to: "good.toml")
        let run = try Command.apus(
            "run", "--set", "kafka.brokers=127.0.0.1:1", "--set", "kafka.connect_timeout=2s", "--set",
            "input.topics=events", "--set", "rules.paths=\(rule)")
        #expect(try await run.status() == 69)
        #expect(run.errors.contains("cannot start: no broker of 127.0.0.1:1 answered within 2.0 seconds"))
    }

    /// With everything said that there is to say.
    @Test func noSecretIsEverShown() async throws {
        let folder = try Folder()
        let rule = try folder.write(goodRule, to: "good.toml")
        let config = try folder.write(
            """
            kafka:
              brokers: ["127.0.0.1:1"]
              connect_timeout: 2s
              properties:
                security.protocol: sasl_plaintext
                sasl.mechanism: PLAIN
                sasl.username: apus
                sasl.password: hunter2-in-file
            input:
              topics: [events]
            rules:
              paths: ["\(rule)"]
            log:
              level: trace
            """, to: "apus.yaml")
        for (arguments, status) in [
            (["run", "--show-config"], Int32(0)), (["run", "--set=log.format=json"], 69), (["config", "show"], 0),
            (["config", "show", "--output", "json"], 0),
        ] {
            let run = try Command.apus(arguments + ["--config", config])
            #expect(try await run.status() == status, "\(run.errors)")
            #expect(!(run.output + run.errors).isEmpty)
            #expect(!(run.output + run.errors).contains("hunter2"))
        }
    }

    @Test func healthWithoutAHeartbeatIsNegative() async throws {
        let health = try Command.apus("health", "--file", "/nowhere/health.json")
        #expect(try await health.status() == 1)
        #expect(health.output.contains("no heartbeat in /nowhere/health.json"))
        let unnamed = try Command.apus("health")
        #expect(try await unnamed.status() == 64)
    }

    /// What the exit code says, and why, for people and for programs.
    @Test(
        arguments: [
            (
                #""ready":true,"stalled":[],"time":now"#, [], Int32(0), "ready: 3 lanes, lag 5; 9 records, 1 alerts",
                true
            ),
            (#""ready":true,"stalled":[],"time":100"#, [], 1, "the last heartbeat is ", false),
            (#""ready":false,"stalled":[2,4],"time":now"#, [], 1, "stalled: partition 2, 4 has records", true),
            (#""ready":false,"stalled":[],"time":now"#, [], 1, "not ready: no partition is assigned", true),
            (#""ready":false,"stalled":[],"time":now"#, ["--live"], 0, "alive: 3 lanes", true),
            (#""failure":"fenced","ready":false,"stalled":[],"time":now"#, [], 1, "stopped by an error: fenced", true),
        ] as [(String, [String], Int32, String, Bool)])
    func healthSaysWhy(beat: String, flags: [String], status: Int32, sentence: String, alive: Bool) async throws {
        let folder = try Folder()
        // Ahead of now, so that no slow machine makes it old.
        let now = Date().timeIntervalSince1970 + 3_600
        let members = beat.replacing("now", with: "\(now)")
        let file = try folder.write(
            #"{"alerts":1,"deadLetters":0,"lag":5,"lanes":3,"records":9,\#(members)}"#, to: "health.json")
        let text = try Command.apus(["health", "--file", file] + flags)
        #expect(try await text.status() == status)
        #expect(text.output.contains(sentence), "\(text.output)")
        let json = try Command.apus(["health", "--file", file, "--output", "json"] + flags)
        #expect(try await json.status() == status)
        let verdict = try object(json.output)
        #expect(verdict["healthy"] as? Bool == (status == 0))
        #expect(verdict["alive"] as? Bool == alive)
        #expect((verdict["problems"] as? [String])?.isEmpty == (status == 0))
        #expect((verdict["heartbeat"] as? [String: Any])?["lanes"] as? Int == 3)
    }

    @Test func settingsAreShownForPrograms() async throws {
        let show = try Command.apus(
            "config", "show", "--output", "json", "--set", "kafka.brokers=kafka:9092", "--set", "input.topics=events",
            "--set", "rules.paths=config/rules")
        #expect(try await show.status() == 0, "\(show.errors)")
        let settings = try #require(
            try JSONSerialization.jsonObject(with: Data(show.output.utf8)) as? [[String: Any]])
        let brokers = settings.first { $0["path"] as? String == "kafka.brokers" }
        #expect(brokers?["value"] as? [String] == ["kafka:9092"])
        #expect(brokers?["origin"] as? String == "--set kafka.brokers")
        let wrong = try Command.apus("config", "show", "--output", "json")
        #expect(try await wrong.status() == 78)
    }

    // MARK: Explaining itself

    /// Every command with its options, every setting, every exit code; and troff has nothing to complain of.
    @Test func theManualIsComplete() async throws {
        let manual = try Command.apus("man")
        #expect(try await manual.status() == 0)
        let reference = try Command.apus("config", "reference", "--format", "json")
        #expect(try await reference.status() == 0)
        let settings = try #require(
            try JSONSerialization.jsonObject(with: Data(reference.output.utf8)) as? [[String: Any]])
        #expect(settings.count > 40)
        for setting in settings { #expect(manual.output.contains("\n.B \(setting["path"] ?? "-")\n")) }
        for command in ["run", "rules publish <paths> ...", "dlq replay", "top", "config reference", "man"] {
            #expect(manual.output.contains(".SS \"apus \(command)\""), "\(command)")
        }
        #expect(manual.output.contains("\n.B \\-\\-dry\\-run\n"))
        // A line that begins with a dot is a request; only known ones are.
        let requests = Set(manual.lines.filter { $0.hasPrefix(".") }.map { $0.prefix { $0 != " " } })
        #expect(requests == [".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".RI", ".I", ".nf", ".fi"])
        #expect(!manual.lines.contains { $0.hasPrefix("'") })
    }

    @Test func theReferenceIsSearched() async throws {
        let found = try Command.apus("config", "reference", "--search", "CREATE_topics")
        #expect(try await found.status() == 0)
        #expect(found.output.hasPrefix("kafka.create_topics\n    Create the topics that are missing."))
        #expect(found.output.contains("default false; APUS_KAFKA_CREATE_TOPICS"))
        let nothing = try Command.apus("config", "reference", "--search", "no such setting")
        #expect(try await nothing.status() == 1)
    }
}
