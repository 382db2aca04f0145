import EventSchema

/// Finds texts that a match of an expression cannot do without.
///
/// Reads the common part of the syntax the matcher understands: text, escapes, classes, groups, alternatives, quantifiers
/// and flags. Of an expression with anything else it knows nothing. Case is not told apart anywhere.
struct ExpressionTexts {
    /// Nil when there are none, or none that this can tell.
    static func needed(by expression: String) -> NeededTexts? {
        var reader = ExpressionTexts(bytes: Array(expression.utf8))
        let texts = reader.readAlternatives()
        return reader.isUnknown || reader.position < reader.bytes.count ? nil : texts
    }

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0
    /// Something stood there that is not understood.
    private var isUnknown = false

    /// Deeper groups would only serve to exhaust the stack.
    private static let deepestGroup = 100

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// What one place of an expression stands for.
    private enum Atom {
        case byte(UInt8)
        /// Some character.
        case character
        case group(NeededTexts?)
        /// A place between two characters.
        case boundary
    }

    private enum Count {
        case one
        case several
        /// Perhaps none.
        case any
    }

    private mutating func readAlternatives() -> NeededTexts? {
        var alternatives = [readSequence()]
        while take("|") { alternatives.append(readSequence()) }
        return NeededTexts(anyOf: alternatives)
    }

    private mutating func readSequence() -> NeededTexts? {
        var best: NeededTexts?
        var run: [UInt8] = []
        func endRun() {
            best = NeededTexts.rarer(best, NeededTexts(in: run))
            run = []
        }
        while !isUnknown, let next = peek, next != UInt8(ascii: "|"), next != UInt8(ascii: ")") {
            let atom = readAtom()
            let count = readCount()
            switch (atom, count) {
            case (.byte(let byte), .one): run.append(byte)
            case (.byte(let byte), .several):
                run.append(byte)
                endRun()
            case (.group(let texts), .one), (.group(let texts), .several):
                endRun()
                best = NeededTexts.rarer(best, texts)
            case (.boundary, .one): break
            case (_, .any), (.character, _), (.boundary, _): endRun()
            }
        }
        endRun()
        return best
    }

    private mutating func readAtom() -> Atom {
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "."): return .character
        case UInt8(ascii: "^"), UInt8(ascii: "$"): return .boundary
        case UInt8(ascii: "("): return readGroup()
        case UInt8(ascii: "["): return readClass()
        case UInt8(ascii: "\\"): return readEscape()
        case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "{"): return giveUp()
        case 0x80...: return .character
        default: return .byte(byte)
        }
    }

    private mutating func readGroup() -> Atom {
        if take("?") {
            // Of the flags, `x` alone changes what text means.
            while let flag = peek, "imsU-".utf8.contains(flag) { position += 1 }
            if take(")") { return .boundary }
            guard take(":") else { return giveUp() }
        } else if peek == UInt8(ascii: "*") {
            return giveUp()
        }
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepestGroup else { return giveUp() }
        let texts = readAlternatives()
        return take(")") ? .group(texts) : giveUp()
    }

    /// A class of one character, or of both cases of a letter, is that character.
    private mutating func readClass() -> Atom {
        var members: Set<UInt8> = []
        var isPlain = !take("^")
        var isFirst = true
        while let byte = peek, byte != UInt8(ascii: "]") || isFirst {
            isFirst = false
            position += 1
            switch byte {
            case UInt8(ascii: "["): return giveUp()
            case UInt8(ascii: "-"), 0x80...: isPlain = false
            case UInt8(ascii: "\\"):
                if case .byte(let escaped) = readEscape() { members.insert(escaped) } else { isPlain = false }
            default: members.insert(byte)
            }
        }
        guard take("]") else { return giveUp() }
        let letters = Set(members.map { ASCII.lowercased($0) })
        guard isPlain, letters.count == 1, let letter = letters.first else { return .character }
        return .byte(letter)
    }

    private mutating func readEscape() -> Atom {
        guard let byte = peek else { return giveUp() }
        position += 1
        switch byte {
        case UInt8(ascii: "A"), UInt8(ascii: "z"), UInt8(ascii: "Z"), UInt8(ascii: "b"), UInt8(ascii: "B"):
            return .boundary
        case _ where "dDwWsShHvVNtnrfae".utf8.contains(byte): return .character
        case UInt8(ascii: "x"):
            guard take("{") else { return giveUp() }
            while let digit = peek, digit != UInt8(ascii: "}") {
                guard Character(Unicode.Scalar(digit)).isHexDigit else { return giveUp() }
                position += 1
            }
            return take("}") ? .character : giveUp()
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), 0x80...:
            return giveUp()
        default: return .byte(byte)
        }
    }

    private mutating func readCount() -> Count {
        var count = Count.one
        if take("*") || take("?") {
            count = .any
        } else if take("+") {
            count = .several
        } else if take("{") {
            guard let least = readNumber() else { return unknownCount() }
            if take(",") { _ = readNumber() }
            guard take("}") else { return unknownCount() }
            count = least == 0 ? .any : .several
        }
        if count != .one { _ = take("?") }
        return count
    }

    private mutating func readNumber() -> Int? {
        let start = position
        while let digit = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) { position += 1 }
        return Int(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func unknownCount() -> Count {
        isUnknown = true
        return .any
    }

    private mutating func giveUp() -> Atom {
        isUnknown = true
        return .character
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }
}
