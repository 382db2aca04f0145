/// Splits a command line into arguments as programs on Windows find them in `argv`.
///
/// Source: "Parsing C command-line arguments" (Microsoft C runtime): blanks separate; quotes hold together; backslashes
/// before a quote count in pairs, an odd one makes the quote a character; in quotes, two quotes are one.
struct CommandLineReader {
    private let line: UnsafeRawBufferPointer
    private var position = 0

    init(_ line: UnsafeRawBufferPointer) {
        self.line = line
    }

    /// Writes the next argument into `output` from `end` on, which moves behind it; false when there is none. All
    /// arguments together are never longer than the line.
    mutating func next(into output: UnsafeMutableRawBufferPointer, at end: inout Int) -> Bool {
        while position < line.count, Self.isBlank(line[position]) { position += 1 }
        guard position < line.count else { return false }
        var isQuoted = false
        while position < line.count, isQuoted || !Self.isBlank(line[position]) {
            switch line[position] {
            case Self.backslash:
                takeBackslashes(output, &end)
            case Self.quote:
                position += 1
                if isQuoted, position < line.count, line[position] == Self.quote {
                    Self.append(Self.quote, output, &end)
                    position += 1
                } else {
                    isQuoted.toggle()
                }
            default:
                Self.append(line[position], output, &end)
                position += 1
            }
        }
        return true
    }

    private mutating func takeBackslashes(_ output: UnsafeMutableRawBufferPointer, _ end: inout Int) {
        let start = position
        while position < line.count, line[position] == Self.backslash { position += 1 }
        let count = position - start
        guard position < line.count, line[position] == Self.quote else {
            for _ in 0..<count { Self.append(Self.backslash, output, &end) }
            return
        }
        for _ in 0..<count / 2 { Self.append(Self.backslash, output, &end) }
        if count % 2 == 1 {
            Self.append(Self.quote, output, &end)
            position += 1
        }
    }

    private static func append(_ byte: UInt8, _ output: UnsafeMutableRawBufferPointer, _ end: inout Int) {
        output[end] = byte
        end += 1
    }

    private static let backslash = UInt8(ascii: "\\")
    private static let quote = UInt8(ascii: "\"")
    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == 0x09 }
}
