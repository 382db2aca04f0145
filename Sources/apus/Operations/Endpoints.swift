import Foundation
import Logging
import Operations
import Settings
import Streaming
import Synchronization

/// The HTTP endpoints of a process, from before it connects to Kafka until it has stopped.
struct Endpoints {
    private let feed: OperationsFeed?
    private let serving: Task<Void, Never>?

    /// Begins to listen, as the settings say.
    ///
    /// - Throws: When the address that was asked for cannot be had, or the TLS files cannot be read. The default
    ///   address may be taken by another instance: then there are no endpoints, and the log says so.
    static func open(
        _ settings: Settings, _ instruments: Instruments, _ logger: Logger,
        reload: @escaping @Sendable () async -> ReloadReport
    ) async throws -> Endpoints {
        guard let options = OperationsOptions(settings.http) else { return Endpoints(feed: nil, serving: nil) }
        let server = OperationsServer(
            options, feed: instruments.feed, registry: instruments.registry, logger: logger, reload: reload)
        let opening = Opening()
        let scheme = options.tls == nil ? "http" : "https"
        let host = options.host.contains(":") ? "[\(options.host)]" : options.host
        let serving = Task {
            do {
                try await server.run { port in
                    logger.info("dashboard", metadata: ["url": "\(scheme)://\(host):\(port)/"])
                    opening.end(nil)
                }
                opening.end(nil)
            } catch {
                if !opening.end(error), !Task.isCancelled {
                    logger.error("the HTTP endpoints have failed: \(error)")
                }
            }
        }
        do {
            try await opening.outcome()
        } catch  where !settings.choseListener {
            logger.warning(
                "no dashboard: \(host):\(options.port) cannot be listened on; choose another http.listen",
                metadata: ["error": "\(error)"])
            return Endpoints(feed: nil, serving: nil)
        }
        return Endpoints(feed: instruments.feed, serving: serving)
    }

    func close() async {
        // What is cut off from here on is meant to be.
        feed?.close()
        serving?.cancel()
        await serving?.value
    }
}

/// Whether listening has begun, or why not; told once.
private final class Opening: Sendable {
    private let state = Mutex(State.open(nil))

    private enum State {
        case open(CheckedContinuation<Void, any Error>?)
        case ended((any Error)?)
    }

    /// False when it has ended before.
    @discardableResult
    func end(_ error: (any Error)?) -> Bool {
        let (isFirst, waiting) = state.withLock { state -> (Bool, CheckedContinuation<Void, any Error>?) in
            guard case .open(let waiting) = state else { return (false, nil) }
            state = .ended(error)
            return (true, waiting)
        }
        if let error { waiting?.resume(throwing: error) } else { waiting?.resume() }
        return isFirst
    }

    func outcome() async throws {
        try await withCheckedThrowingContinuation { continuation in
            let ended: (any Error)?? = state.withLock { state in
                if case .ended(let error) = state { return .some(error) }
                state = .open(continuation)
                return nil
            }
            guard let ended else { return }
            if let error = ended { continuation.resume(throwing: error) } else { continuation.resume() }
        }
    }
}

extension OperationsOptions {
    /// Nil when nothing is to be served.
    init?(_ settings: Settings.HTTP) {
        guard let listen = settings.listen else { return nil }
        var credentials: [Credential] = []
        if let token = settings.token { credentials.append(.token(token.revealed)) }
        if let password = settings.password {
            credentials.append(.basic(user: settings.user, password: password.revealed))
        }
        var tls: TLSFiles?
        if let certificate = settings.tlsCertificate, let key = settings.tlsKey {
            tls = TLSFiles(certificate: certificate, key: key)
        }
        self.init(host: listen.host, port: listen.port, credentials: credentials, tls: tls)
    }
}
