/// Where the endpoints listen and who may ask.
public struct OperationsOptions: Sendable {
    /// A name or an address.
    public var host: String
    /// 0 lets the system choose.
    public var port: Int
    /// Whoever shows one of these may ask; empty lets everybody.
    public var credentials: [Credential]
    public var tls: TLSFiles?

    public enum Credential: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
        case token(String)
        case basic(user: String, password: String)

        public var description: String { "credential" }
        /// Shows itself in no dump either.
        public var customMirror: Mirror { Mirror(self, children: []) }
    }

    /// PEM files.
    public struct TLSFiles: Sendable, Hashable {
        public var certificate: String
        public var key: String

        public init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    public init(host: String, port: Int, credentials: [Credential] = [], tls: TLSFiles? = nil) {
        self.host = host
        self.port = port
        self.credentials = credentials
        self.tls = tls
    }

    /// Whether only this machine can reach it.
    public var isLoopback: Bool { Self.isLoopback(host) }

    static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." }
    }
}
