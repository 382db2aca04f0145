import Foundation

/// The lines of a file or of standard input, as borrowed bytes, through one buffer that is used again.
final class LineReader {
    struct CannotRead: Error, CustomStringConvertible {
        let path: String
        let reason: String

        var description: String { "cannot read \(path): \(reason)" }
    }

    /// Stays in the cache near the core: copying in and searching took 81 ns per line of 1.2 KB, with 1 MB 107 ns
    /// (2026-11-30).
    private static let firstCapacity = 1 << 18

    private let path: String
    private let descriptor: Int32
    private var buffer: UnsafeMutableRawBufferPointer
    /// The bytes in the buffer that are not handed out yet.
    private var start = 0
    private var end = 0
    /// Up to where the rest is known to hold no line break.
    private var searched = 0
    private var isAtEnd = false

    /// - Parameter path: `-` is standard input.
    init(_ path: String) throws(CannotRead) {
        self.path = path == "-" ? "standard input" : path
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CannotRead(path: path, reason: String(cString: strerror(errno))) }
        buffer = .allocate(byteCount: Self.firstCapacity, alignment: 64)
    }

    /// In bytes; nil of what is no file, such as a pipe.
    var size: Int64? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int64(status.st_size)
    }

    deinit {
        if descriptor != STDIN_FILENO { close(descriptor) }
        buffer.deallocate()
    }

    /// The next line without its line break, valid until the next call; nil at the end. A carriage return
    /// before the line break belongs to the break.
    func next() throws(CannotRead) -> UnsafeRawBufferPointer? {
        while true {
            if let found = memchr(buffer.baseAddress! + searched, 0x0A, end - searched) {
                let lineEnd = buffer.baseAddress!.distance(to: found)
                defer {
                    start = lineEnd + 1
                    searched = start
                }
                return line(from: start, to: lineEnd)
            }
            searched = end
            if isAtEnd {
                guard start < end else { return nil }
                defer { start = end }
                return line(from: start, to: end)
            }
            try fill()
        }
    }

    private func line(from lower: Int, to upper: Int) -> UnsafeRawBufferPointer {
        let hasReturn = upper > lower && buffer[upper - 1] == 0x0D
        return UnsafeRawBufferPointer(rebasing: buffer[lower..<(hasReturn ? upper - 1 : upper)])
    }

    private func fill() throws(CannotRead) {
        if start > 0 {
            memmove(buffer.baseAddress!, buffer.baseAddress! + start, end - start)
            end -= start
            searched -= start
            start = 0
        }
        if end == buffer.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: buffer.count * 2, alignment: 64)
            larger.copyMemory(from: UnsafeRawBufferPointer(buffer))
            buffer.deallocate()
            buffer = larger
        }
        let count = read(descriptor, buffer.baseAddress! + end, buffer.count - end)
        guard count >= 0 else {
            if errno == EINTR { return }
            throw CannotRead(path: path, reason: String(cString: strerror(errno)))
        }
        if count == 0 { isAtEnd = true } else { end += count }
    }
}
