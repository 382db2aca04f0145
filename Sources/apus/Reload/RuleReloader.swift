import Detection
import EventSchema
import Foundation
import Logging
import Normalization
import Operations
import Rules
import Settings
import Streaming

/// Loads rules, exceptions and lists anew while the pipeline runs, one load after the other.
///
/// The whole set takes effect or none of it: one error that the running set does not have already, and everything stays
/// as it is. A file that was bad at the start and was left out, as without `rules.strict`, stands in nobody's way.
actor RuleReloader {
    enum Trigger: String {
        case files, topic, signal, http
    }

    private let settings: Settings
    private let topic: RuleTopic?
    private let fields: EventFields
    private let normalizers: [NormalizerTable]
    /// The one that has loaded what is in use: unchanged files are not read again.
    private let loader: RuleLoader
    private let logger: Logger
    private let instruments: Instruments
    private let pipeline: Pipeline

    private var current: CompiledRules
    /// Known when the current set was loaded.
    private var accepted: Set<RuleProblem>
    /// Paths of the topic's records that gave no rule when they were last loaded.
    private var badRecords: Set<String>
    /// What the topic held when it was last loaded.
    private var published: RuleTopicContents?
    private var listPaths: [String]
    /// What changes while the pipeline connects counts as changed.
    private let filesAtStart: RuleFiles
    /// The pipeline could not take the last set, through no fault of the set.
    private var isOwed = false
    private var last: Task<ReloadReport, Never>?

    init(
        _ settings: Settings, topic: RuleTopic?, published: RuleTopicContents?, fields: EventFields,
        normalizers: [NormalizerTable], loader: RuleLoader, loaded: LoadedRules, rules: CompiledRules,
        pipeline: Pipeline, instruments: Instruments, logger: Logger
    ) {
        self.settings = settings
        self.topic = topic
        self.published = published
        self.fields = fields
        self.normalizers = normalizers
        self.loader = loader
        self.logger = logger
        self.instruments = instruments
        self.pipeline = pipeline
        current = rules
        accepted = Set(loaded.errors)
        listPaths = loaded.exceptions.listPaths
        filesAtStart = RuleFiles(
            paths: settings.rules.paths + settings.exceptions.paths + loaded.exceptions.listPaths)
        badRecords = []
    }

    /// Everything whose change may change the set.
    private var paths: [String] { settings.rules.paths + settings.exceptions.paths + listPaths }

    // MARK: Triggers

    /// Looks at the files until the task is cancelled, and loads them when they have changed and rest: two looks in a
    /// row that are equal, so that nobody is caught in the middle of writing.
    func watch() async {
        let interval = settings.rules.watchInterval
        guard interval > .zero else { return }
        var loaded = filesAtStart
        var seen = loaded
        while (try? await Task.sleep(for: interval)) != nil {
            let now = RuleFiles(paths: paths)
            defer { seen = now }
            guard now == seen, now != loaded else { continue }
            loaded = now
            await reloadUntilTaken(.files)
        }
    }

    /// Follows the topic of rules until the task is cancelled.
    ///
    /// - Parameters:
    ///   - interval: How often to look for partitions that were added to it.
    ///   - timeout: What the brokers are given to answer.
    func follow(lookingEvery interval: Duration, timeout: Duration) async {
        guard let topic else { return }
        async let partitions: Void = topic.watchPartitions(every: interval, timeout: timeout)
        await follow(topic)
        await partitions
    }

    private func follow(_ topic: RuleTopic) async {
        countBadRecords(Array(accepted))
        for await _ in topic.changes {
            await topic.rest()
            if topic.contents.version != published?.version { await reloadUntilTaken(.topic) }
        }
    }

    /// Nobody repeats these triggers when the pipeline cannot take other rules right now.
    private func reloadUntilTaken(_ trigger: Trigger) async {
        repeat { _ = await reload(trigger) } while isOwed && !Task.isCancelled
    }

    func reload(_ trigger: Trigger) async -> ReloadReport {
        let task = Task { [last] in
            _ = await last?.value
            return await load(trigger)
        }
        last = task
        return await task.value
    }

    // MARK: Loading

    private func load(_ trigger: Trigger) async -> ReloadReport {
        let start = ContinuousClock.now
        isOwed = false
        published = topic?.contents
        let loaded = LoadedRules(
            paths: settings.rules.paths, documents: published?.documents ?? [], exceptions: settings.exceptions.paths,
            loader: loader)
        let errors = loaded.errors
        countBadRecords(errors)
        // Also when it is refused: the file may be one that is only named now, and mended later.
        listPaths = loaded.exceptions.listPaths
        let new = settings.rules.strict ? errors : errors.filter { !accepted.contains($0) }
        guard new.isEmpty else { return refused(trigger, new.map(\.description)) }
        let rules: CompiledRules
        let pending: [Int32]
        do {
            rules = try loaded.compiled(fields: fields, normalizers: normalizers).prefiltered(
                by: settings, after: current, logger)
            pending = try await pipeline.replaceRules(rules)
        } catch {
            isOwed = error is ReplacementFailure
            return refused(trigger, ["\(error)"])
        }
        accepted = Set(errors)
        let former = Dictionary(uniqueKeysWithValues: current.rules.map { ($0.id, $0.contentHash) })
        let kept = rules.rules.filter { former[$0.id] == $0.contentHash }.count
        current = rules
        instruments.reloaded(rules)
        logger.notice(
            "rules reloaded",
            metadata: [
                "trigger": "\(trigger.rawValue)", "rules": "\(rules.rules.count)", "unchanged": "\(kept)",
                "exceptions": "\(rules.exceptions.count)", "hash": "\(rules.hash.prefix(16))",
                "duration": "\(ContinuousClock.now - start)",
            ])
        if !pending.isEmpty {
            logger.warning(
                "lanes are busy and change their rules over later", metadata: ["partitions": "\(pending)"])
        }
        return report(true, pending: pending)
    }

    /// Counts each record of the topic that gives no rule, once.
    private func countBadRecords(_ errors: [RuleProblem]) {
        let bad = Set(errors.map(\.place.path)).intersection((published?.documents ?? []).map(\.path))
        instruments.ruleRecordsRejected(bad.subtracting(badRecords).count)
        badRecords = bad
    }

    private func refused(_ trigger: Trigger, _ errors: [String]) -> ReloadReport {
        instruments.reloadFailed()
        logger.error(
            "rules not reloaded, those before stay: \(errors.joined(separator: "; "))",
            metadata: ["trigger": "\(trigger.rawValue)", "errors": "\(errors.count)"])
        return report(false, errors)
    }

    private func report(
        _ hasTakenEffect: Bool, _ errors: [String] = [], pending: [Int32] = []
    ) -> ReloadReport {
        ReloadReport(
            hasTakenEffect: hasTakenEffect, rules: current.rules.count, hash: String(current.hash.prefix(16)),
            errors: errors, pending: pending)
    }
}
