import Foundation
import Synchronization
import Traffic

/// What the demo shows: a status line that is rewritten on a terminal, plain lines in a pipe.
final class DemoDisplay: Sendable {
    private let isTerminal = Console.outputIsTerminal
    /// Nothing is shown but errors.
    private let isSilent: Bool
    private let state = Mutex(State())

    private struct State {
        var statusIsShown = false
        var lastPlainStatus = ContinuousClock.now
    }

    init(isSilent: Bool) {
        self.isSilent = isSilent
    }

    func title(_ text: String) { line(bold(text)) }

    func line(_ text: String) {
        guard !isSilent else { return }
        state.withLock { state in
            if state.statusIsShown { Console.write("\r\u{1B}[2K") }
            state.statusIsShown = false
            Console.print(text)
        }
    }

    func end() {
        state.withLock { state in
            if state.statusIsShown { Console.print("") }
            state.statusIsShown = false
        }
    }

    func alert(_ alert: ReceivedAlert) {
        line(
            "\(colored("ALERT", 31))  \(alert.timestamp)  \((alert.host?.name ?? alert.apus.hostKey ?? "-").visible)  "
                + "\(alert.rule.name)  \(dim(String(alert.event.id.prefix(12))))")
    }

    func progress(sent: Int, of total: Int, shares: [Int], alerts: Int) {
        guard !isSilent else { return }
        let percent = total > 0 ? sent * 100 / total : 100
        let instances = shares.enumerated().map { "instance \($0 + 1) read \($1)" }.joined(separator: ", ")
        let text = "\(percent) %: \(sent) events sent, \(instances), \(alerts) alerts"
        state.withLock { state in
            if isTerminal {
                Console.write("\r\u{1B}[2K\(text)")
                state.statusIsShown = true
            } else if ContinuousClock.now - state.lastPlainStatus > .seconds(2) {
                state.lastPlainStatus = .now
                Console.print(text)
            }
        }
    }

    // MARK: Summary

    func summary(_ outcome: DemoOutcome) {
        end()
        let rate = Double(outcome.events) / max(outcome.elapsed.seconds, 0.001)
        line("")
        line(bold("What was woven in, and what was found"))
        for verdict in outcome.verdicts { write(verdict) }
        for alert in outcome.unexpected {
            line(
                "  \(colored("UNEXPECTED", 31))  \(alert.rule.name) on \(alert.apus.hostKey ?? "-"): "
                    + alert.event.reason)
        }
        line("")
        write(testBehavioursOf: outcome.verdicts)
        line("")
        line(bold("Alerts by rule"))
        write(counts: outcome.alerts.map(\.rule.name))
        line(bold("Alerts by host"))
        write(counts: outcome.alerts.map { $0.host?.name ?? $0.apus.hostKey ?? "-" })
        line("")
        let shares = outcome.shares.enumerated().map { "instance \($0 + 1): \($1)" }.joined(separator: ", ")
        line(
            String(
                format: "%d events in %.1f s, %.0f events/s (%@)", outcome.events, outcome.elapsed.seconds, rate, shares
            ))
        let expected = outcome.verdicts.reduce(0) { $0 + $1.findings.count }
        let found = outcome.verdicts.reduce(0) { $0 + $1.findings.count { $0.alert != nil } }
        line(
            "\(expected) alerts expected, \(found) found, \(expected - found) missing, "
                + "\(outcome.unexpected.count) unexpected, \(outcome.repeated) repeated, "
                + "\(outcome.deadLetters) dead letters")
        line(outcome.isAsExpected ? colored("as expected", 32) : colored("NOT as expected", 31))
    }

    private func write(_ verdict: DemoOutcome.Verdict) {
        let behaviour = verdict.behaviour
        let mark =
            switch (verdict.findings.isEmpty, verdict.isFulfilled) {
            case (true, _): dim("quiet  ")
            case (_, true): colored("found  ", 32)
            case (_, false): colored("MISSING", 31)
            }
        let kind = behaviour.kind == .nearMiss ? "near miss: " : ""
        let form = behaviour.isRaw ? ", as Winlogbeat and Filebeat ship it" : ""
        line("  \(mark)  \(kind)\(behaviour.summary)\(form)")
        for (expected, alert) in verdict.findings {
            line(
                "           \(expected.rule.rawValue): \(alert.map { "alert \($0.event.id.prefix(12))" } ?? "no alert came")"
            )
        }
    }

    /// The four test behaviours by the form their records came in: rules that found them, of those that should.
    private func write(testBehavioursOf verdicts: [DemoOutcome.Verdict]) {
        line(bold("Test behaviours of T1114.002"))
        for number in 1...4 {
            let own = verdicts.filter { $0.behaviour.testBehaviour == number }
            let forms = own.map { verdict in
                let found = verdict.findings.count { $0.alert != nil }
                let text = "\(verdict.behaviour.isRaw ? "raw" : "ECS") \(found) of \(verdict.findings.count) rules"
                return colored(text, verdict.isFulfilled ? 32 : 31)
            }
            line("  \(number)  \(forms.joined(separator: ", "))  \(dim(own.first?.behaviour.summary ?? ""))")
        }
    }

    private func write(counts names: [String]) {
        let counts = Dictionary(names.map { ($0, 1) }, uniquingKeysWith: +)
        for (name, count) in counts.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
            line("  \(count)  \(name)")
        }
    }

    private func bold(_ text: String) -> String { TerminalText.bold(text) }
    private func dim(_ text: String) -> String { TerminalText.dim(text) }
    private func colored(_ text: String, _ color: Int) -> String { TerminalText.colored(text, color) }
}
