/// A text value as it stands between the quotes of a JSON string, escaped once when it is made, with
/// gaps that each record fills: `{user}`, `{host}` and `{number}`. Any other brace is a brace.
struct Text: Sendable {
    enum Piece: Sendable {
        case bytes([UInt8])
        case user
        case host
        /// A number that is the same wherever it occurs in one record.
        case number
    }

    let pieces: [Piece]

    init(_ template: String) {
        var pieces: [Piece] = []
        var plain: [UInt8] = []
        var rest = template[...]
        let gaps: [(name: String, piece: Piece)] = [("{user}", .user), ("{host}", .host), ("{number}", .number)]
        while let first = rest.unicodeScalars.first {
            if let gap = gaps.first(where: { rest.hasPrefix($0.name) }) {
                if !plain.isEmpty { pieces.append(.bytes(plain)) }
                plain = []
                pieces.append(gap.piece)
                rest = rest.dropFirst(gap.name.count)
            } else {
                plain.append(contentsOf: Self.escaped(first))
                rest.unicodeScalars.removeFirst()
            }
        }
        if !plain.isEmpty { pieces.append(.bytes(plain)) }
        self.pieces = pieces
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> [UInt8] {
        switch scalar {
        case "\"": Array("\\\"".utf8)
        case "\\": Array("\\\\".utf8)
        case "\n": Array("\\n".utf8)
        case "\r": Array("\\r".utf8)
        case "\t": Array("\\t".utf8)
        default: Array(String(scalar).utf8)
        }
    }

    /// The arguments of a command line, split as a shell would: at blanks outside double quotes.
    static func arguments(of commandLine: String) -> [Text] {
        var arguments: [String] = []
        var current = ""
        var isQuoted = false
        for character in commandLine {
            switch character {
            case "\"":
                isQuoted.toggle()
            case " " where !isQuoted:
                if !current.isEmpty { arguments.append(current) }
                current = ""
            default:
                current.append(character)
            }
        }
        if !current.isEmpty { arguments.append(current) }
        return arguments.map(Text.init)
    }
}
