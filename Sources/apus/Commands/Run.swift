import ArgumentParser
import Detection
import EventSchema
import Foundation
import KafkaClient
import Logging
import Operations
import Rules
import Settings
import Streaming
import Telemetry
import UnixSignals

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Reads events from Kafka, evaluates the rules and writes alerts, until it is stopped.",
        discussion: """
            Every instance with the same application name is a member of one consumer group: start more to share \
            the partitions. Settings come from the file, are overridden by environment variables (kafka.brokers is \
            APUS_KAFKA_BROKERS) and then by --set. Everything that is wrong with them and with the rules is \
            reported at once, before anything connects.

            Rules, exceptions and lists are loaded anew when their files or the topic rules.topic change, on SIGHUP and \
            on POST /reload: the whole set, or with one error none of it.

            SIGTERM or SIGINT stops in good order: batches are finished, alerts acknowledged, offsets committed, \
            the group left. A second signal exits at once; nothing is lost, but alerts may be written again.

            Examples:
              apus run --config config/apus.yaml
              apus run --config config/apus.yaml --set kafka.brokers=kafka-1:9092 --set log.format=json
              APUS_KAFKA_BROKERS=kafka-1:9092 apus run --config config/apus.yaml
            """)

    @OptionGroup var options: SettingsOptions

    @Flag(help: "Print the settings as they are understood, secrets masked, and stop.")
    var showConfig = false

    func run() async throws {
        let settings = try options.load()
        if showConfig {
            Console.print(settings.rendered())
            return
        }
        let fields = EventFields(hostKey: settings.hostKey.map { FieldPath($0) })
        let logs = Logs(settings.log)
        let logger = logs.pipeline
        let normalizers = try NormalizationTables.load(settings.input.normalizers)
        let topic = try reportingKafkaFailures { try RuleTopic.open(settings) { logs.rules.warning("\($0)") } }
        let published = topic?.contents
        let loader = RuleLoader(checker: .streaming)
        let loaded = LoadedRules(
            paths: settings.rules.paths, documents: published?.documents ?? [],
            exceptions: settings.exceptions.paths, loader: loader)
        let rules = try loaded.compile(strict: settings.rules.strict, fields: fields, normalizers: normalizers)
            .prefiltered(by: settings, logs.rules)
        logs.rules.info(
            "rules loaded",
            metadata: [
                "rules": "\(rules.rules.count)", "exceptions": "\(rules.exceptions.count)",
                "hash": "\(rules.hash.prefix(16))",
            ])

        var options = PipelineOptions(settings, fields: fields)
        let instruments = Instruments(
            EngineDescription(
                rules, application: settings.application,
                instance: settings.kafka.instanceID ?? "\(ProcessInfo.processInfo.hostName):\(getpid())",
                started: Date().timeIntervalSince1970))
        options.onAlert = { [feed = instruments.feed] in feed.publish(alert: $0) }
        let log = Logs.observer(logger)
        let pipeline = Pipeline(rules: rules, options: options, log: Logs.client(logs.kafka)) { event in
            log(event)
            instruments.observe(event)
        }
        let reloader = RuleReloader(
            settings, topic: topic, published: published, fields: fields, normalizers: normalizers, loader: loader,
            loaded: loaded, rules: rules, pipeline: pipeline, instruments: instruments, logger: logs.rules)
        let endpoints: Endpoints
        do {
            endpoints = try await Endpoints.open(settings, instruments, logs.http) { await reloader.reload(.http) }
            try pipeline.start()
        } catch {
            logger.critical("cannot start: \(error)")
            throw ExitStatus(startFailure: error).code
        }
        let readings = publishReadings(of: pipeline, to: instruments, settings)
        let reloads = reloadWhenAsked(reloader, options)
        let repeats = Task { await logs.sayRepeats() }
        let status = await serve(pipeline, settings, logger)
        reloads.cancel()
        readings.cancel()
        await readings.value
        await endpoints.close()
        repeats.cancel()
        await repeats.value
        if status != .success { throw status.code }
    }

    /// Takes a reading a second, also while the pipeline stops.
    private func publishReadings(
        of pipeline: Pipeline, to instruments: Instruments, _ settings: Settings
    ) -> Task<Void, Never> {
        let health = settings.health.file.map { HealthFile(path: $0) }
        return Task {
            while !Task.isCancelled {
                let snapshot = await pipeline.snapshot()
                instruments.publish(snapshot)
                health?.write(snapshot)
                try? await Task.sleep(for: .seconds(1))
            }
            health?.remove()
        }
    }

    /// Loads the rules anew when their files change, and on SIGHUP.
    private func reloadWhenAsked(_ reloader: RuleReloader, _ options: PipelineOptions) -> Task<Void, Never> {
        let (interval, timeout) = (options.metadataInterval, options.connectTimeout)
        return Task {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await reloader.watch() }
                group.addTask { await reloader.follow(lookingEvery: interval, timeout: timeout) }
                group.addTask {
                    for await _ in await UnixSignalsSequence(trapping: .sighup) { _ = await reloader.reload(.signal) }
                }
            }
        }
    }

    /// Waits for a signal or a failure, then stops in good order.
    private func serve(_ pipeline: Pipeline, _ settings: Settings, _ logger: Logger) async -> ExitStatus {
        let timeout = settings.runtime.shutdownTimeout
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
                    logger.info("stopping", metadata: ["signal": "\(signal)"])
                    return
                }
            }
            group.addTask {
                while !Task.isCancelled, pipeline.failure == nil {
                    try? await Task.sleep(for: .seconds(1))
                }
            }
            await group.next()
            group.cancelAll()
        }
        exitOnSecondSignal(logger)
        let inTime = await pipeline.stop(timeout: timeout)
        if let failure = pipeline.failure {
            logger.critical("stopped by an error: \(failure)")
            return .failed
        }
        guard inTime else {
            logger.error("not everything was finished within \(timeout); it is read again at the next start")
            return .timedOut
        }
        logger.info("stopped")
        return .success
    }

    private func exitOnSecondSignal(_ logger: Logger) {
        Task.detached {
            for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
                logger.warning("second signal: exiting at once", metadata: ["signal": "\(signal)"])
                Foundation.exit(ExitStatus.timedOut.rawValue)
            }
        }
    }
}

extension ExitStatus {
    /// What an error of `Pipeline.start` means to whoever started it.
    init(startFailure error: any Error) {
        self = error is InvalidProperties ? .configuration : .unavailable
    }
}
