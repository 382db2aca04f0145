import Logging

/// Says what a server says, but for its complaints about connections that are cut off when it is told to stop.
struct ServingLogHandler: LogHandler {
    private var handler: any LogHandler
    private let isStopping: @Sendable () -> Bool

    init(_ handler: any LogHandler, until isStopping: @escaping @Sendable () -> Bool) {
        self.handler = handler
        self.isStopping = isStopping
    }

    var logLevel: Logger.Level {
        get { handler.logLevel }
        set { handler.logLevel = newValue }
    }

    var metadata: Logger.Metadata {
        get { handler.metadata }
        set { handler.metadata = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { handler[metadataKey: key] }
        set { handler[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) {
        if !isStopping() { handler.log(event: event) }
    }
}
