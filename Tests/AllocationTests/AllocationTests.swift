import CAllocations
import Detection
import EventSchema
import Events
import Testing
import Traffic

/// Allocations per event, counted and not timed: the same on every machine and under any load.
///
/// Holds in debug builds too. `CAllocations` counts per thread, so tests beside these do not disturb.
@Suite struct AllocationTests {
    private static let records: [[UInt8]] = {
        let start = EventTime(nanoseconds: 1_780_000_000_000_000_000)
        guard let plan = try? TrafficPlan(seed: 3, events: 20_000, hosts: 100, start: start) else {
            preconditionFailure("the plan is large enough")
        }
        return TrafficGenerator(plan: plan).map(\.bytes)
    }()

    private static func allocations(_ body: () -> Void) -> UInt64 {
        let before = apus_allocation_count()
        body()
        return apus_allocation_count() - before
    }

    @Test func theCounterCounts() {
        let count = Self.allocations {
            let block = UnsafeMutableRawPointer.allocate(byteCount: 100, alignment: 16)
            block.deallocate()
        }
        #expect(count == 1)
    }

    @Test func decodingAllocatesNothing() {
        let decoder = Lane.pack.queries.makeDecoder(limits: DecodeLimits())
        func decodeAll() -> UInt64 {
            var total: UInt64 = 0
            for record in Self.records {
                record.withUnsafeBytes { record in
                    let before = apus_allocation_count()
                    _ = decoder.decode(record)
                    total += apus_allocation_count() - before
                }
            }
            return total
        }
        // The first pass lets the buffers grow to the largest record.
        _ = decodeAll()
        #expect(decodeAll() == 0)
    }

    /// Per event, so that events which match cannot hide one that should have cost nothing. A part of a script block is
    /// kept until the others come, whether they match or not.
    @Test func eventsThatMatchNothingAllocateNothing() {
        let lane = Lane()
        for record in Self.records { lane.process(record) }
        var unmatched = 0
        var allocating = 0
        for record in Self.records {
            let before = lane.evaluator.counters
            let count = Self.allocations { lane.process(record) }
            let after = lane.evaluator.counters
            guard after.matched == before.matched, after.scriptBlocks.parts == before.scriptBlocks.parts else {
                continue
            }
            unmatched += 1
            if count > 0 { allocating += 1 }
        }
        #expect(unmatched >= 10_000)
        #expect(allocating == 0)
    }

    @Test func recordsThatArePassedOverAllocateNothing() throws {
        let lane = Lane(try Lane.seed.prefiltered(recordsHaveTimes: true))
        for record in Self.records { lane.process(record) }
        var allocating = 0
        for record in Self.records {
            let before = lane.evaluator.counters.passedOver
            let count = Self.allocations { lane.process(record) }
            if lane.evaluator.counters.passedOver > before, count > 0 { allocating += 1 }
        }
        #expect(lane.evaluator.counters.passedOver > 20_000)
        #expect(allocating == 0)
    }

    /// Records of every kind of source that are not ECS, and match nothing.
    private static let rawRecords: [[UInt8]] = [
        #"{"@timestamp":"2026-11-24T09:00:03Z","winlog":{"provider_name":"Microsoft-Windows-Sysmon","event_id":1,"computer_name":"h","event_data":{"UtcTime":"2026-11-24 09:00:02.123","Image":"C:\\a\\powershell.exe","CommandLine":"powershell.exe -File \"x y.ps1\"","Hashes":"MD5=AB","User":"D\\u"}}}"#,
        #"{"@timestamp":"2026-11-24T09:00:03Z","winlog":{"provider_name":"Microsoft-Windows-Sysmon","event_id":3,"computer_name":"h","event_data":{"UtcTime":"2026-11-24 09:00:02.123","Image":"C:\\a\\x.exe","DestinationPort":"443","Initiated":"true"}}}"#,
        #"{"winlog":{"provider_name":"Microsoft-Windows-Security-Auditing","event_id":4688,"computer_name":"h","event_data":{"NewProcessId":"0x1f","NewProcessName":"C:\\a\\cmd.exe","CommandLine":"cmd /c dir"}}}"#,
        #"{"date":"2026-11-24","time":"09:00:04","c-ip":"192.0.2.1","s-ip":"10.0.0.1","s-port":443,"cs-uri-stem":"/owa/","cs(User-Agent)":"Mozilla/5.0+(Windows)","sc-status":200}"#,
        #"{"CreationTime":"2026-11-24T09:10:00","Workload":"Exchange","RecordType":50,"Operation":"MailItemsAccessed","UserId":"a@b.example","ClientIP":"[::1]:9","OrganizationName":"b.example"}"#,
    ].map { Array($0.utf8) }

    @Test func recordsThatAreNotECSAllocateNothing() {
        let lane = Lane()
        for record in Self.rawRecords { lane.process(record) }
        #expect(lane.evaluator.counters.normalized == UInt64(Self.rawRecords.count))
        var unmatched = 0
        for record in Self.rawRecords {
            let matched = lane.evaluator.counters.matched
            let count = Self.allocations { lane.process(record) }
            guard lane.evaluator.counters.matched == matched else { continue }
            unmatched += 1
            #expect(count == 0, "\(String(decoding: record, as: UTF8.self))")
        }
        #expect(unmatched == 3, "the connection and the request for /owa/ are stages of rules")
    }

    /// Scripts and command lines that hide something, each by another means, and nothing that rules look for.
    @Test(arguments: [
        "'Get-' + 'Date'", "('a','b','c') -join '-'", "-join ('Get','-','Date')", #""{1}-{0}" -f 'Date','Get'"#,
        #""{0};{1}" -f $Server, $item.DisplayName"#, "[char]71 + [char]0x65", "-join [char[]](71,101,116)",
        "G`e`t-D`a`t`e", "powershell -enc RwBlAHQALQBEAGEAdABlACAALQBGAG8AcgBtAGEAdAA=", "Get-Da''te", "c^m^d /c d^ir",
    ])
    func hiddenTextAllocatesNothing(text: String) {
        let escaped = text.replacing("\"", with: "\\\"")
        let records = [
            #"{"event":{"category":["process"],"type":["start"]},"process":{"name":"x.exe","command_line":"\#(escaped)"}}"#,
            #"{"event":{"code":"4104"},"powershell":{"file":{"script_block_text":"\#(escaped)"}}}"#,
        ].map { Array($0.utf8) }
        let lane = Lane()
        for record in records + records { lane.process(record) }
        for record in records { #expect(Self.allocations { lane.process(record) } == 0) }
        #expect(lane.evaluator.counters.matched == 0)
    }

    /// A raised number here is a decision, not an accident.
    @Test func anEventThatMatchesAllocatesNoMoreThanAllowed() {
        let lane = Lane()
        for record in Self.records { lane.process(record) }
        var matching = 0
        var total: UInt64 = 0
        for record in Self.records {
            let matched = lane.evaluator.counters.matched
            let count = Self.allocations { lane.process(record) }
            guard lane.evaluator.counters.matched > matched else { continue }
            matching += 1
            total += count
        }
        #expect(matching > 100)
        let perMatch = Double(total) / Double(max(matching, 1))
        #expect(perMatch <= Self.allowedPerMatch)
    }

    /// The copy of the record, and per rule that it is a stage of, its keys and its place among what waits. Debug builds
    /// need a little less with the whole pack (2026-11-30).
    private static let allowedPerMatch = 75.0
}
