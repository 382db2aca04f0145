import Foundation

/// `apus eval` as a user runs it, on a file, beside Python reading the same file.
struct FileWorkload {
    static let name = "apus eval, seed rule, 1 KB"
    static let prefilteredName = "apus eval --prefilter, seed rule, 1 KB"

    private let rules: BenchRules
    private let scale: Scale
    private let path: String
    /// A file of one event.
    private let onePath: String
    private let bytes: Int
    private let lines: Int

    init(rules: BenchRules, corpora: Corpora, scale: Scale) throws {
        self.rules = rules
        self.scale = scale
        let url = FileManager.default.temporaryDirectory.appending(path: "apus-bench-\(getpid()).ndjson")
        path = url.path
        onePath = path + ".one"
        let rounds = max(1, scale.lines / corpora.kilobyte.count)
        lines = rounds * corpora.kilobyte.count
        bytes = rounds * corpora.kilobyte.payloadBytes
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let file = try FileHandle(forWritingTo: url)
        for _ in 0..<rounds { try file.write(contentsOf: Data(corpora.kilobyte.bytes)) }
        try file.close()
        let one = Data(corpora.kilobyte.bytes[corpora.kilobyte.records[0]])
        _ = FileManager.default.createFile(atPath: onePath, contents: one)
    }

    func removeFiles() {
        for path in [path, onePath] { try? FileManager.default.removeItem(atPath: path) }
    }

    func run(_ report: Report) throws {
        let figures = [
            ("apus eval", try eval(Self.name)),
            ("apus eval --prefilter", try eval(Self.prefilteredName, "--no-normalize", "--prefilter")),
        ]
        let floors = pythonFloors(report)
        for floor in floors { report.add(floor) }
        for (_, figure) in figures { report.add(floors.last.map { figure.over($0) } ?? figure) }
        for (command, figure) in figures {
            for floor in floors {
                report.add(
                    Measure(
                        name: "\(command) against \(floor.workload.replacing("floor: ", with: ""))",
                        value: floor.nanosecondsPerEvent / figure.nanosecondsPerEvent, unit: "times",
                        remark: "CPU time of the process, both without their start"))
            }
        }
    }

    /// CPU time of all threads, with the system's share of reading the file, less that for a file of one event: starting,
    /// loading and compiling the rule.
    private func eval(_ name: String, _ options: String...) throws -> Figure {
        var times: [Double] = []
        var starts: [Double] = []
        var memory = 0
        for _ in 0..<min(scale.runs, 5) {
            let start = try run(onePath, options).cpuNanoseconds
            let whole = try run(path, options)
            starts.append(start)
            times.append(whole.cpuNanoseconds - start)
            memory = max(memory, whole.peakBytes)
        }
        let start = starts.sorted()[starts.count / 2]
        return Figure(
            name, events: lines, bytes: bytes, runs: times,
            note: String(
                format: "peak memory %d MB; the start, %.0f ms, is taken off: with it %@ events/s", memory / 1_000_000,
                start / 1e6, thousands(Double(lines) / (times.sorted()[times.count / 2] + start) * 1e9)))
    }

    private func run(_ file: String, _ options: [String]) throws -> Child {
        let child = try Child(Child.apus, ["eval"] + options + ["--rules", rules.seedPath, file])
        guard child.status == 0 else {
            throw BenchRules.Broken(description: "apus eval failed; build both: swift build -c release")
        }
        return child
    }

    private func pythonFloors(_ report: Report) -> [Figure] {
        guard let child = try? Child("ops/bench/python-floors", [path], captures: true) else {
            report.note("Python floors: skipped, ops/bench/python-floors cannot be run")
            return []
        }
        if child.status != 0 { report.note("Python floors: ended early, with status \(child.status)") }
        var names: [String] = []
        var runs: [String: [Double]] = [:]
        var read = 0
        for line in child.output.split(separator: "\n") {
            let cells = line.split(separator: "\t")
            guard cells.count == 3, let events = Int(cells[1]), let seconds = Double(cells[2]), events > 0 else {
                report.note(String(line))
                continue
            }
            if runs[String(cells[0])] == nil { names.append(String(cells[0])) }
            runs[String(cells[0]), default: []].append(seconds * 1e9)
            read = events
        }
        return names.map {
            Figure("floor: \($0)", events: read, bytes: bytes / lines * read, runs: runs[$0] ?? [])
        }
    }
}

/// A process that has ended, with what it used.
struct Child {
    private(set) var status: Int32 = 0
    private(set) var cpuNanoseconds = 0.0
    private(set) var peakBytes = 0
    private(set) var output = ""

    struct CannotStart: Error {}

    /// The product beside this one.
    static var apus: String {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "apus").path
    }

    /// Runs it to its end; what it prints is kept or dropped.
    init(_ path: String, _ arguments: [String], captures: Bool = false) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var ends: [Int32] = [-1, -1]
        if captures {
            guard pipe(&ends) == 0 else { throw CannotStart() }
            posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
            posix_spawn_file_actions_addclose(&actions, ends[0])
        } else {
            posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        let failure = posix_spawn(&process, path, &actions, nil, &words, environ)
        if captures {
            close(ends[1])
            if failure == 0 {
                output = String(
                    decoding: FileHandle(fileDescriptor: ends[0], closeOnDealloc: false).readDataToEndOfFile(),
                    as: UTF8.self)
            }
            close(ends[0])
        }
        guard failure == 0 else { throw CannotStart() }
        var usage = rusage()
        while true {
            let ended = wait4(process, &status, WNOHANG, &usage)
            if ended == process || (ended < 0 && errno != EINTR) { break }
            peakBytes = Swift.max(peakBytes, Self.peakBytes(of: process))
            usleep(5_000)
        }
        cpuNanoseconds = Self.nanoseconds(usage.ru_utime) + Self.nanoseconds(usage.ru_stime)
    }

    /// The most memory a running process has had resident. Not `ru_maxrss`, which a child inherits from the
    /// process that started it.
    private static func peakBytes(of process: pid_t) -> Int {
        guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
            let kilobytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first
        else { return 0 }
        return (Int(kilobytes) ?? 0) * 1_024
    }

    private static func nanoseconds(_ time: timeval) -> Double {
        Double(time.tv_sec) * 1e9 + Double(time.tv_usec) * 1e3
    }
}
