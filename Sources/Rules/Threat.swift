/// What the rule detects, in the terms of a framework such as MITRE ATT&CK.
public struct Threat: Hashable, Sendable {
    public let framework: String
    public let tactic: Entry
    public let techniques: [Technique]

    public struct Entry: Hashable, Sendable {
        /// `TA0009`, `T1114`, `T1114.002`.
        public let id: String
        public let name: String
        public let reference: String?
    }

    public struct Technique: Hashable, Sendable {
        public let entry: Entry
        public let subtechniques: [Entry]
    }
}
