import Foundation

/// How far long work is: a line on standard error that is written over, and only where that is a terminal.
struct ProgressLine {
    private let total: Int64
    private let unit: String
    private let scale: Double
    private let isShown: Bool
    private let started = ContinuousClock.now
    private var shown = ContinuousClock.now

    /// - Parameters:
    ///   - total: How much work there is; nothing is shown when that is not known.
    ///   - unit: What the rate is said in, each `scale` of what the work is counted in.
    init(total: Int64?, unit: String = "records", scale: Double = 1, isQuiet: Bool = false) {
        self.total = total ?? 0
        self.unit = unit
        self.scale = scale
        isShown = !isQuiet && total != nil && isatty(STDERR_FILENO) == 1
    }

    /// Once a second at most.
    mutating func show(_ position: Int64, _ detail: @autoclosure () -> String = "") {
        guard isShown else { return }
        let now = ContinuousClock.now
        guard now - shown > .seconds(1) else { return }
        shown = now
        let rate = Double(position) / max(0.001, (now - started).seconds)
        let left = rate > 0 ? Double(total - position) / rate : 0
        let part = Double(position) / Double(max(1, total))
        let bar = String(repeating: "#", count: Int(20 * min(1, part))).padding(
            toLength: 20, withPad: ".", startingAt: 0)
        let detail = detail()
        Self.write(
            String(format: "\r\u{1B}[K[%@] %.0f %%  %.0f %@/s  %.0f s left", bar, 100 * part, rate / scale, unit, left)
                + (detail.isEmpty ? "" : "  \(detail)"))
    }

    /// Says something else on standard error, in a line of its own.
    func note(_ text: String) {
        if isShown { Self.write("\r\u{1B}[K") }
        Console.note(text)
    }

    /// Takes the line away.
    ///
    /// - Returns: Seconds since the beginning.
    @discardableResult
    func end() -> Double {
        if isShown { Self.write("\r\u{1B}[K") }
        return (ContinuousClock.now - started).seconds
    }

    private static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
