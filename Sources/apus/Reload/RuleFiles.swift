import Foundation

/// What the files of rules, exceptions and lists look like from outside: equal as long as nobody has touched them.
struct RuleFiles: Equatable {
    private struct Look: Equatable {
        var device: UInt64
        var inode: UInt64
        var size: Int64
        var seconds: Int
        var nanoseconds: Int
    }

    private var looks: [String: Look] = [:]

    /// - Parameter paths: files, and folders with all that is below them. Links are followed, as a ConfigMap of
    ///   Kubernetes has them.
    init(paths: [String]) {
        var folders: Set<[UInt64]> = []
        for path in paths { visit(path, &folders) }
    }

    private mutating func visit(_ path: String, _ folders: inout Set<[UInt64]>) {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        let (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino))
        guard status.st_mode & S_IFMT == S_IFDIR else {
            looks[path] = Look(
                device: device, inode: inode, size: Int64(status.st_size), seconds: status.st_mtim.tv_sec,
                nanoseconds: status.st_mtim.tv_nsec)
            return
        }
        // Links cannot loop.
        guard folders.insert([device, inode]).inserted else { return }
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] where !name.hasPrefix(".") {
            visit(path + "/" + name, &folders)
        }
    }
}
