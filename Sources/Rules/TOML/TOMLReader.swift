// TOML 1.0 (https://toml.io/en/v1.0.0) into values that carry their places. A rule's query is a string
// inside a TOML file and its diagnostics must point into that file, through escapes and trimmed lines;
// that, and a place for each wrongly typed key, is what a reader of values alone cannot give.

import EQL

/// Reads one document. The input is valid UTF-8; the first error ends the reading.
struct TOMLReader {
    let bytes: [UInt8]
    var position = 0
    private let root = TOMLTable(origin: .header, span: Span(0, 0))
    /// Arrays and inline tables inside each other; files come from outside, the stack does not grow at their will.
    private var depth = 0
    private static let maximumDepth = 64

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    static func read(_ bytes: [UInt8]) throws(TOMLError) -> TOMLTable {
        var reader = TOMLReader(bytes)
        try reader.readDocument()
        return reader.root
    }

    private mutating func readDocument() throws(TOMLError) {
        var table = root
        while true {
            try skipBlankLines()
            guard let byte = peek() else { return }
            if byte == UInt8(ascii: "[") {
                table = try readHeader()
            } else {
                try readPair(into: table)
            }
            skipBlanks()
            try expectLineEnd()
        }
    }

    // MARK: Headers

    private mutating func readHeader() throws(TOMLError) -> TOMLTable {
        let start = position
        position += 1
        let isArray = consume("[")
        skipBlanks()
        let keys = try readKeys()
        guard consume("]"), !isArray || consume("]") else {
            throw error("a table header ends with \(isArray ? "\"]]\"" : "\"]\"")")
        }
        let parent = try descend(from: root, through: keys.dropLast(), creating: .implicit)
        guard let last = keys.last else { throw error("a table header needs a name") }
        return isArray
            ? try appendTable(last, to: parent, at: start) : try defineTable(last, in: parent, at: start)
    }

    private func defineTable(_ key: Key, in parent: TOMLTable, at start: Int) throws(TOMLError) -> TOMLTable {
        guard let known = parent[key.name] else {
            let table = TOMLTable(origin: .header, span: Span(start, position))
            parent.insert(TOMLValue(kind: .table(table), span: Span(start, position)), key: key.name, keySpan: key.span)
            return table
        }
        guard case .table(let table) = known.value.kind, table.origin == .implicit else {
            throw TOMLError(message: "\"\(key.name)\" is defined twice", span: key.span)
        }
        table.origin = .header
        table.span = Span(start, position)
        return table
    }

    private func appendTable(_ key: Key, to parent: TOMLTable, at start: Int) throws(TOMLError) -> TOMLTable {
        let table = TOMLTable(origin: .header, span: Span(start, position))
        guard let known = parent[key.name] else {
            parent.insert(TOMLValue(kind: .tables([table]), span: Span(start, position)), key: key.name, keySpan: key.span)
            return table
        }
        guard case .tables(let tables) = known.value.kind else {
            throw TOMLError(message: "\"\(key.name)\" is not an array of tables", span: key.span)
        }
        parent.replace(TOMLValue(kind: .tables(tables + [table]), span: known.value.span), key: key.name)
        return table
    }

    /// Walks down `keys`, making the tables that are missing.
    private func descend(
        from table: TOMLTable, through keys: ArraySlice<Key>, creating origin: TOMLTable.Origin
    ) throws(TOMLError) -> TOMLTable {
        var table = table
        for key in keys {
            guard let known = table[key.name] else {
                let child = TOMLTable(origin: origin, span: key.span)
                table.insert(TOMLValue(kind: .table(child), span: child.span), key: key.name, keySpan: key.span)
                table = child
                continue
            }
            switch known.value.kind {
            case .table(let child) where child.origin != .inline && (origin == .implicit || child.origin == .dotted):
                table = child
            case .tables(let tables) where origin == .implicit:
                guard let last = tables.last else { continue }
                table = last
            default:
                throw TOMLError(message: "\"\(key.name)\" cannot be extended here", span: key.span)
            }
        }
        return table
    }

    // MARK: Keys and pairs

    struct Key {
        let name: String
        let span: Span
    }

    private mutating func readPair(into table: TOMLTable) throws(TOMLError) {
        let keys = try readKeys()
        guard consume("=") else { throw error("a key is followed by \"=\"") }
        skipBlanks()
        let parent = try descend(from: table, through: keys.dropLast(), creating: .dotted)
        guard let key = keys.last else { throw error("expected a key") }
        guard parent[key.name] == nil else {
            throw TOMLError(message: "\"\(key.name)\" is defined twice", span: key.span)
        }
        let value = try readValue()
        parent.insert(value, key: key.name, keySpan: key.span)
    }

    /// A dotted key and the blanks behind it.
    private mutating func readKeys() throws(TOMLError) -> [Key] {
        var keys: [Key] = []
        repeat {
            skipBlanks()
            keys.append(try readKey())
            skipBlanks()
        } while consume(".")
        return keys
    }

    private mutating func readKey() throws(TOMLError) -> Key {
        let start = position
        switch peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            let name = try readSingleLineString().text
            return Key(name: name, span: Span(start, position))
        default:
            while let byte = peek(), Self.isBareKey(byte) { position += 1 }
            guard position > start else { throw error("expected a key") }
            return Key(name: String(decoding: bytes[start..<position], as: UTF8.self), span: Span(start, position))
        }
    }

    private static func isBareKey(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    // MARK: Values

    mutating func readValue() throws(TOMLError) -> TOMLValue {
        let start = position
        let kind: TOMLValue.Kind =
            switch peek() {
            case UInt8(ascii: "\""), UInt8(ascii: "'"): .string(try readString())
            case UInt8(ascii: "["): .array(try readArray())
            case UInt8(ascii: "{"): .table(try readInlineTable())
            default: try readScalar()
            }
        return TOMLValue(kind: kind, span: Span(start, position))
    }

    private mutating func descendOneLevel() throws(TOMLError) {
        guard depth < Self.maximumDepth else { throw error("values nest deeper than \(Self.maximumDepth) levels") }
        depth += 1
    }

    private mutating func readArray() throws(TOMLError) -> [TOMLValue] {
        let start = position
        try descendOneLevel()
        defer { depth -= 1 }
        position += 1
        var values: [TOMLValue] = []
        while true {
            try skipBlankLines()
            if consume("]") { return values }
            if peek() != nil { values.append(try readValue()) }
            try skipBlankLines()
            if consume("]") { return values }
            guard peek() != nil else { throw TOMLError(message: "this array is not closed", span: Span(start, start + 1)) }
            guard consume(",") else { throw error("array elements are separated by \",\"") }
        }
    }

    private mutating func readInlineTable() throws(TOMLError) -> TOMLTable {
        let table = TOMLTable(origin: .dotted, span: Span(position, position + 1))
        try descendOneLevel()
        defer {
            depth -= 1
            Self.seal(table)
        }
        position += 1
        skipBlanks()
        if consume("}") { return table }
        while true {
            try readPair(into: table)
            skipBlanks()
            if consume("}") { return table }
            guard consume(",") else { throw error("an inline table stays on one line, its pairs separated by \",\"") }
        }
    }

    /// A closed inline table is complete, and so are the tables its dotted keys made.
    private static func seal(_ table: TOMLTable) {
        table.origin = .inline
        for entry in table.entries {
            if case .table(let child) = entry.value.kind { seal(child) }
        }
    }

    // MARK: Bytes

    func peek(_ ahead: Int = 0) -> UInt8? {
        position + ahead < bytes.count ? bytes[position + ahead] : nil
    }

    mutating func consume(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    func error(_ message: String, hint: String? = nil) -> TOMLError {
        TOMLError(message: message, span: Span(position, position + 1), hint: hint)
    }

    private mutating func skipBlanks() {
        while let byte = peek(), byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { position += 1 }
    }

    /// Blanks, line breaks and comments.
    private mutating func skipBlankLines() throws(TOMLError) {
        while true {
            skipBlanks()
            if peek() == UInt8(ascii: "#") { try skipComment() }
            guard consumeLineBreak() else { return }
        }
    }

    private mutating func expectLineEnd() throws(TOMLError) {
        if peek() == UInt8(ascii: "#") { try skipComment() }
        guard peek() == nil || consumeLineBreak() else { throw error("expected the end of the line") }
    }

    private mutating func skipComment() throws(TOMLError) {
        while let byte = peek(), byte != UInt8(ascii: "\n") {
            if byte == UInt8(ascii: "\r"), peek(1) == UInt8(ascii: "\n") { return }
            guard byte == UInt8(ascii: "\t") || (byte >= 0x20 && byte != 0x7F) else {
                throw error("control characters are not allowed here")
            }
            position += 1
        }
    }

    mutating func consumeLineBreak() -> Bool {
        if peek() == UInt8(ascii: "\n") {
            position += 1
            return true
        }
        if peek() == UInt8(ascii: "\r"), peek(1) == UInt8(ascii: "\n") {
            position += 2
            return true
        }
        return false
    }
}
