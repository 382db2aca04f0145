public import EventSchema
import Events
import Rules

/// One alert, ready for a Kafka record.
public struct EncodedAlert: Sendable {
    public let id: AlertID
    /// The host key; empty when no contributing record names a host.
    public let key: [UInt8]
    /// One JSON object on one line.
    public let value: [UInt8]
    public let headers: [(name: String, value: [UInt8])]
}

/// How an alert is laid out.
public enum AlertProfile: String, Hashable, Sendable, CaseIterable {
    /// ECS 8, as `config/schemas/alert-ecs.schema.json` describes it.
    case ecs
    /// The alerts of Elastic Security 8, as `config/schemas/alert-elastic-signal.schema.json` describes them.
    case elasticSignal = "elastic-signal"
    /// Detection Finding of OCSF 1.4, as `config/schemas/alert-ocsf.schema.json` describes it.
    case ocsf
}

/// Bounds on what an alert takes over from records, so that it fits a Kafka record whatever they hold.
public struct AlertLimits: Hashable, Sendable {
    /// Bytes of one original; a larger one is replaced by an excerpt of its beginning.
    public var original: Int
    /// Bytes of all originals of one alert, shared equally between the steps.
    public var allOriginals: Int
    /// Bytes of an excerpt.
    public var excerpt: Int
    /// Bytes of a matched value; of a longer one the part around the match is kept.
    public var value: Int
    /// Bytes of one `host`, `user`, `process`, `source` or `destination`; a larger one is left out.
    public var member: Int

    public init(
        original: Int = 64 * 1024, allOriginals: Int = 512 * 1024, excerpt: Int = 4096, value: Int = 4096,
        member: Int = 32 * 1024
    ) {
        self.original = original
        self.allOriginals = allOriginals
        self.excerpt = excerpt
        self.value = value
        self.member = member
    }
}

/// Turns findings into alerts. Reads no clock: equal findings give equal bytes.
public struct AlertEncoder: Sendable {
    public let profile: AlertProfile
    public let engineVersion: String
    public let limits: AlertLimits
    private let topics: [String]

    /// `topics` holds the names the topic ids of evidence stand for.
    public init(
        topics: [String], engineVersion: String, profile: AlertProfile = .ecs, limits: AlertLimits = AlertLimits()
    ) {
        self.topics = topics
        self.engineVersion = engineVersion
        self.profile = profile
        self.limits = limits
    }

    /// `created` becomes `event.created`, when the caller wants the time of detection in the alert.
    public func encode(_ finding: Finding, created: EventTime? = nil) -> EncodedAlert {
        let id = AlertID(finding, topicName: topicName)
        let content = AlertContent(finding: finding, id: id, created: created, encoder: self)
        let value =
            switch profile {
            case .ecs: ECSAlert(content: content).encode()
            case .elasticSignal: ElasticSignal(content: content).encode()
            case .ocsf: OCSFFinding(content: content).encode()
            }
        return EncodedAlert(
            id: id,
            key: Array((finding.hostKey?.value ?? "").utf8),
            value: value,
            headers: [
                ("apus-alert-id", Array(id.description.utf8)),
                ("apus-rule-id", Array(finding.rule.id.utf8)),
                ("apus-rule-hash", Array(finding.rule.contentHash.utf8)),
                ("apus-engine-version", Array(engineVersion.utf8)),
                ("apus-schema-profile", Array(profile.rawValue.utf8)),
            ])
    }

    func topicName(_ topic: TopicID) -> String {
        let index = Int(topic.rawValue)
        return topics.indices.contains(index) ? topics[index] : "topic-\(index)"
    }
}
