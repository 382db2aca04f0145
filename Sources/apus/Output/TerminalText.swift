import Foundation

/// Text for people: with colours on a terminal whose owner has not declined them (NO_COLOR), plain anywhere else.
enum TerminalText {
    static let usesColor: Bool = {
        let environment = ProcessInfo.processInfo.environment
        return Console.outputIsTerminal && environment["NO_COLOR", default: ""].isEmpty
            && environment["TERM"] != "dumb"
    }()

    static func bold(_ text: String) -> String { styled(text, "1") }
    static func dim(_ text: String) -> String { styled(text, "2") }
    static func colored(_ text: String, _ color: Int) -> String { styled(text, "\(color)") }

    static func severity(_ text: String, of severity: String?) -> String {
        switch severity {
        case "critical": styled(text, "1;31")
        case "high": styled(text, "31")
        case "medium": styled(text, "33")
        default: text
        }
    }

    private static func styled(_ text: String, _ code: String) -> String {
        usesColor && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

extension String {
    /// The text without anything that a terminal would obey: control characters, also those that turn the direction of
    /// writing or are not seen, stand as their code points.
    var visible: String {
        var result = ""
        for scalar in unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
