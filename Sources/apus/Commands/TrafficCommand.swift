import ArgumentParser
import EventSchema
import Foundation
import Traffic

struct TrafficCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "traffic",
        abstract: "Writes realistic ECS events with attacks and near misses woven in, one per line.",
        discussion: """
            The events of apus demo, for trying rules, topics and sizes out. The same arguments give the same bytes, \
            but for --start, which is now unless it is given. Event times are spread over --seconds, however fast the \
            events are written.

            Examples:
              apus traffic --events 10000 | apus eval --rules config/rules -
              apus traffic --events 100000 | kcat -P -b localhost:9092 -t events
            """)

    @Option(help: "How many events.")
    var events = 10_000

    @Option(help: "From how many hosts.")
    var hosts = 500

    @Option(help: "The stretch of event time they cover, in seconds.")
    var seconds = 900

    @Option(help: "Chooses one of many runs of traffic.")
    var seed: UInt64 = 1

    @Option(help: "The time of the first event, ISO 8601.")
    var start: String?

    func run() throws {
        guard let begin = start.map(EventTime.init(parsing:)) ?? .now(minus: 0) else {
            throw ValidationError("--start is a time such as 2026-11-24T09:00:00Z")
        }
        let plan: TrafficPlan
        do {
            plan = try TrafficPlan(seed: seed, events: events, hosts: hosts, start: begin, seconds: seconds)
        } catch {
            throw ValidationError(Self.words(for: error))
        }
        var generator = TrafficGenerator(plan: plan)
        var results = Console.Results()
        var buffer: [UInt8] = []
        while generator.next(into: &buffer) != nil { results.line(buffer) }
        results.flush()
    }

    private static func words(for error: TrafficPlanError) -> String {
        switch error {
        case .tooFewEvents(let minimum): "--events must be at least \(minimum)"
        case .tooFewHosts(let minimum): "--hosts must be at least \(minimum)"
        case .tooShort(let minimum): "--seconds must be at least \(minimum)"
        }
    }
}
