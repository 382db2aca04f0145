import CVectorscan
public import EQL

/// Tells records that cannot meet any of some conditions by their bytes alone, before they are parsed.
///
/// Sound, and no more than that: a record that meets a condition always passes, whichever of JSON's spellings its values
/// have, and others pass as well. It cannot tell whether a record is JSON at all. Immutable, shared by all lanes.
///
/// Every condition needs one of some texts (``NeededTexts``). A character may be spelled `\u0070`, so a record with such an
/// escape passes; so does one with a `K` (Kelvin sign) or `ſ` (long s), which are `k` and `s` where case does not matter.
public final class Prefilter: Sendable {
    let set: PatternSet

    /// The first patterns of the set.
    static let escape: UInt32 = 0
    private static let always: [GlobTable.Literal] = [
        .init(bytes: Array(#"\u"#.utf8), isFolded: false),
        .init(bytes: Array("\u{212A}".utf8), isFolded: false),
        .init(bytes: Array("\u{17F}".utf8), isFolded: false),
    ]

    /// A condition that cannot be told by texts.
    public struct Untellable: Error, Hashable {
        /// Its index.
        public let condition: Int
    }

    /// - Throws: the first condition that a record may meet without having any particular text.
    public init(_ conditions: [Condition]) throws(Untellable) {
        var texts: Set<[UInt8]> = []
        for (index, condition) in conditions.enumerated() {
            guard let needed = Gate(condition).flatMap({ NeededTexts($0) }) else { throw Untellable(condition: index) }
            texts.formUnion(needed.texts)
        }
        let literals = texts.sorted { $0.lexicographicallyPrecedes($1) }
            .map { GlobTable.Literal(bytes: $0, isFolded: true) }
        set = PatternSet(literals: Self.always + literals, reportsEach: Self.escape)
    }
}

/// Looks at one record after another. Working memory of one lane; allocates nothing.
///
/// Where most records pass, looking at them costs more than it saves: after a while the next ones pass unseen, and then it
/// looks again. That depends on the records alone, so a lane does the same again.
public final class PrefilterScanner {
    private let filter: Prefilter
    private let scratch = PatternScratch()
    private var looks = Looks()

    private struct Looks {
        var seen = 0
        var passed = 0
        /// Records to pass unseen.
        var pause = 0
    }

    /// Records looked at before it is decided whether that pays.
    static let trial = 4_096
    /// Records that pass unseen when it does not.
    static let pause = 65_536
    /// In percent of the records looked at: with more of them passing it does not pay.
    private static let mostThatMayPass = 70

    public init(_ filter: Prefilter) {
        self.filter = filter
        scratch.reserve(for: filter.set.database)
    }

    fileprivate struct Scan {
        let bytes: UnsafePointer<UInt8>?
        var passes = false
    }

    /// False only for a record that meets none of the conditions.
    public func passes(_ record: UnsafeRawBufferPointer) -> Bool {
        if looks.pause > 0 {
            looks.pause -= 1
            return true
        }
        let passes = look(record)
        looks.seen += 1
        if passes { looks.passed += 1 }
        if looks.seen == Self.trial {
            looks = Looks(pause: looks.passed * 100 > looks.seen * Self.mostThatMayPass ? Self.pause : 0)
        }
        return passes
    }

    private func look(_ record: UnsafeRawBufferPointer) -> Bool {
        var found = Scan(bytes: record.baseAddress?.assumingMemoryBound(to: UInt8.self))
        let status = withUnsafeMutablePointer(to: &found) { found in
            scan(filter.set.database, record, scratch, context: found) { id, _, end, _, context in
                guard let found = context?.assumingMemoryBound(to: Scan.self) else { return 1 }
                if id == Prefilter.escape, !found.pointee.isEscape(endingAt: Int(end)) { return 0 }
                found.pointee.passes = true
                return 1
            }
        }
        // Whatever else became of the scan, nothing is lost by parsing the record.
        return found.passes || status != HS_SUCCESS
    }
}

extension PrefilterScanner.Scan {
    /// Whether the backslash of a `\u` that ends there escapes the `u`, and is not escaped itself as in `C:\\users`.
    fileprivate func isEscape(endingAt end: Int) -> Bool {
        guard let bytes else { return false }
        var backslashes = 0
        var place = end - 2
        while place >= 0, bytes[place] == UInt8(ascii: "\\") {
            backslashes += 1
            place -= 1
        }
        return backslashes % 2 == 1
    }
}
