import Settings
import Testing

@Suite("Settings from file, environment and flags")
struct LoadTests {
    @Test("What is not given has its default")
    func defaults() throws {
        let settings = try load(minimal).get()
        #expect(settings.application == "apus")
        #expect(settings.kafka.brokers == ["kafka:9092"])
        #expect(settings.kafka.instanceID == nil)
        #expect(settings.input.topics == [Topic(name: "events")])
        #expect(settings.input.start == .earliest)
        #expect(settings.input.maxRecordBytes.bytes == 1_048_576)
        #expect(settings.output.alerts == "apus.alerts")
        #expect(settings.delivery == .exactlyOnce)
        #expect(settings.hostKey == ["host.id", "agent.id", "winlog.computer_name", "host.name"])
        #expect(settings.time.allowedLateness == .seconds(2))
        #expect(settings.health.file == nil)
    }

    @Test("A flag wins over the environment, that over the file, that over the default")
    func precedence() throws {
        let file = minimal + "log:\n  level: warning\n"
        let environment = ["APUS_LOG_LEVEL": "error"]
        #expect(try load(minimal).get().log.level == .info)
        #expect(try load(file).get().log.level == .warning)
        #expect(try load(file, environment: environment).get().log.level == .error)
        let flagged = load(file, environment: environment, flags: [("log.level", "debug")])
        #expect(try flagged.get().log.level == .debug)
    }

    @Test("Of several flags with one path the last wins")
    func repeatedFlag() throws {
        let settings = try load(minimal, flags: [("runtime.cores", "2"), ("runtime.cores", "3")]).get()
        #expect(settings.runtime.cores == 3)
    }

    @Test("Environment and flags alone are enough")
    func withoutFile() throws {
        let settings = try load(
            nil, environment: ["APUS_KAFKA_BROKERS": "a:9092, b:9093", "APUS_RULES_PATHS": "/etc/apus/rules"],
            flags: [("input.topics", "events=apus.host_key,audit")]
        ).get()
        #expect(settings.kafka.brokers == ["a:9092", "b:9093"])
        #expect(settings.input.topics == [Topic(name: "events", key: "apus.host_key"), Topic(name: "audit")])
        #expect(settings.rules.paths == ["/etc/apus/rules"])
    }

    @Test("A list is a YAML list or one text with commas; topics may be maps")
    func lists() throws {
        let settings = try load(
            """
            kafka: {brokers: "a:9092,b:9092"}
            input:
              topics:
                - name: events
                  key: apus.host_key
                - audit=user.id
                - plain
            rules: {paths: rules}
            """
        ).get()
        #expect(settings.kafka.brokers == ["a:9092", "b:9092"])
        #expect(
            settings.input.topics == [
                Topic(name: "events", key: "apus.host_key"), Topic(name: "audit", key: "user.id"),
                Topic(name: "plain"),
            ])
    }

    @Test("A section whose settings are all commented out is empty, and a dotted key is its setting")
    func sections() throws {
        let settings = try load(minimal + "log:\ntime.idle_timeout: 1m\n").get()
        #expect(settings.log.format == .text)
        #expect(settings.time.idleTimeout == .seconds(60))
    }

    @Test(
        "Variables that are not settings of Apus pass",
        arguments: ["APUS_CONFIG", "APUS_TEST_BROKERS", "APUS_SERVICE_HOST", "APUS_PORT_9092_TCP", "PATH"])
    func foreignVariable(name: String) {
        #expect(problems("", environment: [name: "x"]) == [])
    }

    @Test("Properties of librdkafka add up over the sources, entry by entry")
    func properties() throws {
        let settings = try load(
            minimal + "kafka.properties:\n  client.id: one\n  security.protocol: plaintext\n",
            environment: ["APUS_KAFKA_PROPERTIES_SECURITY_PROTOCOL": "ssl"],
            flags: [("kafka.consumer_properties.client.id", "two"), ("kafka.properties.ssl.ca.location", "/ca.pem")]
        ).get()
        #expect(
            settings.kafka.producer.mapValues(\.revealed) == [
                "client.id": "one", "security.protocol": "ssl", "ssl.ca.location": "/ca.pem",
            ])
        #expect(settings.kafka.consumer["client.id"]?.revealed == "two")
    }

    @Test(
        "Durations and sizes have units",
        arguments: [
            ("0s", Duration.zero), ("500ms", .milliseconds(500)), ("2s", .seconds(2)), ("5m", .seconds(300)),
            ("1h", .seconds(3_600)),
        ])
    func durations(text: String, duration: Duration) throws {
        let settings = try load(minimal, flags: [("time.allowed_lateness", text)]).get()
        #expect(settings.time.allowedLateness == duration)
        #expect(try load(minimal, flags: [("time.allowed_lateness", duration.settingText)]).get().time == settings.time)
    }

    @Test("Sizes", arguments: [("4096B", 4_096), ("512KiB", 524_288), ("1MiB", 1_048_576)])
    func sizes(text: String, bytes: Int) throws {
        let settings = try load(minimal, flags: [("input.max_record_bytes", text)]).get()
        #expect(settings.input.maxRecordBytes.bytes == bytes)
    }
}
