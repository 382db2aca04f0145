extension UnsafeMutableRawBufferPointer {
    /// Writes `value` in decimal digits, with its sign, up to the end of the buffer; 20 bytes hold any.
    ///
    /// - Returns: the bytes written.
    func writeDecimal(_ value: Int64) -> UnsafeRawBufferPointer {
        var place = count
        var rest = value.magnitude
        repeat {
            place -= 1
            self[place] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        } while rest > 0
        if value < 0 {
            place -= 1
            self[place] = UInt8(ascii: "-")
        }
        return UnsafeRawBufferPointer(rebasing: self[place...])
    }
}
