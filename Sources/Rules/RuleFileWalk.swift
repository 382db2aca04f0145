import EQL
import FoundationEssentials

/// Finds the rule files under paths. Each file and folder is visited once, so that links cannot loop.
struct RuleFileWalk {
    private(set) var files: [String] = []
    private(set) var problems: [RuleProblem] = []
    /// By path with all links resolved.
    private var visited: Set<String> = []

    /// In bytes; an export holds all rules of an installation in one file.
    private static func maximumSize(of path: String) -> Int { (isExport(path) ? 256 : 4) * 1024 * 1024 }

    /// Whether the file is a rule export of Kibana rather than one rule as TOML.
    static func isExport(_ path: String) -> Bool { path.hasSuffix(".ndjson") }

    /// A path the user named: any file is taken, whatever its name.
    mutating func visit(_ path: String) {
        var isFolder = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            problems.append(Self.problem(path, "there is no such file or folder"))
            return
        }
        guard visited.insert(Self.resolved(path)).inserted else { return }
        if isFolder { visitFolder(path) } else { files.append(path) }
    }

    private mutating func visitFolder(_ folder: String) {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            problems.append(Self.problem(folder, "the folder cannot be read"))
            return
        }
        for name in names.sorted() where !name.hasPrefix(".") {
            let path = folder.hasSuffix("/") ? folder + name : folder + "/" + name
            var isFolder = false
            // A dangling link is nobody's rule.
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { continue }
            if isFolder || name.hasSuffix(".toml") || Self.isExport(name) { visit(path) }
        }
    }

    /// The text of a rule file.
    static func read(_ path: String) throws(RuleProblem) -> String { try text(of: try content(path), path: path) }

    static func content(_ path: String) throws(RuleProblem) -> Data {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw problem(path, "the file cannot be read")
        }
        return data
    }

    /// What was read as the text of a rule file.
    static func text(of data: some Collection<UInt8>, path: String) throws(RuleProblem) -> String {
        guard data.count <= maximumSize(of: path) else {
            throw problem(path, "it is larger than \(maximumSize(of: path)) bytes")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw problem(path, "it is not valid UTF-8")
        }
        return text
    }

    private static func resolved(_ path: String) -> String {
        URL(filePath: path).resolvingSymlinksInPath().path
    }

    private static func problem(_ path: String, _ message: String) -> RuleProblem {
        RuleProblem(severity: .error, place: RuleProblem.Place(path: path), message: message, hint: nil)
    }
}

extension RuleProblem: Error {}
