extension EngineReading {
    /// The reading as metrics. Only partitions that are owned now have series of their own.
    ///
    /// - Parameter now: Seconds since 1970.
    public func families(_ engine: EngineDescription, now: Double) -> [MetricFamily] {
        recordFamilies + ruleFamilies(engine) + correlationFamilies + stateFamilies + laneFamilies + [
            MetricFamily(.ready, [MetricSample(isReady ? 1.0 : 0.0)]),
            MetricFamily(.readingAge, [MetricSample(max(0, now - time))]),
            MetricFamily(
                .build, [MetricSample(1.0, labels: [engine.version, engine.clientVersion, engine.rulesHash])]),
            MetricFamily(.started, [MetricSample(engine.started)]),
        ]
    }

    private var recordFamilies: [MetricFamily] {
        [
            .single(.consumed, totals.records), .single(.consumedBytes, totals.bytes),
            .single(.passedOver, totals.passedOver), .single(.decoded, totals.decoded),
            .single(.evaluated, totals.decoded),
            .single(.matchedRecords, totals.matched),
            MetricFamily(
                .deadLetters,
                totals.deadLetters.sorted { $0.key < $1.key }.map { MetricSample($0.value, labels: [$0.key]) }),
            .single(.late, totals.late), .single(.ahead, totals.ahead),
            .single(.withoutTimestamp, totals.withoutTimestamp),
            .single(.coercionFailures, totals.coercionFailures), .single(.truncatedKeys, totals.truncatedKeys),
            .single(.scriptBlockParts, totals.scriptBlockParts),
            .single(.scriptBlockPartsAlone, totals.scriptBlockPartsAlone),
            MetricFamily(
                .scriptBlocks,
                totals.scriptBlocks.sorted { $0.key < $1.key }.map { MetricSample($0.value, labels: [$0.key]) }),
            .single(.scriptBlocksCut, totals.scriptBlocksCut),
            .single(.scriptBlocksWaiting, UInt64(lanes.reduce(0) { $0 + $1.scriptBlocks })),
            .single(.scriptBlockBytes, UInt64(lanes.reduce(0) { $0 + $1.scriptBlockBytes })),
        ]
    }

    private func ruleFamilies(_ engine: EngineDescription) -> [MetricFamily] {
        let rules = engine.rules
        func samples(_ values: [UInt64]) -> [MetricSample] {
            zip(rules, values).map { MetricSample($1, labels: [$0.id]) }
        }
        return [
            MetricFamily(.ruleMatches, samples(totals.findings)),
            MetricFamily(
                .alerts,
                rules.indices.map {
                    MetricSample(totals.alerts(of: $0, engine), labels: [rules[$0].id, rules[$0].severity])
                }),
            MetricFamily(.suppressed, samples(totals.suppressed)),
            MetricFamily(.exceptionHits, zip(engine.exceptions, totals.exceptions).map { .init($1, labels: [$0]) }),
            MetricFamily(
                .expiredExceptionHits, zip(engine.exceptions, totals.expiredExceptions).map { .init($1, labels: [$0]) }),
            MetricFamily(
                .ruleCost,
                zip(rules, totals.costs).map { MetricSample(Double($1.nanoseconds) / 1e9, labels: [$0.id]) }),
            MetricFamily(.ruleCostSamples, zip(rules, totals.costs).map { MetricSample($1.samples, labels: [$0.id]) }),
            MetricFamily(
                .rules,
                ["active", "shadow"].map { stage in
                    MetricSample(UInt64(rules.count { $0.stage == stage }), labels: [stage])
                }),
            MetricFamily(.eventToAlert, [MetricSample(totals.eventToAlert)]),
        ]
    }

    private var correlationFamilies: [MetricFamily] {
        [
            .single(.partials, UInt64(lanes.reduce(0) { $0 + $1.keys })),
            .single(.completed, totals.completed), .single(.expired, totals.expired),
            .single(.evictions, totals.evicted),
            .single(.hits, totals.hits), .single(.unknownHits, totals.unknownHits),
            .single(.suppressionWindows, UInt64(lanes.reduce(0) { $0 + $1.suppressionWindows })),
            .single(.suppressionEvictions, totals.suppressionEvicted),
            MetricFamily(
                .watermarkDelay,
                lanes.compactMap { lane in lane.watermarkDelay.map { MetricSample($0, labels: lane.labels) } }),
        ]
    }

    private var stateFamilies: [MetricFamily] {
        [
            .single(.stateRestored, totals.restoredKeys), .single(.stateWritten, totals.stateWritten),
            .single(.stateDiscarded, totals.stateDiscarded),
            MetricFamily(
                .stateSkipped,
                totals.stateSkipped.sorted { $0.key < $1.key }.map { MetricSample($0.value, labels: [$0.key]) }),
        ]
    }

    private var laneFamilies: [MetricFamily] {
        func perSource(_ value: (LaneReading.Source) -> Double) -> [MetricSample] {
            lanes.flatMap { lane in
                lane.sources.map { MetricSample(value($0), labels: [$0.topic, String(lane.partition)]) }
            }
        }
        return [
            MetricFamily(.lag, perSource { Double($0.lag) }),
            MetricFamily(.lagSeconds, perSource(\.lagSeconds)),
            MetricFamily(.queueDepth, perSource { Double($0.waiting) }),
            MetricFamily(.outstanding, lanes.map { MetricSample(Double($0.outstanding), labels: $0.labels) }),
            .single(
                .partitions, UInt64(lanes.lazy.filter { $0.pipeline == .input }.reduce(0) { $0 + $1.sources.count })),
            MetricFamily(
                .lanes,
                LaneReading.State.allCases.map { state in
                    MetricSample(UInt64(lanes.count { $0.state == state }), labels: [state.rawValue])
                }),
        ]
    }
}

extension LaneReading {
    /// The partition alone would not do: lanes of both pipelines have the same ones.
    fileprivate var labels: [String] { [pipeline.rawValue, String(partition)] }
}

extension LaneTotals {
    /// Alerts of one rule: its findings that were neither held back nor only counted.
    public func alerts(of rule: Int, _ engine: EngineDescription) -> UInt64 {
        guard findings.indices.contains(rule), engine.rules[rule].stage == "active" else { return 0 }
        let held = suppressed.indices.contains(rule) ? suppressed[rule] : 0
        return findings[rule] - min(findings[rule], held)
    }
}

extension MetricFamily {
    fileprivate static func single(_ description: MetricDescription, _ value: UInt64) -> MetricFamily {
        MetricFamily(description, [MetricSample(value)])
    }
}

extension MetricFamily {
    /// How many dashboards are open.
    public static func dashboards(_ count: Int) -> MetricFamily { .single(.dashboards, UInt64(count)) }
}

extension [MetricFamily] {
    /// What the system knows of the process.
    public static func process(cpuSeconds: Double, residentBytes: Int, openDescriptors: Int) -> [MetricFamily] {
        [
            MetricFamily(.cpu, [MetricSample(cpuSeconds)]),
            MetricFamily(.memory, [MetricSample(Double(residentBytes))]),
            MetricFamily(.descriptors, [MetricSample(Double(openDescriptors))]),
        ]
    }
}
