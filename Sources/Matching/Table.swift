/// Memory of one compiled program: tables of trivial values, written once and freed together.
///
/// Evaluation reads these tables through plain pointers, so that it neither counts references nor
/// checks for unique ownership per event.
final class Arena {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit {
        for block in blocks { block.deallocate() }
    }

    /// A copy of `elements` that lives as long as the arena.
    func freeze<Element: BitwiseCopyable>(_ elements: [Element]) -> Table<Element> {
        let block = UnsafeMutablePointer<Element>.allocate(capacity: max(elements.count, 1))
        elements.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { block.initialize(from: base, count: source.count) }
        }
        blocks.append(UnsafeMutableRawPointer(block))
        return Table(base: UnsafePointer(block), count: elements.count)
    }
}

/// A read-only table owned by an ``Arena``. Whoever holds one keeps the arena alive.
struct Table<Element: BitwiseCopyable>: BitwiseCopyable {
    let base: UnsafePointer<Element>
    let count: Int

    subscript(index: Int) -> Element {
        assert(index >= 0 && index < count)
        return base[index]
    }

    subscript(range: IndexRange) -> UnsafeBufferPointer<Element> {
        assert(Int(range.upper) <= count)
        return UnsafeBufferPointer(start: base + Int(range.lower), count: Int(range.upper - range.lower))
    }
}

/// A range of a ``Table``.
struct IndexRange: BitwiseCopyable {
    var lower: Int32
    var upper: Int32
}

/// Lists of integers, one per row, stored end to end.
struct ListTable: BitwiseCopyable {
    let rows: Table<IndexRange>
    let items: Table<Int32>

    init(_ lists: [[Int32]], in arena: Arena) {
        var rows: [IndexRange] = []
        var items: [Int32] = []
        for list in lists {
            rows.append(IndexRange(lower: Int32(items.count), upper: Int32(items.count + list.count)))
            items += list
        }
        self.rows = arena.freeze(rows)
        self.items = arena.freeze(items)
    }

    subscript(row: Int) -> UnsafeBufferPointer<Int32> { items[rows[row]] }
}

/// Which bits of a word to set.
struct WordMask: BitwiseCopyable {
    var mask: UInt64
    var word: Int32
}

/// Sets of predicate bits, one per row: as many masks as the bits of a row lie in words.
struct MaskTable: BitwiseCopyable {
    private let rows: Table<IndexRange>
    private let masks: Table<WordMask>

    init(_ lists: [[Int32]], in arena: Arena) {
        var rows: [IndexRange] = []
        var masks: [WordMask] = []
        for list in lists {
            let lower = masks.count
            for bit in list.sorted() {
                let mask: UInt64 = 1 << UInt64(bit & 63)
                if masks.count > lower, masks[masks.count - 1].word == bit >> 6 {
                    masks[masks.count - 1].mask |= mask
                } else {
                    masks.append(WordMask(mask: mask, word: bit >> 6))
                }
            }
            rows.append(IndexRange(lower: Int32(lower), upper: Int32(masks.count)))
        }
        self.rows = arena.freeze(rows)
        self.masks = arena.freeze(masks)
    }

    subscript(row: Int) -> UnsafeBufferPointer<WordMask> { masks[rows[row]] }
}
