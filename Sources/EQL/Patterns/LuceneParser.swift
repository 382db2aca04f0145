/// Recursive descent over the grammar of ``LuceneRegex``.
struct LuceneParser {
    /// Deeper groups would only serve to exhaust the stack.
    private static let deepestGroup = 100

    private let scalars: [Unicode.Scalar]
    /// UTF-8 offset of each scalar, and of the end.
    private let offsets: [Int]
    private let folded: Bool
    private var position = 0
    private var depth = 0
    private(set) var warnings: [PatternNote] = []

    init(_ pattern: String, folded: Bool) {
        scalars = Array(pattern.unicodeScalars)
        var offsets = [0]
        for scalar in scalars { offsets.append(offsets[offsets.count - 1] + UTF8.width(scalar)) }
        self.offsets = offsets
        self.folded = folded
    }

    mutating func parse() throws(PatternNote) -> PatternTree {
        guard !scalars.isEmpty else { return .empty }
        let tree = try parseUnion()
        guard position == scalars.count else {
            throw note("`)` closes no group", hint: #"Write `\)` for the character"#)
        }
        return tree
    }

    private mutating func parseUnion() throws(PatternNote) -> PatternTree {
        var choices = [try parseSequence()]
        while take("|") { choices.append(try parseSequence()) }
        return .choosing(choices)
    }

    private mutating func parseSequence() throws(PatternNote) -> PatternTree {
        warnOfAnchor("^", isAnchor: true)
        var parts = [try parseRepetition()]
        while let next = peek, next != ")", next != "|" {
            if next == "&" {
                throw unsupported(
                    "intersection `&`", hint: #"Write two `regex` tests joined by `and`, or `\&` for the character"#)
            }
            parts.append(try parseRepetition())
        }
        return .sequencing(parts)
    }

    private mutating func parseRepetition() throws(PatternNote) -> PatternTree {
        var tree = try parseAtom()
        while true {
            if take("?") {
                tree = .repeating(tree, atLeast: 0, atMost: 1)
            } else if take("*") {
                tree = .repeating(tree, atLeast: 0, atMost: nil)
            } else if take("+") {
                tree = .repeating(tree, atLeast: 1, atMost: nil)
            } else if take("{") {
                let least = try parseCount()
                var most: Int? = least
                if take(",") { most = peek == "}" ? nil : try parseCount() }
                guard take("}") else { throw note("a repetition lacks its `}`") }
                tree = .repeating(tree, atLeast: least, atMost: most)
            } else {
                return tree
            }
        }
    }

    private mutating func parseCount() throws(PatternNote) -> Int {
        let start = position
        while let digit = peek, ("0"..."9").contains(digit) { position += 1 }
        let digits = String(String.UnicodeScalarView(scalars[start..<position]))
        guard !digits.isEmpty else { throw note("`{` needs a number", hint: #"Write `\{` for the character"#) }
        guard let count = Int32(digits) else { throw note("the repetition count is too large", from: start) }
        return Int(count)
    }

    private mutating func parseAtom() throws(PatternNote) -> PatternTree {
        let start = position
        guard let scalar = peek else { throw note("the pattern ends where something to match must follow") }
        position += 1
        switch scalar {
        case ".":
            return .one(.all)
        case "#":
            warn("`#` matches nothing in Lucene syntax", from: start, hint: "Write `\\#` for the character")
            return .nothing
        case "@":
            warn(
                "`@` stands for any text in Lucene syntax", from: start,
                hint: #"Write `\@` for the character, `.*` for any text"#)
            return .anything
        case "~":
            throw unsupported(
                "complement `~`", at: start, hint: #"Write `not … regex …`, or `\~` for the character"#)
        case "\"":
            return try parseQuoted(from: start)
        case "[":
            return try parseClass(from: start)
        case "(":
            return try parseGroup(from: start)
        case "<":
            return try parseInterval(from: start)
        case "\\":
            return .set(try parseEscape(from: start))
        default:
            warnOfAnchor("$", isAnchor: peek == nil || peek == ")" || peek == "|")
            return .text(CollectionOfOne(scalar), folded: folded)
        }
    }

    private mutating func parseGroup(from start: Int) throws(PatternNote) -> PatternTree {
        if take(")") { return .empty }
        warnOfExtension(from: start)
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepestGroup else { throw note("groups are nested too deep", from: start) }
        let tree = try parseUnion()
        guard take(")") else {
            throw note("`(` is never closed", from: start, to: start + 1, hint: #"Write `\(` for the character"#)
        }
        return tree
    }

    private mutating func parseQuoted(from start: Int) throws(PatternNote) -> PatternTree {
        guard let end = scalars[position...].firstIndex(of: "\"") else {
            throw note(
                "`\"` opens a quoted text that is never closed", from: start,
                hint: #"Write `\"` for the character"#)
        }
        defer { position = end + 1 }
        return .text(scalars[position..<end], folded: folded)
    }

    private mutating func parseInterval(from start: Int) throws(PatternNote) -> PatternTree {
        guard let end = scalars[position...].firstIndex(of: ">") else {
            throw note(
                "`<` opens a numeric range that is never closed", from: start, hint: #"Write `\<` for the character"#)
        }
        let text = String(String.UnicodeScalarView(scalars[position..<end]))
        position = end + 1
        guard let interval = DecimalInterval(text) else {
            throw note(
                "`<\(text)>` is no numeric range such as `<1-99>`", from: start, hint: #"Write `\<` for the character"#)
        }
        return interval.tree
    }

    private mutating func parseClass(from start: Int) throws(PatternNote) -> PatternTree {
        let isNegated = take("^")
        var set = ScalarSet([])
        repeat {
            set = set.union(try parseClassMember(of: start))
        } while peek != nil && peek != "]"
        guard take("]") else { throw unclosedClass(start) }
        if folded { set = set.foldingASCII }
        return .set(isNegated ? set.complement : set)
    }

    private mutating func parseClassMember(of open: Int) throws(PatternNote) -> ScalarSet {
        let start = position
        guard let scalar = peek else { throw unclosedClass(open) }
        position += 1
        var set = ScalarSet(scalar)
        if scalar == "\\" {
            set = try parseEscape(from: start)
            // A predefined class does not begin a range.
            if let letter = scalars[start...].dropFirst().first, "dDwWsS".unicodeScalars.contains(letter) { return set }
        }
        guard take("-") else { return set }
        _ = take("\\")
        guard let upper = peek else { throw unclosedClass(open) }
        position += 1
        guard let lower = set.ranges.first?.lowerBound, lower <= upper.value else {
            throw note("the range ends before it begins", from: start, hint: #"Write `\-` for the character"#)
        }
        return ScalarSet([lower...upper.value])
    }

    /// Behind the backslash: a predefined class, or the character itself. Other letters are errors,
    /// as in Lucene 9 and later.
    private mutating func parseEscape(from start: Int) throws(PatternNote) -> ScalarSet {
        guard let scalar = peek else { throw note("the pattern ends behind a backslash", from: start) }
        position += 1
        switch scalar {
        case "d": return .digits
        case "D": return ScalarSet.digits.complement
        case "s": return .whitespace
        case "S": return ScalarSet.whitespace.complement
        case "w": return .word
        case "W": return ScalarSet.word.complement
        case "a"..."z", "A"..."Z":
            throw note("`\\\(scalar)` means nothing in Lucene syntax", from: start, hint: Self.searchHint)
        default: return ScalarSet(scalar)
        }
    }
}

// MARK: - Reading and reporting

extension LuceneParser {
    private static let searchHint = "For Perl-like syntax set `regex = \"search\"` in the rule's [apus] table"

    private var peek: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        position += 1
        return true
    }

    private func range(_ start: Int, _ end: Int) -> Range<Int> {
        offsets[Swift.min(start, scalars.count)]..<offsets[Swift.min(end, scalars.count)]
    }

    private func note(_ message: String, from start: Int? = nil, to end: Int? = nil, hint: String? = nil) -> PatternNote
    {
        let start = start ?? position
        return PatternNote(message, at: range(start, end ?? Swift.max(position, start + 1)), hint: hint)
    }

    private func unsupported(_ what: String, at start: Int? = nil, hint: String) -> PatternNote {
        var note = note("Lucene's \(what) is not supported by this version of Apus", from: start, hint: hint)
        note.refused = "regex: \(what)"
        return note
    }

    private func unclosedClass(_ start: Int) -> PatternNote {
        note("`[` is never closed", from: start, to: start + 1, hint: #"Write `\[` for the character"#)
    }

    private mutating func warn(_ message: String, from start: Int, hint: String) {
        warnings.append(note(message, from: start, hint: hint))
    }

    /// `^` still ahead or `$` just taken, where other engines would anchor.
    private mutating func warnOfAnchor(_ anchor: Unicode.Scalar, isAnchor: Bool) {
        let start = anchor == "^" ? position : position - 1
        guard isAnchor, start < scalars.count, scalars[start] == anchor else { return }
        warnings.append(
            note(
                "`\(anchor)` is an ordinary character in Lucene syntax, so only a value that contains it can match",
                from: start, to: start + 1,
                hint: "Leave it out: the whole value must match anyway; or write `\\\(anchor)` for the character"))
    }

    /// `(?i)`, `(?:…)`, `(?=…)`: groups of other engines, in which Lucene sees a question mark.
    private mutating func warnOfExtension(from start: Int) {
        guard peek == "?" else { return }
        let end = scalars[position...].firstIndex { $0 == ")" || $0 == ":" || $0 == "=" || $0 == "!" }.map { $0 + 1 }
        let text = String(String.UnicodeScalarView(scalars[start..<(end ?? position + 1)]))
        warnings.append(
            note(
                "`\(text)` is no operator in Lucene syntax, so only a value with a `?` here can match",
                from: start, to: end ?? position + 1,
                hint: text == "(?i)"
                    ? "Use `regex~` to ignore case, or set `regex = \"search\"` in the rule's [apus] table"
                    : Self.searchHint))
    }
}
