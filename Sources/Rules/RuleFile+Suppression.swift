import EQL
import EventSchema

// When a finding repeats an alert: Elastic's table, and ours, which can name a stage.

extension RuleFile {
    /// `[apus.suppression]`, else `[rule.alert_suppression]`.
    mutating func suppression(in fields: TOMLTable, apus: TOMLTable?, of query: CheckedQuery?) -> Rule.Suppression? {
        let elastic = elasticSuppression(in: fields)
        guard let apus, let table = table("suppression", in: apus) else { return elastic }
        refuseUnknownKeys(in: table, named: "[apus.suppression]", known: ["fields", "stage", "window", "missing"])
        let names = required("fields", in: table) == nil ? nil : strings("fields", in: table)
        let window = window(in: table)
        let missing = choice("missing", of: MissingPolicy.self, in: table) ?? .suppress
        let stage = stage(in: table, of: query)
        guard let names, let window else { return nil }
        let paths = names.map { FieldPath($0) }
        for path in paths {
            guard let nearest = Schema.ecs.nearest(to: path) else { continue }
            report(
                .warning, "`\(path)` is not an ECS field", at: span("fields", in: table),
                hint: "did you mean `\(nearest)`?")
        }
        return Rule.Suppression(fields: paths, stage: stage, window: window, includesMissing: missing == .suppress)
    }

    private mutating func stage(in table: TOMLTable, of query: CheckedQuery?) -> Int? {
        guard let stage = integer("stage", in: table) else { return nil }
        let count = query?.positiveStages ?? .max
        guard stage >= 1, stage <= count else {
            report(
                .error, stage < 1 ? "stages count from 1" : "the rule has \(count) \(count == 1 ? "stage" : "stages")",
                at: span("stage", in: table))
            return nil
        }
        return Int(stage)
    }

    /// A length of time as EQL writes it: `90s`, `10m`, `1h`.
    private mutating func window(in table: TOMLTable) -> Int64? {
        guard let text = string("window", in: table, required: true) else { return nil }
        guard let window = Self.nanoseconds(text) else {
            report(
                .error, "\"\(text)\" is not a length of time", at: span("window", in: table),
                hint: "write it like 90s, 10m, 1h or 1d")
            return nil
        }
        return window
    }

    // MARK: Elastic

    private mutating func elasticSuppression(in fields: TOMLTable) -> Rule.Suppression? {
        guard let table = table("alert_suppression", in: fields) else { return nil }
        let groupBy = strings("group_by", in: table).map { FieldPath($0) }
        let missing = choice("missing_fields_strategy", of: MissingFieldsStrategy.self, in: table) ?? .suppress
        guard let window = elasticWindow(in: table, of: fields) else { return nil }
        return Rule.Suppression(fields: groupBy, stage: nil, window: window, includesMissing: missing == .suppress)
    }

    /// Without a duration Elastic suppresses within one run: as long as the rule's interval, five minutes by default.
    private mutating func elasticWindow(in suppression: TOMLTable, of fields: TOMLTable) -> Int64? {
        guard suppression["duration"] != nil else {
            return interval(in: fields)
        }
        guard let duration = table("duration", in: suppression) else { return nil }
        let units: [String: Int64] = ["s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000]
        guard let value = integer("value", in: duration, required: true),
            let unit = string("unit", in: duration, required: true)
        else { return nil }
        guard let nanoseconds = units[unit] else {
            report(.error, "\"\(unit)\" is not a unit of time", at: span("unit", in: duration), hint: "use s, m or h")
            return nil
        }
        let (window, overflow) = value.multipliedReportingOverflow(by: nanoseconds)
        guard value > 0, !overflow else {
            report(.error, "a suppression lasts at least one unit of time", at: span("value", in: duration))
            return nil
        }
        return window
    }

    static func nanoseconds(_ text: String) -> Int64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let unit = Timespan.Unit(rawValue: String(text.dropFirst(digits.count))), let count = Int64(digits),
            count > 0
        else { return nil }
        let (nanoseconds, overflow) = count.multipliedReportingOverflow(by: unit.nanoseconds)
        return overflow ? nil : nanoseconds
    }
}

private enum MissingPolicy: String, CaseIterable {
    /// A missing value is a value like any other.
    case suppress
    /// Every finding with a missing value raises an alert.
    case alert
}

/// Source: the detection-engine API of Kibana.
private enum MissingFieldsStrategy: String, CaseIterable {
    case suppress
    case doNotSuppress
}
