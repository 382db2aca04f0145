/// A hash table from byte strings to row numbers, built once and only read afterwards.
///
/// Open addressing with linear probing at a load of at most one half. Only lookups happen with bytes
/// from events, so an attacker can choose the probe but never the chains.
struct StringTable: BitwiseCopyable {
    private struct Slot: BitwiseCopyable {
        var hash: UInt64
        var offset: Int32
        var length: Int32
        /// -1 marks an empty slot.
        var row: Int32
    }

    private let slots: Table<Slot>
    private let bytes: Table<UInt8>
    private let mask: Int
    private let shortest: Int
    /// The length of the longest key: a value that is longer cannot be in the table.
    let longest: Int
    let isEmpty: Bool

    /// Row `i` belongs to `keys[i]`; keys are distinct.
    init(keys: [[UInt8]], in arena: Arena) {
        var capacity = 2
        while capacity < keys.count * 2 { capacity *= 2 }
        mask = capacity - 1
        var slots = [Slot](repeating: Slot(hash: 0, offset: 0, length: 0, row: -1), count: capacity)
        var bytes: [UInt8] = []
        for (row, key) in keys.enumerated() {
            let hash = key.withUnsafeBytes(Self.hash)
            var index = Int(truncatingIfNeeded: hash) & mask
            while slots[index].row >= 0 { index = (index + 1) & mask }
            slots[index] = Slot(
                hash: hash, offset: Int32(bytes.count), length: Int32(key.count), row: Int32(row))
            bytes += key
        }
        self.slots = arena.freeze(slots)
        self.bytes = arena.freeze(bytes)
        shortest = keys.map(\.count).min() ?? 0
        longest = keys.map(\.count).max() ?? -1
        isEmpty = keys.isEmpty
    }

    /// The row of `value`, or nil.
    func row(of value: UnsafeRawBufferPointer) -> Int? {
        guard value.count <= longest, value.count >= shortest else { return nil }
        let hash = Self.hash(value)
        var index = Int(truncatingIfNeeded: hash) & mask
        while true {
            let slot = slots[index]
            if slot.row < 0 { return nil }
            if slot.hash == hash, Int(slot.length) == value.count, holds(slot, value) { return Int(slot.row) }
            index = (index + 1) & mask
        }
    }

    private func holds(_ slot: Slot, _ value: UnsafeRawBufferPointer) -> Bool {
        let key = bytes.base + Int(slot.offset)
        for index in 0..<value.count where key[index] != value[index] { return false }
        return true
    }

    /// Multiply-and-fold over eight bytes at a time.
    private static func hash(_ value: UnsafeRawBufferPointer) -> UInt64 {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: value.count)
        var offset = 0
        while offset + 8 <= value.count {
            state = mix(state ^ value.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        var tail: UInt64 = 0
        var shift: UInt64 = 0
        while offset < value.count {
            tail |= UInt64(value[offset]) << shift
            shift += 8
            offset += 1
        }
        return mix(state ^ tail)
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        return product.high ^ product.low
    }
}
