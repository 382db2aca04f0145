import EventSchema

/// Resolves what PowerShell and `cmd` resolve before they act on a text: escapes that mean nothing, quotes, and strings
/// put together from pieces.
///
/// `&('New-Mailbox'+'Export'+'Request')` becomes `&New-MailboxExportRequest`. Known are concatenation with `+`, `-join`,
/// the format operator `-f` and `[char]` codes, on literals; variables and calls stay as they are. The text is not run
/// and not fully understood: what comes out is for patterns to find names in.
///
/// *Cost:* linear in the text, whatever it holds: each byte is read once, put on a stack of pieces once, and taken off
/// it once; what joining and formatting copy is bounded by a budget. Nothing is allocated once the buffers, which are
/// kept for the next text, have grown to the texts that come.
struct Deobfuscator {
    /// Where a text comes from decides what quotes and carets mean in it.
    enum Kind {
        /// Double quotes delimit arguments, `\"` is a quote of PowerShell, and `^` escapes for `cmd`.
        case commandLine
        /// Double quotes delimit strings.
        case script
    }

    typealias Bytes = UnsafeRawBufferPointer

    /// The bytes of all pieces, in order. Operators and parentheses have none, so that strings on both sides of a `+`
    /// stand next to each other here, and joining them moves nothing.
    private var arena: [UInt8] = []
    private var pieces: [Piece] = []
    /// The strings of lists, in order.
    private var elements: [Range<Int>] = []
    private var scratch: [UInt8] = []
    /// What reductions may still copy.
    private var budget = 0
    private var kind = Kind.script
    private var isChanged = false
    /// There is no such quote in the rest of the text.
    private var lacksSingleQuote = false
    private var lacksDoubleQuote = false
    /// The places in `pieces` of each `-f` that may still get its arguments, and of each parenthesis that is open.
    private var formats: [Int] = []
    private var opens: [Int] = []

    private struct Piece {
        enum Kind {
            case text, string, list, blank, plus, comma, open, openCall, close, join, format

            /// An operand may go on behind it.
            var isOperator: Bool { self == .comma || self == .plus || self == .format || self == .join }
        }

        var kind: Kind
        /// Of text and strings in the arena, of a list in `elements`.
        var range: Range<Int> = 0..<0
    }

    // MARK: Looking

    /// Whether a text shows signs of what this resolves. One pass, which allocates nothing; most texts show none.
    static func looksObfuscated(_ text: Bytes, _ kind: Kind) -> Bool {
        var index = 0
        while index < text.count {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "`"): return true
            case UInt8(ascii: "^"): if kind == .commandLine { return true }
            case UInt8(ascii: "'"), UInt8(ascii: "\""):
                if isWord(text, index - 1),
                    isWord(text, index + 1) || text.isSame(index + 1, byte) && isWord(text, index + 2)
                {
                    return true
                }
                // A quote, perhaps parentheses, and an operator that works on strings.
                var next = index + 1
                while next < text.count, text[next] == UInt8(ascii: " ") || text[next] == UInt8(ascii: ")") {
                    next += 1
                }
                if next < text.count, text[next] == UInt8(ascii: "+") { return true }
                if text.hasWord("-f", at: next) || text.hasWord("-join", at: next) { return true }
                // What was looked at is not looked at again.
                index = max(index, next - 1)
            case UInt8(ascii: "-"): if text.hasWord("-join", at: index) { return true }
            case UInt8(ascii: "["): if text.hasWord("[char", at: index) { return true }
            default: break
            }
            index += 1
        }
        return false
    }

    fileprivate static func isWord(_ text: Bytes, _ index: Int) -> Bool {
        index >= 0 && index < text.count && text[index].isWordByte
    }

    // MARK: Resolving

    /// The text with everything resolved, valid until the next call; nil when nothing was.
    mutating func resolve(_ text: Bytes, _ kind: Kind) -> ArraySlice<UInt8>? {
        self.kind = kind
        arena.removeAll(keepingCapacity: true)
        pieces.removeAll(keepingCapacity: true)
        elements.removeAll(keepingCapacity: true)
        scratch.removeAll(keepingCapacity: true)
        budget = 4 * text.count + 1024
        isChanged = false
        lacksSingleQuote = false
        lacksDoubleQuote = false
        formats.removeAll(keepingCapacity: true)
        opens.removeAll(keepingCapacity: true)
        read(text)
        endExpression()
        guard isChanged else { return nil }
        write()
        return scratch[...]
    }

    private mutating func read(_ text: Bytes) {
        var index = 0
        while index < text.count {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "'"): index = takeString(text, index, quote: byte)
            case UInt8(ascii: "\""):
                index = kind == .script ? takeString(text, index, quote: byte) : takeArgumentQuote(text, index)
            case UInt8(ascii: "\\") where kind == .commandLine && text.isSame(index + 1, UInt8(ascii: "\"")):
                index = takeString(text, index + 1, quote: UInt8(ascii: "\""), isEscaped: true)
            case UInt8(ascii: "`"): index = takeBacktick(text, index)
            case UInt8(ascii: "^") where kind == .commandLine: index = takeCaret(text, index)
            case UInt8(ascii: " "), 0x09, 0x0A, 0x0D:
                while index < text.count, text[index].isBlank { index += 1 }
                push(.blank)
            case UInt8(ascii: "+"): index = takeOperator(.plus, index + 1)
            case UInt8(ascii: ","): index = takeOperator(.comma, index + 1)
            case UInt8(ascii: "("): index = takeOpen(text, index)
            case UInt8(ascii: ")"): index = takeClose(index)
            case UInt8(ascii: "-") where text.hasWord("-join", at: index): index = takeOperator(.join, index + 5)
            case UInt8(ascii: "-") where text.hasWord("-f", at: index) && lastSolid.map { pieces[$0].kind } == .string:
                pushFormat()
                index += 2
            case UInt8(ascii: "["): index = takeCharacter(text, index)
            default:
                pushText(byte)
                index += 1
            }
        }
    }

    // MARK: Tokens

    /// The quote at `start` begins a string when another one ends it; else it is a character like others.
    private mutating func takeString(_ text: Bytes, _ start: Int, quote: UInt8, isEscaped: Bool = false) -> Int {
        let lacksEnd = quote == UInt8(ascii: "'") ? lacksSingleQuote : lacksDoubleQuote
        guard !lacksEnd, let end = self.end(of: quote, text, start + 1, isEscaped) else {
            if quote == UInt8(ascii: "'") { lacksSingleQuote = true } else { lacksDoubleQuote = true }
            pushText(quote)
            return start + 1
        }
        let outer = isEscaped ? start - 1 : start
        if Self.isWord(text, outer - 1), Self.isWord(text, end) { isChanged = true }
        let first = arena.count
        var index = start + 1
        let contentEnd = isEscaped ? end - 2 : end - 1
        while index < contentEnd {
            if text[index] == UInt8(ascii: "`"), quote == UInt8(ascii: "\""), index + 1 < contentEnd {
                isChanged = true
                index += 1
            } else if text[index] == quote, text.isSame(index + 1, quote) {
                index += 1
            }
            arena.append(text[index])
            index += 1
        }
        pushString(first..<arena.count)
        return end
    }

    /// Behind the quote that ends a string whose content begins at `start`.
    private func end(of quote: UInt8, _ text: Bytes, _ start: Int, _ isEscaped: Bool) -> Int? {
        var index = start
        while index < text.count {
            if isEscaped {
                if text[index] == UInt8(ascii: "\\"), text.isSame(index + 1, quote) { return index + 2 }
                index += 1
                continue
            }
            if text[index] == UInt8(ascii: "`"), quote == UInt8(ascii: "\"") {
                index += 2
                continue
            }
            if text[index] == quote {
                // Two of them inside a string are one of its characters.
                guard text.isSame(index + 1, quote), index > start else { return index + 1 }
                index += 1
            }
            index += 1
        }
        return nil
    }

    /// A quote around an argument is nothing to PowerShell. One around a single word may be a string all the same, in a
    /// text that was typed into a shell.
    private mutating func takeArgumentQuote(_ text: Bytes, _ start: Int) -> Int {
        if Self.isWord(text, start - 1), Self.isWord(text, start + 1) || text.isSame(start + 1, text[start]) {
            isChanged = true
        }
        var end = start + 1
        while end < text.count, !text[end].endsArgument { end += 1 }
        guard text.isSame(end, UInt8(ascii: "\"")) else { return start + 1 }
        let first = arena.count
        for index in (start + 1)..<end { arena.append(text[index]) }
        pushString(first..<arena.count)
        return end + 1
    }

    /// A back-tick makes the next character itself; before a line break it goes on with the line.
    private mutating func takeBacktick(_ text: Bytes, _ index: Int) -> Int {
        isChanged = true
        guard index + 1 < text.count else { return index + 1 }
        if text[index + 1].isBlank {
            push(.blank)
            return index + 2
        }
        pushText(text[index + 1])
        return index + 2
    }

    private mutating func takeCaret(_ text: Bytes, _ index: Int) -> Int {
        isChanged = true
        guard text.isSame(index + 1, UInt8(ascii: "^")) else { return index + 1 }
        pushText(UInt8(ascii: "^"))
        return index + 2
    }

    private mutating func takeOperator(_ kind: Piece.Kind, _ next: Int) -> Int {
        push(kind)
        return next
    }

    private mutating func takeOpen(_ text: Bytes, _ index: Int) -> Int {
        // The parentheses of a call stay.
        push(Self.isWord(text, index - 1) ? .openCall : .open)
        opens.append(pieces.count - 1)
        return index + 1
    }

    /// `[char]65`, `[char]0x41`, and the start of `[char[]](65,66)`, whose numbers become strings.
    private mutating func takeCharacter(_ text: Bytes, _ start: Int) -> Int {
        if var index = text.endOfCharacterCast(at: start) {
            while index < text.count, text[index] == UInt8(ascii: " ") { index += 1 }
            if let (code, end) = text.characterCode(at: index) {
                pushCharacter(code)
                return end
            }
            if text.isSame(index, UInt8(ascii: "(")), let end = takeCharacterList(text, index + 1) { return end }
        }
        pushText(text[start])
        return start + 1
    }

    /// The numbers behind an opening parenthesis, and where the list ends; nil, and nothing taken, when it is not whole.
    private mutating func takeCharacterList(_ text: Bytes, _ start: Int) -> Int? {
        let first = elements.count
        let arenaStart = arena.count
        var index = start
        while let (code, end) = text.characterCode(at: index.skippingBlanks(in: text)) {
            let start = arena.count
            for byte in code.utf8 { arena.append(byte) }
            elements.append(start..<arena.count)
            index = end.skippingBlanks(in: text)
            guard text.isSame(index, UInt8(ascii: ",")) else { break }
            index += 1
        }
        guard elements.count > first, text.isSame(index, UInt8(ascii: ")")) else {
            elements.removeLast(elements.count - first)
            arena.removeLast(arena.count - arenaStart)
            return nil
        }
        isChanged = true
        pushList(first..<elements.count)
        return index + 1
    }

    private mutating func pushCharacter(_ code: Unicode.Scalar) {
        isChanged = true
        let first = arena.count
        for byte in code.utf8 { arena.append(byte) }
        pushString(first..<arena.count)
    }

    // MARK: The stack

    // By index here and everywhere: unoptimised, `last`, iterators and changes in place allocate.
    private var lastKind: Piece.Kind? { pieces.isEmpty ? nil : pieces[pieces.count - 1].kind }

    private var lastSolid: Int? { solid(before: pieces.count) }

    /// The last piece before `index` that is no blank. Blanks never stand beside each other.
    private func solid(before index: Int) -> Int? {
        var place = index - 1
        if place >= 0, pieces[place].kind == .blank { place -= 1 }
        return place >= 0 ? place : nil
    }

    private func solidKind(before index: Int) -> Piece.Kind? { solid(before: index).map { pieces[$0].kind } }

    private mutating func push(_ kind: Piece.Kind) {
        switch kind {
        case .blank:
            if lastKind == .blank { return }
        case .plus, .comma, .join: break
        default:
            // An operand may go on behind an operator; anything else ends it.
            if let last = lastSolid, !pieces[last].kind.isOperator { endExpression() }
        }
        pieces.append(Piece(kind: kind))
    }

    private mutating func pushText(_ byte: UInt8) {
        if lastKind != .text {
            endExpression()
            pieces.append(Piece(kind: .text, range: arena.count..<arena.count))
        }
        arena.append(byte)
        let start = pieces.removeLast().range.lowerBound
        pieces.append(Piece(kind: .text, range: start..<arena.count))
    }

    private mutating func pushFormat() {
        endExpression()
        formats.append(pieces.count)
        pieces.append(Piece(kind: .format))
    }

    /// Pushes a string, and joins it with what stands before it.
    private mutating func pushString(_ range: Range<Int>) {
        var range = range
        while let last = lastSolid {
            switch pieces[last].kind {
            case .plus:
                guard let left = solid(before: last), pieces[left].kind == .string,
                    let joined = joined(pieces[left].range, range)
                else { return append(range) }
                range = joined
                pieces.removeLast(pieces.count - left)
                isChanged = true
            case .join:
                guard let left = solid(before: last) else {
                    // Unary: the join of one string.
                    pieces.removeLast(pieces.count - last)
                    isChanged = true
                    continue
                }
                guard let joined = join(endingAt: left, with: range) else { return append(range) }
                range = joined
            default: return append(range)
            }
        }
        append(range)
    }

    /// Two strings as one: as they stand when they stand beside each other, as copying and formatting leaves few not to.
    private mutating func joined(_ left: Range<Int>, _ right: Range<Int>) -> Range<Int>? {
        if left.upperBound == right.lowerBound { return left.lowerBound..<right.upperBound }
        let first = arena.count
        guard spend(left.count + right.count) else { return nil }
        repeatBytes(left)
        repeatBytes(right)
        return first..<arena.count
    }

    private mutating func append(_ range: Range<Int>) {
        pieces.append(Piece(kind: .string, range: range))
    }

    /// Byte by byte: a slice of the arena that is appended to it would copy all of it first.
    private mutating func repeatBytes(_ range: Range<Int>) {
        for index in range { arena.append(arena[index]) }
    }

    private mutating func pushList(_ range: Range<Int>) {
        if let last = lastSolid, pieces[last].kind == .join, !isOperand(before: last) {
            // -join ('a','b')
            pieces.removeLast(pieces.count - last)
            isChanged = true
            let first = arena.count
            guard copy(range, separator: 0..<0) else { return }
            pushString(first..<arena.count)
            return
        }
        pieces.append(Piece(kind: .list, range: range))
    }

    private func isOperand(before index: Int) -> Bool {
        solidKind(before: index).map { $0 == .string || $0 == .list } ?? false
    }

    /// `list -join separator`: the list ends at `left`. Nil when there is none.
    private mutating func join(endingAt left: Int, with separator: Range<Int>) -> Range<Int>? {
        let list: Range<Int>
        let start: Int
        if pieces[left].kind == .list {
            list = pieces[left].range
            start = left
        } else if let first = startOfStrings(endingAt: left) {
            list = listStrings(first...left)
            start = first
        } else {
            return nil
        }
        let first = arena.count
        guard copy(list, separator: separator) else { return nil }
        pieces.removeLast(pieces.count - start)
        isChanged = true
        return first..<arena.count
    }

    /// Where the strings `'a','b','c'` begin whose last stands at `end`; nil when there is no string.
    private func startOfStrings(endingAt end: Int) -> Int? {
        guard pieces[end].kind == .string else { return nil }
        var place = end
        while let comma = solid(before: place), pieces[comma].kind == .comma, let next = solid(before: comma),
            pieces[next].kind == .string
        { place = next }
        return place
    }

    /// Puts the strings among these pieces into the elements.
    private mutating func listStrings(_ places: ClosedRange<Int>) -> Range<Int> {
        let first = elements.count
        for place in places where pieces[place].kind == .string { elements.append(pieces[place].range) }
        return first..<elements.count
    }

    /// Appends strings to the arena; false, and nothing, when the budget does not allow it.
    private mutating func copy(_ list: Range<Int>, separator: Range<Int>) -> Bool {
        var length = separator.count * max(0, list.count - 1)
        for index in list { length += elements[index].count }
        guard spend(length) else { return false }
        for index in list {
            if index > list.lowerBound { repeatBytes(separator) }
            repeatBytes(elements[index])
        }
        return true
    }

    private mutating func spend(_ length: Int) -> Bool {
        guard length <= budget else { return false }
        budget -= length
        return true
    }

    /// A closing parenthesis: around one string it goes, around several it makes a list.
    private mutating func takeClose(_ index: Int) -> Int {
        endExpression()
        if !opens.isEmpty { opens.removeLast() }
        guard let last = lastSolid else {
            pieces.append(Piece(kind: .close))
            return index + 1
        }
        if pieces[last].kind == .list, let open = solid(before: last), pieces[open].kind == .open {
            let list = pieces[last].range
            pieces.removeLast(pieces.count - open)
            pushList(list)
            return index + 1
        }
        guard let start = startOfStrings(endingAt: last), let open = solid(before: start), pieces[open].kind == .open
        else {
            pieces.append(Piece(kind: .close))
            return index + 1
        }
        if start < last {
            let list = listStrings(start...last)
            pieces.removeLast(pieces.count - open)
            pushList(list)
        } else {
            let string = pieces[last].range
            pieces.removeLast(pieces.count - open)
            pushString(string)
        }
        return index + 1
    }

    // MARK: Formatting

    /// An expression is over: a `-f` that has its arguments puts them in.
    private mutating func endExpression() {
        // Inside a parenthesis of its arguments, the expression around it goes on.
        guard !formats.isEmpty else { return }
        let place = formats[formats.count - 1]
        guard opens.isEmpty || opens[opens.count - 1] < place else { return }
        formats.removeLast()
        guard place < pieces.count, pieces[place].kind == .format, let left = solid(before: place),
            pieces[left].kind == .string, let last = lastSolid, last > place
        else { return }
        let arguments: Range<Int>
        if pieces[last].kind == .list, solid(before: last) == place {
            arguments = pieces[last].range
        } else if let start = startOfStrings(endingAt: last), solid(before: start) == place {
            arguments = listStrings(start...last)
        } else {
            return
        }
        let trailing = lastKind == .blank
        guard let formatted = formatted(pieces[left].range, arguments) else { return }
        pieces.removeLast(pieces.count - left)
        isChanged = true
        pushString(formatted)
        if trailing { pieces.append(Piece(kind: .blank)) }
    }

    /// `{0}`, `{1,8}`, `{2:x}` replaced by the arguments; nil when the budget does not allow it.
    private mutating func formatted(_ template: Range<Int>, _ arguments: Range<Int>) -> Range<Int>? {
        let first = arena.count
        var index = template.lowerBound
        while index < template.upperBound {
            if arena[index] == UInt8(ascii: "{"), let (number, end) = placeholder(index, template.upperBound),
                number < arguments.count
            {
                let argument = elements[arguments.lowerBound + number]
                guard spend(argument.count) else {
                    arena.removeLast(arena.count - first)
                    return nil
                }
                repeatBytes(argument)
                index = end
            } else {
                guard spend(1) else {
                    arena.removeLast(arena.count - first)
                    return nil
                }
                arena.append(arena[index])
                index += 1
            }
        }
        return first..<arena.count
    }

    private func placeholder(_ start: Int, _ limit: Int) -> (number: Int, end: Int)? {
        var index = start + 1
        var number = 0
        let digits = index
        while index < limit, index < digits + 4, ASCII.isDigit(arena[index]) {
            number = number * 10 + Int(arena[index] - 0x30)
            index += 1
        }
        guard index > digits else { return nil }
        let end = min(limit, index + 16)
        while index < end, arena[index] != UInt8(ascii: "}") { index += 1 }
        return index < end ? (number, index + 1) : nil
    }

    // MARK: Writing

    private mutating func write() {
        for index in 0..<pieces.count {
            let piece = pieces[index]
            switch piece.kind {
            case .text, .string: for place in piece.range { scratch.append(arena[place]) }
            case .list:
                for index in piece.range {
                    if index > piece.range.lowerBound { scratch.append(UInt8(ascii: ",")) }
                    for place in elements[index] { scratch.append(arena[place]) }
                }
            case .blank: scratch.append(UInt8(ascii: " "))
            case .plus: scratch.append(UInt8(ascii: "+"))
            case .comma: scratch.append(UInt8(ascii: ","))
            case .open, .openCall: scratch.append(UInt8(ascii: "("))
            case .close: scratch.append(UInt8(ascii: ")"))
            case .join: for byte in "-join".utf8 { scratch.append(byte) }
            case .format: for byte in "-f".utf8 { scratch.append(byte) }
            }
        }
    }
}

// MARK: - Bytes

extension UInt8 {
    /// A byte that means something beside itself in an argument.
    fileprivate var endsArgument: Bool {
        switch self {
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "+"),
            UInt8(ascii: " "), UInt8(ascii: "`"), UInt8(ascii: "^"):
            true
        default: false
        }
    }

    /// A byte of names and words: letters, digits, `_`, and everything outside ASCII.
    var isWordByte: Bool {
        self >= 0x80 || ASCII.isDigit(self) || (self | 0x20) &- 0x61 < 26 || self == UInt8(ascii: "_")
    }
}

extension Int {
    fileprivate func skippingBlanks(in text: UnsafeRawBufferPointer) -> Int {
        var index = self
        while index < text.count, text[index].isBlank { index += 1 }
        return index
    }
}

extension UnsafeRawBufferPointer {
    func isSame(_ index: Int, _ byte: UInt8) -> Bool { index >= 0 && index < count && self[index] == byte }

    /// Whether ASCII letters of either case stand at `index`.
    func hasPrefix(_ word: StaticString, at index: Int) -> Bool {
        let length = word.utf8CodeUnitCount
        guard index >= 0, index + length <= count else { return false }
        for offset in 0..<length where ASCII.lowercased(self[index + offset]) != word.utf8Start[offset] { return false }
        return true
    }

    /// The same, and no letter behind it.
    func hasWord(_ word: StaticString, at index: Int) -> Bool {
        guard hasPrefix(word, at: index) else { return false }
        let end = index + word.utf8CodeUnitCount
        return end >= count || !((self[end] | 0x20) &- 0x61 < 26)
    }

    /// Where `[char]` or `[char[]]` ends that stands at `index`.
    fileprivate func endOfCharacterCast(at index: Int) -> Int? {
        hasPrefix("[char]", at: index) ? index + 6 : hasPrefix("[char[]]", at: index) ? index + 8 : nil
    }

    /// A character's number, decimal or behind `0x`, and where it ends.
    fileprivate func characterCode(at start: Int) -> (code: Unicode.Scalar, end: Int)? {
        var index = start
        let isHexadecimal = hasPrefix("0x", at: index)
        if isHexadecimal { index += 2 }
        let digits = index
        var number: UInt32 = 0
        while index < count, index < digits + 6, let digit = ASCII.hexadecimalDigit(self[index]),
            isHexadecimal || digit < 10
        {
            number = number * (isHexadecimal ? 16 : 10) + UInt32(digit)
            index += 1
        }
        guard index > digits, let code = Unicode.Scalar(number) else { return nil }
        return (code, index)
    }
}
