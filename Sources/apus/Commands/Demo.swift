import ArgumentParser
import Detection
import Foundation
import Traffic

struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows the whole of Apus in half a minute, without any Kafka of your own.",
        discussion: """
            Starts a broker in memory and two instances of Apus in one consumer group, sends realistic ECS traffic \
            of hundreds of hosts with the four test behaviours of T1114.002 woven in, near misses too, reads the \
            alerts back from the alert topic with a consumer of its own, and compares them with what was woven in.

            Exit code 1 if an expected alert is missing or an unexpected one came.

            Examples:
              apus demo
              apus demo --seconds 60 --rate 10000
            """)

    @Option(help: "How long to send traffic.")
    var seconds: Int = 15

    @Option(help: "Events per second.")
    var rate: Int = 4000

    @Option(help: "Number of hosts in the traffic.")
    var hosts: Int = 400

    @Option(help: "Another seed gives other traffic; the same seed gives the same.")
    var seed: UInt64 = 1

    @Option(help: "The rules to run; the pack for T1114.002 by default.")
    var rules: String?

    @Option(help: "How to write it: text as it happens, or json with the outcome only.")
    var output: OutputFormat = .text

    func validate() throws {
        guard (1...3600).contains(seconds) else { throw ValidationError("--seconds is from 1 to 3600") }
        guard (100...200_000).contains(rate) else { throw ValidationError("--rate is from 100 to 200000") }
        guard (TrafficPlan.minimumHosts...100_000).contains(hosts) else {
            throw ValidationError("--hosts is from \(TrafficPlan.minimumHosts) to 100000")
        }
    }

    func run() async throws {
        let compiled = try LoadedRules(paths: [try rulePath()]).compile(
            strict: true, normalizers: NormalizationTables.load(nil))
        let plan = try TrafficPlan(
            seed: seed, events: max(seconds * rate, TrafficPlan.minimumEvents), hosts: hosts,
            start: .now(minus: max(seconds, TrafficPlan.minimumSeconds)),
            seconds: max(seconds, TrafficPlan.minimumSeconds))
        let show = DemoDisplay(isSilent: output == .json)
        do {
            let stage = try DemoStage(rules: compiled, plan: plan, rate: rate, show: show)
            let outcome = try await stage.play()
            if output == .json { Console.print(DemoRecord(outcome).jsonLine) } else { show.summary(outcome) }
            if !outcome.isAsExpected { throw ExitStatus.negative.code }
        } catch let error as ExitCode {
            throw error
        } catch {
            show.end()
            Console.note("error: \(error)")
            throw ExitStatus.failed.code
        }
    }

    /// The pack of this checkout, or the installed one.
    private func rulePath() throws -> String {
        if let rules { return rules }
        let candidates = ["config/rules/t1114_002", "/etc/apus/rules/t1114_002"]
        if let found = candidates.first(where: FileManager.default.fileExists(atPath:)) { return found }
        Console.note("error: no rules in \(candidates.joined(separator: " or ")); name a folder with --rules")
        throw ExitStatus.noInput.code
    }
}
