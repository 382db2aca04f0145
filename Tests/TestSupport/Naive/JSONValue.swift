/// A parsed JSON value that forgets nothing: numbers keep their spelling, objects their order and their
/// duplicate keys. Foundation's parser loses both.
public indirect enum JSONValue: Hashable, Sendable {
    case null
    case boolean(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    public struct Member: Hashable, Sendable {
        public var key: String
        public var value: JSONValue

        public init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// Nil when `text` is not one JSON value.
    public init?(parsing text: String) {
        var parser = Parser(text: Array(text.unicodeScalars))
        guard let value = parser.value(), parser.isAtEnd() else { return nil }
        self = value
    }

    /// As JSON text.
    public var text: String {
        switch self {
        case .null: "null"
        case .boolean(let value): value ? "true" : "false"
        case .number(let spelling): spelling
        case .string(let value): Self.quoted(value)
        case .array(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
        case .object(let members):
            "{" + members.map { Self.quoted($0.key) + ":" + $0.value.text }.joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ value: String) -> String {
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}

private struct Parser {
    let text: [Unicode.Scalar]
    var position = 0

    mutating func isAtEnd() -> Bool {
        skipBlanks()
        return position == text.count
    }

    mutating func value() -> JSONValue? {
        skipBlanks()
        guard position < text.count else { return nil }
        switch text[position] {
        case "{": return object()
        case "[": return array()
        case "\"": return string().map(JSONValue.string)
        case "t": return take("true") ? .boolean(true) : nil
        case "f": return take("false") ? .boolean(false) : nil
        case "n": return take("null") ? .null : nil
        default: return number()
        }
    }

    private mutating func object() -> JSONValue? {
        position += 1
        var members: [JSONValue.Member] = []
        if take("}") { return .object(members) }
        while true {
            skipBlanks()
            guard position < text.count, text[position] == "\"", let key = string(), take(":"), let value = value()
            else { return nil }
            members.append(.init(key, value))
            if take("}") { return .object(members) }
            guard take(",") else { return nil }
        }
    }

    private mutating func array() -> JSONValue? {
        position += 1
        var values: [JSONValue] = []
        if take("]") { return .array(values) }
        while true {
            guard let value = value() else { return nil }
            values.append(value)
            if take("]") { return .array(values) }
            guard take(",") else { return nil }
        }
    }

    private mutating func string() -> String? {
        position += 1
        var units: [UInt16] = []
        while position < text.count {
            let scalar = text[position]
            position += 1
            switch scalar {
            case "\"":
                return String(decoding: units, as: UTF16.self)
            case "\\":
                guard position < text.count else { return nil }
                let escape = text[position]
                position += 1
                switch escape {
                case "\"", "\\", "/": units.append(UInt16(escape.value))
                case "b": units.append(8)
                case "f": units.append(12)
                case "n": units.append(10)
                case "r": units.append(13)
                case "t": units.append(9)
                case "u":
                    guard position + 4 <= text.count,
                        let unit = UInt16(String(String.UnicodeScalarView(text[position..<position + 4])), radix: 16)
                    else { return nil }
                    units.append(unit)
                    position += 4
                default: return nil
                }
            default:
                units.append(contentsOf: UTF16.encode(scalar).map(Array.init) ?? [])
            }
        }
        return nil
    }

    private mutating func number() -> JSONValue? {
        let start = position
        while position < text.count, "+-.eE0123456789".unicodeScalars.contains(text[position]) { position += 1 }
        let spelling = String(String.UnicodeScalarView(text[start..<position]))
        return Double(spelling) == nil ? nil : .number(spelling)
    }

    private mutating func take(_ word: String) -> Bool {
        skipBlanks()
        let scalars = Array(word.unicodeScalars)
        guard position + scalars.count <= text.count, Array(text[position..<position + scalars.count]) == scalars
        else { return false }
        position += scalars.count
        return true
    }

    private mutating func skipBlanks() {
        while position < text.count, " \t\r\n".unicodeScalars.contains(text[position]) { position += 1 }
    }
}
