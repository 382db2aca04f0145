/// Everything `apus run` can be told, checked: a value of this type came through ``load(file:environment:flags:readFile:)``
/// without an error.
///
/// The initial value of each property is that setting's default. What each one is called, takes and means for an
/// operator is declared once, in ``declarations``; `config/apus.yaml` is generated from there.
public struct Settings: Sendable, Equatable {
    /// Consumer group id and prefix of the internal topics.
    public internal(set) var application = "apus"
    public internal(set) var kafka = Kafka()
    public internal(set) var input = Input()
    public internal(set) var output = Output()
    public internal(set) var delivery = Delivery.exactlyOnce
    public internal(set) var rules = Rules()
    public internal(set) var exceptions = Exceptions()
    /// The fields that can give the host key, in the order they are tried.
    public internal(set) var hostKey = ["host.id", "agent.id", "winlog.computer_name", "host.name"]
    public internal(set) var time = Time()
    public internal(set) var scriptBlocks = ScriptBlocks()
    public internal(set) var runtime = Runtime()
    public internal(set) var log = Log()
    public internal(set) var health = Health()
    public internal(set) var http = HTTP()

    /// Where each setting that was given was given last, by path.
    var origins: [String: Place] = [:]

    public struct Kafka: Sendable, Equatable {
        /// `host:port`, at least one.
        public internal(set) var brokers: [String] = []
        /// librdkafka properties of both clients; see also ``consumer`` and ``producer``.
        public internal(set) var properties: [String: PropertyValue] = [:]
        public internal(set) var consumerProperties: [String: PropertyValue] = [:]
        public internal(set) var producerProperties: [String: PropertyValue] = [:]
        /// `group.instance.id`; nil for dynamic membership.
        public internal(set) var instanceID: String?
        public internal(set) var createTopics = false
        public internal(set) var topicPartitions = 6
        /// Replicas of a created topic; 0 leaves the number to the brokers (-1 in the protocol).
        public internal(set) var replicationFactor = 0
        public internal(set) var connectTimeout = Duration.seconds(30)
        public internal(set) var transactionTimeout = Duration.seconds(10)

        /// What the consumer gets: the common properties, overridden by its own.
        public var consumer: [String: PropertyValue] { properties.merging(consumerProperties) { $1 } }
        /// What the producer gets: the common properties, overridden by its own.
        public var producer: [String: PropertyValue] { properties.merging(producerProperties) { $1 } }
    }

    public struct Input: Sendable, Equatable {
        /// At least one, all different.
        public internal(set) var topics: [Topic] = []
        public internal(set) var start = Start.earliest
        public internal(set) var maxRecordBytes = ByteCount.mebibytes(1)
        /// Whether records of topics that are not normalised are passed over when their bytes say that no rule matches.
        public internal(set) var prefilter = false
        /// A folder of tables to normalise by, in place of the built-in ones.
        public internal(set) var normalizers: String?

        /// A topic Apus reads.
        public struct Topic: Sendable, Hashable {
            public let name: String
            /// The field whose value is the key of each record, when the producers promise one.
            public let key: String?
            /// Whether records that are not ECS are brought into it.
            public let normalize: Bool

            public init(name: String, key: String? = nil, normalize: Bool = true) {
                self.name = name
                self.key = key
                self.normalize = normalize
            }
        }

        /// Where a group starts in a partition for which it has no committed offset.
        public enum Start: String, CaseIterable, Sendable {
            case earliest, latest
        }
    }

    public struct Output: Sendable, Equatable {
        public internal(set) var alerts = "apus.alerts"
        /// For alerts of rules in the shadow stage.
        public internal(set) var shadow = "apus.alerts.shadow"
        public internal(set) var deadLetters = "apus.dead-letters"
        public internal(set) var profile = Profile.ecs

        /// The shape of an alert.
        public enum Profile: String, CaseIterable, Sendable {
            case ecs
            case elasticSignal = "elastic-signal"
            case ocsf
        }
    }

    /// What a crash can do to the alerts.
    public enum Delivery: String, CaseIterable, Sendable {
        /// Nothing is lost, and for readers of committed records nothing comes twice.
        case exactlyOnce = "exactly_once"
        /// Nothing is lost; an alert may come twice, with the same id.
        case atLeastOnce = "at_least_once"
    }

    public struct Rules: Sendable, Equatable {
        /// Rule files and folders of rule files, relative to the working directory; at least one unless there is a topic.
        public internal(set) var paths: [String] = []
        /// The topic with rules.
        public internal(set) var topic: String?
        /// Whether one bad rule file stops the start.
        public internal(set) var strict = false
        /// How often the files are looked at; zero never does.
        public internal(set) var watchInterval = Duration.milliseconds(200)
    }

    public struct Exceptions: Sendable, Equatable {
        /// Files of exceptions and lists, and folders of them; relative to the working directory.
        public internal(set) var paths: [String] = []
    }

    public struct Time: Sendable, Equatable {
        public internal(set) var allowedLateness = Duration.seconds(2)
        public internal(set) var idleTimeout = Duration.seconds(5)
    }

    /// What the parts of PowerShell script blocks may take, in each lane.
    public struct ScriptBlocks: Sendable, Equatable {
        public internal(set) var timeout = Duration.seconds(30)
        public internal(set) var maxParts = 500
        /// Text of one block, as it stands in JSON.
        public internal(set) var maxSize = ByteCount.mebibytes(1)
        public internal(set) var maxBlocks = 1_000
        /// Records of all blocks.
        public internal(set) var maxHeld = ByteCount.mebibytes(32)
    }

    public struct Runtime: Sendable, Equatable {
        /// Lanes that run at the same moment; 0 for one per core.
        public internal(set) var cores = 0
        public internal(set) var batchSize = 1_000
        public internal(set) var checkpointInterval = Duration.milliseconds(100)
        public internal(set) var shutdownTimeout = Duration.seconds(25)
        public internal(set) var stallTimeout = Duration.seconds(30)
    }

    public struct Log: Sendable, Equatable {
        public internal(set) var level = Level.info
        /// Of modules that are not to be logged at ``level``.
        public internal(set) var levels: [Module: Level] = [:]
        public internal(set) var format = Format.text

        /// The names are those of swift-log.
        public enum Level: String, CaseIterable, Sendable {
            case trace, debug, info, notice, warning, error, critical
        }

        public enum Format: String, CaseIterable, Sendable {
            case text, json
        }

        /// What a line is about.
        public enum Module: String, CaseIterable, Sendable {
            /// Partitions, checkpoints, dead letters, life and death.
            case pipeline
            /// What librdkafka says.
            case kafka
            /// Loading rules.
            case rules
            /// The endpoints.
            case http
        }

        public func level(of module: Module) -> Level { levels[module] ?? level }
    }

    public struct Health: Sendable, Equatable {
        /// The heartbeat file that `apus health` reads; nil for none.
        public internal(set) var file: String?
    }

    init() {}
}
