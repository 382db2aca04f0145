import EQL
import Synchronization

/// A rule of a type other than `eql`; named, so that nobody believes it is running.
public struct UnsupportedRule: Hashable, Sendable, CustomStringConvertible {
    public let path: String
    public let id: String?
    public let name: String?
    /// `query`, `threshold`, `esql`, `machine_learning`, …
    public let type: String

    public var description: String { "\(path): not supported: \(type)" }
}

/// All that came of one load.
public struct RuleLoadReport: Sendable {
    public let rules: RuleSet
    /// By path, and in the order of the file within it.
    public let problems: [RuleProblem]
    /// By path.
    public let unsupported: [UnsupportedRule]
    /// How many files were read.
    public let fileCount: Int

    public var hasErrors: Bool { problems.contains { $0.severity == .error } }

    /// How often the rules use what EQL has and Apus does not, by construct.
    public var refused: [String: Int] {
        problems.reduce(into: [:]) { if let construct = $1.refused { $0[construct, default: 0] += 1 } }
    }
}

/// Reads rule files. A broken file is reported and does not keep the good ones from loading.
///
/// `max_signals` caps the alerts of one run in Elastic, at 100 by default. A stream has no runs, so it is not
/// applied: every finding becomes an alert, those beyond the cap are counted, and a file that asks for fewer than
/// the default is told so.
///
/// A loader that is used again reads only what has changed since its last load: it remembers what each file and document
/// gave, by its bytes. What comes of a load is the same as from a new loader.
public final class RuleLoader: Sendable {
    private let checker: QueryChecker
    /// Of the last load.
    private let known = Mutex<RuleReadings.Known>([:])

    public init(checker: QueryChecker) {
        self.checker = checker
    }

    /// Loads files and, recursively, the `*.toml` and `*.ndjson` files of folders, in the order of their paths.
    /// A name that ends with `.ndjson` is a rule export of Kibana, with a rule on each line; any other is TOML.
    ///
    /// A file reached twice, by overlapping paths or symbolic links, is read once; names that begin with a
    /// dot are passed over inside folders. Of two rules with one id, the first stays and the second is an error.
    ///
    /// - Parameter documents: Rules that lie elsewhere; they come after those of the files.
    public func load(paths: [String], documents: [RuleDocument] = []) -> RuleLoadReport {
        var walk = RuleFileWalk()
        for path in paths { walk.visit(path) }
        var collection = RuleCollection(problems: walk.problems)
        var readings = RuleReadings(checker, known: known.withLock { $0 })
        for path in walk.files {
            do {
                collection.add(
                    try readings.reading(
                        of: try RuleFileWalk.content(path), path: path, isExport: RuleFileWalk.isExport(path)))
            } catch {
                collection.problems.append(error)
            }
        }
        for document in documents {
            do {
                collection.add(
                    try readings.reading(of: document.content, path: document.path, isExport: false), of: document)
            } catch {
                collection.problems.append(error)
            }
        }
        known.withLock { $0 = readings.current }
        return collection.report(fileCount: walk.files.count + documents.count)
    }

    /// Reads rules from text, as if it were an export at `path`.
    public func load(ndjson: String, path: String) -> RuleLoadReport {
        var collection = RuleCollection(problems: [])
        collection.add(RuleReading(export: ndjson, path: path, checker: checker))
        return collection.report(fileCount: 1)
    }

    /// Reads one rule from text, as if it stood in a file at `path`.
    public func load(toml: String, path: String) -> RuleLoadReport {
        var collection = RuleCollection(problems: [])
        collection.add(RuleReading(toml: toml, path: path, checker: checker))
        return collection.report(fileCount: 1)
    }
}

/// A rule text that gives no rule.
public struct InvalidRule: Error, CustomStringConvertible {
    /// Empty when the rule is fine but of a type that is not supported.
    public let problems: [RuleProblem]
    public let unsupported: [UnsupportedRule]

    public var description: String {
        (problems.map(\.description) + unsupported.map(\.description)).joined(separator: "\n")
    }
}

extension Rule {
    /// The one rule of a rule file's text, as if it stood at `path`. Warnings are passed over.
    public static func parse(
        toml: String, path: String = "rule.toml", checker: QueryChecker
    ) throws(InvalidRule) -> Rule {
        let report = RuleLoader(checker: checker).load(toml: toml, path: path)
        guard let rule = report.rules.rules.first else {
            throw InvalidRule(problems: report.problems, unsupported: report.unsupported)
        }
        return rule
    }
}

/// What has been loaded so far.
private struct RuleCollection {
    var problems: [RuleProblem]
    private var rules: [Rule] = []
    private var unsupported: [UnsupportedRule] = []
    private var idPlaces: [String: RuleProblem.Place] = [:]

    init(problems: [RuleProblem]) {
        self.problems = problems
    }

    /// - Parameter document: where the reading lies, if in no file.
    mutating func add(_ reading: RuleReading, of document: RuleDocument? = nil) {
        problems += reading.problems
        for outcome in reading.outcomes {
            if case .rule(let rule, let place) = outcome, let problem = document?.misfiled(rule, at: place) {
                problems.append(problem)
            } else {
                add(outcome)
            }
        }
    }

    private mutating func add(_ outcome: RuleFileOutcome) {
        switch outcome {
        case .rule(let rule, let place):
            if let first = idPlaces[rule.id] {
                problems.append(
                    RuleProblem(
                        severity: .error, place: place, message: "rule_id \(rule.id) is taken, see \(first)",
                        hint: "give one of the two another id; the first one is used"))
            } else {
                idPlaces[rule.id] = place
                rules.append(rule)
            }
        case .unsupported(let rule): unsupported.append(rule)
        case .broken: break
        }
    }

    func report(fileCount: Int) -> RuleLoadReport {
        RuleLoadReport(
            rules: RuleSet(rules), problems: problems, unsupported: unsupported, fileCount: fileCount)
    }
}
