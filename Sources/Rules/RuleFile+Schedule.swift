import EQL

// What a rule's schedule in Elastic means where there is none.

extension RuleFile {
    /// `from`, as nanoseconds before now.
    mutating func lookback(in fields: TOMLTable) -> Int64 {
        let standard: Int64 = 6 * 60_000_000_000
        guard let from = string("from", in: fields) else { return standard }
        guard let lookback = Self.nanoseconds(back: from) else {
            report(
                .warning, "\"\(from)\" is not read as a time to look back: it counts as now-6m",
                at: span("from", in: fields), hint: "write it like now-9m, with s, m, h, d or w")
            return standard
        }
        return lookback
    }

    /// A sequence longer than the window of one run is never whole in Elastic.
    mutating func warnOfShortLookback(_ lookback: Int64, _ query: CheckedQuery, in fields: TOMLTable) {
        guard let from = fields["from"], let maxspan = query.maxspan, maxspan > lookback else { return }
        report(
            .warning,
            "maxspan is longer than the rule looks back: Elasticsearch never finds the longest of its sequences",
            at: from.value.span, hint: "Apus finds them; for both to agree, let from reach as far back as maxspan")
    }

    /// The distance of a point in time like `now-9m`. Rounding (`/d`) only ever makes a window longer, and by
    /// how much depends on the clock: it is left out.
    private static func nanoseconds(back from: String) -> Int64? {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800]
        guard from.hasPrefix("now-") else { return nil }
        let distance = from.dropFirst("now-".count).prefix { $0 != "/" }
        guard let unit = distance.last.flatMap({ units[$0] }), let count = Int64(distance.dropLast()), count > 0
        else { return nil }
        let (seconds, overflow) = count.multipliedReportingOverflow(by: unit)
        let (nanoseconds, more) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow || more ? nil : nanoseconds
    }

    /// `interval`, in nanoseconds; five minutes unless the file says otherwise.
    func interval(in fields: TOMLTable) -> Int64 {
        guard case .string(let text)? = fields["interval"]?.value.kind else { return 300_000_000_000 }
        return Self.nanoseconds(text.text) ?? 300_000_000_000
    }

    /// Says that a cap below Elastic's default does not hold alerts back. One above it asks for what Apus does anyway.
    mutating func signalCap(in fields: TOMLTable) -> Rule.SignalCap {
        let count = integer("max_signals", in: fields) ?? 100
        if count < 100 {
            report(
                .warning,
                "max_signals drops no alert: a stream has no runs; alerts beyond it are counted",
                at: span("max_signals", in: fields), hint: "hold repeats back with alert_suppression")
        }
        return Rule.SignalCap(count: count, interval: interval(in: fields))
    }
}

extension CheckedQuery {
    fileprivate var maxspan: Int64? {
        switch form {
        case .event: nil
        case .sequence(let plan): plan.maxspan
        case .sample(let plan): plan.maxspan
        }
    }

    /// Whether nothing in the query says how far apart its events may be.
    var isUnbounded: Bool {
        switch form {
        case .event: false
        case .sequence(let plan): plan.maxspan == nil
        case .sample(let plan): plan.maxspan == nil
        }
    }
}
