import CVectorscan
import EQL
import Synchronization

/// Patterns compiled one by one, to find where they match; of all lanes together.
///
/// Compiled when somebody asks first, since most are never asked about: one takes milliseconds. When every lane compiled
/// its own, a start with 64 lanes and one rule spent a quarter of its CPU on it (2026-11-24).
final class SpanPatterns: Sendable {
    private let sets = Mutex<[StringPattern: PatternSet?]>([:])

    /// Nil when Vectorscan does not take the pattern in this form. Others wait while one is compiled.
    func set(for pattern: StringPattern) -> PatternSet? {
        sets.withLock { sets in
            if let known = sets[pattern] { return known }
            let flags = (PatternSet.flags & ~UInt32(HS_FLAG_SINGLEMATCH)) | UInt32(HS_FLAG_SOM_LEFTMOST)
            let set = try? PatternSet([pattern], flags: flags)
            sets[pattern] = .some(set)
            return set
        }
    }
}

/// The first place in a value where a pattern matches, for showing it to people. Not for the hot path.
final class SpanFinder {
    private let patterns: SpanPatterns
    private let scratch = PatternScratch()
    /// What the scratch has room for.
    private var known: [StringPattern: PatternSet?] = [:]

    init(_ patterns: SpanPatterns) {
        self.patterns = patterns
    }

    /// UTF-8 offsets of the leftmost match of `pattern`, as long as it gets from its start.
    func find(_ pattern: StringPattern, in value: UnsafeRawBufferPointer) -> Range<Int>? {
        guard let set = set(for: pattern) else { return nil }
        var found: (start: UInt64, end: UInt64)?
        withUnsafeMutablePointer(to: &found) { context in
            _ = scan(set.database, value, scratch, context: context) { _, from, to, _, context in
                guard let found = context?.assumingMemoryBound(to: (start: UInt64, end: UInt64)?.self) else { return 1 }
                switch found.pointee {
                case nil: found.pointee = (from, to)
                case let best? where from < best.start: found.pointee = (from, to)
                case let best? where from == best.start && to > best.end: found.pointee = (from, to)
                default: break
                }
                return 0
            }
        }
        return found.map { Int($0.start)..<Int($0.end) }
    }

    private func set(for pattern: StringPattern) -> PatternSet? {
        if let set = known[pattern] { return set }
        let set = patterns.set(for: pattern)
        if let set { scratch.reserve(for: set.database) }
        known[pattern] = .some(set)
        return set
    }
}
