/// Cuts a query into tokens. Every byte of the text is looked at; what is not EQL becomes a diagnostic,
/// and the lexer goes on behind it.
struct Lexer {
    let source: SourceText
    var position = 0
    private(set) var tokens: [Token] = []
    private(set) var diagnostics: [Diagnostic] = []
    private var isAdjacent = false

    init(_ source: SourceText) {
        self.source = source
    }

    /// The tokens of the whole text; the last is `end`.
    static func tokenize(_ source: SourceText) -> (tokens: [Token], diagnostics: [Diagnostic]) {
        var lexer = Lexer(source)
        lexer.run()
        return (lexer.tokens, lexer.diagnostics)
    }

    private mutating func run() {
        skipBlanks()
        while position < source.utf8.count {
            scanToken()
            skipBlanks()
        }
        add(.end, from: position)
    }

    // MARK: Bytes

    func peek(_ offset: Int = 0) -> UInt8? {
        let index = position + offset
        return index < source.utf8.count ? source.utf8[index] : nil
    }

    func follows(_ text: StaticString, at offset: Int = 0) -> Bool {
        let start = position + offset
        guard start + text.utf8CodeUnitCount <= source.utf8.count else { return false }
        return text.withUTF8Buffer { expected in
            expected.indices.allSatisfy { source.utf8[start + $0] == expected[$0] }
        }
    }

    mutating func add(_ kind: TokenKind, from start: Int) {
        tokens.append(Token(kind: kind, span: Span(start, position), isAdjacent: isAdjacent))
        isAdjacent = true
    }

    mutating func error(_ message: String, from start: Int, hint: String? = nil) {
        diagnostics.append(.error(message, at: Span(start, max(position, start + 1)), hint: hint))
    }

    /// Skips blanks and comments; block comments nest.
    private mutating func skipBlanks() {
        while let byte = peek() {
            if byte == 0x20 || (0x09...0x0D).contains(byte) {
                position += 1
            } else if follows("//") {
                skipLine()
            } else if follows("/*") {
                skipBlockComment()
            } else {
                return
            }
            isAdjacent = false
        }
    }

    func endsLine(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

    /// Skips to the end of the line, or only to `stop` when it comes first.
    mutating func skipLine(to stop: UInt8? = nil) {
        while let byte = peek(), byte != stop, !endsLine(byte) { position += 1 }
    }

    private mutating func skipBlockComment() {
        let start = position
        var depth = 0
        while position < source.utf8.count {
            if follows("/*") {
                depth += 1
                position += 2
            } else if follows("*/") {
                depth -= 1
                position += 2
                if depth == 0 { return }
            } else {
                position += 1
            }
        }
        diagnostics.append(
            .error("this comment is never closed", at: Span(start, start + 2), hint: "close it with */"))
    }

    // MARK: Tokens

    private mutating func scanToken() {
        guard let byte = peek() else { return }
        let start = position
        switch byte {
        case UInt8(ascii: "\""): scanString()
        case UInt8(ascii: "'"): refuseSingleQuotes()
        case UInt8(ascii: "?") where peek(1) == UInt8(ascii: "\"") || peek(1) == UInt8(ascii: "'"):
            refuseQuestionMarkString()
        case UInt8(ascii: "0")...UInt8(ascii: "9"): scanNumber()
        case UInt8(ascii: "."):
            if let next = peek(1), Self.isDigit(next) { return scanNumber() }
            position += 1
            error("a dot must stand between two parts of a name", from: start)
        case UInt8(ascii: "`"): scanPath()
        case _ where Self.startsName(byte): scanPath()
        default:
            if refuseForeignOperator() { return }
            if let symbol = scanSymbol() { return add(.symbol(symbol), from: start) }
            skipForeignCharacters()
        }
    }

    /// The longest symbol that stands here.
    private mutating func scanSymbol() -> Symbol? {
        for length in [2, 1] where position + length <= source.utf8.count {
            if let symbol = Symbol(rawValue: source[Span(position, position + length)]) {
                position += length
                return symbol
            }
        }
        return nil
    }

    /// Reads an operator of other languages as the one of EQL that is meant, so that it is the only error.
    private mutating func refuseForeignOperator() -> Bool {
        let foreign: [(spelling: StaticString, meaning: TokenKind, hint: String)] = [
            ("&&", .keyword(.and), "write 'and'"),
            ("||", .keyword(.or), "write 'or'"),
            ("===", .symbol(.equal), "write =="),
            ("!==", .symbol(.notEqual), "write !="),
            ("<>", .symbol(.notEqual), "write !="),
            ("=~", .symbol(.colon), "write : to ignore case and use wildcards, or regex~ with a regular expression"),
        ]
        guard let found = foreign.first(where: { follows($0.spelling) }) else { return false }
        let start = position
        position += found.spelling.utf8CodeUnitCount
        error("'\(found.spelling)' is not an operator of EQL", from: start, hint: found.hint)
        add(found.meaning, from: start)
        return true
    }

    /// One diagnostic for a run of characters outside ASCII, or for one character of ASCII.
    private mutating func skipForeignCharacters() {
        let start = position
        position += 1
        if source.utf8[start] >= 0x80 {
            while let byte = peek(), byte >= 0x80 { position += 1 }
        }
        let text = source[Span(start, position)]
        let hint: String? =
            switch text.unicodeScalars.first {
            case "&": "write 'and'"
            case "!": "write 'not', or '![' for an event that must be missing"
            case "{", "}": "write [ ] around the terms of a sequence and ( ) around lists"
            case ";": "a query has no end mark; remove it"
            case "\\": "a backslash belongs inside a string"
            case "\u{201C}", "\u{201D}", "\u{201E}", "\u{2018}", "\u{2019}": "write straight double quotes"
            case "\u{A0}", "\u{FEFF}", "\u{2009}", "\u{202F}", "\u{200B}":
                "this blank is not an ordinary one; type it again"
            case let scalar? where scalar.properties.isAlphabetic:
                "names with other letters than a-z stand in backquotes"
            default: nil
            }
        error("unexpected \(Self.describe(text))", from: start, hint: hint)
    }

    private static func describe(_ text: String) -> String {
        guard let scalar = text.unicodeScalars.first else { return "character" }
        let isVisible =
            !scalar.properties.isWhitespace && scalar.properties.generalCategory != .control
            && scalar.properties.generalCategory != .format
        if isVisible { return "character\(text.unicodeScalars.count > 1 ? "s" : "") '\(text.prefix(20))'" }
        let number = String(scalar.value, radix: 16, uppercase: true)
        return "character U+" + String(repeating: "0", count: max(0, 4 - number.count)) + number
    }

    // MARK: Names

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

    private static func startsName(_ byte: UInt8) -> Bool {
        isLetter(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "@")
    }

    private static func continuesName(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "_")
    }

    /// A keyword, a name, or segments joined by dots; a keyword among several segments needs backquotes.
    private mutating func scanPath() {
        let start = position
        let first = scanSegment()
        guard peek() == UInt8(ascii: "."), continuesPath(peek(1)) else {
            if first.isQuoted { return add(.path(first.text), from: start) }
            return add(Keyword(rawValue: first.text).map(TokenKind.keyword) ?? .name(first.text), from: start)
        }
        refuseKeyword(first, from: start)
        var path = first.text
        while peek() == UInt8(ascii: "."), continuesPath(peek(1)) {
            position += 1
            let segmentStart = position
            let segment = scanSegment()
            refuseKeyword(segment, from: segmentStart)
            path += ".\(segment.text)"
        }
        add(.path(path), from: start)
    }

    private func continuesPath(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        return Self.startsName(byte) || Self.isDigit(byte) || byte == UInt8(ascii: "`")
    }

    private mutating func refuseKeyword(_ segment: (text: String, isQuoted: Bool), from start: Int) {
        guard !segment.isQuoted, Keyword(rawValue: segment.text) != nil else { return }
        error(
            "'\(segment.text)' is a keyword and cannot be part of a name as it is", from: start,
            hint: "write `\(segment.text)` in backquotes")
    }

    private mutating func scanSegment() -> (text: String, isQuoted: Bool) {
        if peek() == UInt8(ascii: "`") { return (scanBackquoted(), true) }
        let start = position
        let beginsWithDigit = peek().map(Self.isDigit) ?? false
        position += 1
        while let byte = peek(), Self.continuesName(byte) { position += 1 }
        let text = source[Span(start, position)]
        if beginsWithDigit {
            error("a part of a name cannot begin with a digit", from: start, hint: "write `\(text)` in backquotes")
        }
        return (text, false)
    }

    private mutating func scanBackquoted() -> String {
        let start = position
        position += 1
        var bytes: [UInt8] = []
        while let byte = peek(), !endsLine(byte) {
            position += 1
            if byte == UInt8(ascii: "`") {
                guard peek() == UInt8(ascii: "`") else {
                    if bytes.isEmpty { error("a name in backquotes cannot be empty", from: start) }
                    return String(decoding: bytes, as: UTF8.self)
                }
                position += 1
            }
            bytes.append(byte)
        }
        error("this name in backquotes is never closed", from: start, hint: "close it with ` on the same line")
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Numbers

    /// An integer when it fits 64 bits; a number with a point or an exponent, or a larger one, is a double.
    private mutating func scanNumber() {
        let start = position
        if follows("0x") || follows("0X") { return refuseHexadecimal() }
        skipDigits()
        var isInteger = true
        if peek() == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            skipDigits()
        }
        if let byte = peek(), byte | 0x20 == UInt8(ascii: "e") {
            let hasSign = peek(1) == UInt8(ascii: "+") || peek(1) == UInt8(ascii: "-")
            if let digit = peek(hasSign ? 2 : 1), Self.isDigit(digit) {
                isInteger = false
                position += hasSign ? 2 : 1
                skipDigits()
            }
        }
        let text = source[Span(start, position)]
        if isInteger, let value = Int64(text) { return add(.integer(value), from: start) }
        guard let value = Double(text), value.isFinite else {
            error("the number \(text.count > 40 ? "\(text.prefix(40))…" : text) is too large", from: start)
            return add(.integer(0), from: start)
        }
        add(.double(value), from: start)
    }

    private mutating func skipDigits() {
        while let byte = peek(), Self.isDigit(byte) { position += 1 }
    }

    private mutating func refuseHexadecimal() {
        let start = position
        position += 2
        while let byte = peek(), Self.continuesName(byte) { position += 1 }
        let value = Int64(source[Span(start + 2, position)], radix: 16)
        error(
            "hexadecimal numbers are not part of EQL", from: start,
            hint: value.map { "write \($0)" } ?? "write it in decimal digits")
        add(.integer(value ?? 0), from: start)
    }
}
