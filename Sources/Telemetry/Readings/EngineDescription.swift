/// What an instance is and which rules it runs: what does not change while it runs, but with a new set of rules.
public struct EngineDescription: Sendable, Hashable, Encodable {
    public struct Rule: Sendable, Hashable, Encodable {
        public var id: String
        public var name: String
        public var severity: String
        /// `active` or `shadow`.
        public var stage: String
        /// The hash of the rule's content.
        public var hash: String
        /// The file it was read from.
        public var path: String

        public init(id: String, name: String, severity: String, stage: String, hash: String, path: String) {
            self.id = id
            self.name = name
            self.severity = severity
            self.stage = stage
            self.hash = hash
            self.path = path
        }
    }

    public var application: String
    /// Distinguishes the instances of an application for a person.
    public var instance: String
    public var version: String
    /// The version of librdkafka.
    public var clientVersion: String
    /// Seconds since 1970.
    public var started: Double
    public var rulesHash: String
    public var rules: [Rule]
    /// Ids, in the order of ``LaneTotals/exceptions``.
    public var exceptions: [String]

    public init(
        application: String, instance: String, version: String, clientVersion: String, started: Double,
        rulesHash: String, rules: [Rule], exceptions: [String]
    ) {
        self.application = application
        self.instance = instance
        self.version = version
        self.clientVersion = clientVersion
        self.started = started
        self.rulesHash = rulesHash
        self.rules = rules
        self.exceptions = exceptions
    }
}
