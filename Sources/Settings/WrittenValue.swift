/// A value on its way into YAML or JSON. Strings are as they mean, not yet quoted; an empty one stands for none.
enum WrittenValue: Sendable {
    case scalar(String)
    case boolean(Bool)
    case number(Int)
    case list([WrittenValue])
    case map([(key: String, value: WrittenValue)])

    /// As YAML on one line.
    var flow: String {
        switch self {
        case .scalar(let text): Self.quoted(text)
        case .boolean(let value): String(value)
        case .number(let value): String(value)
        case .list(let items): "[\(items.map(\.flow).joined(separator: ", "))]"
        case .map(let pairs):
            "{\(pairs.map { "\(Self.quoted($0.key)): \($0.value.flow)" }.joined(separator: ", "))}"
        }
    }

    /// `text` as YAML reads it back, in quotes only where it needs them.
    private static func quoted(_ text: String) -> String {
        let isPlain =
            !["", "~", "null"].contains(text)
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-/:=".contains($0)) }
            && !text.hasSuffix(":") && text.first.map { !"-:=".contains($0) || Int(text) != nil } == true
        guard !isPlain else { return text }
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": escaped += "\\\(scalar)"
            case "\n": escaped += "\\n"
            case "\r": escaped += "\\r"
            case "\t": escaped += "\\t"
            case "\0"..<" ", "\u{7F}"..."\u{9F}":
                let digits = String(scalar.value, radix: 16, uppercase: true)
                escaped += "\\x" + (digits.count == 1 ? "0" : "") + digits
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return "\"\(escaped)\""
    }
}

extension WrittenValue: Encodable {
    func encode(to encoder: any Encoder) throws {
        switch self {
        case .scalar(let text):
            var container = encoder.singleValueContainer()
            if text.isEmpty { try container.encodeNil() } else { try container.encode(text) }
        case .boolean(let value):
            var container = encoder.singleValueContainer()
            try container.encode(value)
        case .number(let value):
            var container = encoder.singleValueContainer()
            try container.encode(value)
        case .list(let items):
            var container = encoder.unkeyedContainer()
            for item in items { try container.encode(item) }
        case .map(let pairs):
            var container = encoder.container(keyedBy: Key.self)
            for (key, value) in pairs { try container.encode(value, forKey: Key(stringValue: key)) }
        }
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
