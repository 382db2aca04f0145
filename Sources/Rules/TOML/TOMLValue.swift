import EQL

/// A TOML 1.0 value with the place it starts at, so that a wrong one can be pointed out.
struct TOMLValue {
    enum Kind {
        case string(TOMLString)
        case integer(Int64)
        case float(Double)
        case boolean(Bool)
        /// Dates and times are kept as written; no rule key asks for one.
        case date(String)
        case array([TOMLValue])
        case table(TOMLTable)
        /// `[[name]]`: one table per header.
        case tables([TOMLTable])
    }

    var kind: Kind
    /// Where the value stands in the document.
    let span: Span

    var isEmptyList: Bool {
        switch kind {
        case .array(let values): values.isEmpty
        case .tables(let tables): tables.isEmpty
        case .string, .integer, .float, .boolean, .date, .table: false
        }
    }

    /// For messages: "expected a string, found an integer".
    var typeName: String {
        switch kind {
        case .string: "a string"
        case .integer: "an integer"
        case .float: "a float"
        case .boolean: "a boolean"
        case .date: "a date"
        case .array: "an array"
        case .table: "a table"
        case .tables: "an array of tables"
        }
    }
}

/// A decoded string that knows where in the document each of its bytes was written.
struct TOMLString {
    /// From value offset `value` on, up to the next run, the document has the same bytes from `document` on.
    struct Run {
        let value: Int
        let document: Int
    }

    let text: String
    /// In order, the first at value offset 0; a new run begins behind each escape and each removed line break.
    let runs: [Run]

    /// The document offset of the value's byte at `offset`; the value's end is the end of the document text.
    func documentOffset(of offset: Int) -> Int {
        guard let run = runs.last(where: { $0.value <= offset }) else { return 0 }
        return run.document + (offset - run.value)
    }
}

/// A table under construction and after; confined to the reading of one document.
final class TOMLTable {
    /// How the table came to be decides what may still be added to it.
    enum Origin {
        /// As the parent of a `[header]`; may be defined once by a header of its own.
        case implicit
        case header
        case dotted
        case inline
    }

    struct Entry {
        let key: String
        let keySpan: Span
        var value: TOMLValue
    }

    var origin: Origin
    /// The header, or the opening brace.
    var span: Span
    /// In the order of the document.
    private(set) var entries: [Entry] = []
    private var positions: [String: Int] = [:]

    init(origin: Origin, span: Span) {
        self.origin = origin
        self.span = span
    }

    subscript(key: String) -> Entry? { positions[key].map { entries[$0] } }

    func insert(_ value: TOMLValue, key: String, keySpan: Span) {
        positions[key] = entries.count
        entries.append(Entry(key: key, keySpan: keySpan, value: value))
    }

    func replace(_ value: TOMLValue, key: String) {
        guard let position = positions[key] else { return }
        entries[position].value = value
    }
}

/// The first thing that keeps a text from being TOML.
struct TOMLError: Error {
    let message: String
    let span: Span
    var hint: String?
}
