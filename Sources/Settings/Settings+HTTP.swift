extension Settings {
    public struct HTTP: Sendable, Equatable {
        /// Where the endpoints listen; nil for nowhere.
        public internal(set) var listen: Listener? = Listener(host: "127.0.0.1", port: 9464)
        public internal(set) var token: PropertyValue?
        public internal(set) var user = "apus"
        public internal(set) var password: PropertyValue?
        /// Files in PEM; both or none.
        public internal(set) var tlsCertificate: String?
        public internal(set) var tlsKey: String?
        /// Whether to listen beyond this machine without credentials or TLS.
        public internal(set) var insecure = false

        public struct Listener: Sendable, Equatable {
            public let host: String
            public let port: Int

            /// Whether only this machine can reach it.
            public var isLoopback: Bool {
                host == "localhost" || host == "::1"
                    || host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." }
            }

            /// `[::1]:9464` and `127.0.0.1:9464`.
            public var description: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }
        }
    }

    /// Whether somebody chose where the endpoints listen; otherwise they may stay closed when the place is taken.
    public var choseListener: Bool { origins["http.listen"] != nil }
}

extension ValueType where Value == Settings.HTTP.Listener? {
    /// Where to listen, or nothing.
    static let listener = ValueType(
        description: "host:port, or empty for none",
        read: { raw, reading in
            switch raw.content {
            case .null: return .some(nil)
            case .text(""): return .some(nil)
            case .text(let text):
                guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
                    reading.problems.report(
                        "\"\(text)\" is not host:port, like 127.0.0.1:9464; port 0 takes a free one", at: raw.place)
                    return nil
                }
                var host = String(text[..<colon])
                if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
                guard !host.isEmpty, host.allSatisfy({ !$0.isWhitespace && $0 != "/" && $0 != "[" && $0 != "]" }) else {
                    reading.problems.report(
                        "\"\(text)\" has no host; 127.0.0.1 is this machine only, 0.0.0.0 every address", at: raw.place)
                    return nil
                }
                return .some(Settings.HTTP.Listener(host: host, port: Int(port)))
            case .list, .map:
                reading.problems.report("\(raw.kind) where host:port belongs", at: raw.place)
                return nil
            }
        }, write: { .scalar($0?.description ?? "") })
}

extension Settings.HTTP {
    /// What does not fit together: path of the setting, and what to do.
    var problems: [(path: String, message: String)] {
        var problems: [(path: String, message: String)] = []
        if (tlsCertificate == nil) != (tlsKey == nil) {
            let missing = tlsKey == nil ? "http.tls_key" : "http.tls_certificate"
            problems.append((missing, "is not set, but its counterpart is; TLS needs both files"))
        }
        guard let listen, !listen.isLoopback, !insecure else { return problems }
        var lacking: [String] = []
        if token == nil, password == nil { lacking.append("credentials (http.token or http.password)") }
        if tlsCertificate == nil { lacking.append("TLS (http.tls_certificate and http.tls_key)") }
        if !lacking.isEmpty {
            problems.append(
                (
                    "http.listen",
                    "\(listen.description) can be reached from other machines, without \(lacking.joined(separator: " and ")); "
                        + "the dashboard shows events. Add what is missing, listen on 127.0.0.1, or set http.insecure "
                        + "where a proxy or a network policy sees to it"
                ))
        }
        return problems
    }
}
