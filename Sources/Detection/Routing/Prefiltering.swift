import EQL
import Matching
import Rules

/// Why every record has to be parsed, whatever its bytes are.
public enum PrefilterObstacle: Error, Hashable, Sendable, CustomStringConvertible {
    /// It waits for event time, which every record moves on.
    case waitsForTime(rule: String)
    /// A rule or an exception reads script blocks, which are put together from parts.
    case readsScriptBlocks
    /// A record can match it without having any text in particular.
    case needsNoText(rule: String)

    /// A sentence.
    public var description: String {
        switch self {
        case .waitsForTime(let rule): "rule '\(rule)' waits for event time, which every record moves on"
        case .readsScriptBlocks: "a rule or an exception reads PowerShell script blocks, which may come in parts"
        case .needsNoText(let rule):
            "rule '\(rule)' can match a record that has no particular text in it, such as a name or a part of a path"
        }
    }
}

extension CompiledRules {
    /// The same rules, not to be shown records whose bytes say already that none of them can match. Only records of
    /// topics that are taken as they are are judged by their bytes: what a record is brought into ECS with does not stand in
    /// it.
    ///
    /// A record that is passed over is not decoded: nobody notices that it is no event, or has no timestamp.
    ///
    /// - Throws: why no record may be passed over.
    public func prefiltered() throws(PrefilterObstacle) -> CompiledRules {
        for (index, rule) in rules.enumerated() {
            guard case .event = queries.queries[index].form, rule.suppression == nil else {
                throw .waitsForTime(rule: rule.name)
            }
        }
        if queries.derived.scriptBlock != nil { throw .readsScriptBlocks }
        var filtered = self
        do throws(Prefilter.Untellable) {
            filtered.prefilter = try Prefilter(queries.queries.flatMap(\.conditions))
        } catch {
            throw .needsNoText(rule: rules[queries.owners[error.condition].query].name)
        }
        return filtered
    }
}
