import Rules

/// Coverage as a layer of the ATT&CK Navigator, in version 4.5 of its layer format.
///
/// The score of a technique is the number of rules that can see it.
/// Source: github.com/mitre-attack/attack-navigator, layers/spec/v4.5/layerformat.md
public struct NavigatorLayer: Encodable, Sendable {
    struct Versions: Encodable {
        var layer = "4.5"
        var navigator = "5.1.0"
    }

    struct Gradient: Encodable {
        var colors = ["#ffffff", "#2b8cbe"]
        var minValue = 0
        var maxValue: Int
    }

    struct Legend: Encodable {
        var label: String
        var color: String
    }

    struct Metadata: Encodable {
        var name: String
        var value: String
    }

    struct Technique: Encodable {
        var techniqueID: String
        var tactic: String
        var score: Int
        var color: String?
        var comment: String
        var enabled = true
        var metadata: [Metadata]
        var showSubtechniques: Bool
    }

    let name: String
    let versions = Versions()
    let domain = "enterprise-attack"
    let description: String
    let sorting = 3
    let hideDisabled = false
    let techniques: [Technique]
    let gradient: Gradient
    let legendItems: [Legend]
    let selectTechniquesAcrossTactics = false
    let selectSubtechniquesWithParent = false

    /// The colour of a technique of which every rule is blind.
    private static let blindColor = "#d7301f"

    /// - Parameter report: what a sample of records lets the rules see; nil trusts that every field is there.
    public init(_ coverage: Coverage, report: CensusReport? = nil, name: String) {
        struct Key: Hashable, Comparable {
            var technique: String
            var tactic: String

            static func < (left: Key, right: Key) -> Bool {
                (left.technique, left.tactic) < (right.technique, right.tactic)
            }
        }
        var rules: [Key: [(rule: Rule, isBlind: Bool)]] = [:]
        var parents: Set<Key> = []
        for (index, covered) in coverage.rules.enumerated() {
            var keys: Set<Key> = []
            for threat in covered.rule.threats where threat.framework == "MITRE ATT&CK" {
                let tactic = threat.tactic.name.lowercased().split(separator: " ").joined(separator: "-")
                for technique in threat.techniques {
                    let parent = Key(technique: technique.entry.id, tactic: tactic)
                    keys.insert(parent)
                    for subtechnique in technique.subtechniques {
                        keys.insert(Key(technique: subtechnique.id, tactic: tactic))
                        parents.insert(parent)
                    }
                }
            }
            let isBlind = report?.isBlind(index) ?? false
            for key in keys { rules[key, default: []].append((covered.rule, isBlind)) }
        }
        techniques = rules.sorted { $0.key < $1.key }.map { key, rules in
            let seeing = rules.count { !$0.isBlind }
            return Technique(
                techniqueID: key.technique, tactic: key.tactic, score: seeing,
                color: seeing == 0 ? Self.blindColor : nil,
                comment: rules.map { ($0.isBlind ? "blind: " : "") + $0.rule.name }.sorted().joined(separator: "\n"),
                metadata: [
                    Metadata(name: "rules", value: String(rules.count)),
                    Metadata(name: "blind", value: String(rules.count - seeing)),
                ],
                showSubtechniques: parents.contains(key))
        }
        self.name = name
        description =
            report.map { "Rules of Apus that can see, judged by the fields of \($0.records) records" }
            ?? "Rules of Apus by technique"
        gradient = Gradient(maxValue: max(1, techniques.map(\.score).max() ?? 1))
        legendItems =
            report == nil ? [] : [Legend(label: "every rule is blind: a field is missing", color: Self.blindColor)]
    }
}
