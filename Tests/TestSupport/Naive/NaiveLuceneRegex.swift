/// Lucene's regular expressions with all optional operators, by the plainest method: a node maps a start
/// position to the set of positions where a match of it may end.
///
/// Source: the grammar in the documentation of Lucene's `RegExp`.
public struct NaiveLuceneRegex: Sendable {
    indirect enum Node: Sendable {
        case empty
        case nothing
        case anyCharacter
        case anyString
        case literal(Unicode.Scalar)
        case set([ClosedRange<UInt32>], isNegated: Bool)
        case concatenation(Node, Node)
        case union(Node, Node)
        case intersection(Node, Node)
        case complement(Node)
        case repetition(Node, minimum: Int, maximum: Int?)
        /// Decimal numbers of this range; with `digits`, of exactly that many digits.
        case interval(Int, Int, digits: Int?)
    }

    private let root: Node
    private let caseInsensitive: Bool

    /// Nil when Lucene refuses the pattern.
    public init?(_ pattern: String, caseInsensitive: Bool) {
        var parser = LuceneParser(text: Array(pattern.unicodeScalars))
        guard let root = parser.whole() else { return nil }
        self.root = root
        self.caseInsensitive = caseInsensitive
    }

    /// Whether the whole of `value` matches.
    public func matches(_ value: String) -> Bool {
        matches(Array(value.unicodeScalars))
    }

    func matches(_ value: [Unicode.Scalar]) -> Bool {
        ends(of: root, from: 0, in: value).contains(value.count)
    }

    private func ends(of node: Node, from start: Int, in value: [Unicode.Scalar]) -> Set<Int> {
        switch node {
        case .empty: return [start]
        case .nothing: return []
        case .anyCharacter: return start < value.count ? [start + 1] : []
        case .anyString: return Set(start...value.count)
        case .literal(let scalar):
            guard start < value.count else { return [] }
            let isEqual =
                caseInsensitive
                ? NaiveCase.foldedASCII(value[start]) == NaiveCase.foldedASCII(scalar) : value[start] == scalar
            return isEqual ? [start + 1] : []
        case .set(let ranges, let isNegated):
            guard start < value.count else { return [] }
            return spellings(of: value[start]).contains { spelling in ranges.contains { $0.contains(spelling) } }
                != isNegated ? [start + 1] : []
        case .concatenation(let first, let second):
            return ends(of: first, from: start, in: value).reduce(into: []) { result, middle in
                result.formUnion(ends(of: second, from: middle, in: value))
            }
        case .union(let one, let other):
            return ends(of: one, from: start, in: value).union(ends(of: other, from: start, in: value))
        case .intersection(let one, let other):
            return ends(of: one, from: start, in: value).intersection(ends(of: other, from: start, in: value))
        case .complement(let inner):
            return Set(start...value.count).subtracting(ends(of: inner, from: start, in: value))
        case .repetition(let inner, let minimum, let maximum):
            var reached: Set<Int> = [start]
            for _ in 0..<minimum { reached = step(inner, from: reached, in: value) }
            var all = reached
            var rounds = 0
            while !reached.isEmpty, maximum.map({ minimum + rounds < $0 }) ?? true {
                reached = step(inner, from: reached, in: value).subtracting(all)
                all.formUnion(reached)
                rounds += 1
            }
            if let maximum, maximum < minimum { return [] }
            return all
        case .interval(let low, let high, let digits):
            var result: Set<Int> = []
            var end = start
            while end < value.count, ("0"..."9").contains(value[end]) {
                end += 1
                guard digits == nil || end - start == digits, let number = Int(string(value[start..<end])) else {
                    continue
                }
                if (low...high).contains(number) { result.insert(end) }
            }
            return result
        }
    }

    private func step(_ node: Node, from starts: Set<Int>, in value: [Unicode.Scalar]) -> Set<Int> {
        starts.reduce(into: []) { $0.formUnion(ends(of: node, from: $1, in: value)) }
    }

    private func spellings(of scalar: Unicode.Scalar) -> [UInt32] {
        guard caseInsensitive else { return [scalar.value] }
        let lower = NaiveCase.foldedASCII(scalar)
        return ("a"..."z").contains(lower) ? [lower.value, lower.value - 32] : [scalar.value]
    }
}

private struct LuceneParser {
    typealias Node = NaiveLuceneRegex.Node

    let text: [Unicode.Scalar]
    var position = 0

    mutating func whole() -> Node? {
        if text.isEmpty { return .empty }
        guard let node = union(), position == text.count else { return nil }
        return node
    }

    private mutating func union() -> Node? {
        guard let left = intersection() else { return nil }
        guard take("|") else { return left }
        return union().map { .union(left, $0) }
    }

    private mutating func intersection() -> Node? {
        guard let left = concatenation() else { return nil }
        guard take("&") else { return left }
        return intersection().map { .intersection(left, $0) }
    }

    private mutating func concatenation() -> Node? {
        guard let left = repetition() else { return nil }
        guard let next, next != ")", next != "|", next != "&" else { return left }
        return concatenation().map { .concatenation(left, $0) }
    }

    private mutating func repetition() -> Node? {
        guard var node = complement() else { return nil }
        while let next, "?*+{".unicodeScalars.contains(next) {
            position += 1
            switch next {
            case "?": node = .repetition(node, minimum: 0, maximum: 1)
            case "*": node = .repetition(node, minimum: 0, maximum: nil)
            case "+": node = .repetition(node, minimum: 1, maximum: nil)
            default:
                guard let minimum = number() else { return nil }
                var maximum: Int? = minimum
                if take(",") { maximum = self.next == "}" ? nil : number() }
                guard take("}") else { return nil }
                node = .repetition(node, minimum: minimum, maximum: maximum)
            }
        }
        return node
    }

    private mutating func complement() -> Node? {
        if take("~") { return complement().map { .complement($0) } }
        if take("[") { return characterClass() }
        return simple()
    }

    private mutating func characterClass() -> Node? {
        let isNegated = take("^")
        var ranges: [ClosedRange<UInt32>] = []
        repeat {
            if next == "\\", position + 1 < text.count, let predefined = Self.predefined(text[position + 1]) {
                position += 2
                ranges += predefined
                continue
            }
            guard let low = character() else { return nil }
            var high = low
            if take("-") {
                if next == "]" {
                    ranges.append(0x2D...0x2D)
                } else {
                    guard let upper = character() else { return nil }
                    high = upper
                }
            }
            guard low <= high else { return nil }
            ranges.append(low.value...high.value)
        } while next != nil && next != "]"
        guard take("]") else { return nil }
        return .set(ranges, isNegated: isNegated)
    }

    private mutating func simple() -> Node? {
        if take(".") { return .anyCharacter }
        if take("#") { return .nothing }
        if take("@") { return .anyString }
        if take("\"") {
            var node = Node.empty
            while let scalar = next, scalar != "\"" {
                position += 1
                node = .concatenation(node, .literal(scalar))
            }
            return take("\"") ? node : nil
        }
        if take("(") {
            if take(")") { return .empty }
            guard let node = union(), take(")") else { return nil }
            return node
        }
        if take("<") { return interval() }
        if next == "\\", position + 1 < text.count, let ranges = Self.predefined(text[position + 1]) {
            position += 2
            return .set(ranges, isNegated: false)
        }
        return character().map { .literal($0) }
    }

    private mutating func interval() -> Node? {
        let start = position
        guard let low = number(), take("-") else { return nil }
        let width = position - 1 - start
        let middle = position
        guard let high = number(), next == ">" else { return nil }
        let isFixed = width == position - middle
        position += 1
        return .interval(min(low, high), max(low, high), digits: isFixed ? width : nil)
    }

    private mutating func character() -> Unicode.Scalar? {
        _ = take("\\")
        guard let scalar = next else { return nil }
        position += 1
        return scalar
    }

    private mutating func number() -> Int? {
        let start = position
        while let next, ("0"..."9").contains(next) { position += 1 }
        return Int(string(text[start..<position]))
    }

    private var next: Unicode.Scalar? { position < text.count ? text[position] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    private static func predefined(_ letter: Unicode.Scalar) -> [ClosedRange<UInt32>]? {
        let digits: [ClosedRange<UInt32>] = [0x30...0x39]
        let blanks: [ClosedRange<UInt32>] = [0x09...0x0A, 0x0D...0x0D, 0x20...0x20]
        let words: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]
        return switch letter {
        case "d": digits
        case "D": inverted(digits)
        case "s": blanks
        case "S": inverted(blanks)
        case "w": words
        case "W": inverted(words)
        default: nil
        }
    }

    private static func inverted(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var low: UInt32 = 0
        for range in ranges {
            if low < range.lowerBound { result.append(low...range.lowerBound - 1) }
            low = range.upperBound + 1
        }
        return result + [low...0x10FFFF]
    }
}
