import Settings
import Testing

@Suite("What is wrong with settings is said all at once, with its place and what to do")
struct ProblemTests {
    @Test("Problems of all sources come together")
    func all() {
        let result = load(
            """
            kafka:
              brokers: [kafka]
              broker: x
            runtime:
              cores: many
            """,
            environment: ["APUS_LOG_LEVEL": "loud", "APUS_LOG_LEVLE": "info"],
            flags: [("time.idle_timeout", "5"), ("rules.path", "rules")])
        guard case .failure(let errors) = result else {
            Issue.record("these settings are wrong")
            return
        }
        #expect(
            errors.description == """
                apus.yaml:2:13: "kafka" is not host:port, like kafka-1:9092
                apus.yaml:3:3: unknown setting "kafka.broker"; did you mean kafka.brokers?
                apus.yaml:5:10: "many" is not a whole number from 0 to 1024
                environment variable APUS_LOG_LEVEL: "loud" is not possible here; choose one of trace, debug, info, \
                notice, warning, error, critical
                --set time.idle_timeout: "5" is not a duration; write a whole number and ms, s, m, h or d, like 500ms
                --set rules.path: unknown setting; did you mean rules.paths?
                environment variable APUS_LOG_LEVLE: sets nothing; did you mean APUS_LOG_LEVEL?
                input.topics: is not set; add it to the file, set APUS_INPUT_TOPICS, or pass \
                --set input.topics=VALUE (list of topics)
                rules.paths: is not set; add it to the file, set APUS_RULES_PATHS, or pass \
                --set rules.paths=VALUE (list of files and folders)
                """)
    }

    @Test(
        "Each kind of wrong value has its message, at its place",
        arguments: [
            ("brokers: x\n", #"7:1: unknown setting "brokers"; did you mean kafka.brokers?"#),
            ("zzzzzz: 1\n", #"7:1: unknown setting "zzzzzz""#),
            ("log: text\n", "7:6: a single value where log should be a map of settings"),
            (
                "log:\n  level: [info]\n",
                "8:10: a list where one value belongs: one of trace, debug, info, notice,"
                    + " warning, error, critical"
            ),
            (
                "log:\n  level:\n",
                "8:9: nothing where one value belongs: one of trace, debug, info, notice, warning,"
                    + " error, critical"
            ),
            ("rules.strict: yes\n", #"7:15: "yes" is neither true nor false"#),
            ("time.idle_timeout: 2d\n", "7:20: 2d is out of range; 100ms to 1h is possible"),
            (
                "input.max_record_bytes: 1MB\n",
                #"7:25: "1MB" is not a size; write a whole number and B, KiB, MiB or"#
                    + " GiB, like 512KiB"
            ),
            (
                "input.max_record_bytes: 9999999999999GiB\n",
                #"7:25: "9999999999999GiB" is not a size; write a whole"#
                    + " number and B, KiB, MiB or GiB, like 512KiB"
            ),
            (
                "application: a b\n",
                #"7:14: "a b" is not a name: at most 200 of the letters A to Z and a to z, digits,"#
                    + " '.', '_' and '-'"
            ),
            ("host_key: []\n", "7:11: is empty; give list of field names"),
            ("host_key: [host.id, host..name, host.id]\n", #"7:21: "host..name" is not a field name, like host.id"#),
            ("kafka.brokers: [a:1]\n", "7:16: kafka.brokers is given twice in this file; keep one"),
            ("health.file: [a]\n", "7:14: a list where one value belongs: path"),
            (
                "kafka.properties: x\n",
                "7:19: a single value where a map of librdkafka properties belongs, like"
                    + " security.protocol: ssl"
            ),
            ("kafka.properties:\n  group.id: x\n", "8:3: group.id is not free: set application"),
            ("kafka.properties:\n  debug: [a]\n", "8:10: a list where the value of debug belongs"),
            ("log: {level: info, level: info}\n", #"7:7: "level" is given more than once here; keep one"#),
        ])
    func wrongValue(text: String, problem: String) {
        let found = problems(text)
        #expect(found.first == "apus.yaml:" + problem)
    }

    @Test("A list names the entry that comes twice")
    func duplicates() {
        #expect(
            problems("host_key:\n  - host.id\n  - host.id\n") == [
                "apus.yaml:9:5: host.id is listed more than once; keep one"
            ])
    }

    @Test(
        "A topic is a name, or a name and a key",
        arguments: [
            ("{key: host.id}", "this topic has no name; add name: TOPIC"),
            ("{name: a, keys: b}", #"unknown key "keys"; a topic has name, key and normalize"#),
            ("{name: a, key: a..b}", #""a..b" is not a field name, like host.id"#),
            (
                "a b",
                #""a b" is not a topic name: at most 249 of the letters A to Z and a to z, digits, '.', '_' and '-'"#
            ),
            (
                "..",
                #"".." is not a topic name: at most 249 of the letters A to Z and a to z, digits, '.', '_' and '-'"#
            ),
            ("[a]", "a list where a topic belongs: its name, or name and key"),
        ])
    func wrongTopic(topic: String, problem: String) throws {
        let result = load("kafka.brokers: [a:1]\nrules.paths: [r]\ninput:\n  topics:\n    - \(topic)\n")
        guard case .failure(let errors) = result else {
            Issue.record("\(topic) is no topic")
            return
        }
        #expect(errors.problems.first?.message == problem)
    }

    @Test("No topic may have two roles, for Apus would read what it writes")
    func sharedTopics() {
        #expect(
            problems("output: {alerts: events, dead_letters: events}\n") == [
                "apus.yaml:7:18: output.alerts is the topic events, which is also input.topics; "
                    + "give each its own topic",
                "apus.yaml:7:40: output.dead_letters is the topic events, which is also input.topics; "
                    + "give each its own topic",
            ])
        #expect(
            problems("output.shadow: apus.alerts\n") == [
                "apus.yaml:7:16: output.shadow is the topic apus.alerts, which is also output.alerts; "
                    + "give each its own topic"
            ])
        #expect(
            problems("", flags: [("input.topics", "apus.state")]) == [
                "--set input.topics: the topic apus.state is the internal state topic; give the input another name"
            ])
    }

    @Test("Flags that name no single setting")
    func flags() {
        #expect(
            problems("", flags: [("kafka", "x"), ("kafka.properties", "x"), ("kafka.properties.", "x")]) == [
                "--set kafka: kafka is a section; name one of its settings",
                "--set kafka.properties: kafka.properties is a map; set one entry: --set kafka.properties.NAME=VALUE",
                "--set kafka.properties.: names no entry of kafka.properties",
            ])
    }

    @Test("A variable that names a map says how an entry is set")
    func mapVariable() {
        #expect(
            problems("", environment: ["APUS_KAFKA_PROPERTIES": "x"]) == [
                "environment variable APUS_KAFKA_PROPERTIES: kafka.properties is a map; set one entry: "
                    + "APUS_KAFKA_PROPERTIES_NAME"
            ])
    }

    @Test(
        "A file that cannot be read says why",
        arguments: [("/nowhere/apus.yaml", "no such file or directory"), ("/", "is a directory")])
    func fileProblem(path: String, problem: String) {
        let error = #expect(throws: FileProblem.self) { try Settings.contents(ofFile: path) }
        #expect(error?.description == problem)
    }

    @Test("A file that is missing or no YAML is one problem, and the other sources are still read")
    func unreadable() {
        let missing = Settings.load(
            file: "nowhere.yaml", environment: ["APUS_RUNTIME_CORES": "x"], flags: [],
            readFile: { _ in throw NoSuchFile() })
        guard case .failure(let errors) = missing else {
            Issue.record("there is no file")
            return
        }
        #expect(
            errors.problems.prefix(2).map(\.description) == [
                "nowhere.yaml: cannot be read: no such file; name another file with --config",
                #"environment variable APUS_RUNTIME_CORES: "x" is not a whole number from 0 to 1024"#,
            ])
        #expect(problems("log: [\n").first?.hasPrefix("apus.yaml:8:1: not YAML: ") == true)
    }
}
