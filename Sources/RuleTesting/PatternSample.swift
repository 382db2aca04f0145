/// A text that a pattern matches, read off the pattern: the first alternative, the fewest repetitions, and of a class
/// a character that reads well. Or another one: the last alternative, and one repetition more.
///
/// The syntax is that of the matcher (Perl-like, without look-around and back-references), into which every wildcard and
/// every Lucene expression is translated. What it does not know, it passes over: whoever asks has the engine check it.
struct PatternSample {
    private var rest: Substring.UnicodeScalarView
    private let isOther: Bool

    static func text(of expression: String) -> String {
        var sample = PatternSample(rest: expression[...].unicodeScalars, isOther: false)
        return sample.alternatives()
    }

    /// Not ``text(of:)``, where the pattern leaves a choice.
    static func otherText(of expression: String) -> String {
        var sample = PatternSample(rest: expression[...].unicodeScalars, isOther: true)
        return sample.alternatives()
    }

    /// Up to the closing parenthesis or the end.
    private mutating func alternatives() -> String {
        var text = sequence()
        while take("|") {
            let branch = sequence()
            if isOther { text = branch }
        }
        return text
    }

    private mutating func sequence() -> String {
        var text = ""
        while let scalar = rest.first, scalar != "|", scalar != ")" {
            let atom = atom()
            text += repeated(atom)
        }
        return text
    }

    private mutating func atom() -> String {
        let scalar = rest.removeFirst()
        switch scalar {
        case "(": return group()
        case "[": return member()
        case "\\": return escape()
        case ".": return "x"
        case "^", "$": return ""
        default: return String(scalar)
        }
    }

    /// What a quantifier makes of an atom: as few as it allows, or one more.
    private mutating func repeated(_ atom: String) -> String {
        var count = 1
        if take("*") || take("?") {
            count = isOther ? 1 : 0
        } else if take("+") {
            count = isOther ? 2 : 1
        } else if rest.first == "{", let (least, length) = bounds() {
            rest = rest.dropFirst(length)
            count = least
        } else {
            return atom
        }
        _ = take("?")
        return String(repeating: atom, count: count)
    }

    /// `{2}`, `{2,}`, `{2,5}`.
    private func bounds() -> (least: Int, length: Int)? {
        guard let end = rest.firstIndex(of: "}") else { return nil }
        let inside = String(String.UnicodeScalarView(rest[..<end].dropFirst()))
        guard let least = Int(inside.prefix { $0.isNumber }), least <= 1_000 else { return nil }
        return (least, rest.distance(from: rest.startIndex, to: end) + 1)
    }

    private mutating func group() -> String {
        if take("?") {
            // Flags, a name, or a comment; then a colon, the end of the group, or the end of the name.
            if rest.first == "#" {
                while let next = rest.popFirst(), next != ")" {}
                return ""
            }
            if rest.first == "P" { rest.removeFirst() }
            if rest.first == "<" || rest.first == "'" {
                while let next = rest.popFirst(), next != ">", next != "'" || rest.isEmpty {}
            } else {
                while let next = rest.popFirst(), next != ":" { if next == ")" { return "" } }
            }
        }
        let text = alternatives()
        _ = take(")")
        return text
    }

    private mutating func escape() -> String {
        guard let scalar = rest.popFirst() else { return "" }
        switch scalar {
        case "d", "w": return scalar == "d" ? "1" : "a"
        case "s": return " "
        case "D", "S": return "a"
        case "W": return "-"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "A", "z", "Z", "b", "B", "G": return ""
        case "Q": return quotation()
        case "x": return String(hexadecimal())
        default: return String(scalar)
        }
    }

    private mutating func quotation() -> String {
        var text = ""
        while let scalar = rest.popFirst() {
            if scalar == "\\", rest.first == "E" {
                rest.removeFirst()
                break
            }
            text.unicodeScalars.append(scalar)
        }
        return text
    }

    private mutating func hexadecimal() -> Unicode.Scalar {
        var digits = ""
        if take("{") {
            while let scalar = rest.popFirst(), scalar != "}" { digits.unicodeScalars.append(scalar) }
        } else {
            for _ in 0..<2 { if let scalar = rest.popFirst() { digits.unicodeScalars.append(scalar) } }
        }
        return UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init) ?? "x"
    }

    /// A member of a class, behind its opening bracket.
    private mutating func member() -> String {
        let isNegated = take("^")
        var ranges: [ClosedRange<UInt32>] = []
        var isFirst = true
        while let scalar = rest.first, isFirst || scalar != "]" {
            isFirst = false
            let lower = element()
            guard let low = lower.only else {
                ranges += lower.ranges
                continue
            }
            var high = low
            if rest.first == "-", rest.dropFirst().first != "]" {
                rest.removeFirst()
                high = element().only ?? low
            }
            ranges.append(min(low, high)...max(low, high))
        }
        _ = take("]")
        let readable = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ -_.,:;/\\@#'\"".unicodeScalars
        let isMember = { (scalar: Unicode.Scalar) in ranges.contains { $0.contains(scalar.value) } != isNegated }
        if !isNegated, ranges.count <= 2, let only = ranges.first, only.count == 1 {
            // A letter in both its cases, or a single character: as written.
            return Unicode.Scalar(only.lowerBound).map { String($0) } ?? ""
        }
        return readable.first(where: isMember).map { String($0) } ?? "\u{FFFD}"
    }

    private mutating func element() -> (only: UInt32?, ranges: [ClosedRange<UInt32>]) {
        let scalar = rest.removeFirst()
        guard scalar == "\\", let escaped = rest.first else {
            if scalar == "[", rest.first == ":" { return (nil, named()) }
            return (scalar.value, [])
        }
        switch escaped {
        case "d":
            rest.removeFirst()
            return (nil, [0x30...0x39])
        case "w":
            rest.removeFirst()
            return (nil, [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
        case "s":
            rest.removeFirst()
            return (nil, [0x09...0x0D, 0x20...0x20])
        default: return (escape().unicodeScalars.first?.value, [])
        }
    }

    /// `[:alpha:]` and its like, as letters or digits.
    private mutating func named() -> [ClosedRange<UInt32>] {
        var name = ""
        while let scalar = rest.popFirst(), scalar != "]" { name.unicodeScalars.append(scalar) }
        return name.contains("digit") ? [0x30...0x39] : name.contains("space") ? [0x20...0x20] : [0x61...0x7A]
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard rest.first == scalar else { return false }
        rest.removeFirst()
        return true
    }
}
