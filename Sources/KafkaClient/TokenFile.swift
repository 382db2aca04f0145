import CRdKafka
import Glibc

/// A token for SASL OAUTHBEARER that something else keeps in a file and renews there: a Kubernetes service account, a
/// workload identity, an agent. Read anew every 48 seconds, and every 10 while it cannot be read, so the file need only be
/// replaced a minute before its token expires.
///
/// The token is not looked into: brokers judge it, and not every provider's are JSON.
struct TokenFile: Sendable {
    /// Names the file. A property of ours, beside librdkafka's.
    static let property = "sasl.oauthbearer.token.location"

    let path: String

    /// What librdkafka believes; it asks for the next token after four fifths of it.
    private static let lifetime: Duration = .seconds(60)

    /// Hands the client the token, or says why there is none.
    func refresh(_ client: OpaquePointer) {
        guard let token = read() else {
            let reason = String(cString: strerror(errno))
            rd_kafka_oauthbearer_set_token_failure(client, "\(Self.property) \(path): \(reason)")
            return
        }
        guard !token.isEmpty else {
            rd_kafka_oauthbearer_set_token_failure(client, "\(Self.property) \(path): the file is empty")
            return
        }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let expiry = Int64(now.tv_sec) * 1000 + Self.lifetime.components.seconds * 1000
        withErrorText { text, size in
            // The principal is what librdkafka calls the token in its own log.
            let result = rd_kafka_oauthbearer_set_token(client, token, expiry, "apus", nil, 0, text, size)
            if result != RD_KAFKA_RESP_ERR_NO_ERROR {
                // librdkafka's text may quote the token.
                rd_kafka_oauthbearer_set_token_failure(client, "\(Self.property) \(path): the content is no token")
            }
        }
    }

    /// The content without the line break that editors leave; nil and `errno` when it cannot be read.
    private func read() -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = fread(&bytes, 1, bytes.count, file)
        guard ferror(file) == 0 else { return nil }
        let token = bytes.prefix(count).reversed().drop { $0 <= 0x20 }.reversed()
        return String(decoding: Array(token), as: UTF8.self)
    }
}
