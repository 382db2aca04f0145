import Detection
import Events
import Foundation
import KafkaClient
import Logging
import Settings
import Streaming
import Telemetry

/// The log of `apus run`: one line per event, on standard error, never with record content.
struct Logs {
    let pipeline: Logger
    let kafka: Logger
    let rules: Logger
    let http: Logger
    private let limiter: RepeatLimiter

    /// - Parameter settings: of the whole process, so at most once.
    init(_ settings: Settings.Log) {
        let format = settings.format
        let limiter = RepeatLimiter()
        self.limiter = limiter
        LoggingSystem.bootstrap { label in
            let handler: any LogHandler =
                switch format {
                case .text: StreamLogHandler.standardError(label: label)
                case .json: JSONLogHandler(label: label)
                }
            return LimitedLogHandler(label: label, handler, limiter)
        }
        func logger(_ module: Settings.Log.Module) -> Logger {
            var logger = Logger(label: module == .pipeline ? "apus" : "apus.\(module.rawValue)")
            logger.logLevel = Logger.Level(rawValue: settings.level(of: module).rawValue) ?? .info
            return logger
        }
        pipeline = logger(.pipeline)
        kafka = logger(.kafka)
        rules = logger(.rules)
        http = logger(.http)
    }

    /// Says now and then what was held back as a repeat, until the task is cancelled, and then all of it.
    func sayRepeats() async {
        while (try? await Task.sleep(for: .seconds(1))) != nil { limiter.sayOverdue(at: .now) }
        limiter.sayOverdue(at: .now + RepeatLimiter.window)
    }

    /// librdkafka's own lines, under the levels of syslog.
    static func client(_ logger: Logger) -> ClientLog.Handler {
        { line in
            let level: Logger.Level =
                switch line.level {
                case ...2: .critical
                case 3: .error
                case 4: .warning
                case 5: .notice
                case 6: .info
                default: .debug
                }
            logger.log(level: level, "\(line.message)", metadata: ["facility": "\(line.facility)"])
        }
    }

    static func observer(_ logger: Logger) -> @Sendable (PipelineEvent) -> Void {
        { event in
            switch event {
            case .started(let version): logger.info("started", metadata: ["version": "\(version)"])
            case .correlatesThrough(let topic, let rules):
                logger.info(
                    "\(rules.count) \(rules.count == 1 ? "rule comes" : "rules come") together through topic '\(topic)'",
                    metadata: ["rules": "\(rules.prefix(10).joined(separator: "; "))"])
            case .compactionUnseen(let topic, let error):
                logger.warning(
                    """
                    whether '\(topic)' is compacted could not be seen, and what rules remember of hosts would be gone \
                    without a word if it is not (allow DescribeConfigs on it): \(error)
                    """)
            case .assigned(let partitions): logger.info("assigned", metadata: ["partitions": "\(partitions)"])
            case .revoked(let partitions, let lost):
                logger.info("revoked", metadata: ["partitions": "\(partitions)", "lost": "\(lost)"])
            case .committed(let offsets): logger.debug("committed", metadata: ["offsets": "\(offsets)"])
            case .checkpointed(let partition, let duration):
                logger.trace("checkpoint", metadata: ["partition": "\(partition)", "duration": "\(duration)"])
            case .transactionCommitted(let duration):
                logger.trace("transaction committed", metadata: ["duration": "\(duration)"])
            case .commitFailed(let error): logger.warning("commit failed, the next one repeats it: \(error)")
            case .transactionAborted(let error):
                logger.warning("transaction aborted, the next one repeats it: \(error)")
            case .rejoining(let error): logger.error("starting over from what is committed: \(error)")
            case .restored(let partition, let keys, let records, let problems):
                logger.info(
                    "state restored",
                    metadata: ["partition": "\(partition)", "keys": "\(keys)", "records": "\(records)"])
                for (problem, count) in problems.counts {
                    logger.warning(
                        "state records could not be used",
                        metadata: [
                            "partition": "\(partition)", "reason": "\(problem.rawValue)", "count": "\(count)",
                            "example": "\(problems.examples[problem] ?? "")",
                        ])
                }
            case .stateDiscarded(let partition, let committed, let expected):
                logger.warning(
                    "the group's offset was moved: what rules remember of this partition is dropped",
                    metadata: [
                        "partition": "\(partition)", "committed": "\(committed.map(String.init) ?? "none")",
                        "expected": "\(expected)",
                    ])
            case .deadLettered(let partition, let offset, let reason):
                logger.warning(
                    "dead letter",
                    metadata: ["partition": "\(partition)", "offset": "\(offset)", "reason": "\(reason.reason)"])
            case .deadLetterWithoutValue:
                logger.error("the dead-letter topic refused a record as too large; sent without its value")
            case .alertShortened: logger.warning("an alert was too large and was sent without the original events")
            case .problem(let error): logger.warning("\(error)")
            case .paused(let partition):
                logger.notice("paused until alerts are acknowledged", metadata: ["partition": "\(partition)"])
            case .resumed(let partition): logger.notice("resumed", metadata: ["partition": "\(partition)"])
            case .stalled(let partition):
                logger.error("stalled: records wait and none is taken", metadata: ["partition": "\(partition)"])
            case .laneSilent(let lane, let listener):
                logger.error(
                    "the lane of an input partition says nothing: correlations go on without it",
                    metadata: ["partition": "\(lane)", "correlate_partition": "\(listener)"])
            case .keyStrayed(let partition, let before, _):
                logger.warning(
                    """
                    events of one host come in partitions of different numbers, so that rules that correlate in place \
                    can miss them: let all producers use the configured key as record key, with one partitioner, or \
                    take 'key' out of input.topics
                    """, metadata: ["partition": "\(partition)", "before": "\(before)"])
            case .laneClosed(let lane):
                logger.debug(
                    "lane closed", metadata: ["partition": "\(lane.partition)"])
            case .rulesReplaced(let hash): logger.debug("rules replaced", metadata: ["hash": "\(hash.prefix(16))"])
            case .failed(let error): logger.critical("cannot go on: \(error)")
            case .stopped: logger.debug("pipeline stopped")
            }
        }
    }
}

/// One JSON object per line: time, level, message, and the metadata as members.
struct JSONLogHandler: LogHandler {
    let label: String
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    init(label: String) {
        self.label = label
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var line = metadata.merging(event.metadata ?? [:]) { $1 }.mapValues(\.description)
        line["@timestamp"] = Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        line["log.level"] = event.level.rawValue
        line["log.logger"] = label
        line["message"] = event.message.description
        Console.note(line.jsonLine)
    }
}
