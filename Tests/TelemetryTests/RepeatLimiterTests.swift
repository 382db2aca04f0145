import Logging
import Synchronization
import Telemetry
import Testing

@Suite("Repeated log lines")
struct RepeatLimiterTests {
    /// Collects what is said.
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    private struct Collector: LogHandler {
        let lines: Lines
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { lines.all.withLock { $0.append("\(event.level) \(event.message)") } }
    }

    private let start = ContinuousClock.now

    @Test func theFirstOfEveryWindowAreSaidAndThenTheirNumber() {
        let limiter = RepeatLimiter()
        let counts = Lines()
        func admits(_ line: String, after seconds: Int) -> Bool {
            limiter.admits(line, at: start + .seconds(seconds)) { count in
                counts.all.withLock { $0.append("\(line) \(count)") }
            }
        }
        #expect((0..<8).map { _ in admits("a", after: 0) } == [true, true, true, true, true, false, false, false])
        // Another line has a window of its own, and one that nothing was held back of says nothing.
        #expect(admits("b", after: 1))
        #expect(counts.all.withLock { $0 } == [])
        #expect(admits("a", after: 10))
        #expect(counts.all.withLock { $0 } == ["a 3"])
        limiter.sayOverdue(at: start + .seconds(30))
        #expect(counts.all.withLock { $0 } == ["a 3"])
    }

    @Test func whatIsHeldBackIsSaidAlthoughNothingFollows() {
        let lines = Lines()
        let limiter = RepeatLimiter()
        var logger = Logger(label: "test") { LimitedLogHandler(label: $0, Collector(lines: lines), limiter) }
        logger.logLevel = .debug
        for number in 0..<7 { logger.warning("again", metadata: ["number": "\(number)"]) }
        for _ in 0..<7 { logger.debug("looked for") }
        limiter.sayOverdue(at: .now)
        #expect(lines.all.withLock { $0.filter { $0 == "warning again" }.count } == RepeatLimiter.burst)
        #expect(lines.all.withLock { $0.filter { $0 == "debug looked for" }.count } == 7)
        limiter.sayOverdue(at: .now + RepeatLimiter.window)
        #expect(lines.all.withLock { $0.last } == "warning again (repeated 2 times)")
    }
}
