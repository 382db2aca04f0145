import EventSchema
import Glibc

// Text as UTF-8, its places counted in UTF-16 units. Everything is linear in the bytes: values come from
// attackers.

extension UnsafeRawBufferPointer {
    func prefix(upTo end: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[..<end]) }

    func suffix(from start: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[start...]) }

    func isEqual(to other: UnsafeRawBufferPointer) -> Bool {
        count == other.count && hasPrefix(other)
    }

    func hasPrefix(_ other: UnsafeRawBufferPointer) -> Bool {
        guard other.count <= count else { return false }
        guard let start = baseAddress, let otherStart = other.baseAddress else { return other.isEmpty }
        return memcmp(start, otherStart, other.count) == 0
    }

    func hasSuffix(_ other: UnsafeRawBufferPointer) -> Bool {
        other.count <= count && suffix(from: count - other.count).hasPrefix(other)
    }

    /// Bytewise, which for UTF-8 is code-point order: below, equal to or above zero.
    func order(_ other: UnsafeRawBufferPointer) -> Int {
        if let start = baseAddress, let otherStart = other.baseAddress {
            let order = memcmp(start, otherStart, Swift.min(count, other.count))
            if order != 0 { return Int(order) }
        }
        return count - other.count
    }

    /// The offset of the first `wanted` at or after `start`.
    func firstOffset(of wanted: UnsafeRawBufferPointer, from start: Int, _ scratch: ScratchText) -> Int? {
        guard start <= count else { return nil }
        return wanted.isEmpty ? start : search(wanted, from: start, scratch, isFirst: true)
    }

    /// The offset of the last `wanted` at or after `start`.
    func lastOffset(of wanted: UnsafeRawBufferPointer, from start: Int, _ scratch: ScratchText) -> Int? {
        guard start <= count else { return nil }
        return wanted.isEmpty ? count : search(wanted, from: start, scratch, isFirst: false)
    }

    /// Knuth, Morris and Pratt's search, which never looks at a byte twice whatever the two texts are; the first
    /// byte of a match is left to `memchr`.
    private func search(
        _ wanted: UnsafeRawBufferPointer, from start: Int, _ scratch: ScratchText, isFirst: Bool
    ) -> Int? {
        guard let base = baseAddress, wanted.count <= count - start else { return nil }
        let first = wanted[0]
        var fallbacks: UnsafeMutableRawBufferPointer?
        var found: Int?
        var matched = 0
        var offset = start
        while offset < count {
            if matched == 0 {
                guard let place = memchr(base + offset, Int32(first), count - offset) else { break }
                offset = base.distance(to: UnsafeRawPointer(place)) + 1
                matched = 1
            } else {
                let table = fallbacks ?? wanted.fallbacks(scratch)
                fallbacks = table
                while matched > 0, wanted[matched] != self[offset] { matched = table.fallback(matched) }
                if wanted[matched] == self[offset] { matched += 1 }
                offset += 1
            }
            guard matched == wanted.count else { continue }
            found = offset - matched
            if isFirst { break }
            let table = fallbacks ?? wanted.fallbacks(scratch)
            fallbacks = table
            matched = table.fallback(matched)
        }
        return found
    }

    /// For every length of a prefix, from 1, the length of the longest shorter prefix that it ends with.
    private func fallbacks(_ scratch: ScratchText) -> UnsafeMutableRawBufferPointer {
        let table = scratch.take(count * MemoryLayout<Int32>.size)
        table.setFallback(1, 0)
        var length = 0
        for index in 1..<Swift.max(count, 1) {
            while length > 0, self[index] != self[length] { length = table.fallback(length) }
            if self[index] == self[length] { length += 1 }
            table.setFallback(index + 1, length)
        }
        return table
    }

    // MARK: UTF-16 units

    /// Units of the code point that starts with `byte`; none for a continuation byte.
    private static func units(_ byte: UInt8) -> Int { byte & 0xC0 == 0x80 ? 0 : byte >= 0xF0 ? 2 : 1 }

    var utf16Count: Int {
        var units = 0
        for byte in self { units += Self.units(byte) }
        return units
    }

    /// The byte offset of the code point in which unit `unit` lies, and whether it is its second unit. Past the
    /// end it is the end.
    func place(ofUnit unit: Int) -> (offset: Int, isInside: Bool) {
        var passed = 0
        for offset in 0..<count {
            let units = Self.units(self[offset])
            guard units > 0 else { continue }
            if passed + units > unit { return (offset, passed < unit) }
            passed += units
        }
        return (count, false)
    }

    /// The byte offset of code point `index`, or the end.
    func offset(ofScalar index: Int) -> Int {
        var passed = 0
        for offset in 0..<count where self[offset] & 0xC0 != 0x80 {
            if passed == index { return offset }
            passed += 1
        }
        return count
    }

    var scalarCount: Int {
        var scalars = 0
        for byte in self where byte & 0xC0 != 0x80 { scalars += 1 }
        return scalars
    }

    // MARK: Case

    /// In lower case by the rules of Unicode that look at one code point at a time: `İ` becomes two, and `Σ` is
    /// always `σ`. The text itself when nothing changes.
    func lowercased(_ scratch: ScratchText) -> UnsafeRawBufferPointer {
        guard contains(where: { $0 &- 0x41 < 26 || $0 >= 0x80 }) else { return self }
        // No mapping is longer than its code point by more than half.
        let capacity = count + count / 2 + 4
        let result = scratch.take(capacity)
        var length = 0
        var offset = 0
        while offset < count {
            let byte = self[offset]
            if byte < 0x80 {
                result[length] = ASCII.lowercased(byte)
                length += 1
                offset += 1
                continue
            }
            let (scalar, width) = scalar(at: offset)
            let mapped = scalar.properties.lowercaseMapping.utf8
            guard length + mapped.count + (count - offset - width) <= capacity else { break }
            for byte in mapped {
                result[length] = byte
                length += 1
            }
            offset += width
        }
        scratch.giveBack(capacity - length)
        return UnsafeRawBufferPointer(rebasing: result[..<length])
    }

    /// The code point that starts at `offset`, not an ASCII one. Events hold valid UTF-8; of anything else every
    /// byte is a replacement character.
    private func scalar(at offset: Int) -> (Unicode.Scalar, width: Int) {
        let lead = self[offset]
        let width = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
        guard lead >= 0xC2, lead < 0xF5, offset + width <= count else { return ("\u{FFFD}", 1) }
        var value = UInt32(lead) & (0xFF >> UInt32(width + 1))
        for index in (offset + 1)..<(offset + width) { value = value << 6 | UInt32(self[index] & 0x3F) }
        return (Unicode.Scalar(value) ?? "\u{FFFD}", width)
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func fallback(_ length: Int) -> Int {
        Int(loadUnaligned(fromByteOffset: (length - 1) * MemoryLayout<Int32>.size, as: Int32.self))
    }

    fileprivate func setFallback(_ length: Int, _ fallback: Int) {
        storeBytes(of: Int32(fallback), toByteOffset: (length - 1) * MemoryLayout<Int32>.size, as: Int32.self)
    }
}
