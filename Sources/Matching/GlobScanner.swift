import CVectorscan
import EventSchema

/// Answers the globs of one value after another. Working memory of one lane, which grows to the largest value that had
/// to be folded and allocates nothing from there on.
final class GlobScanner {
    /// Literals that stand in the value, each at most once.
    private let found: UnsafeMutablePointer<Int32>
    private var folded: UnsafeMutableRawBufferPointer

    /// Few values are longer.
    private static let firstCapacity = 1 << 14

    /// - Parameter literals: as many as the largest table has.
    init(literals: Int) {
        found = .allocate(capacity: max(literals, 1))
        folded = .allocate(byteCount: Self.firstCapacity, alignment: 1)
    }

    deinit {
        found.deallocate()
        folded.deallocate()
    }

    private struct ScanContext {
        var found: UnsafeMutablePointer<Int32>
        var count = 0
    }

    /// Sets, in `bits`, what the globs of `group` answer for `value`.
    ///
    /// - Parameter literals: those of the group's globs.
    func answer(
        _ group: UnsafePointer<FieldGroup>, _ literals: OpaquePointer, _ value: UnsafeRawBufferPointer,
        scratch: PatternScratch, bits: PredicateBits
    ) {
        var context = ScanContext(found: found)
        withUnsafeMutablePointer(to: &context) { context in
            _ = scan(literals, value, scratch, context: context) { id, _, _, _, context in
                guard let context = context?.assumingMemoryBound(to: ScanContext.self) else { return 1 }
                context.pointee.found[context.pointee.count] = Int32(id)
                context.pointee.count += 1
                return 0
            }
        }
        var isFolded = false
        for index in 0..<context.count {
            for glob in group.pointee.globs.globs(of: found[index]) {
                let needsFolding = group.pointee.globs.folds(glob)
                if needsFolding, !isFolded {
                    fold(value)
                    isFolded = true
                }
                let text = needsFolding ? UnsafeRawBufferPointer(rebasing: folded[..<value.count]) : value
                guard group.pointee.globs.matches(glob, text) else { continue }
                bits.set(group.pointee.globs.bits(of: glob))
            }
        }
    }

    private func fold(_ value: UnsafeRawBufferPointer) {
        if folded.count < value.count {
            folded.deallocate()
            var capacity = Self.firstCapacity
            while capacity < value.count { capacity *= 2 }
            folded = .allocate(byteCount: capacity, alignment: 1)
        }
        for index in 0..<value.count {
            let byte = value[index]
            folded[index] = ASCII.lowercased(byte)
        }
    }
}
