import CInstructions
import Detection
import EQL
import EventSchema
import Events
import Testing

/// Instructions per event, counted and not timed: what a load on the machine does not change. Beside hundreds of other
/// tests in one process two counts of the same can differ, so `make test` gives these a process of their own.
///
/// The bounds are for debug builds, which is what `swift test` makes, and leave half as much again (45,529, 103,897 and
/// 199,913 on 2026-11-24) for more rules, and for what simdjson, Vectorscan and glibc choose on other processors. A raised
/// number here is a decision, not an accident.
@Suite(
    .serialized,
    .enabled(if: apus_counts_instructions() == 1, "this processor or system does not step by instructions"),
    .enabled(if: isDebugBuild, "the bounds are for debug builds"))
struct InstructionTests {
    /// An event, and what it may cost with the whole pack loaded.
    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var record: String
        var allowed: UInt64
    }

    private static let cases = [
        Case(
            testDescription: "an event that no rule is about",
            record:
                #"{"@timestamp":"2026-11-24T09:00:03Z","event":{"category":["file"],"type":["change"]},"host":{"id":"h"},"file":{"path":"C:\\a\\b.txt"},"message":"nothing"}"#,
            allowed: 68_000),
        Case(
            testDescription: "a process start with a command line",
            record:
                #"{"@timestamp":"2026-11-24T09:00:03Z","event":{"category":["process"],"type":["start"]},"host":{"id":"h"},"process":{"name":"powershell.exe","command_line":"powershell.exe -File c:\\jobs\\nightly.ps1 -Verbose"}}"#,
            allowed: 156_000),
        Case(
            testDescription: "a Sysmon record that is not ECS",
            record:
                #"{"@timestamp":"2026-11-24T09:00:03Z","winlog":{"provider_name":"Microsoft-Windows-Sysmon","event_id":1,"computer_name":"h","event_data":{"UtcTime":"2026-11-24 09:00:02.123","Image":"C:\\a\\cmd.exe","CommandLine":"cmd /c dir","User":"D\\u"}}}"#,
            allowed: 300_000),
    ]

    @Test(arguments: cases) func anEventTakesNoMoreThanAllowed(_ event: Case) {
        let work = Work(Lane(), Array(event.record.utf8))
        // Until the buffers have grown and everything is loaded that is loaded lazily.
        for _ in 0..<3 { work.run() }
        let counts = (0..<2).map { _ in work.instructions }
        #expect(work.lane.evaluator.counters.matched == 0)
        #expect(counts[0] > 1_000)
        #expect(counts[0] <= event.allowed)
        #expect(counts[1] == counts[0])
    }

    /// A thousand rules that all name the event's program, and look for something else in its command line: what the event
    /// costs beside them is little more than beside one.
    @Test func aThousandRulesCostLittleMoreThanOne() throws {
        let record = Array(
            #"{"@timestamp":"2026-11-24T09:00:03Z","event":{"category":["process"]},"process":{"name":"powershell.exe","command_line":"powershell.exe -File nightly.ps1"}}"#
                .utf8)
        let costs = try [1, 1_000].map { count in
            let queries = try (0..<count).map { number in
                try #require(
                    QueryReader(.stream).read(
                        SourceText(
                            """
                            process where process.name : "powershell.exe" and process.command_line : "*secret\(number) *"
                            """)
                    ).query)
            }
            let work = Work(Lane(try CompiledQueries(queries)), record)
            // Until it has been measured which predicates hold, and gates have been chosen by that.
            for _ in 0..<600 { work.run() }
            #expect(work.lane.evaluator.counters.matched == 0)
            return (0..<2).map { _ in work.instructions }.min() ?? 0
        }
        #expect(Double(costs[1]) <= 1.5 * Double(costs[0]), "\(costs)")
    }

    private final class Work {
        let lane: Lane
        let record: [UInt8]

        var instructions: UInt64 {
            apus_count_instructions(
                { Unmanaged<Work>.fromOpaque($0!).takeUnretainedValue().run() },
                Unmanaged.passUnretained(self).toOpaque())
        }

        init(_ lane: Lane, _ record: [UInt8]) {
            self.lane = lane
            self.record = record
        }

        func run() { lane.process(record) }
    }
}

private var isDebugBuild: Bool {
    #if DEBUG
        true
    #else
        false
    #endif
}
