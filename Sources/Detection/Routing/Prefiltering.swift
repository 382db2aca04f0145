import EQL
import EventSchema
import Matching
import Rules

/// Why every record has to be parsed, whatever its bytes are.
public enum PrefilterObstacle: Error, Hashable, Sendable, CustomStringConvertible {
    /// It correlates or suppresses, and waits for event time, which every record moves on.
    case waitsForTime(rule: String)
    /// A rule or an exception, by its name, reads script blocks, which are put together from parts.
    case readsScriptBlocks(String)
    /// A record can match it without having any text in particular.
    case needsNoText(rule: String)
    /// An exception ends at a time, and a record without a time has that of the record before.
    case inheritsTime(exception: String)

    /// A sentence.
    public var description: String {
        switch self {
        case .waitsForTime(let rule):
            "rule '\(rule)' correlates or suppresses, and waits for event time, which every record moves on"
        case .readsScriptBlocks(let reader): "\(reader) reads PowerShell script blocks, which may come in parts"
        case .needsNoText(let rule):
            "rule '\(rule)' can match a record that has no particular text in it, such as a name or a part of a path"
        case .inheritsTime(let exception):
            "exception '\(exception)' expires, and a line without a timestamp has that of the line before"
        }
    }
}

extension CompiledRules {
    /// The same rules, not to be shown records whose bytes say already that none of them can match. Only records of
    /// topics that are taken as they are are judged by their bytes: what a record is brought into ECS with does not stand in
    /// it.
    ///
    /// A record that is passed over is not decoded: nobody notices that it is no event, or has no timestamp; and it moves no
    /// watermark, by which a finding is told to be late.
    ///
    /// - Parameter recordsHaveTimes: whether the log says when each record was written, for those that do not say so
    ///   themselves.
    /// - Throws: why no record may be passed over.
    public func prefiltered(recordsHaveTimes: Bool) throws(PrefilterObstacle) -> CompiledRules {
        for (index, rule) in rules.enumerated() {
            guard case .event = queries.queries[index].form, rule.suppression == nil else {
                throw .waitsForTime(rule: rule.name)
            }
        }
        if queries.derived.scriptBlock != nil { throw .readsScriptBlocks(nameOfScriptReader) }
        if !recordsHaveTimes, let exception = exceptions.first(where: { $0.expiry != nil }) {
            throw .inheritsTime(exception: exception.id)
        }
        var filtered = self
        do throws(Prefilter.Untellable) {
            filtered.prefilter = try Prefilter(queries.queries.flatMap(\.conditions))
        } catch {
            throw .needsNoText(rule: rules[queries.owners[error.condition].query].name)
        }
        return filtered
    }

    private var nameOfScriptReader: String {
        let fields: Set<FieldPath> = ["powershell.file.script_block_text", .decodedScript]
        func reads(_ condition: Condition) -> Bool { condition.fields.contains(where: fields.contains) }
        if let rule = rules.first(where: { $0.checked.conditions.contains(where: reads) }) {
            return "rule '\(rule.name)'"
        }
        let exception = exceptions.first { reads($0.condition) }
        return exception.map { "exception '\($0.id)'" } ?? "a rule's suppression"
    }
}
