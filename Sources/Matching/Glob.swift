import CVectorscan
import EQL
import EventSchema

/// A wildcard pattern as pieces of text in a fixed order: the first may be bound to the start of a value, the last to
/// its end, and any text may stand between two of them.
///
/// Found by one literal of its own, which is looked for together with those of all other globs of the field, and then
/// compared piece by piece. Compiling a few hundred wildcards as expressions takes Vectorscan seconds; their literals
/// take it milliseconds (1,000 generated rules, 2026-11-24: 2.7 s against 0.06 s of CPU).
///
/// *Cost:* linear in the value, as everywhere in this module: pieces with `?`, for which no linear search is at hand,
/// are only taken where they are bound to an end.
struct Glob: Hashable {
    /// Stands for one code point in a piece; no byte of UTF-8.
    static let anyCharacter: UInt8 = 0xFF
    /// Literals that are longer are looked for by their last bytes; the comparison sees the rest.
    static let longestLiteral = 64

    /// At least one, none of them empty. Letters are lower-case when they are folded.
    var pieces: [[UInt8]] = []
    var isBoundToStart: Bool
    var isBoundToEnd: Bool
    /// ASCII letters match in either case.
    var isFolded: Bool
    /// Part of one of the pieces: a value without it does not match.
    var literal: [UInt8] = []

    /// Nil for what is no wildcard pattern, or one that has to be compiled as an expression.
    init?(_ pattern: StringPattern) {
        guard case .wildcard(let isFolded) = pattern.origin else { return nil }
        self.isFolded = isFolded
        let star = UInt8(ascii: "*")
        let text = pattern.source.utf8.map { byte in
            byte == UInt8(ascii: "?") ? Self.anyCharacter : isFolded ? ASCII.lowercased(byte) : byte
        }
        isBoundToStart = text.first != star
        isBoundToEnd = text.last != star
        pieces = text.split(separator: star).map(Array.init)
        let free = pieces.dropFirst(isBoundToStart ? 1 : 0).dropLast(isBoundToEnd ? 1 : 0)
        guard !free.contains(where: { $0.contains(Self.anyCharacter) }) else { return nil }
        for run in runs where run.count > literal.count { literal = Array(run.suffix(Self.longestLiteral)) }
        guard !literal.isEmpty else { return nil }
    }

    /// What of the pieces stands in every value that matches.
    private var runs: some Sequence<ArraySlice<UInt8>> {
        pieces.lazy.flatMap { $0.split(separator: Self.anyCharacter) }
    }
}

// MARK: - Literals

extension Glob {
    /// By how many of its last bytes Vectorscan first tells a literal from others.
    private static let windowLength = 8
    /// So many literals with the same last bytes do no harm.
    private static let enough = 4

    /// Lets literals end where they differ: of thousands that all end in `.example`, each would be compared with every
    /// value that does.
    static func separateLiterals(_ globs: inout [Glob]) {
        var counts: [UInt64: Int] = [:]
        for glob in globs {
            for run in glob.runs {
                for end in ends(in: run) { counts[window(run, end), default: 0] += 1 }
            }
        }
        for index in globs.indices {
            var best: (count: Int, length: Int) = (.max, 0)
            for run in globs[index].runs {
                for end in ends(in: run) {
                    let count = max(counts[window(run, end)] ?? 0, enough)
                    let literal = run[..<end].suffix(longestLiteral)
                    guard (count, -literal.count) < (best.count, -best.length) else { continue }
                    best = (count, literal.count)
                    globs[index].literal = Array(literal)
                }
            }
        }
    }

    /// Where a literal out of `run` may end.
    private static func ends(in run: ArraySlice<UInt8>) -> Range<Int> {
        let first = run.startIndex + windowLength
        return first..<max(first, run.endIndex + 1)
    }

    private static func window(_ run: ArraySlice<UInt8>, _ end: Int) -> UInt64 {
        run[end - windowLength..<end].reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// The globs of one field in the form that answers all of them for one value.
struct GlobTable: BitwiseCopyable {
    private struct Row: BitwiseCopyable {
        var pieces: IndexRange
        var isBoundToStart: Bool
        var isBoundToEnd: Bool
        var isFolded: Bool
    }

    /// Of the literals; nil when there are no globs.
    let literals: OpaquePointer?
    let literalCount: Int
    /// Per literal, the globs that need it.
    private let globsOfLiteral: ListTable
    private let rows: Table<Row>
    /// The pieces of all globs, as places in `text`.
    private let pieces: Table<IndexRange>
    private let text: Table<UInt8>
    /// Per glob, the bits it sets.
    private let bits: MaskTable

    /// - Parameters:
    ///   - bits: those that each glob sets.
    ///   - literals: the set of ``literals(of:)``, which the caller keeps alive.
    init(_ globs: [Glob], bits: [[Int32]], literals: PatternSet?, in arena: Arena) {
        var rows: [Row] = []
        var pieces: [IndexRange] = []
        var text: [UInt8] = []
        for glob in globs {
            let first = Int32(pieces.count)
            for piece in glob.pieces {
                pieces.append(IndexRange(lower: Int32(text.count), upper: Int32(text.count + piece.count)))
                text += piece
            }
            rows.append(
                Row(
                    pieces: IndexRange(lower: first, upper: Int32(pieces.count)), isBoundToStart: glob.isBoundToStart,
                    isBoundToEnd: glob.isBoundToEnd, isFolded: glob.isFolded))
        }
        let distinct = Self.literals(of: globs)
        let places = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, $0) })
        var globsOfLiteral = [[Int32]](repeating: [], count: distinct.count)
        for (index, glob) in globs.enumerated() {
            if let place = places[Literal(glob)] { globsOfLiteral[place].append(Int32(index)) }
        }
        self.literals = literals?.database
        literalCount = distinct.count
        self.globsOfLiteral = ListTable(globsOfLiteral, in: arena)
        self.rows = arena.freeze(rows)
        self.pieces = arena.freeze(pieces)
        self.text = arena.freeze(text)
        self.bits = MaskTable(bits, in: arena)
    }

    /// What a value is searched for.
    struct Literal: Hashable {
        var bytes: [UInt8]
        var isFolded: Bool
    }

    /// The distinct literals of globs, in the order of their first use.
    static func literals(of globs: [Glob]) -> [Literal] {
        var known: Set<Literal> = []
        return globs.map(Literal.init).filter { known.insert($0).inserted }
    }

    /// Those that need a literal.
    func globs(of literal: Int32) -> UnsafeBufferPointer<Int32> { globsOfLiteral[Int(literal)] }

    func bits(of glob: Int32) -> UnsafeBufferPointer<WordMask> { bits[Int(glob)] }

    /// Whether ASCII letters of a value have to be in lower case before a glob can be compared with it.
    func folds(_ glob: Int32) -> Bool { rows[Int(glob)].isFolded }

    /// Whether a glob matches the whole of `value`.
    func matches(_ glob: Int32, _ value: UnsafeRawBufferPointer) -> Bool {
        let row = rows[Int(glob)]
        var piece = Int(row.pieces.lower)
        var last = Int(row.pieces.upper)
        var start = 0
        var end = value.count
        if row.isBoundToStart {
            guard let next = behind(self[piece], value) else { return false }
            piece += 1
            if piece == last, row.isBoundToEnd { return next == end }
            start = next
        }
        if row.isBoundToEnd {
            last -= 1
            guard let next = before(self[last], value, notBefore: start) else { return false }
            end = next
        }
        // Leftmost first: what a later place could match, an earlier one leaves more room for.
        while piece < last {
            guard let next = behind(self[piece], within: value, start, end) else { return false }
            start = next
            piece += 1
        }
        return true
    }

    private subscript(piece: Int) -> UnsafeBufferPointer<UInt8> { text[pieces[piece]] }

    /// Where the value goes on behind a piece that it begins with.
    private func behind(_ piece: UnsafeBufferPointer<UInt8>, _ value: UnsafeRawBufferPointer) -> Int? {
        var place = 0
        for byte in piece {
            guard place < value.count else { return nil }
            if byte == Glob.anyCharacter {
                place += 1
                while place < value.count, Self.continues(value[place]) { place += 1 }
            } else {
                guard value[place] == byte else { return nil }
                place += 1
            }
        }
        return place
    }

    /// Where a piece begins that the value ends with.
    private func before(
        _ piece: UnsafeBufferPointer<UInt8>, _ value: UnsafeRawBufferPointer, notBefore start: Int
    ) -> Int? {
        var place = value.count
        var index = piece.count
        while index > 0 {
            index -= 1
            let byte = piece[index]
            guard place > start else { return nil }
            place -= 1
            if byte == Glob.anyCharacter {
                while place > start, Self.continues(value[place]) { place -= 1 }
            } else {
                guard value[place] == byte else { return nil }
            }
        }
        return place
    }

    /// The end of the first occurrence of a piece between two places; `memmem` takes linear time.
    private func behind(
        _ piece: UnsafeBufferPointer<UInt8>, within value: UnsafeRawBufferPointer, _ start: Int, _ end: Int
    ) -> Int? {
        guard end - start >= piece.count, let base = value.baseAddress, let needle = piece.baseAddress,
            let found = memmem(base + start, end - start, needle, piece.count)
        else { return nil }
        return base.distance(to: UnsafeRawPointer(found)) + piece.count
    }

    /// Whether a byte of UTF-8 belongs to the code point of the byte before it.
    private static func continues(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
}

extension GlobTable.Literal {
    init(_ glob: Glob) {
        self.init(bytes: glob.literal, isFolded: glob.isFolded)
    }
}
