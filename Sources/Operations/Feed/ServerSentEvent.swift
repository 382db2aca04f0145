import Foundation

/// One message of the live stream, as it goes over the wire.
struct ServerSentEvent: Sendable {
    let bytes: [UInt8]

    /// - Parameter json: One JSON text. Line breaks, which JSON has only between its tokens, become blanks: here they
    ///   would end the message.
    init(_ name: String, json: [UInt8]) {
        var bytes = Array("event: \(name)\ndata: ".utf8)
        bytes.reserveCapacity(bytes.count + json.count + 2)
        for byte in json {
            bytes.append(byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") ? UInt8(ascii: " ") : byte)
        }
        bytes.append(contentsOf: [UInt8(ascii: "\n"), UInt8(ascii: "\n")])
        self.bytes = bytes
    }

    private init(_ name: String, _ value: some Encodable) {
        self.init(name, json: Self.encode(value))
    }

    static func hello(_ hello: Hello) -> ServerSentEvent { ServerSentEvent("hello", hello) }
    static func reading(_ reading: LiveReading) -> ServerSentEvent { ServerSentEvent("reading", reading) }

    /// Our own types hold nothing that JSON lacks: rates and ages are finite.
    static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        guard let data = try? encoder.encode(value) else { preconditionFailure("\(type(of: value)) is not JSON") }
        return Array(data)
    }
}
