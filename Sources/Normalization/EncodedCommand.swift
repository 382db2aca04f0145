import EventSchema

/// The Base64 text behind PowerShell's `-EncodedCommand`.
enum EncodedCommand {
    typealias Bytes = UnsafeRawBufferPointer

    /// Shorter ones hide nothing a pattern could look for.
    private static let shortest = 12

    /// The Base64 text of the first switch that has one, in whatever spelling PowerShell takes: `-e`, `-en`, `-ec`…
    /// `-EncodedCommand`, with a hyphen, a dash or a slash, and the text perhaps in quotes. One pass.
    static func find(in text: Bytes) -> Bytes? {
        var index = 0
        while index < text.count {
            guard isSwitchStart(text, index), let behind = behindSwitch(text, index) else {
                index += 1
                continue
            }
            var start = behind
            while start < text.count, text[start].isBlank || isQuote(text[start]) { start += 1 }
            var end = start
            while end < text.count, isBase64(text[end]) { end += 1 }
            if end - start >= shortest { return Bytes(rebasing: text[start..<end]) }
            // What is no Base64 may hold the switch that is meant.
            index = max(behind, index + 1)
        }
        return nil
    }

    private static func isSwitchStart(_ text: Bytes, _ index: Int) -> Bool {
        guard index == 0 || text[index - 1].isBlank || isQuote(text[index - 1]) else { return false }
        return text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "/") || isDash(text, index)
    }

    /// En dash, em dash and horizontal bar: PowerShell takes each for a hyphen.
    private static func isDash(_ text: Bytes, _ index: Int) -> Bool {
        index + 2 < text.count && text[index] == 0xE2 && text[index + 1] == 0x80
            && (0x93...0x95).contains(text[index + 2])
    }

    /// Behind the switch and the blank that follows it; nil when this is another switch.
    private static func behindSwitch(_ text: Bytes, _ start: Int) -> Int? {
        let name: StaticString = "encodedcommand"
        let first = start + (text[start] == 0xE2 ? 3 : 1)
        var index = first
        while index < text.count, (text[index] | 0x20) &- 0x61 < 26 { index += 1 }
        let length = index - first
        guard length > 0, length <= name.utf8CodeUnitCount, index < text.count,
            text[index].isBlank || isQuote(text[index]) || text[index] == UInt8(ascii: ":")
        else { return nil }
        var isPrefix = true
        for offset in 0..<length where ASCII.lowercased(text[first + offset]) != name.utf8Start[offset] {
            isPrefix = false
        }
        return isPrefix || (length == 2 && text.hasPrefix("ec", at: first)) ? index + 1 : nil
    }

    private static func isQuote(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") }

    private static func isBase64(_ byte: UInt8) -> Bool { sextet(byte) != nil || byte == UInt8(ascii: "=") }

    private static func sextet(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }

    /// The most bytes ``decode(_:into:)`` writes for a text of this length: three of UTF-8 for two of UTF-16.
    static func room(for count: Int) -> Int { count / 4 * 3 / 2 * 3 + 12 }

    /// Base64 of UTF-16LE as UTF-8; what it is long, or nil when it is not a text. Half a surrogate pair becomes U+FFFD.
    ///
    /// Other programs have switches of the same names. Base64 of anything but text gives hardly any ASCII as UTF-16, and
    /// every script has some: at least an eighth must be.
    static func decode(_ base64: Bytes, into output: UnsafeMutableRawBufferPointer) -> Int? {
        var writer = TextWriter(output: output)
        var bits: UInt32 = 0
        var count = 0
        var low: UInt8?
        for index in 0..<base64.count {
            guard let value = sextet(base64[index]) else { break }
            bits = bits << 6 | value
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            let byte = UInt8(truncatingIfNeeded: bits >> UInt32(count))
            if let first = low {
                writer.append(UInt16(first) | UInt16(byte) << 8)
                low = nil
            } else {
                low = byte
            }
        }
        writer.finish()
        guard low == nil, writer.units >= 4, writer.plain * 8 >= writer.units else { return nil }
        return writer.count
    }

    /// UTF-16 to UTF-8.
    private struct TextWriter {
        let output: UnsafeMutableRawBufferPointer
        var count = 0
        var units = 0
        /// Units that are printable ASCII or blank.
        var plain = 0
        private var high: UInt16?

        init(output: UnsafeMutableRawBufferPointer) {
            self.output = output
        }

        mutating func append(_ unit: UInt16) {
            units += 1
            if (0x20..<0x7F).contains(unit) || (9...13).contains(unit) { plain += 1 }
            if let first = high {
                high = nil
                if (0xDC00..<0xE000).contains(unit) {
                    write(0x10000 + (UInt32(first - 0xD800) << 10) + UInt32(unit - 0xDC00))
                    return
                }
                write(0xFFFD)
            }
            switch unit {
            case 0xD800..<0xDC00: high = unit
            case 0xDC00..<0xE000: write(0xFFFD)
            default: write(UInt32(unit))
            }
        }

        mutating func finish() {
            if high != nil { write(0xFFFD) }
            high = nil
        }

        private mutating func write(_ scalar: UInt32) {
            if scalar < 0x80 {
                byte(UInt8(scalar))
            } else if scalar < 0x800 {
                byte(0xC0 | UInt8(scalar >> 6))
                byte(0x80 | UInt8(scalar & 0x3F))
            } else if scalar < 0x10000 {
                byte(0xE0 | UInt8(scalar >> 12))
                byte(0x80 | UInt8(scalar >> 6 & 0x3F))
                byte(0x80 | UInt8(scalar & 0x3F))
            } else {
                byte(0xF0 | UInt8(scalar >> 18))
                byte(0x80 | UInt8(scalar >> 12 & 0x3F))
                byte(0x80 | UInt8(scalar >> 6 & 0x3F))
                byte(0x80 | UInt8(scalar & 0x3F))
            }
        }

        private mutating func byte(_ value: UInt8) {
            output[count] = value
            count += 1
        }
    }
}
