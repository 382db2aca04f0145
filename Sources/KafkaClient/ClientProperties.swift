import CRdKafka

/// librdkafka properties in the order in which they were set. Every property of the installed
/// librdkafka passes through. Printing them, in any way, shows no secret.
public struct ClientProperties: Hashable, Sendable {
    private var entries: [Entry] = []

    private struct Entry: Hashable, Sendable {
        let key: String
        var value: String
    }

    public init() {}

    /// The value of a key, or nil. Setting a key again keeps its place.
    public subscript(key: String) -> String? {
        get { entries.first { $0.key == key }?.value }
        set {
            let index = entries.firstIndex { $0.key == key }
            switch (index, newValue) {
            case (let index?, let value?): entries[index].value = value
            case (let index?, nil): entries.remove(at: index)
            case (nil, let value?): entries.append(Entry(key: key, value: value))
            case (nil, nil): break
            }
        }
    }

    public var keys: [String] { entries.map(\.key) }

    /// These properties, with those of `other` taking precedence.
    public func merging(_ other: ClientProperties) -> ClientProperties {
        var merged = self
        for entry in other.entries { merged[entry.key] = entry.value }
        return merged
    }

    /// Whether a property's value must not be shown. Judged by the name, so that secrets of later
    /// librdkafka versions are covered, too.
    public static func isSecret(_ key: String) -> Bool {
        let key = key.lowercased()
        return ["password", "passphrase", "secret", "private.key", "ssl.key.pem", "ssl_key", "oauthbearer.config"]
            .contains { key.contains($0) }
    }

    /// The properties as they may be shown: `(key, value)`, each secret value replaced by asterisks.
    public var masked: [(key: String, value: String)] {
        entries.map { ($0.key, Self.isSecret($0.key) ? "********" : $0.value) }
    }

    /// Checks names and values of all properties, and reports every bad one. Connects to nothing and
    /// opens no file.
    public func validate() throws(InvalidProperties) {
        _ = try Configuration(self)
    }
}

extension ClientProperties: ExpressibleByDictionaryLiteral {
    /// A key given twice keeps its later value.
    public init(dictionaryLiteral elements: (String, String)...) {
        for (key, value) in elements { self[key] = value }
    }
}

extension ClientProperties: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { masked.map { "\($0.key)=\($0.value)" }.joined(separator: "\n") }
    public var debugDescription: String { description }
    /// `dump` and mirrors see the masked values as well.
    public var customMirror: Mirror { Mirror(self, children: masked.map { (label: $0.key, value: $0.value) }) }
}

/// All properties that librdkafka refused, at once.
public struct InvalidProperties: Error, Hashable, Sendable, CustomStringConvertible {
    public struct Problem: Hashable, Sendable {
        public let key: String
        /// Never contains a secret's value.
        public let reason: String
    }

    public let problems: [Problem]

    public var description: String {
        let lines = problems.map { "  \($0.key): \($0.reason)" }
        return "invalid Kafka client properties:\n" + lines.joined(separator: "\n")
    }
}

/// An `rd_kafka_conf_t` under construction. Destroyed here unless a client took it over.
struct Configuration: ~Copyable {
    let pointer: OpaquePointer
    /// Whether ``TokenFile/property`` was set. The path is in librdkafka's property for whatever makes tokens.
    private(set) var usesTokenFile = false

    init(_ properties: ClientProperties, required: ClientProperties = [:]) throws(InvalidProperties) {
        guard let pointer = rd_kafka_conf_new() else { preconditionFailure("rd_kafka_conf_new never returns NULL") }
        self.pointer = pointer
        var problems: [InvalidProperties.Problem] = []
        for key in properties.keys {
            guard let value = properties[key] else { continue }
            if key == TokenFile.property {
                usesTokenFile = true
                if let reason = set("sasl.oauthbearer.config", value) {
                    problems.append(.init(key: key, reason: reason))
                }
            } else if let fixed = required[key], fixed != value {
                problems.append(.init(key: key, reason: "must be \(fixed) here; remove it from the configuration"))
            } else if let reason = set(key, value) {
                problems.append(.init(key: key, reason: reason))
            }
        }
        for key in required.keys {
            if let value = required[key], let reason = set(key, value) {
                problems.append(.init(key: key, reason: reason))
            }
        }
        guard problems.isEmpty else { throw InvalidProperties(problems: problems) }
    }

    deinit { rd_kafka_conf_destroy(pointer) }

    /// Nil on success, else the reason.
    private func set(_ key: String, _ value: String) -> String? {
        withErrorText { text, size in
            let result = rd_kafka_conf_set(pointer, key, value, text, size)
            if result == RD_KAFKA_CONF_OK { return nil }
            let reason = String(cString: text)
            // librdkafka quotes the value it refuses.
            if ClientProperties.isSecret(key) && result == RD_KAFKA_CONF_INVALID { return "the value is not valid" }
            return reason
        }
    }

    /// The value in force, after defaults.
    func value(of key: String) -> String? {
        var size = 512
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { buffer in
            guard let text = buffer.baseAddress,
                rd_kafka_conf_get(pointer, key, text, &size) == RD_KAFKA_CONF_OK
            else { return nil }
            return String(cString: text)
        }
    }

    /// Creates the client. `rd_kafka_new` takes the configuration over only when it succeeds.
    consuming func makeClient(_ type: rd_kafka_type_t) throws(KafkaError) -> OpaquePointer {
        let configuration = pointer
        let made: Result<OpaquePointer, KafkaError> = withErrorText { text, size in
            if let client = rd_kafka_new(type, configuration, text, size) { return .success(client) }
            return .failure(
                KafkaError(KafkaErrorCode(rd_kafka_last_error()), "start a client", message: String(cString: text)))
        }
        switch made {
        case .success(let client):
            discard self
            return client
        case .failure(let error):
            _ = consume self
            throw error
        }
    }
}

/// Runs `body` with room for one of librdkafka's error texts.
func withErrorText<Result>(_ body: (UnsafeMutablePointer<CChar>, Int) -> Result) -> Result {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
        guard let text = buffer.baseAddress else { preconditionFailure("512 bytes have an address") }
        text.initialize(repeating: 0, count: buffer.count)
        return body(text, buffer.count)
    }
}
