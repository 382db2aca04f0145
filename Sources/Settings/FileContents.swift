import Glibc

/// Why a file's text is not to be had, in the words of the system.
public struct FileProblem: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }

    init(errno number: Int32) {
        description = strerror(number).map { String(cString: $0).lowercased() } ?? "error \(number)"
    }
}

extension Settings {
    /// The text of a file, which must be UTF-8.
    public static func contents(ofFile path: String) throws(FileProblem) -> String {
        guard let file = fopen(path, "re") else { throw FileProblem(errno: errno) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            bytes += buffer[..<count]
            if count < buffer.count { break }
        }
        // A folder opens like a file and fails here.
        guard ferror(file) == 0 else { throw FileProblem(errno: errno) }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw FileProblem("it is not UTF-8") }
        return text
    }

    /// The names of the files in a folder, in no order.
    static func names(inFolder path: String) throws(FileProblem) -> [String] {
        guard let folder = opendir(path) else { throw FileProblem(errno: errno) }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
