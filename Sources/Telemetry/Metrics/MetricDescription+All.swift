extension MetricDescription {
    // MARK: Records

    static let consumed = MetricDescription(
        "apus_records_consumed_total", .counter, "Records taken from the input topics.")
    static let consumedBytes = MetricDescription(
        "apus_consumed_bytes_total", .counter, "Bytes of the values of all records taken.")
    static let passedOver = MetricDescription(
        "apus_records_passed_over_total", .counter,
        "Records that were not parsed, since their bytes show that no rule can match (input.prefilter).")
    static let decoded = MetricDescription(
        "apus_records_decoded_total", .counter, "Records that were one JSON object within the limits.")
    static let evaluated = MetricDescription(
        "apus_records_evaluated_total", .counter,
        "Records that all rules were evaluated against. Falls behind the decoded ones only by a defect.")
    static let matchedRecords = MetricDescription(
        "apus_records_matched_total", .counter, "Records that matched a rule or a stage of one.")
    static let deadLetters = MetricDescription(
        "apus_dead_letters_total", .counter, labels: ["reason"],
        "Records that could not be decoded, or are no hits on the correlate topic, and went to the dead-letter topic.")
    static let late = MetricDescription(
        "apus_late_events_total", .counter,
        "Matching events that came after the watermark had passed them, and took part as they came.")
    static let ahead = MetricDescription(
        "apus_future_events_total", .counter, "Matching events whose time is too far ahead of their record's.")
    static let withoutTimestamp = MetricDescription(
        "apus_events_without_timestamp_total", .counter,
        "Events without a usable @timestamp, for which the record's own time served.")
    static let coercionFailures = MetricDescription(
        "apus_coercion_failures_total", .counter,
        "Field values that did not fit their field's type and counted as missing.")
    static let truncatedKeys = MetricDescription(
        "apus_truncated_keys_total", .counter, "Events with more combinations of join keys than are followed.")

    // MARK: Script blocks

    static let scriptBlockParts = MetricDescription(
        "apus_script_block_parts_total", .counter, "Parts of PowerShell script blocks that waited for the others.")
    static let scriptBlockPartsAlone = MetricDescription(
        "apus_script_block_parts_alone_total", .counter,
        "Parts matched by themselves, because their block claims more than script_blocks.max_parts.")
    static let scriptBlocks = MetricDescription(
        "apus_script_blocks_total", .counter, labels: ["outcome"],
        "Script blocks matched as one event: complete, incomplete after script_blocks.timeout, or evicted for a limit.")
    static let scriptBlocksCut = MetricDescription(
        "apus_script_blocks_cut_total", .counter, "Script blocks whose text was cut to script_blocks.max_size.")
    static let scriptBlocksWaiting = MetricDescription(
        "apus_script_blocks_waiting", .gauge, "Script blocks that wait for parts.")
    static let scriptBlockBytes = MetricDescription(
        "apus_script_block_held_bytes", .gauge, "Bytes of the parts that wait.")

    // MARK: Rules and alerts

    static let ruleMatches = MetricDescription(
        "apus_rule_matches_total", .counter, labels: ["rule_id"],
        "Findings of a rule, before suppression and whatever its stage.")
    static let alerts = MetricDescription(
        "apus_alerts_total", .counter, labels: ["rule_id", "severity"], "Alerts raised.")
    static let suppressed = MetricDescription(
        "apus_suppressed_total", .counter, labels: ["rule_id"], "Findings held back by a rule's suppression.")
    static let exceptionHits = MetricDescription(
        "apus_exception_hits_total", .counter, labels: ["exception_id"], "Matches left out by an exception.")
    static let expiredExceptionHits = MetricDescription(
        "apus_expired_exception_hits_total", .counter, labels: ["exception_id"],
        "Matches that an exception would have left out, had it not expired.")
    static let ruleCost = MetricDescription(
        "apus_rule_evaluation_seconds_total", .counter, labels: ["rule_id"],
        "Time spent evaluating a rule by itself, on sampled records only.")
    static let ruleCostSamples = MetricDescription(
        "apus_rule_evaluation_samples_total", .counter, labels: ["rule_id"],
        "Sampled records behind apus_rule_evaluation_seconds_total.")
    static let rules = MetricDescription(
        "apus_rules", .gauge, labels: ["stage"], "Rules loaded: active ones raise alerts, shadow ones are counted.")
    static let eventToAlert = MetricDescription(
        "apus_event_to_alert_seconds", .histogram,
        "From the time of an alert's newest event to the moment the alert was raised.")

    // MARK: Correlation

    static let partials = MetricDescription(
        "apus_correlation_keys", .gauge, "Join keys that sequences and samples hold partial matches for.")
    static let completed = MetricDescription(
        "apus_correlations_completed_total", .counter, "Sequences and samples that became complete.")
    static let expired = MetricDescription(
        "apus_correlations_expired_total", .counter, "Partial matches that ended with their maxspan.")
    static let evictions = MetricDescription(
        "apus_correlation_evictions_total", .counter,
        "Partial matches given up for a bound of memory: alerts may be missing.")
    static let suppressionWindows = MetricDescription(
        "apus_suppression_windows", .gauge, "Groups of findings that suppression remembers.")
    static let suppressionEvictions = MetricDescription(
        "apus_suppression_evictions_total", .counter,
        "Suppression windows given up for a bound of memory: the next finding raises an alert again.")
    static let hits = MetricDescription(
        "apus_hits_taken_total", .counter, "Hits taken from the correlate topic, where other lanes had left them.")
    static let unknownHits = MetricDescription(
        "apus_unknown_hits_total", .counter,
        "Hits on the correlate topic for rules or topics that this instance does not know: alerts may be missing.")
    static let watermarkDelay = MetricDescription(
        "apus_watermark_delay_seconds", .gauge, labels: ["pipeline", "partition"],
        "How far event time trails the clock, by lane: those that read inputs, and those that read the correlate topic."
    )

    // MARK: State

    static let stateRestored = MetricDescription(
        "apus_state_restored_keys_total", .counter,
        "Join keys taken up from the state topic when a partition was assigned.")
    static let stateWritten = MetricDescription(
        "apus_state_records_written_total", .counter,
        "Records given to the state topic: what checkpoints changed, their markers and tombstones included.")
    static let stateDiscarded = MetricDescription(
        "apus_state_discarded_total", .counter,
        "Partitions whose state was dropped, because the group's offset had been moved.")
    static let stateSkipped = MetricDescription(
        "apus_state_records_skipped_total", .counter, labels: ["reason"],
        "Records of the state topic that could not be used.")

    // MARK: Kafka

    static let lag = MetricDescription(
        "apus_consumer_lag_records", .gauge, labels: ["topic", "partition"],
        "Records between the last one taken and the end of an owned partition.")
    static let lagSeconds = MetricDescription(
        "apus_consumer_lag_seconds", .gauge, labels: ["topic", "partition"],
        "Age of the last record taken from an owned partition while records wait behind it; 0 at its end.")
    static let queueDepth = MetricDescription(
        "apus_fetch_queue_records", .gauge, labels: ["topic", "partition"],
        "Records fetched from an owned partition and not yet taken.")
    static let outstanding = MetricDescription(
        "apus_outputs_outstanding", .gauge, labels: ["pipeline", "partition"],
        "Alerts, dead letters and hits of a lane that the brokers have not acknowledged.")
    static let partitions = MetricDescription(
        "apus_assigned_partitions", .gauge, "Partitions of input topics this instance owns.")
    static let lanes = MetricDescription(
        "apus_lanes", .gauge, labels: ["state"],
        "Lanes by state: restoring, reading, paused for a slow broker, or stalled.")
    static let rebalances = MetricDescription(
        "apus_rebalances_total", .counter, labels: ["kind"],
        "Changes of the assignment: assigned, revoked, or lost without being asked.")
    static let commits = MetricDescription(
        "apus_commits_total", .counter, labels: ["outcome"], "Commits of consumed offsets.")
    static let checkpointSeconds = MetricDescription(
        "apus_checkpoint_duration_seconds", .histogram,
        "From the moment a checkpoint was ready to be committed to the brokers' answer.")
    static let transactionSeconds = MetricDescription(
        "apus_transaction_duration_seconds", .histogram, "From the beginning of a transaction to its end.")
    static let transactions = MetricDescription(
        "apus_transactions_total", .counter, labels: ["outcome"], "Transactions: committed or aborted.")
    static let rejoins = MetricDescription(
        "apus_rejoins_total", .counter, "Times that both clients were given up and the group joined anew.")
    static let strayKeys = MetricDescription(
        "apus_stray_keys_total", .counter,
        "Sampled records of a host that had come in a partition of another number before, although rules rely on the key."
    )
    static let clientErrors = MetricDescription(
        "apus_kafka_errors_total", .counter, "Problems that the Kafka clients reported and are dealing with.")
    static let reloads = MetricDescription(
        "apus_reloads_total", .counter, "Times that rules, exceptions and lists were loaded anew and took effect.")
    static let reloadFailures = MetricDescription(
        "apus_reload_failures_total", .counter,
        "Times that rules, exceptions and lists were loaded anew and refused; the set before stayed.")
    static let ruleRecordsRejected = MetricDescription(
        "apus_rule_records_rejected_total", .counter, "Records of the topic of rules that gave no rule.")
    static let lastReload = MetricDescription(
        "apus_last_reload_success_timestamp_seconds", .gauge,
        "When the rules that are evaluated were loaded, in seconds since 1970.")
    static let lastReloadSuccessful = MetricDescription(
        "apus_last_reload_successful", .gauge, "0 while the rules on disk are not those that are evaluated, else 1.")
    static let alertsShortened = MetricDescription(
        "apus_alerts_shortened_total", .counter, "Alerts sent without the original events, for their size.")
    static let deadLettersEmptied = MetricDescription(
        "apus_dead_letters_without_value_total", .counter, "Dead letters sent without the record, for its size.")

    // MARK: The instance

    static let ready = MetricDescription("apus_ready", .gauge, "1 while the instance is ready, else 0.")
    static let readingAge = MetricDescription(
        "apus_reading_age_seconds", .gauge, "Age of the readings these metrics come from; a second at most when well.")
    static let build = MetricDescription(
        "apus_build_info", .gauge, labels: ["version", "librdkafka", "rules_hash"],
        "Always 1; the labels say what runs.")
    static let dashboards = MetricDescription(
        "apus_dashboard_connections", .gauge, "Dashboards that are open.")
    static let cpu = MetricDescription(
        "process_cpu_seconds_total", .counter, "Processor time this process used, user and system.")
    static let memory = MetricDescription(
        "process_resident_memory_bytes", .gauge, "Memory of this process that is resident.")
    static let descriptors = MetricDescription("process_open_fds", .gauge, "File descriptors that are open.")
    static let started = MetricDescription(
        "process_start_time_seconds", .gauge, "When the process started, in seconds since 1970.")

    /// Every metric that Apus exposes.
    public static let all: [MetricDescription] = [
        consumed, consumedBytes, passedOver, decoded, evaluated, matchedRecords, deadLetters, late, ahead,
        withoutTimestamp,
        coercionFailures, truncatedKeys,
        scriptBlockParts, scriptBlockPartsAlone, scriptBlocks, scriptBlocksCut, scriptBlocksWaiting, scriptBlockBytes,
        ruleMatches, alerts, suppressed, exceptionHits, expiredExceptionHits, ruleCost, ruleCostSamples, rules,
        eventToAlert,
        partials, completed, expired, evictions, suppressionWindows, suppressionEvictions, hits, unknownHits,
        watermarkDelay,
        stateRestored, stateWritten, stateDiscarded, stateSkipped,
        lag, lagSeconds, queueDepth, outstanding, partitions, lanes, rebalances, commits, checkpointSeconds,
        transactionSeconds, transactions, rejoins, strayKeys, clientErrors, alertsShortened, deadLettersEmptied,
        reloads, reloadFailures, ruleRecordsRejected, lastReload, lastReloadSuccessful,
        ready, readingAge, build, dashboards, cpu, memory, descriptors, started,
    ]

    static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}
