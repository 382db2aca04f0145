public import EventSchema
public import Events

/// Tables compiled for the fields that rules read. Immutable; shared by all lanes.
///
/// *Cost:* for a record that no table is about, a look at one field or a few. For one that a table is about, the work for
/// the needed fields; values that need room get it from the decoder. Nothing is allocated in either case.
// `@unchecked`: every table is written in `init` and only read afterwards; the tables and the literals they point to live
// as long as this object.
public final class CompiledNormalizers: @unchecked Sendable {
    public let tables: [NormalizerTable]

    private let literals: Literals
    private let sources: FrozenTable<Source>
    /// A record with one of these is of no source at all.
    private let always: FrozenTable<FieldID>
    /// Each a range of `conditions`.
    private let alternatives: FrozenTable<Range<Int>>
    private let conditions: FrozenTable<Condition>
    private let sections: FrozenTable<Section>
    private let moves: FrozenTable<Move>
    let fields: FrozenTable<FieldID>
    let values: FrozenTable<Literal>
    let steps: FrozenTable<Step>

    typealias Literal = UnsafeRawBufferPointer

    /// One table; the ranges are of the lists of the same names, or of `fields` and `values`.
    struct Source {
        var alternatives: Range<Int>
        var without: Range<Int>
        var code: Range<Int>
        var sections: Range<Int>
        /// The moves of a record whose code has no section.
        var others: Range<Int>
    }

    struct Condition {
        var field: FieldID
        var values: Range<Int>
    }

    struct Section {
        var code: Literal
        var moves: Range<Int>
    }

    /// One entry for one needed field.
    struct Move {
        var target: FieldID
        var kind: Kind
        var fields: Range<Int>
        var values: Range<Int>
        var steps: Range<Int>
        var condition: Range<Int>
        var missing: Range<Int>
        var replaces: Bool

        enum Kind { case values, first, joined, pairs }
    }

    /// Compiles `tables` for the fields `layout` holds now, and adds those they take their values from.
    public init(_ tables: [NormalizerTable], layout: inout FieldLayout) {
        self.tables = tables
        var compiler = NormalizerCompiler(needed: Set(layout.paths))
        for table in tables { compiler.compile(table, &layout) }
        let shared = tables.map { Set($0.without) }
        let always = shared.dropFirst().reduce(shared.first ?? []) { $0.intersection($1) }
        literals = compiler.literals
        sources = FrozenTable(compiler.sources)
        self.always = FrozenTable(always.sorted().compactMap { layout.id(of: $0) })
        alternatives = FrozenTable(compiler.alternatives)
        conditions = FrozenTable(compiler.conditions)
        sections = FrozenTable(compiler.sections)
        moves = FrozenTable(compiler.moves)
        fields = FrozenTable(compiler.fields)
        values = FrozenTable(compiler.values)
        steps = FrozenTable(compiler.steps)
    }

    deinit {
        sources.deallocate()
        always.deallocate()
        alternatives.deallocate()
        conditions.deallocate()
        sections.deallocate()
        moves.deallocate()
        fields.deallocate()
        values.deallocate()
        steps.deallocate()
    }

    /// Gives the needed fields of the record the decoder is at the values their table says.
    ///
    /// - Returns: the index of the table that is about the record, or nil when there is none.
    @discardableResult
    public func apply(to decoder: EventDecoder) -> Int? {
        for index in 0..<always.count where decoder.isPresent(always[index]) { return nil }
        for index in 0..<sources.count where isAbout(sources[index], decoder) {
            let run = NormalizerRun(compiled: self, decoder: decoder)
            for move in movesFor(sources[index], decoder) { run.make(moves[move]) }
            return index
        }
        return nil
    }

    // MARK: Recognition

    private func isAbout(_ source: Source, _ decoder: EventDecoder) -> Bool {
        for field in source.without where decoder.isPresent(fields[field]) { return false }
        for alternative in source.alternatives where holds(alternatives[alternative], decoder) { return true }
        return false
    }

    private func holds(_ alternative: Range<Int>, _ decoder: EventDecoder) -> Bool {
        for index in alternative {
            guard let value = decoder.first(conditions[index].field) else { return false }
            var holds = conditions[index].values.isEmpty
            for literal in conditions[index].values where values[literal].equals(value) { holds = true }
            if !holds { return false }
        }
        return true
    }

    private func movesFor(_ source: Source, _ decoder: EventDecoder) -> Range<Int> {
        for field in source.code {
            guard let value = decoder.first(fields[field]) else { continue }
            for section in source.sections where sections[section].code.equals(value) { return sections[section].moves }
            break
        }
        return source.others
    }
}

/// An array that is never changed again, in memory of its own: reading it touches nothing else.
struct FrozenTable<Element> {
    private let elements: UnsafeMutableBufferPointer<Element>

    init(_ array: [Element]) {
        elements = .allocate(capacity: array.count)
        _ = elements.initialize(from: array)
    }

    /// Only for plain values, as all of these tables hold.
    func deallocate() { elements.deallocate() }

    var count: Int { elements.count }

    @inline(__always)
    subscript(index: Int) -> Element { elements[index] }
}

extension UnsafeRawBufferPointer {
    /// Whether a value spells these bytes.
    func equals(_ value: EventValue) -> Bool {
        switch value.kind {
        case .string: equals(value.bytes)
        case .integer: EventValue.withDecimal(value.integer) { equals($0) }
        case .double: false
        case .boolean: value.boolean ? elementsEqual("true".utf8) : elementsEqual("false".utf8)
        }
    }

    @inline(__always)
    func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where self[index] != other[index] { return false }
        return true
    }
}

extension EventValue {
    /// The decimal digits of a number, for the call.
    static func withDecimal<Result>(_ number: Int64, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { buffer in
            body(UnsafeRawBufferPointer(rebasing: buffer[buffer.writeDecimal(number)...]))
        }
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Writes a number's decimal digits to the end of the buffer, which has 20 bytes or more; where they begin.
    func writeDecimal(_ number: Int64) -> Int {
        var start = count
        var magnitude = number.magnitude
        repeat {
            start -= 1
            self[start] = 0x30 + UInt8(magnitude % 10)
            magnitude /= 10
        } while magnitude > 0
        if number < 0 {
            start -= 1
            self[start] = UInt8(ascii: "-")
        }
        return start
    }
}
