import EventSchema
import Foundation
import Testing
import Traffic

private let start = EventTime(nanoseconds: 1_764_000_000_000_000_000)

private func plan(seed: UInt64 = 7, events: Int = TrafficPlan.minimumEvents, hosts: Int = TrafficPlan.minimumHosts)
    throws -> TrafficPlan
{
    try TrafficPlan(seed: seed, events: events, hosts: hosts, start: start)
}

@Suite struct TrafficGeneratorTests {
    @Test func sameSeedGivesSameBytes() throws {
        let first = TrafficGenerator(plan: try plan()).map(\.bytes)
        let second = TrafficGenerator(plan: try plan()).map(\.bytes)
        let other = TrafficGenerator(plan: try plan(seed: 8)).map(\.bytes)
        #expect(first == second)
        #expect(first != other)
    }

    @Test(arguments: [TrafficPlan.minimumEvents, 2_001, 5_000])
    func aRunHoldsExactlyItsEventsInOrderOfTime(events: Int) throws {
        let all = Array(TrafficGenerator(plan: try plan(events: events)))
        #expect(all.count == events)
        #expect(zip(all, all.dropFirst()).allSatisfy { $0.timestamp <= $1.timestamp })
        #expect(all[0].timestamp == start)
    }

    @Test func everyRecordIsJSONAndSaysWhatTheGeneratorSays() throws {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        for event in TrafficGenerator(plan: try plan()) {
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(event.bytes)) as? [String: Any],
                "\(String(decoding: event.bytes, as: UTF8.self))")
            let host = object["host"] as? [String: Any]
            #expect(host?["id"] as? String == event.hostKey)
            let time = try #require(formatter.date(from: object["@timestamp"] as? String ?? ""))
            #expect(Int64((time.timeIntervalSince1970 * 1_000).rounded()) == event.timestamp.nanoseconds / 1_000_000)
        }
    }

    @Test func recordsAreOfRealisticSize() throws {
        let sizes = TrafficGenerator(plan: try plan(events: 10_000)).map(\.bytes.count)
        let average = sizes.reduce(0, +) / sizes.count
        #expect((1_100...1_500).contains(average), "average \(average)")
        #expect(sizes.allSatisfy { (600...3_072).contains($0) }, "\(sizes.min() ?? 0) to \(sizes.max() ?? 0)")
    }

    @Test func theBufferVariantWritesTheSameBytes() throws {
        let plan = try plan()
        var generator = TrafficGenerator(plan: plan)
        var buffer: [UInt8] = []
        for event in TrafficGenerator(plan: plan) {
            let written = generator.next(into: &buffer)
            let header = try #require(written)
            #expect(buffer == event.bytes)
            #expect(header.hostKey == event.hostKey)
        }
        let past = generator.next(into: &buffer)
        #expect(past == nil)
    }

    @Test func behavioursNameTheirEvents() throws {
        let plan = try plan(events: 3_000)
        let all = Array(TrafficGenerator(plan: plan))
        let attack = try #require(plan.behaviours.first { $0.name == "mailsniper-self-search" })
        let text = attack.events.map { String(decoding: all[$0].bytes, as: UTF8.self) }
        #expect(text.count == 7)
        #expect(text[0].contains("Invoke-SelfSearch"))
        #expect(text[6].contains("ExchangeServicesClient"))
        #expect(Set(plan.behaviours.map(\.name)).count == plan.behaviours.count)
        #expect(plan.behaviours.allSatisfy { !$0.events.isEmpty })
    }

    @Test func plansTooSmallForTheBehavioursAreRefused() {
        #expect(throws: TrafficPlanError.tooFewEvents(minimum: TrafficPlan.minimumEvents)) {
            try TrafficPlan(seed: 1, events: 10, start: start)
        }
        #expect(throws: TrafficPlanError.tooFewHosts(minimum: TrafficPlan.minimumHosts)) {
            try TrafficPlan(seed: 1, events: 5_000, hosts: 3, start: start)
        }
        #expect(throws: TrafficPlanError.tooShort(minimumSeconds: TrafficPlan.minimumSeconds)) {
            try TrafficPlan(seed: 1, events: 5_000, start: start, seconds: 10)
        }
    }
}
