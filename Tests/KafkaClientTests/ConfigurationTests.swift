import Dispatch
import KafkaClient
import Testing

struct ConfigurationTests {
    @Test func reportsEveryInvalidPropertyAtOnceBeforeConnecting() throws {
        let properties: ClientProperties = [
            "bootstrap.servers": "localhost:1",
            "sesion.timeout.ms": "6000",
            "fetch.min.bytes": "plenty",
            "compression.type": "rar",
            "enable.auto.commit": "true",
        ]
        let error = try #require(throws: InvalidProperties.self) {
            try Consumer(properties, group: "g", controlQueue: DispatchQueue(label: "c")) { _ in }
        }
        #expect(
            error.problems.map(\.key)
                == ["sesion.timeout.ms", "fetch.min.bytes", "compression.type", "enable.auto.commit"])
        #expect(error.description.contains("sesion.timeout.ms: No such configuration property"))
        #expect(error.description.contains("enable.auto.commit: must be false here"))
    }

    @Test func acceptsEveryValidProperty() throws {
        let properties: ClientProperties = ["socket.keepalive.enable": "true", "linger.ms": "5"]
        try properties.validate()
    }

    @Test(arguments: [
        "sasl.password", "ssl.key.password", "ssl.keystore.password", "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.config", "ssl.key.pem", "sasl.oauthbearer.assertion.private.key.pem",
    ])
    func hidesSecretsHoweverTheyAreShown(key: String) {
        let properties: ClientProperties = ["client.id": "apus", key: "hunter2"]
        var dumped = ""
        dump(properties, to: &dumped)
        for text in ["\(properties)", String(reflecting: properties), dumped, "\(properties.masked)"] {
            #expect(!text.contains("hunter2"))
            #expect(text.contains("apus"))
            #expect(text.contains(key))
        }
        #expect(properties[key] == "hunter2")
    }

    @Test func aRefusedSecretIsNotQuoted() throws {
        let properties: ClientProperties = ["ssl.key.pem": "hunter2 is no PEM"]
        do {
            _ = try Admin(properties)
            // Newer versions look into the key only when a connection needs it.
        } catch {
            #expect(!"\(error)".contains("hunter2"))
        }
    }

    @Test func theLibraryIsNewEnough() {
        let numbers = Library.version.split(separator: ".").compactMap { Int($0) }
        #expect(numbers.count == 3 && numbers[0] >= 2, "librdkafka \(Library.version)")
    }

    @Test func keepsOrderAndReplacesInPlace() {
        var properties: ClientProperties = ["b": "1", "a": "2"]
        properties["b"] = "3"
        properties["c"] = "4"
        #expect(properties.keys == ["b", "a", "c"])
        #expect(properties.merging(["a": "5"])["a"] == "5")
        properties["a"] = nil
        #expect(properties.keys == ["b", "c"])
    }

    /// Each is a valid value of its own; only the client sees that they do not fit.
    @Test func reportsWhatOnlyTheClientCanSee() throws {
        let properties: ClientProperties = ["session.timeout.ms": "60000", "max.poll.interval.ms": "1000"]
        let error = try #require(throws: KafkaError.self) {
            try Consumer(properties, group: "g", controlQueue: DispatchQueue(label: "c")) { _ in }
        }
        #expect(error.description.contains("cannot start a client"))
        #expect(error.description.contains("max.poll.interval.ms"))
        #expect(error.reaction == .stop)
    }
}
