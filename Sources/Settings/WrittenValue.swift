/// A value on its way into a YAML file. Strings are as they mean, not yet quoted.
enum YAMLText {
    case scalar(String)
    /// Each item is flow text already.
    case list([String])
    case map([(key: String, value: String)])

    /// On one line.
    var flow: String {
        switch self {
        case .scalar(let text): Self.quoted(text)
        case .list(let items): "[\(items.joined(separator: ", "))]"
        case .map(let pairs):
            "{\(pairs.map { "\(Self.quoted($0.key)): \(Self.quoted($0.value))" }.joined(separator: ", "))}"
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
