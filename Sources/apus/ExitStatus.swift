import ArgumentParser

/// What the exit codes of `apus` mean; from 64 on they are those of sysexits.h.
enum ExitStatus: Int32, CaseIterable {
    case success = 0
    case negative = 1
    case usage = 64
    case data = 65
    case noInput = 66
    case unavailable = 69
    case failed = 70
    case timedOut = 75
    case configuration = 78

    var meaning: String {
        switch self {
        case .success: "done, and all is well"
        case .negative: "done, and the answer is no: an invalid rule, a missed alert, an unhealthy instance"
        case .usage: "wrong arguments"
        case .data: "the query or the rules are not valid"
        case .noInput: "a file cannot be read"
        case .unavailable: "no broker can be reached, or a topic is missing"
        case .failed: "stopped by an error that did not go away; nothing uncommitted is lost"
        case .timedOut: "stopped, but not everything was finished within the shutdown time-out"
        case .configuration: "the configuration is not valid"
        }
    }

    static var help: String {
        "EXIT CODES:\n"
            + allCases.map { "  \($0.rawValue)\($0.rawValue < 10 ? " " : "")  \($0.meaning)" }
            .joined(separator: "\n")
    }

    var code: ExitCode { ExitCode(rawValue) }
}
