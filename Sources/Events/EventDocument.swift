import CSimdjson

/// The members of a record's root object as they are written, to be copied into alerts without being rebuilt.
public struct EventDocument: Sendable {
    public struct Member: Sendable {
        /// The key with its escapes resolved.
        public let name: String
        /// The key between its quotes, as written.
        public let key: Range<Int>
        /// The value, as written.
        public let value: Range<Int>
    }

    public let bytes: [UInt8]
    /// In document order; a key that occurs twice is there twice.
    public let members: [Member]

    /// Fails as decoding the record would.
    public init(_ bytes: [UInt8], limits: DecodeLimits = DecodeLimits()) throws(DecodeFailure) {
        var record = apus_json_record()
        guard let decoder = apus_json_decoder_create(nil, 0, apus_json_limits(limits), &record) else { throw .outOfMemory }
        defer { apus_json_decoder_destroy(decoder) }
        var found: UnsafePointer<apus_json_member>?
        var count = 0
        let status = bytes.withUnsafeBufferPointer {
            apus_json_members(decoder, $0.baseAddress, $0.count, &found, &count)
        }
        if let failure = DecodeFailure(status) { throw failure }
        members = try UnsafeBufferPointer(start: found, count: count).map { raw throws(DecodeFailure) in
            let key = raw.key_offset..<raw.key_offset + raw.key_length
            guard let name = Self.unescape(bytes[key]) else { throw .notJSON }
            return Member(
                name: name, key: key, value: raw.value_offset..<raw.value_offset + raw.value_length)
        }
        self.bytes = bytes
    }

    /// The members that hold `root` or a part of it: `host`, `host.name`, `host.os.name`…
    public func members(of root: String) -> [Member] {
        members.filter { $0.name.hasPrefix(root) && ($0.name.utf8.count == root.utf8.count
            || $0.name.utf8.dropFirst(root.utf8.count).first == UInt8(ascii: ".")) }
    }

    /// The value of a member without blanks between its tokens.
    public func minified(_ member: Member) -> [UInt8] { Self.minify(bytes[member.value]) }

    /// The whole record without blanks between its tokens: one line.
    public var minified: [UInt8] {
        let start = bytes.firstIndex(of: UInt8(ascii: "{")) ?? 0
        return Self.minify(bytes[start...])
    }

    private static func unescape(_ key: ArraySlice<UInt8>) -> String? {
        guard key.contains(UInt8(ascii: "\\")) else { return String(decoding: key, as: UTF8.self) }
        var length = 0
        let name = [UInt8](unsafeUninitializedCapacity: key.count) { output, count in
            length = key.withUnsafeBufferPointer {
                apus_json_unescape($0.baseAddress, $0.count, output.baseAddress)
            }
            count = length == .max ? 0 : length
        }
        return length == .max ? nil : String(decoding: name, as: UTF8.self)
    }

    /// Only for bytes that are known to be JSON: no string in them is left open.
    private static func minify(_ json: ArraySlice<UInt8>) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: json.count + Int(APUS_JSON_MINIFY_SLACK)) { output, count in
            let length = json.withUnsafeBufferPointer {
                apus_json_minify($0.baseAddress, $0.count, output.baseAddress)
            }
            count = length == .max ? 0 : length
        }
    }
}
