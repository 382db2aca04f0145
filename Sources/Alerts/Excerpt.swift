/// The part of a text that an alert can carry, cut between code points.
struct Excerpt {
    let text: String
    /// Where in the whole the excerpt begins, in UTF-8 bytes.
    let offset: Int
    let isCut: Bool

    /// The beginning; or, when `span` would be cut off, the part that begins an eighth of the limit before it.
    init(of bytes: ArraySlice<UInt8>, limit: Int, around span: Range<Int>? = nil) {
        let limit = max(1, limit)
        guard bytes.count > limit else {
            text = String(decoding: bytes, as: UTF8.self)
            offset = 0
            isCut = false
            return
        }
        var lower = bytes.startIndex
        if let span, span.upperBound > limit {
            lower += max(0, min(span.lowerBound - limit / 8, bytes.count - limit))
        }
        while lower > bytes.startIndex, bytes[lower] & 0xC0 == 0x80 { lower -= 1 }
        var upper = min(lower + limit, bytes.endIndex)
        while upper > lower, upper < bytes.endIndex, bytes[upper] & 0xC0 == 0x80 { upper -= 1 }
        text = String(decoding: bytes[lower..<upper], as: UTF8.self)
        offset = lower - bytes.startIndex
        isCut = true
    }
}
