import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTLS
public import Logging
import NIOCore
import NIOSSL
public import Telemetry

/// The HTTP endpoints of an instance: probes, metrics, status, and the dashboard with its live stream.
public struct OperationsServer: Sendable {
    private let options: OperationsOptions
    private let feed: OperationsFeed
    private let registry: MetricRegistry
    private let logger: Logger
    private let reload: (@Sendable () async -> ReloadReport)?

    /// - Parameter reload: What POST /reload does; without it there is no such endpoint.
    public init(
        _ options: OperationsOptions, feed: OperationsFeed, registry: MetricRegistry, logger: Logger,
        reload: (@Sendable () async -> ReloadReport)? = nil
    ) {
        self.reload = reload
        self.options = options
        self.feed = feed
        self.registry = registry
        self.logger = logger
    }

    /// Serves until the task is cancelled.
    ///
    /// - Parameter listening: Called with the port once connections are accepted.
    /// - Throws: When the address cannot be had, or the TLS files cannot be read.
    public func run(listening: @escaping @Sendable (Int) -> Void = { _ in }) async throws {
        var logger = logger
        // What single connections do is of no interest to whoever runs a detector.
        logger.logLevel = max(logger.logLevel, .warning)
        logger.handler = ServingLogHandler(logger.handler, until: { [feed] in feed.isClosed })
        let application = Application(
            router: makeRouter(),
            server: try options.tls.map { try .tls(.http1(), tlsConfiguration: Self.configuration($0)) } ?? .http1(),
            configuration: ApplicationConfiguration(address: .hostname(options.host, port: options.port)),
            onServerRunning: { channel in listening(channel.localAddress?.port ?? 0) },
            logger: logger)
        try await withTaskCancellationHandler {
            try await application.run()
        } onCancel: {
            feed.close()
        }
    }

    private static func configuration(_ files: OperationsOptions.TLSFiles) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(files.certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: files.key, format: .pem)))
        configuration.minimumTLSVersion = .tlsv12
        return configuration
    }

    private func makeRouter() -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self)
        router.add(middleware: Guard(options))
        router.get("livez") { _, _ in
            Self.probe(Health.liveness(feed.reading, started: feed.engine.started, now: Self.now), well: "alive")
        }
        router.get("readyz") { _, _ in Self.probe(Health.readiness(feed.reading, now: Self.now), well: "ready") }
        router.get("startupz") { _, _ in Self.probe(Health.startup(feed.reading), well: "started") }
        router.get("status") { _, _ in
            Response.bytes(ServerSentEvent.encode(feed.status(now: Self.now)), type: "application/json")
        }
        router.get("metrics") { _, _ in
            Response.text(.ok, Exposition.text(metrics()), type: Exposition.contentType)
        }
        router.get("stream") { _, _ in stream() }
        if let reload {
            router.post("reload") { request, _ in
                guard Self.isOwn(request) else { return Response.text(.forbidden, "not from another page\n") }
                let report = await reload()
                return Response.bytes(
                    ServerSentEvent.encode(report) + [0x0A], type: "application/json",
                    status: report.hasTakenEffect ? .ok : .unprocessableContent)
            }
        }
        for file in DashboardFile.all {
            router.get(RouterPath(file.path)) { _, _ in Response.bytes(file.bytes, type: file.type) }
        }
        return router
    }

    private static var now: Double { Date().timeIntervalSince1970 }

    /// A page of somebody else can send a request from whoever looks at it, with the browser's credentials; browsers
    /// say where it comes from.
    private static func isOwn(_ request: Request) -> Bool {
        guard let origin = request.headers[.origin] else { return true }
        guard let authority = request.head.authority, let scheme = origin.range(of: "://") else { return false }
        return origin[scheme.upperBound...] == authority
    }

    private static func probe(_ problems: [String], well: String) -> Response {
        problems.isEmpty
            ? .text(.ok, well + "\n")
            : .text(.serviceUnavailable, problems.map { $0 + "\n" }.joined())
    }

    private func metrics() -> [MetricFamily] {
        (feed.reading?.families(feed.engine, now: Self.now) ?? [])
            + registry.families() + ProcessReading.families
            + [MetricFamily.dashboards(feed.connections)]
    }

    private func stream() -> Response {
        guard let events = feed.connect(now: Self.now) else {
            return .text(.serviceUnavailable, "too many dashboards are open\n")
        }
        let body = ResponseBody { writer in
            for await event in events { try await writer.write(ByteBuffer(bytes: event.bytes)) }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "text/event-stream"], body: body)
    }
}
