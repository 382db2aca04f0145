import Synchronization

/// Holds back what is said over and over: of lines with one level and message, the first few of every ten seconds are
/// said, and then how many there were.
public final class RepeatLimiter: Sendable {
    public static let window = Duration.seconds(10)
    /// Lines of one kind that are said in one window.
    public static let burst = 5

    private struct Window {
        let end: ContinuousClock.Instant
        var said = 1
        var held = 0
        /// Says the line once more, with the number of those that were held back.
        let repeatLine: @Sendable (_ count: Int) -> Void
    }

    private let windows = Mutex<[String: Window]>([:])

    public init() {}

    /// Whether the line is to be said. The first line behind a window may owe the number of those held back in it.
    ///
    /// - Parameter repeatLine: as of the first line of the window.
    public func admits(
        _ line: String, at now: ContinuousClock.Instant, repeatLine: @escaping @Sendable (Int) -> Void
    ) -> Bool {
        let (admits, over) = windows.withLock { windows -> (Bool, Window?) in
            if var window = windows[line], now < window.end {
                let admits = window.said < Self.burst
                if admits { window.said += 1 } else { window.held += 1 }
                windows[line] = window
                return (admits, nil)
            }
            let over = windows.updateValue(Window(end: now + Self.window, repeatLine: repeatLine), forKey: line)
            return (true, over)
        }
        if let over, over.held > 0 { over.repeatLine(over.held) }
        return admits
    }

    /// Says what was held back in windows that are over.
    public func sayOverdue(at now: ContinuousClock.Instant) {
        let over = windows.withLock { windows in
            let over = windows.filter { $0.value.end <= now }
            for line in over.keys { windows[line] = nil }
            return over.values.filter { $0.held > 0 }
        }
        for window in over { window.repeatLine(window.held) }
    }
}
