// The format of a spec file. A `#` begins a comment line, `===` a case with its name; then one directive
// per line. A line that begins with a blank continues the one above it.
//
//     === not equal is true where the field is missing
//     query  any where f != "x"
//     match  {"f": "a"}
//     match  {}
//     miss   {"f": "x"}
//
// Each `match` and `miss` is an event, in this order and 1 s apart. For correlation, events are drawn on a
// time line: one track for each category, one column for each second (or what `column` says), one
// character for the name of each event, a dot or a blank where there is none. In one column the upper
// track comes first.
//
//     === the newest predecessor wins
//     query  sequence by host.id with maxspan=1m [a where true] [b where true]
//     column 10s
//     track  a |12...
//     track  b |..3..
//     each   {"host.id": "h"}        members added to every event
//     with   1 {"host.id": "other"}  members added to one, in place of `each`
//     expect 2 3                     one line for each match, in order of completion
//     expect 2 3 | h                 the same, and the keys; `null` for a missing optional key
//     expect none                    nothing matches
//
// `!` stands for an event that must be missing. Every event of a track has `@timestamp`, `event.category`
// and `id`, its name. A query that must be refused has no events but `refuse`, with a part of the message.

import Foundation

public struct SpecError: Error, CustomStringConvertible {
    public let description: String
}

public enum SpecReader {
    /// All cases of all `.spec` files in a directory, by file name.
    public static func cases(inDirectory path: String) throws -> [SpecCase] {
        let files = try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(".spec") }
        return try files.sorted().flatMap { file in
            try cases(in: String(contentsOfFile: path + "/" + file, encoding: .utf8), file: file)
        }
    }

    public static func cases(in text: String, file: String) throws(SpecError) -> [SpecCase] {
        var cases: [SpecCase] = []
        var draft: SpecDraft?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let number = index + 1
            if line.hasPrefix("===") {
                if let draft { cases.append(try draft.finished()) }
                let name = line.dropFirst(3).trimmingCharacters(in: .whitespaces)
                draft = SpecDraft(file: file, line: number, name: name)
            } else if line.hasPrefix("#") || line.allSatisfy(\.isWhitespace) {
                continue
            } else {
                guard draft != nil else { throw SpecError(description: "\(file):\(number): no case begun") }
                if line.first == " " {
                    draft?.extend(String(line))
                } else {
                    draft?.directives.append((number, String(line)))
                }
            }
        }
        if let draft { cases.append(try draft.finished()) }
        return cases
    }
}

/// A case while its lines are read.
private struct SpecDraft {
    let file: String
    let line: Int
    let name: String
    var directives: [(line: Int, text: String)] = []

    private static let start: Int64 = 1_700_000_000_000

    mutating func extend(_ text: String) {
        guard !directives.isEmpty else { return }
        directives[directives.count - 1].text += "\n" + text
    }

    func finished() throws(SpecError) -> SpecCase {
        var query: String?
        var column: Int64 = 1_000
        var tracks: [(category: String, marks: [Character])] = []
        var judged: [(json: JSONValue, isMatch: Bool)] = []
        var each: [JSONValue.Member] = []
        var with: [Character: [JSONValue.Member]] = [:]
        var expected: [(line: Int, text: String)] = []
        var refusal: String?

        for (number, text) in directives {
            let word = String(text.prefix { !$0.isWhitespace })
            let rest = text.dropFirst(word.count).trimmingCharacters(in: .whitespaces)
            switch word {
            case "query": query = rest
            case "match", "miss": judged.append((.object(try members(rest, number)), word == "match"))
            case "each": each = try members(rest, number)
            case "with":
                guard let mark = rest.first else { throw error("an event name is missing", number) }
                with[mark] = try members(String(rest.dropFirst()), number)
            case "column":
                guard let length = milliseconds(rest) else { throw error("not a length of time: \(rest)", number) }
                column = length
            case "track":
                let parts = rest.split(separator: "|", maxSplits: 1)
                guard parts.count == 2 else { throw error("a track is a category, a bar and marks", number) }
                tracks.append((parts[0].trimmingCharacters(in: .whitespaces), Array(parts[1])))
            case "expect": expected.append((number, rest))
            case "refuse": refusal = rest
            default: throw error("unknown directive \(word)", number)
            }
        }
        guard let query else { throw error("no query", line) }

        func spec(_ events: [String], _ expectation: SpecCase.Expectation) -> SpecCase {
            SpecCase(file: file, line: line, name: name, query: query, events: events, expectation: expectation)
        }
        if let refusal { return spec([], .refused(refusal)) }
        if !judged.isEmpty {
            let events = judged.enumerated().map { index, event in
                stamped(event.json, at: Int64(index) * 1_000).text
            }
            return spec(events, .events(judged.indices.filter { judged[$0].isMatch }))
        }

        var events: [String] = []
        var places: [Character: Int] = [:]
        for place in 0..<(tracks.map(\.marks.count).max() ?? 0) {
            for track in tracks where place < track.marks.count {
                let mark = track.marks[place]
                if mark == "." || mark.isWhitespace { continue }
                places[mark] = events.count
                let own: [JSONValue.Member] = [
                    .init("event.category", .string(track.category)), .init("id", .string(String(mark))),
                ]
                let json = JSONValue.object(own + (with[mark] ?? each))
                events.append(stamped(json, at: Int64(place) * column).text)
            }
        }
        guard !expected.isEmpty else { throw error("nothing is expected", line) }
        if expected.count == 1, expected[0].text == "none" { return spec(events, .groups([])) }
        var groups: [SpecCase.Group] = []
        for (number, text) in expected { groups.append(try group(text, places, number)) }
        if query.hasPrefix("sequence") || query.hasPrefix("sample") { return spec(events, .groups(groups)) }
        return spec(events, .events(groups.flatMap { $0.events.compactMap(\.self) }))
    }

    private func group(_ text: String, _ places: [Character: Int], _ number: Int) throws(SpecError) -> SpecCase.Group {
        let parts = text.split(separator: "|", maxSplits: 1)
        var events: [Int?] = []
        for name in parts[0].split(separator: " ") {
            if name == "!" {
                events.append(nil)
            } else if let mark = name.first, let place = places[mark] {
                events.append(place)
            } else {
                throw error("no event \(name)", number)
            }
        }
        let keys = parts.dropFirst().first?.split(separator: ",").map { key -> String? in
            let key = key.trimmingCharacters(in: .whitespaces)
            return key == "null" ? nil : key
        }
        return SpecCase.Group(events: events, keys: keys)
    }

    private func stamped(_ json: JSONValue, at milliseconds: Int64) -> JSONValue {
        guard case .object(let members) = json, !members.contains(where: { $0.key == "@timestamp" }) else {
            return json
        }
        return .object([.init("@timestamp", .number(String(Self.start + milliseconds)))] + members)
    }

    private func members(_ text: String, _ number: Int) throws(SpecError) -> [JSONValue.Member] {
        guard case .object(let members)? = JSONValue(parsing: text) else {
            throw error("not a JSON object: \(text)", number)
        }
        return members
    }

    private func milliseconds(_ text: String) -> Int64? {
        if text.hasSuffix("ms") { return Int64(text.dropLast(2)) }
        if text.hasSuffix("s") { return Int64(text.dropLast()).map { $0 * 1_000 } }
        if text.hasSuffix("m") { return Int64(text.dropLast()).map { $0 * 60_000 } }
        return nil
    }

    private func error(_ message: String, _ number: Int) -> SpecError {
        SpecError(description: "\(file):\(number): \(message)")
    }
}
