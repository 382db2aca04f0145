import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Asks the endpoints of one instance.
public struct OperationsClient: Sendable {
    /// Why there is no answer, for a person.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String

        public init(description: String) {
            self.description = description
        }
    }

    public struct Answer: Sendable {
        public let status: Int
        public let body: [UInt8]
    }

    /// What an answer may hold at most.
    private static let maximumBytes = 64 << 20

    private let host: String
    private let port: Int
    private let tls: NIOSSLContext?
    private let authorization: String?
    private let timeout: TimeAmount

    /// - Parameters:
    ///   - url: `http://host:port` or `https://host:port`; the port may be missing.
    ///   - authority: A PEM file with the certificates to trust, in place of the system's.
    /// - Throws: ``Failure`` when the URL is none, or the file cannot be read.
    public init(
        url: String, credential: OperationsOptions.Credential? = nil, authority: String? = nil,
        timeout: Duration = .seconds(5)
    ) throws {
        guard let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty,
            let scheme = parts.scheme, ["http", "https"].contains(scheme), parts.path.isEmpty || parts.path == "/"
        else { throw Failure(description: "\(url) is not an address like http://127.0.0.1:9464") }
        // An IPv6 address stands in brackets, which are not part of it.
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        port = parts.port ?? (scheme == "https" ? 443 : 80)
        authorization = credential?.authorization
        self.timeout = .nanoseconds(timeout.components.seconds * 1_000_000_000)
        guard scheme == "https" else {
            tls = nil
            return
        }
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let authority { configuration.trustRoots = .file(authority) }
        do {
            tls = try NIOSSLContext(configuration: configuration)
        } catch {
            throw Failure(description: "the certificates to trust cannot be read: \(error)")
        }
    }

    /// - Throws: ``Failure`` when there is no answer in time.
    public func get(_ path: String) async throws -> Answer {
        do {
            return try await answer(to: path)
        } catch let error as Failure {
            throw error
        } catch {
            throw Failure(description: "\(host):\(port) does not answer: \(error)")
        }
    }

    private func answer(to path: String) async throws -> Answer {
        let group = MultiThreadedEventLoopGroup.singleton
        let promise = group.any().makePromise(of: Answer.self)
        let (tls, host) = (tls, host)
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: group)
                .connectTimeout(timeout)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        if let tls {
                            // Server names are no addresses.
                            let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
                            try pipeline.addHandler(
                                NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : host))
                        }
                        try pipeline.addHTTPClientHandlers()
                        try pipeline.addHandler(Collector(promise, limit: Self.maximumBytes))
                    }
                }
                .connect(host: host, port: port).get()
        } catch {
            promise.fail(error)
            throw error
        }
        let expiry = channel.eventLoop.scheduleTask(in: timeout) {
            promise.fail(Failure(description: "\(host):\(port) does not answer in time"))
        }
        defer {
            expiry.cancel()
            channel.close(promise: nil)
        }
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path)
        head.headers.add(name: "Host", value: host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
        head.headers.add(name: "Connection", value: "close")
        if let authorization { head.headers.add(name: "Authorization", value: authorization) }
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        return try await promise.futureResult.get()
    }

    /// Gathers one response.
    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart

        private let promise: EventLoopPromise<Answer>
        private let limit: Int
        private var status = 0
        private var body: [UInt8] = []

        init(_ promise: EventLoopPromise<Answer>, limit: Int) {
            self.promise = promise
            self.limit = limit
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): status = Int(head.status.code)
            case .body(let part):
                body += part.readableBytesView
                if body.count > limit { fail(context, Failure(description: "the answer is too large")) }
            case .end: promise.succeed(Answer(status: status, body: body))
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(context, error) }

        func channelInactive(context: ChannelHandlerContext) {
            promise.fail(Failure(description: "the connection ended before the answer did"))
            context.fireChannelInactive()
        }

        private func fail(_ context: ChannelHandlerContext, _ error: any Error) {
            promise.fail(error)
            context.close(promise: nil)
        }
    }
}

extension OperationsOptions.Credential {
    fileprivate var authorization: String {
        switch self {
        case .token(let token): "Bearer \(token)"
        case .basic(let user, let password): "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
        }
    }
}
