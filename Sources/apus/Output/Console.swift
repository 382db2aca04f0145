import Foundation

/// Standard output and standard error. Results go to the one, talk to the other, so that results can be piped.
enum Console {
    /// Buffers results; a broken pipe ends the process quietly, as it does other filters.
    struct Results: ~Copyable {
        private var buffer: [UInt8] = []
        private static let capacity = 1 << 16

        init() {
            buffer.reserveCapacity(Self.capacity + 4096)
        }

        mutating func line(_ bytes: some Collection<UInt8>) {
            buffer.append(contentsOf: bytes)
            buffer.append(UInt8(ascii: "\n"))
            if buffer.count >= Self.capacity { flush() }
        }

        mutating func flush() {
            Console.write(buffer, to: STDOUT_FILENO)
            buffer.removeAll(keepingCapacity: true)
        }

        deinit {
            Console.write(buffer, to: STDOUT_FILENO)
        }
    }

    static func print(_ text: String) { write(Array((text + "\n").utf8), to: STDOUT_FILENO) }

    static func note(_ text: String) { write(Array((text + "\n").utf8), to: STDERR_FILENO) }

    /// Without a line break, for a terminal.
    static func write(_ text: String) { write(Array(text.utf8), to: STDOUT_FILENO) }

    static let outputIsTerminal = isatty(STDOUT_FILENO) == 1

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = Foundation.write(
                    descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if written < 0 {
                    if errno == EINTR { continue }
                    // Nobody reads any more.
                    if descriptor == STDOUT_FILENO { exit(ExitStatus.success.rawValue) }
                    return
                }
                rest = rest.dropFirst(written)
            }
        }
    }
}

extension Encodable {
    /// One line of JSON with its keys in order.
    var jsonLine: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Values here are strings, numbers and lists of them: encoding cannot fail.
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }
}
