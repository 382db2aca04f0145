/// A rule of the pack by the short name under which expectations speak of it.
public enum ExpectedRule: String, Hashable, Sendable, CaseIterable {
    /// Mail collection cmdlets in a PowerShell start, or a scripted mail client's connection.
    case seed
    /// A process start of the seed rule and a connection to port 443 on the same host within 60 s.
    case correlation
}

/// A finding that a rule must make, once.
public struct ExpectedFinding: Hashable, Sendable {
    public let rule: ExpectedRule
    /// The `host.id` of the events.
    public let hostKey: String
    /// Places in the run, from 0, of the events that must be in the finding's evidence. A correlation
    /// names the process start only: any connection within the window may be the other half.
    public let events: [Int]
}

/// Something woven into the traffic on purpose: an attack to be found, or a near miss to be left alone.
public struct WovenBehaviour: Sendable {
    public enum Kind: Hashable, Sendable {
        case attack
        case nearMiss
    }

    /// `mailsniper-self-search`.
    public let name: String
    /// One sentence without a full stop.
    public let summary: String
    public let kind: Kind
    /// The `host.id` of the machine it happens on.
    public let hostKey: String
    /// Places in the run, from 0, of all its events, in order.
    public let events: [Int]
    public let expected: [ExpectedFinding]
    /// What the rules named in ``ExpectedRule`` cannot see of it, and why; nil where nothing is missed.
    public let notYetCovered: String?
}

/// A behaviour before it has a place in a run.
struct Script: Sendable {
    enum Actor: Sendable {
        /// The machine the behaviour happens on.
        case host
        /// Another workstation.
        case neighbour
        case exchangeServer
        case fileServer
    }

    struct Step: Sendable {
        /// Milliseconds after the behaviour begins.
        let offset: Int64
        let actor: Actor
        let record: Record

        init(at seconds: Double, on actor: Actor = .host, _ record: Record) {
            offset = Int64(seconds * 1_000)
            self.actor = actor
            self.record = record
        }
    }

    struct Finding: Sendable {
        let rule: ExpectedRule
        let steps: [Int]
    }

    let name: String
    let summary: String
    let kind: WovenBehaviour.Kind
    /// Whether the ordinary traffic of its host stays away from port 443.
    var isQuiet = false
    /// The steps need the number of the host for client addresses.
    let steps: @Sendable (_ host: Int) -> [Step]
    var findings: [Finding] = []
    var notYetCovered: String?

    /// From the first step to the last, in milliseconds.
    var length: Int64 { steps(0).map(\.offset).max() ?? 0 }
}
