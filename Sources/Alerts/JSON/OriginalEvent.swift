/// A record as it goes into alerts: checked, on one line, its tokens as written.
struct OriginalEvent {
    struct Member {
        /// With escapes resolved.
        let name: String
        /// The key with its quotes, in `bytes`.
        let key: Range<Int>
        let value: Range<Int>
    }

    let bytes: [UInt8]
    /// In the order of the record; of equal names the first.
    let members: [Member]

    /// Nil when the bytes are not one JSON object.
    init?(_ original: [UInt8]) {
        guard let bytes = JSONReader.minify(original), bytes.first == UInt8(ascii: "{") else { return nil }
        self.bytes = bytes
        var names: Set<String> = []
        members = Self.members(of: 0..<bytes.count, in: bytes).filter { names.insert($0.name).inserted }
    }

    /// The root members that hold `root` or a part of it: `host`, `host.name`, `host.os.name`, …
    func members(of root: String) -> [Member] {
        members.filter { $0.name == root || $0.name.hasPrefix(root + ".") }
    }

    /// The texts of a field, whatever mixture of nesting, dotted keys and arrays holds it.
    func texts(of path: String) -> [String] {
        var texts: [String] = []
        collect(path[...], in: 0..<bytes.count, into: &texts)
        return texts
    }

    /// The first whole number of a field; numbers in strings count.
    func number(of path: String) -> Int64? {
        var number: Int64?
        visit(path[...], in: 0..<bytes.count) { value in
            let isText = bytes[value.lowerBound] == UInt8(ascii: "\"")
            let text = isText ? Self.text(of: value, in: bytes) : String(decoding: bytes[value], as: UTF8.self)
            number = number ?? Int64(text)
        }
        return number
    }

    private func collect(_ path: Substring, in value: Range<Int>, into texts: inout [String]) {
        visit(path, in: value) { value in
            if bytes[value.lowerBound] == UInt8(ascii: "\"") { texts.append(Self.text(of: value, in: bytes)) }
        }
    }

    /// Every value of a field that is neither an object nor an array.
    private func visit(_ path: Substring, in value: Range<Int>, _ body: (Range<Int>) -> Void) {
        switch bytes[value.lowerBound] {
        case UInt8(ascii: "["):
            for element in Self.elements(of: value, in: bytes) { visit(path, in: element, body) }
        case UInt8(ascii: "{"):
            for member in Self.members(of: value, in: bytes) {
                if path == member.name {
                    visit("", in: member.value, body)
                } else if path.hasPrefix(member.name + ".") {
                    visit(path.dropFirst(member.name.count + 1), in: member.value, body)
                }
            }
        default:
            if path.isEmpty { body(value) }
        }
    }

    // MARK: Walking JSON that is known to be well-formed and without blanks

    private static func members(of object: Range<Int>, in bytes: [UInt8]) -> [Member] {
        var members: [Member] = []
        var position = object.lowerBound + 1
        while bytes[position] != UInt8(ascii: "}") {
            if bytes[position] == UInt8(ascii: ",") { position += 1 }
            let key = position..<end(ofValueAt: position, in: bytes)
            let value = key.upperBound + 1..<end(ofValueAt: key.upperBound + 1, in: bytes)
            members.append(Member(name: text(of: key, in: bytes), key: key, value: value))
            position = value.upperBound
        }
        return members
    }

    private static func elements(of array: Range<Int>, in bytes: [UInt8]) -> [Range<Int>] {
        var elements: [Range<Int>] = []
        var position = array.lowerBound + 1
        while bytes[position] != UInt8(ascii: "]") {
            if bytes[position] == UInt8(ascii: ",") { position += 1 }
            let element = position..<end(ofValueAt: position, in: bytes)
            elements.append(element)
            position = element.upperBound
        }
        return elements
    }

    private static func end(ofValueAt start: Int, in bytes: [UInt8]) -> Int {
        var position = start
        var depth = 0
        repeat {
            switch bytes[position] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\""):
                position += 1
                while bytes[position] != UInt8(ascii: "\"") {
                    position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
                }
            default: break
            }
            position += 1
        } while depth > 0
        guard bytes[start] != UInt8(ascii: "\""), bytes[start] != UInt8(ascii: "{"), bytes[start] != UInt8(ascii: "[")
        else { return position }
        while position < bytes.count, !",]}".utf8.contains(bytes[position]) { position += 1 }
        return position
    }

    /// The text of a string with its quotes.
    private static func text(of string: Range<Int>, in bytes: [UInt8]) -> String {
        var units: [UInt8] = []
        var position = string.lowerBound + 1
        while position < string.upperBound - 1 {
            guard bytes[position] == UInt8(ascii: "\\") else {
                units.append(bytes[position])
                position += 1
                continue
            }
            let (scalar, length) = escape(at: position, in: bytes)
            units.append(contentsOf: String(scalar).utf8)
            position += length
        }
        return String(decoding: units, as: UTF8.self)
    }

    private static func escape(at start: Int, in bytes: [UInt8]) -> (scalar: Unicode.Scalar, length: Int) {
        switch bytes[start + 1] {
        case UInt8(ascii: "b"): return ("\u{8}", 2)
        case UInt8(ascii: "f"): return ("\u{C}", 2)
        case UInt8(ascii: "n"): return ("\n", 2)
        case UInt8(ascii: "r"): return ("\r", 2)
        case UInt8(ascii: "t"): return ("\t", 2)
        case UInt8(ascii: "u"):
            let unit = hexadecimal(at: start + 2, in: bytes)
            if let scalar = Unicode.Scalar(unit) { return (scalar, 6) }
            let trail = hexadecimal(at: start + 8, in: bytes)
            return (Unicode.Scalar(0x10000 + (unit & 0x3FF) << 10 + (trail & 0x3FF)) ?? "\u{FFFD}", 12)
        default: return (Unicode.Scalar(bytes[start + 1]), 2)
        }
    }

    private static func hexadecimal(at start: Int, in bytes: [UInt8]) -> UInt32 {
        UInt32(String(decoding: bytes[start..<start + 4], as: UTF8.self), radix: 16) ?? 0xFFFD
    }
}
