import EventSchema

/// A JSON value that can be changed. Scalars keep the bytes they were written with.
enum JSONTree {
    case object([Member])
    case array([JSONTree])
    /// As written, strings with their quotes.
    case scalar(ArraySlice<UInt8>)

    struct Member {
        /// With its escapes resolved.
        var name: String
        /// As written, with its quotes.
        var key: ArraySlice<UInt8>
        var value: JSONTree
    }

    // MARK: Reading

    /// Reads bytes that are known to be one JSON text.
    init(wellFormed bytes: [UInt8]) {
        var reader = Reader(bytes: bytes)
        self = reader.value()
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        mutating func value() -> JSONTree {
            skipBlanks()
            switch bytes[position] {
            case UInt8(ascii: "{"): return object()
            case UInt8(ascii: "["): return array()
            case UInt8(ascii: "\""): return .scalar(string())
            default:
                let start = position
                while position < bytes.count, !",]} \n\r\t".utf8.contains(bytes[position]) { position += 1 }
                return .scalar(bytes[start..<position])
            }
        }

        private mutating func object() -> JSONTree {
            var members: [Member] = []
            position += 1
            while true {
                skipBlanks()
                if take(UInt8(ascii: "}")) { return .object(members) }
                if take(UInt8(ascii: ",")) { skipBlanks() }
                let key = string()
                skipBlanks()
                position += 1
                members.append(Member(name: JSONTree.text(of: key), key: key, value: value()))
            }
        }

        private mutating func array() -> JSONTree {
            var elements: [JSONTree] = []
            position += 1
            while true {
                skipBlanks()
                if take(UInt8(ascii: "]")) { return .array(elements) }
                if take(UInt8(ascii: ",")) { continue }
                elements.append(value())
            }
        }

        private mutating func string() -> ArraySlice<UInt8> {
            let start = position
            position += 1
            while bytes[position] != UInt8(ascii: "\"") {
                position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
            }
            position += 1
            return bytes[start..<position]
        }

        private mutating func take(_ byte: UInt8) -> Bool {
            guard bytes[position] == byte else { return false }
            position += 1
            return true
        }

        private mutating func skipBlanks() {
            while position < bytes.count, bytes[position].isBlank { position += 1 }
            // A byte order mark stands before the text only.
            if position == 0, bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
                position = 3
                skipBlanks()
            }
        }
    }

    /// What a string means. Escapes are those of JSON; half a surrogate pair becomes U+FFFD.
    static func text(of string: ArraySlice<UInt8>) -> String {
        let content = string.dropFirst().dropLast()
        guard content.contains(UInt8(ascii: "\\")) else { return String(decoding: content, as: UTF8.self) }
        var units: [UInt16] = []
        var plain: [UInt8] = []
        var index = content.startIndex
        func flush() {
            units += Array(String(decoding: plain, as: UTF8.self).utf16)
            plain.removeAll()
        }
        while index < content.endIndex {
            guard content[index] == UInt8(ascii: "\\"), index + 1 < content.endIndex else {
                plain.append(content[index])
                index += 1
                continue
            }
            flush()
            let letter = content[index + 1]
            if letter == UInt8(ascii: "u"), index + 6 <= content.endIndex {
                let digits = String(decoding: content[(index + 2)..<(index + 6)], as: UTF8.self)
                units.append(UInt16(digits, radix: 16) ?? 0xFFFD)
                index += 6
                continue
            }
            let letters: [UInt8: UInt16] = [
                UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13,
                UInt8(ascii: "t"): 9,
            ]
            units.append(letters[letter] ?? UInt16(letter))
            index += 2
        }
        flush()
        return String(decoding: units, as: UTF16.self)
    }

    // MARK: Looking

    /// The dotted names of every value that is neither object nor array, each once.
    var leaves: Set<String> {
        var names: Set<String> = []
        collect(under: "", into: &names)
        return names
    }

    private func collect(under prefix: String, into names: inout Set<String>) {
        switch self {
        case .object(let members):
            for member in members {
                member.value.collect(under: prefix.isEmpty ? member.name : "\(prefix).\(member.name)", into: &names)
            }
        case .array(let elements): for element in elements { element.collect(under: prefix, into: &names) }
        case .scalar: names.insert(prefix)
        }
    }

    // MARK: Changing

    /// Removes every value of a field, whatever mixture of nesting, dotted keys and arrays holds it, and objects that
    /// are empty without it.
    mutating func remove(_ path: String) {
        switch self {
        case .scalar: break
        case .array(var elements):
            for index in elements.indices { elements[index].remove(path) }
            self = .array(elements)
        case .object(let members):
            self = .object(
                members.compactMap { member in
                    if member.name == path, !member.value.isObject { return nil }
                    guard path.hasPrefix(member.name + ".") else { return member }
                    var member = member
                    member.value.remove(String(path.dropFirst(member.name.count + 1)))
                    if case .object(let rest) = member.value, rest.isEmpty { return nil }
                    return member
                })
        }
    }

    private var isObject: Bool { if case .object = self { true } else { false } }

    /// Sets a field of an object, in nested objects as far as they stand in the way of nothing.
    mutating func set(_ path: String, to value: JSONTree) {
        guard case .object(var members) = self else { return }
        let parts = path.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2 else {
            members.append(Member(name: path, key: Self.quoted(path)[...], value: value))
            self = .object(members)
            return
        }
        if let index = members.firstIndex(where: { $0.name == parts[0] }) {
            if members[index].value.isObject {
                members[index].value.set(parts[1], to: value)
            } else {
                members.append(Member(name: path, key: Self.quoted(path)[...], value: value))
            }
        } else {
            var child = JSONTree.object([])
            child.set(parts[1], to: value)
            members.append(Member(name: parts[0], key: Self.quoted(parts[0])[...], value: child))
        }
        self = .object(members)
    }

    // MARK: Writing

    /// On one line, without blanks between tokens.
    var bytes: [UInt8] {
        var output: [UInt8] = []
        write(to: &output)
        return output
    }

    private func write(to output: inout [UInt8]) {
        switch self {
        case .scalar(let bytes): output += bytes
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                element.write(to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                output += member.key
                output.append(UInt8(ascii: ":"))
                member.value.write(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    static func string(_ text: some Sequence<UInt8>) -> JSONTree {
        .scalar(quoted(String(decoding: Array(text), as: UTF8.self))[...])
    }

    private static func quoted(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x0A: bytes += "\\n".utf8
            case 0x0D: bytes += "\\r".utf8
            case 0x09: bytes += "\\t".utf8
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                bytes += "\\u00\(digits.count == 1 ? "0" : "")\(digits)".utf8
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
        return bytes
    }
}
