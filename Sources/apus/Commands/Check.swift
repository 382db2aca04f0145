import ArgumentParser
import Detection
import EQL
import EventSchema
import Rules
import Settings

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks files of rules and exceptions and says what is wrong with them.",
        discussion: """
            Reads every *.toml file of the paths and every *.ndjson export of Kibana, and checks the form, the EQL \
            query and the patterns of each rule, and warns of what is valid but hardly meant. Every problem is shown with its file, line and column and what to do about it. Rules of other types \
            than eql are listed as not supported and are no error.

            Examples:
              apus check config/rules
              apus check config/rules --exceptions config/exceptions
              apus check config/rules --config config/apus.yaml
              apus check --output json rules/ | jq '.problems[] | select(.severity == "error")'

            Exit code 1 if any rule is not valid.
            """)

    @Argument(help: "Rule files and folders of rule files.")
    var paths: [String]

    @Option(
        name: .customLong("exceptions"),
        help: "A file or folder of exceptions and value lists for these rules. May be repeated.")
    var exceptionPaths: [String] = []

    @Option(help: "How to write the result: text or json.")
    var output: OutputFormat = .text

    @Option(
        help: """
            A configuration file: also says where each correlation comes together, for inputs as it describes them, \
            with several partitions each.
            """)
    var config: String?

    @Flag(help: "Count warnings as errors.")
    var strict = false

    func run() throws {
        let loaded = LoadedRules(paths: paths, exceptions: exceptionPaths)
        let places = try config.map { try correlationPlaces(of: loaded, $0) } ?? [:]
        let report = loaded.report
        switch output {
        case .text: write(loaded, places)
        case .json: Console.print(CheckReport(loaded, places).jsonLine)
        }
        let problems = report.problems + loaded.exceptionProblems
        let isValid = !loaded.hasErrors && (!strict || problems.isEmpty)
        if report.fileCount == 0, report.problems.isEmpty {
            Console.note("error: no rule file was found in \(paths.joined(separator: ", "))")
            throw ExitStatus.negative.code
        }
        if !isValid { throw ExitStatus.negative.code }
    }

    /// By rule id, for rules that correlate.
    private func correlationPlaces(of loaded: LoadedRules, _ file: String) throws -> [String: String] {
        var options = SettingsOptions()
        options.config = file
        options.overrides = []
        let settings = try options.load()
        let inputs = settings.input.topics.map {
            InputKeying(topic: $0.name, key: $0.key.map { FieldPath($0) }, partitions: 2)
        }
        let hostKey = settings.hostKey.map { FieldPath($0) }
        var places: [String: String] = [:]
        for rule in loaded.report.rules.rules {
            switch CorrelationPlace(rule.checked, inputs: inputs, hostKey: hostKey) {
            case nil: break
            case .inPlace: places[rule.id] = "in place"
            case .correlateTopic(let reason):
                places[rule.id] = "through topic '\(settings.application).correlate': it \(reason)"
            }
        }
        return places
    }

    private func write(_ loaded: LoadedRules, _ places: [String: String]) {
        let report = loaded.report
        for problem in report.problems + loaded.exceptionProblems { Console.print(problem.rendered) }
        for rule in report.unsupported { Console.print("\(rule)") }
        for rule in report.rules.rules {
            Console.print("ok  \(rule.id)  \(rule.name)  [\(rule.severity.rawValue), \(rule.stage.rawValue)]")
            if let place = places[rule.id] { Console.print("    correlates \(place)") }
        }
        let errors = report.problems.count { $0.severity == .error }
        Console.print(
            """
            \(report.fileCount) files: \(report.rules.rules.count) valid rules, \(errors) errors, \
            \(report.problems.count - errors) warnings, \(report.unsupported.count) not supported
            """)
        for (construct, count) in report.refused.sorted(by: { $0.key < $1.key }) {
            Console.print("refused \(count) times: \(construct)")
        }
        if !exceptionPaths.isEmpty { writeExceptions(loaded) }
    }

    private func writeExceptions(_ loaded: LoadedRules) {
        let report = loaded.exceptions
        for exception in report.exceptions.exceptions {
            let scope =
                switch exception.scope {
                case .all: "all rules"
                case .rules(let ids): "\(ids.count) \(ids.count == 1 ? "rule" : "rules")"
                }
            let until = exception.expiry.map { "until \($0)" } ?? "for ever"
            Console.print("ok  exception \(exception.id)  [\(scope), \(until), \(exception.owner)]")
        }
        for list in report.lists {
            Console.print("ok  list \(list.name)  [\(list.values.count) \(list.kind.rawValue)]")
        }
        let errors = loaded.exceptionProblems.count { $0.severity == .error }
        Console.print(
            """
            \(report.fileCount) files: \(report.exceptions.exceptions.count) exceptions in force, \
            \(report.disabled) disabled, \(report.lists.count) lists, \(errors) errors, \
            \(loaded.exceptionProblems.count - errors) warnings
            """)
    }
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
}

/// The result of `apus check --output json`.
private struct CheckReport: Encodable {
    struct Problem: Encodable {
        var severity: String
        var file: String
        var line: Int
        var column: Int
        /// Of a problem in the query of a rule export: where in the query's own text.
        var queryLine: Int?
        var queryColumn: Int?
        var message: String
        var hint: String?
    }

    struct Entry: Encodable {
        var id: String
        var name: String
        var file: String
        var severity: String
        var stage: String
        var hash: String
        /// With a configuration, of a rule that correlates: where its events come together.
        var correlates: String?
    }

    struct Exception: Encodable {
        var id: String
        var file: String
        var rules: [String]?
        var stage: Int?
        var owner: String
        var reason: String
        var expires: String?
        var lists: [String]
    }

    struct List: Encodable {
        var name: String
        var kind: String
        var values: Int
    }

    struct Unsupported: Encodable {
        var file: String
        var id: String?
        var name: String?
        var type: String
    }

    var files: Int
    var valid: Bool
    var rules: [Entry]
    var problems: [Problem]
    var unsupported: [Unsupported]
    var exceptions: [Exception]
    var lists: [List]
    /// How often the rules use what EQL has and Apus does not, by construct.
    var refused: [String: Int]

    init(_ loaded: LoadedRules, _ places: [String: String]) {
        let report = loaded.report
        files = report.fileCount + loaded.exceptions.fileCount
        valid = !loaded.hasErrors
        exceptions = loaded.exceptions.exceptions.exceptions.map { exception in
            var rules: [String]?
            if case .rules(let ids) = exception.scope { rules = ids }
            return Exception(
                id: exception.id, file: exception.place.path, rules: rules, stage: exception.stage,
                owner: exception.owner, reason: exception.reason, expires: exception.expiry?.description,
                lists: exception.lists)
        }
        lists = loaded.exceptions.lists.map { List(name: $0.name, kind: $0.kind.rawValue, values: $0.values.count) }
        rules = report.rules.rules.map {
            Entry(
                id: $0.id, name: $0.name, file: $0.path, severity: $0.severity.rawValue, stage: $0.stage.rawValue,
                hash: $0.contentHash, correlates: places[$0.id])
        }
        problems = (report.problems + loaded.exceptionProblems).map {
            Problem(
                severity: $0.severity.rawValue, file: $0.place.path, line: $0.place.line, column: $0.place.column,
                queryLine: $0.place.inQuery?.line, queryColumn: $0.place.inQuery?.column, message: $0.message,
                hint: $0.hint)
        }
        refused = report.refused
        unsupported = report.unsupported.map { Unsupported(file: $0.path, id: $0.id, name: $0.name, type: $0.type) }
    }
}
