public import Logging

/// A handler whose repeats are held back, but for those of people who look for something: debug and trace.
public struct LimitedLogHandler: LogHandler {
    private let label: String
    private var handler: any LogHandler
    private let limiter: RepeatLimiter

    public init(label: String, _ handler: any LogHandler, _ limiter: RepeatLimiter) {
        self.label = label
        self.handler = handler
        self.limiter = limiter
    }

    public var logLevel: Logger.Level {
        get { handler.logLevel }
        set { handler.logLevel = newValue }
    }

    public var metadata: Logger.Metadata {
        get { handler.metadata }
        set { handler.metadata = newValue }
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { handler[metadataKey: key] }
        set { handler[metadataKey: key] = newValue }
    }

    public func log(event: LogEvent) {
        guard event.level > .debug else { return handler.log(event: event) }
        let line = "\(label) \(event.level) \(event.message)"
        let isSaid = limiter.admits(line, at: .now) { [handler] count in
            var summary = event
            summary.message = "\(event.message) (repeated \(count) times)"
            handler.log(event: summary)
        }
        if isSaid { handler.log(event: event) }
    }
}
