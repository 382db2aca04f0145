import Foundation

/// What was asked of Apus, what this run has seen of it, and where it falls short, what the same run's figures say bounds
/// it.
struct Target: Encodable {
    var asked: String
    var seen: String
    var isReached: Bool
    /// Nil where no prefilter was measured.
    var isReachedPrefiltered: Bool?
    /// A sentence; nil for what is reached.
    var bound: String?

    init(_ asked: String, seen: String, isReached: Bool, bound: @autoclosure () -> String?) {
        self.asked = asked
        self.seen = seen
        self.isReached = isReached
        self.bound = isReached ? nil : bound() ?? "Nothing in this run says what bounds it."
    }

    /// The same where `isReached` holds with `input.prefilter`.
    func orPrefiltered(_ seen: String?, isReached: Bool) -> Target {
        guard let seen else { return self }
        var target = self
        target.seen += "; \(seen) with the prefilter"
        target.isReachedPrefiltered = isReached
        return target
    }
}

extension Target {
    var verdict: String {
        if isReached { return "reached" }
        return isReachedPrefiltered == true ? "reached with the prefilter only" : "not reached"
    }

    /// Those that `report` has figures for.
    static func all(in report: Report) -> [Target] {
        [
            file(report), rules(report, "1 KB"), rules(report, "mixed"), stream(report), python(report),
            bytewax(report), latency(report, "at_least_once", most: 20), latency(report, "exactly_once", most: 250),
            loading(report), memory(report),
        ].compactMap(\.self)
    }

    private static func file(_ report: Report) -> Target? {
        guard let eval = report.figure(FileWorkload.name) else { return nil }
        return Target(
            "seed rule, 1 KB, from a file: 700,000 events/s",
            seen: "\(thousands(eval.eventsPerSecond)) events/s, without the start of the process",
            isReached: eval.eventsPerSecond >= 700_000, bound: parts(of: eval, report)
        ).orPrefiltered(
            report.figure(FileWorkload.prefilteredName).map { thousands($0.eventsPerSecond) },
            isReached: report.figure(FileWorkload.prefilteredName).map { $0.eventsPerSecond >= 700_000 } ?? false)
    }

    /// What the time of an event goes into.
    private static func parts(of eval: Figure, _ report: Report) -> String? {
        guard let decode = report.figure("decode, seed rule's fields, 1 KB"),
            let engine = report.figure("decode + match, seed rule, 1 KB"),
            let parse = report.figure("floor: simdjson DOM parse, 1 KB")
        else { return nil }
        return """
            Of \(ns(eval)) ns per event, decoding takes \(ns(decode)), matching \(ns(engine, minus: decode)), reading the \
            lines and the rest of the command \(ns(eval, minus: engine)). simdjson's DOM parser alone takes \(ns(parse)) \
            on the same records.
            """
    }

    private static func rules(_ report: Report, _ size: String) -> Target? {
        guard let one = report.figure("1 rule, \(size)"), let thousand = report.figure("1000 rules, \(size)") else {
            return nil
        }
        let share = thousand.eventsPerSecond / one.eventsPerSecond
        return Target(
            "1,000 rules, \(size): at least a third of one rule", seen: two(share), isReached: share >= 1.0 / 3,
            bound: report.figure("100 rules, \(size)").map {
                "An event costs \(ns(one)) ns with one rule, \(ns($0)) with 100, \(ns(thousand)) with 1,000."
            })
    }

    private static func stream(_ report: Report) -> Target? {
        guard let raw = report.measure("kcat -C to nowhere"), let run = report.measure("apus run, seed rule") else {
            return nil
        }
        let prefiltered = report.measure("apus run, input.prefilter")
        return Target(
            "`apus run`: 80 % of the rate of raw consuming", seen: two(run.value / raw.value),
            isReached: run.value >= 0.8 * raw.value, bound: streamParts(report)
        ).orPrefiltered(
            prefiltered.map { two($0.value / raw.value) },
            isReached: prefiltered.map { $0.value >= 0.8 * raw.value } ?? false)
    }

    private static func streamParts(_ report: Report) -> String? {
        guard let raw = report.measure("kcat -C to nowhere: CPU of the process"),
            let run = report.measure("apus run, seed rule: CPU of the process"),
            let engine = report.figure("decode + match, seed rule, 1 KB")
        else { return nil }
        let rest = run.value - raw.value - engine.nanosecondsPerEvent
        return """
            `apus run` takes \(thousands(run.value)) ns of CPU per event. Consuming alone takes \(thousands(raw.value)), \
            decoding and matching \(ns(engine)); \(thousands(max(rest, 0))) are left for lanes, checkpoints and what the \
            processes on the same cores take from each other.
            """
    }

    private static func python(_ report: Report) -> Target? {
        func times(_ command: String) -> Double? {
            report.measures.first { $0.name.hasPrefix("\(command) against Python eql") }?.value
        }
        guard let ratio = times("apus eval"), let eval = report.figure(FileWorkload.name) else { return nil }
        let prefiltered = times("apus eval --prefilter")
        return Target(
            "20 times Python `eql`", seen: "\(two(ratio)) times", isReached: ratio >= 20, bound: parts(of: eval, report)
        ).orPrefiltered(prefiltered.map(two), isReached: prefiltered.map { $0 >= 20 } ?? false)
    }

    private static func bytewax(_ report: Report) -> Target? {
        guard let bytewax = report.measure("Bytewax, one worker, seed rule"),
            let run = report.measure("apus run, seed rule")
        else { return nil }
        let prefiltered = report.measure("apus run, input.prefilter")
        return Target(
            "10 times Bytewax", seen: "\(two(run.value / bytewax.value)) times",
            isReached: run.value >= 10 * bytewax.value,
            bound: report.measure("kcat -C to nowhere").map {
                "Reading the topic to nowhere is \(two($0.value / bytewax.value)) times as fast as the pipeline."
            }
        ).orPrefiltered(
            prefiltered.map { "\(two($0.value / bytewax.value)) times" },
            isReached: prefiltered.map { $0.value >= 10 * bytewax.value } ?? false)
    }

    private static func latency(_ report: Report, _ mode: String, most: Double) -> Target? {
        func measure(_ end: String) -> Measure? {
            report.measures.first { $0.name.hasPrefix(mode) && $0.name.hasSuffix(end) }
        }
        guard let half = measure("p99 at 50%") else { return nil }
        return Target(
            "p99 at half load, `\(mode)`: \(Int(most)) ms", seen: half.text, isReached: half.value <= most,
            bound: measure("p99 at 10%").flatMap { low in
                measure("p50 at 50%").map { median in
                    "At a tenth of the load p99 is \(low.text), and at half load the median is \(median.text)."
                }
            })
    }

    private static func loading(_ report: Report) -> Target? {
        guard let load = report.measure("1000 rules: load") else { return nil }
        return Target(
            "loading 1,000 rules: 3 s", seen: load.text, isReached: load.value <= 3,
            bound: report.measure("1000 rules: of that compiling").map {
                "Compiling takes \($0.text), reading and checking the files the rest."
            })
    }

    private static func memory(_ report: Report) -> Target? {
        guard let resident = report.measure("1000 rules: resident at most") else { return nil }
        return Target(
            "resident with 1,000 rules: 300 MB", seen: "\(resident.text) (`apus eval`)",
            isReached: resident.value <= 300,
            bound: report.measure("1 rule: resident at most").map { "With one rule it is \($0.text)." })
    }
}

private func two(_ value: Double) -> String { String(format: "%.2f", value) }

private func ns(_ figure: Figure) -> String { thousands(figure.nanosecondsPerEvent) }

private func ns(_ figure: Figure, minus part: Figure) -> String {
    thousands(max(figure.nanosecondsPerEvent - part.nanosecondsPerEvent, 0))
}

/// Digits in groups of three.
func thousands(_ number: Double) -> String {
    var digits = String(Int(number.rounded()))
    var place = digits.count - 3
    while place > 0 {
        digits.insert(",", at: digits.index(digits.startIndex, offsetBy: place))
        place -= 3
    }
    return digits
}
