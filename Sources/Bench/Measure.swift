import Foundation

/// A figure that is no rate of events: a time, a size, a ratio.
struct Measure: Encodable {
    var name: String
    var value: Double
    var unit: String
    var remark = ""

    var text: String {
        String(format: value.magnitude < 10 ? "%.2f %@" : value.magnitude < 100 ? "%.1f %@" : "%.0f %@", value, unit)
    }
}

extension Measure {
    /// The median of several runs.
    init(_ name: String, runs: [Double], unit: String, remark: String = "") {
        let sorted = runs.sorted()
        let range =
            sorted.count > 1
            ? String(format: "%d runs, %.3g to %.3g", sorted.count, sorted[0], sorted[sorted.count - 1]) : "one run"
        self.init(
            name: name, value: sorted.isEmpty ? 0 : sorted[sorted.count / 2], unit: unit,
            remark: [range, remark].filter { !$0.isEmpty }.joined(separator: "; "))
    }
}

enum Machine {
    /// When and on what this was measured.
    static var description: String {
        let processor = field("model name", of: "/proc/cpuinfo")
        let memory = (field("MemTotal", of: "/proc/meminfo").split(separator: " ").first.flatMap { Int($0) } ?? 0) >> 20
        let load = (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8))?.split(separator: " ").first ?? "?"
        let date = Date().formatted(.iso8601.year().month().day())
        return """
            \(date), \(processor), \(ProcessInfo.processInfo.activeProcessorCount) cores, \(memory) GB, \
            \(ProcessInfo.processInfo.operatingSystemVersionString); load \(load) at the end of the run.
            """
    }

    private static func field(_ name: String, of path: String) -> String {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) } ?? ""
        return line.split(separator: ":").dropFirst().joined().trimmingCharacters(in: .whitespaces)
    }
}
