import EQL
import EventSchema

/// Texts of which at least one stands in the bytes of every record for which something holds, in either case.
///
/// Sound for any spelling JSON has of a value but for escapes of the form `\u0070`, which can spell every character: they
/// are looked for besides (``Prefilter``). A text has no quotation mark, backslash or slash in it and nothing outside ASCII,
/// so that it stands in a record as it stands in the value; and it is nothing that a number is written with, since
/// numbers are compared by value, however they are written.
struct NeededTexts {
    /// At least ``shortest`` bytes each, letters in lower case.
    private(set) var texts: Set<[UInt8]>
    /// The share of records that is expected to have one of them.
    private(set) var share: Float

    /// Shorter ones stand in most records.
    private static let shortest = 3
    /// The last bytes of a longer one serve as well.
    private static let longest = 64

    /// What stands in every record that opens a gate; nil when there is nothing.
    init?(_ gate: Gate) {
        switch gate {
        case .test(let test): self.init(test)
        case .oneOf(let gates):
            guard let best = gates.compactMap(Self.init).min(by: { $0.share < $1.share }) else { return nil }
            self = best
        case .allOf(let gates): self.init(anyOf: gates.map(Self.init))
        }
    }

    /// What stands in every record where one of several things holds. Nothing holds where there are none.
    init?(anyOf parts: some Sequence<NeededTexts?>) {
        texts = []
        share = 0
        for part in parts {
            guard let part else { return nil }
            texts.formUnion(part.texts)
            share += part.share
        }
    }

    /// The best text within `run`, a stretch of every value in question.
    init?(in run: some Sequence<UInt8>) {
        let text = run.map { ASCII.lowercased($0) }
            .split { !Self.isVerbatim($0) }
            .filter { $0.count >= Self.shortest && !$0.allSatisfy(Self.isOfNumber) }
            .min { Self.share(of: $0) < Self.share(of: $1) }
        guard let text else { return nil }
        texts = [Array(Self.endingRarely(text).suffix(Self.longest))]
        share = Self.share(of: text)
    }

    private init?(_ test: FieldTest) {
        guard !test.field.isDerived else { return nil }
        switch test.test {
        case .exists, .ordered: return nil
        case .equals(let values):
            guard values.isText else { return nil }
            self.init(anyOf: values.strings.map { Self(in: $0.string.utf8) })
        case .equalsFolded(let values): self.init(anyOf: values.map { Self(in: $0.string.utf8) })
        case .matches(let patterns): self.init(anyOf: patterns.map(Self.init))
        }
        // Words such as `process` name fields, too.
        if test.isCoarse { share = 1 }
    }

    private init?(_ pattern: StringPattern) {
        let stretches: [NeededTexts?] =
            switch pattern.origin {
            // Both stand for any text also in what a function looks for.
            case .wildcard, .affix:
                pattern.source.utf8.split { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }.map { Self(in: $0) }
            case .lucene, .search: [ExpressionTexts.needed(by: pattern.expression)]
            }
        guard let best = stretches.compactMap(\.self).min(by: { $0.share < $1.share }) else { return nil }
        self = best
    }

    /// Whichever is expected in fewer records.
    static func rarer(_ one: NeededTexts?, _ other: NeededTexts?) -> NeededTexts? {
        guard let one, let other else { return one ?? other }
        return other.share < one.share ? other : one
    }

    /// Parts of paths that most records of Windows hosts have.
    private static let common: Set<[UInt8]> = Set(
        ["windows", "system32", "syswow64", "program files", "users", "appdata", "microsoft"].map { Array($0.utf8) })

    /// A guess: long texts are rare, names of programs stand in many records.
    private static func share(of text: ArraySlice<UInt8>) -> Float {
        if common.contains(Array(text)) { return 0.5 }
        let share = max(0.5 / Float(1 << min(text.count - shortest, 12)), 0.0002)
        return text.suffix(4).elementsEqual(".exe".utf8) ? max(share, 0.05) : share
    }

    /// The beginning of a text whose last letters are the rarest in a row: by these Vectorscan tells it from the bytes of a
    /// record first, and whatever they let through is compared. Ending the texts of the seed rule so, instead of at their
    /// ends, made looking for all of them a quarter faster (2026-11-30).
    private static func endingRarely(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard text.count > tellingLength else { return text }
        let ends = (text.startIndex + tellingLength)...text.endIndex
        let best = ends.min { frequency(ofTail: text[..<$0]) < frequency(ofTail: text[..<$1]) }
        return text[..<(best ?? text.endIndex)]
    }

    /// Texts are not cut shorter than this.
    private static let tellingLength = 8

    private static func frequency(ofTail text: ArraySlice<UInt8>) -> Float {
        text.suffix(3).reduce(1) { $0 * frequency(of: $1) }
    }

    /// Roughly, in a thousand bytes of an event; ASCII in lower case.
    private static func frequency(of byte: UInt8) -> Float {
        switch byte {
        case UInt8(ascii: "e"), UInt8(ascii: "t"), UInt8(ascii: "s"), UInt8(ascii: "o"), UInt8(ascii: "i"),
            UInt8(ascii: "n"):
            60
        case UInt8(ascii: "a"), UInt8(ascii: "r"), UInt8(ascii: "c"), UInt8(ascii: "d"), UInt8(ascii: "l"): 40
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: " "), UInt8(ascii: ":"): 30
        case UInt8(ascii: "m"), UInt8(ascii: "p"), UInt8(ascii: "h"), UInt8(ascii: "u"), UInt8(ascii: "-"): 25
        case UInt8(ascii: "q"), UInt8(ascii: "j"), UInt8(ascii: "z"): 2
        default: 12
        }
    }

    /// Whether JSON writes a character as itself, or else as `\u` and a number.
    private static func isVerbatim(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): false
        default: (0x20...0x7E).contains(byte)
        }
    }

    private static func isOfNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "e"):
            true
        default: false
        }
    }
}

extension FieldTest.ValueSet {
    /// Whether there is nothing to compare but text.
    fileprivate var isText: Bool {
        integers.isEmpty && doubles.isEmpty && booleans.isEmpty && dates.isEmpty && addresses.isEmpty
    }
}
