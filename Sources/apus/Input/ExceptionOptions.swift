import ArgumentParser
import Detection
import Rules

/// Exceptions that a command which reads files is given to try.
struct ExceptionOptions: ParsableArguments {
    @Option(
        name: .customLong("exceptions"),
        help: "A file or folder of exceptions and value lists. May be repeated.")
    var paths: [String] = []

    @Flag(
        name: .customLong("disabled-exceptions"),
        help: "Try exceptions that are switched off (enabled = false) as well.")
    var includesDisabled = false

    func load() -> ExceptionLoadReport {
        ExceptionLoader(checker: .standard, includesDisabled: includesDisabled).load(paths: paths)
    }
}
