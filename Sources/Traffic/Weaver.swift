import EventSchema

/// Gives each script its hosts and its place in the run.
///
/// A script's own host and its neighbour belong to no other script, so that what one of them does on port
/// 443 cannot complete another's correlation.
struct Weaver {
    struct Thread {
        let woven: TrafficPlan.Woven
        let script: Int
        let step: Int
    }

    private let start: EventTime
    private let milliseconds: Int64
    private let fleet: Fleet
    private var random: TrafficRandom
    private(set) var isQuiet: [Bool]
    /// All hosts that something was woven into.
    private(set) var actors: Set<Int> = []
    private var scripts: [(script: Script, host: Int)] = []
    private var threads: [Thread] = []

    init(start: EventTime, milliseconds: Int64, fleet: Fleet, random: TrafficRandom) {
        self.start = start
        self.milliseconds = milliseconds
        self.fleet = fleet
        self.random = random
        isQuiet = Array(repeating: false, count: fleet.hosts.count)
    }

    mutating func weave(_ script: Script) {
        let number = scripts.count
        let host = fleet.workstations[2 * number]
        let neighbour = fleet.workstations[2 * number + 1]
        if script.isQuiet { isQuiet[host] = true }
        // Not in the first and last twentieth: a demo that is stopped early still shows something.
        let margin = milliseconds / 20
        let begin = margin + Int64(random.below(Int(milliseconds - 2 * margin - script.length)))
        for (step, planned) in script.steps(host).enumerated() {
            let actor =
                switch planned.actor {
                case .host: host
                case .neighbour: neighbour
                case .exchangeServer: fleet.exchangeServers[0]
                case .fileServer: fleet.fileServer
                }
            let time = EventTime(nanoseconds: start.nanoseconds + (begin + planned.offset) * 1_000_000)
            let woven = TrafficPlan.Woven(time: time, host: actor, record: planned.record, form: script.form)
            actors.insert(actor)
            threads.append(Thread(woven: woven, script: number, step: step))
        }
        scripts.append((script, host))
    }

    /// By time; at the same time, as woven.
    var inOrder: [Thread] {
        threads.enumerated()
            .sorted { ($0.element.woven.time, $0.offset) < ($1.element.woven.time, $1.offset) }
            .map(\.element)
    }

    /// What was woven, with the place of every event in the run.
    func behaviours(clock: BackgroundClock) -> [WovenBehaviour] {
        let placed = inOrder.enumerated().map { order, thread in
            (thread, place: order + clock.events(before: thread.woven.time))
        }
        return scripts.enumerated().map { number, entry in
            let own = placed.filter { $0.0.script == number }
            let findings = entry.script.findings.map { finding in
                let evidence = own.filter { finding.steps.contains($0.0.step) }
                // The alert is about the host of its first step.
                let first = own.first { $0.0.step == finding.host }
                let host = first?.0.woven.host ?? entry.host
                return ExpectedFinding(
                    rule: finding.rule, hostKey: fleet.hosts[host].key, events: evidence.map(\.place))
            }
            return WovenBehaviour(
                name: entry.script.name + (entry.script.form == .raw ? "-raw" : ""), summary: entry.script.summary,
                kind: entry.script.kind,
                hostKey: fleet.hosts[entry.host].key, events: own.map(\.place), expected: findings,
                testBehaviour: entry.script.testBehaviour, isRaw: entry.script.form == .raw)
        }
    }
}
