public import EQL
import FoundationEssentials

/// All that came of one load.
public struct ExceptionLoadReport: Sendable {
    public let exceptions: ExceptionSet
    /// By name.
    public let lists: [ValueList]
    /// By path, and in the order of the file within it.
    public let problems: [RuleProblem]
    /// Exceptions that are switched off by `enabled = false` and were not asked for; checked, and not in force.
    public let disabled: Int
    /// The files that lists are read from, there or not.
    public let listPaths: [String]
    /// How many files were read, those of lists not counted.
    public let fileCount: Int

    public var hasErrors: Bool { problems.contains { $0.severity == .error } }
}

/// Reads files of exceptions and value lists. A broken exception is reported and left out: that can only raise more
/// alerts, never hide one.
public struct ExceptionLoader: Sendable {
    private let checker: ConditionChecker
    private let includesDisabled: Bool

    /// - Parameter includesDisabled: whether exceptions that say `enabled = false` are in force as well, to try them.
    public init(checker: ConditionChecker, includesDisabled: Bool = false) {
        self.checker = checker
        self.includesDisabled = includesDisabled
    }

    /// Loads files and, recursively, the `*.toml` files of folders, in the order of their paths. A list may be used in
    /// every file of the load.
    public func load(paths: [String]) -> ExceptionLoadReport {
        var walk = RuleFileWalk()
        for path in paths { walk.visit(path) }
        var problems = walk.problems
        var texts: [(path: String, text: String)] = []
        for path in walk.files where !RuleFileWalk.isExport(path) {
            do {
                texts.append((path, try RuleFileWalk.read(path)))
            } catch {
                problems.append(error)
            }
        }
        return load(texts, problems: problems)
    }

    /// Reads exceptions from text, as if they stood in a file at `path`.
    public func load(toml: String, path: String) -> ExceptionLoadReport {
        load([(path, toml)], problems: [])
    }

    private func load(_ texts: [(path: String, text: String)], problems: [RuleProblem]) -> ExceptionLoadReport {
        var files: [(file: ExceptionFile, root: TOMLTable)] = []
        var collection = ExceptionCollection(problems: problems)
        for (path, text) in texts {
            var file = ExceptionFile(path: path, text: text)
            guard let root = file.readRoot() else {
                collection.problems += file.problems
                continue
            }
            for declaration in file.lists(in: root) { collection.add(declaration, besides: path) }
            files.append((file, root))
        }
        for (file, root) in files {
            var file = file
            let found = file.exceptions(in: root, lists: collection.lists, checker: checker)
            collection.problems += file.problems
            for (exception, isEnabled) in found {
                if isEnabled || includesDisabled { collection.add(exception) } else { collection.disabled += 1 }
            }
        }
        return ExceptionLoadReport(
            exceptions: ExceptionSet(collection.exceptions),
            lists: collection.lists.values.sorted { $0.name < $1.name }, problems: collection.problems,
            disabled: collection.disabled, listPaths: collection.listPaths, fileCount: texts.count)
    }
}

/// What has been loaded so far.
private struct ExceptionCollection {
    var problems: [RuleProblem]
    private(set) var lists: [String: ValueList] = [:]
    private(set) var exceptions: [RuleException] = []
    var disabled = 0
    private(set) var listPaths: [String] = []
    private var listPlaces: [String: RuleProblem.Place] = [:]

    init(problems: [RuleProblem]) {
        self.problems = problems
    }

    mutating func add(_ declaration: ExceptionFile.ListDeclaration, besides path: String) {
        if let first = listPlaces[declaration.name] {
            report("list \"\(declaration.name)\" is declared already, see \(first)", at: declaration.place)
            return
        }
        listPlaces[declaration.name] = declaration.place
        let text: String
        if let values = declaration.values {
            text = values.joined(separator: "\n")
        } else {
            let listPath = Self.resolve(declaration.path ?? "", besides: path)
            listPaths.append(listPath)
            guard let data = FileManager.default.contents(atPath: listPath) else {
                report("\(listPath) cannot be read", at: declaration.pathPlace)
                return
            }
            guard data.count <= ValueListReader.maximumSize else {
                report("\(listPath) is larger than \(ValueListReader.maximumSize) bytes", at: declaration.pathPlace)
                return
            }
            guard let valid = String(validating: data, as: UTF8.self) else {
                report("\(listPath) is not valid UTF-8", at: declaration.pathPlace)
                return
            }
            text = valid
        }
        var reader = ValueListReader(
            name: declaration.name, kind: declaration.kind,
            path: declaration.path.map { Self.resolve($0, besides: path) } ?? path)
        let list = reader.read(text)
        problems +=
            declaration.path == nil
            // The lines of a list written in place are not those of a file.
            ? reader.problems.map {
                RuleProblem(
                    severity: $0.severity, place: declaration.pathPlace,
                    message: $0.place.excerpt.isEmpty ? $0.message : "\"\($0.place.excerpt)\": \($0.message)",
                    hint: $0.hint)
            } : reader.problems
        if let list { lists[list.name] = list }
    }

    mutating func add(_ exception: RuleException) {
        if let first = exceptions.first(where: { $0.id == exception.id }) {
            report("exception \(exception.id) is there already, see \(first.place)", at: exception.place)
            return
        }
        exceptions.append(exception)
    }

    private mutating func report(_ message: String, at place: RuleProblem.Place) {
        problems.append(RuleProblem(severity: .error, place: place, message: message, hint: nil))
    }

    private static func resolve(_ path: String, besides file: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }
}
