/// Memory for the text that expressions make: handed out in one direction, taken back all at once.
///
/// Allocates until it has grown to what events need, and not after. Text from it is valid until ``reset()``.
final class ScratchText {
    private var block: UnsafeMutableRawBufferPointer
    private var used = 0
    /// Blocks that became too small but hold text that is still in use.
    private var outgrown: [UnsafeMutableRawBufferPointer] = []

    init(capacity: Int = 1024) {
        block = .allocate(byteCount: capacity, alignment: 1)
    }

    deinit {
        block.deallocate()
        for block in outgrown { block.deallocate() }
    }

    /// `count` bytes for the caller to fill.
    func take(_ count: Int) -> UnsafeMutableRawBufferPointer {
        if count > block.count - used {
            outgrown.append(block)
            block = .allocate(byteCount: max(2 * block.count, count), alignment: 1)
            used = 0
        }
        defer { used += count }
        return UnsafeMutableRawBufferPointer(rebasing: block[used..<(used + count)])
    }

    /// Takes back what the last ``take(_:)`` gave too much.
    func giveBack(_ count: Int) { used -= count }

    func reset() {
        used = 0
        guard !outgrown.isEmpty else { return }
        for block in outgrown { block.deallocate() }
        outgrown.removeAll(keepingCapacity: true)
    }
}
