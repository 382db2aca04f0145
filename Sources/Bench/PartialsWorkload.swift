import CAllocations
import Correlation
import Detection
import Events
import Foundation

/// How much memory a sequence takes that waits for its second event.
struct PartialsWorkload {
    let rules: BenchRules
    let scale: Scale

    func run(_ report: Report) {
        let padding = String(repeating: "x", count: 900)
        let records = (0..<scale.partials).map { number in
            Array(
                """
                {"@timestamp":"2026-11-24T09:00:00.\(String(format: "%03d", number % 1_000))Z",\
                "event":{"category":["network"],"type":["start"]},"host":{"id":"host-\(number)"},\
                "destination":{"port":443},"message":"\(padding)"}
                """.utf8)
        }
        let payload = records.reduce(0) { $0 + $1.count } / records.count
        // Far more than the default budget of a rule, so that nothing is evicted.
        var options = EvaluatorOptions(ordering: .stream(lateness: 0))
        options.correlationLimits.bytes = .max / 4
        options.correlationLimits.keys = .max / 4
        let evaluator = Evaluator(rules.sequence, options: options)
        let source = evaluator.addSource()
        let before = Self.resident()
        for (number, record) in records.enumerated() {
            record.withUnsafeBytes {
                _ = evaluator.process(
                    $0, origin: RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: Int64(number)),
                    source: source, recordTime: nil)
            }
            evaluator.advanceWatermark()
        }
        let held = Self.resident() - before
        let live = max(evaluator.liveKeys, 1)
        report.add(
            Measure(
                name: "a live partial of one event of \(payload) bytes", value: held / Double(live), unit: "bytes",
                remark: "\(live) of them, each with a key of its own"))
        report.add(
            Measure(
                name: "of that, beside the event's own bytes", value: held / Double(live) - Double(payload),
                unit: "bytes", remark: "key, places in the tables, event header, rounding"))
        withExtendedLifetime(evaluator) {}
        withExtendedLifetime(records) {}
    }

    /// Bytes of the process in memory, without what it could give back.
    private static func resident() -> Double {
        apus_return_free_memory()
        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
            .dropFirst().first
        return (pages.flatMap { Double($0) } ?? 0) * Double(sysconf(Int32(_SC_PAGESIZE)))
    }
}
