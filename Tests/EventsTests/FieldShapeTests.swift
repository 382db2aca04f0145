import Events
import EventSchema
import Testing

/// Where in a record a field's values may stand.
@Suite struct FieldShapeTests {
    /// Every way to write a path of four segments: at each dot a nested object or a dotted key.
    @Test(arguments: 0..<8)
    func nestedAndDottedKeysNameOneField(split: Int) {
        let segments = ["process", "parent", "code_signature", "status"]
        var json = #"{"process"#
        for (index, segment) in segments.dropFirst().enumerated() {
            json += split >> index & 1 == 0 ? ".\(segment)" : "\":{\"\(segment)"
        }
        json += #"":"trusted""# + String(repeating: "}", count: split.nonzeroBitCount + 1)
        #expect(values(of: "process.parent.code_signature.status", in: json) == [.string("trusted")], "\(json)")
    }

    @Test(arguments: [
        (#"{"proc\u0065ss":{"name":"a"}}"#, "a"), (#"{"process":{"n\u0061me":"a"}}"#, "a"),
        (#"{"process\u002ename":"a"}"#, "a"), (#"{"\u0070\u0072\u006F\u0063\u0065\u0073\u0073.name":"a"}"#, "a"),
        (#" { "process" : { "name" : "a" } } "#, "a"), ("\u{FEFF}{\"process\":{\"name\":\"a\"}}", "a"),
        ("\n{\t\"process.name\"\r\n:\t\"a\"\n}\n", "a"),
    ])
    func escapesAndBlanksHideNothing(json: String, value: String) {
        #expect(values(of: "process.name", in: json) == [.string(value)])
    }

    @Test(arguments: [
        (#"{"tags":["a","b"]}"#, ["a", "b"]), (#"{"tags":[["a"],[["b"],"c"]]}"#, ["a", "b", "c"]),
        (#"{"tags":"a","tags":"b"}"#, ["a", "b"]), (#"{"tags":[]}"#, []), (#"{"tags":null}"#, []),
        (#"{"tags":[null,[null],[]]}"#, []), (#"{"tags":[null,"a"]}"#, ["a"]), (#"{"tags":""}"#, [""]),
        (#"{"tags":{"a":"b"}}"#, []), (#"{"tags":[{"a":"b"},"c"]}"#, ["c"]), ("{}", []), (#"{"Tags":"a"}"#, []),
        (#"{"tags ":"a"}"#, []), (#"{"tags.x":"a","x.tags":"b"}"#, []),
    ])
    func arraysAreValuesAndNullIsNone(json: String, expected: [String]) {
        #expect(values(of: "tags", in: json) == expected.map { .string($0) })
    }

    @Test func arraysOfObjectsFlatten() {
        let json = #"""
            {"email":[{"attachments":[{"file":{"name":"a"}},{"file":[{"name":["b","c"]},{"name":"d"}]}]},
            {"attachments.file.name":"e"},{"attachments":null}],"email.attachments":{"file.name":"f"}}
            """#
        let expected = ["a", "b", "c", "d", "e", "f"].map { Plain.string($0) }
        #expect(values(of: "email.attachments.file.name", in: json) == expected)
    }

    @Test func aFieldMayHoldValuesAndFields() {
        let reader = Reader(["acme.a", "acme.a.b"])
        #expect(reader.decode(#"{"acme":[{"a":1},{"a":{"b":2}},{"a.b":3}]}"#) == nil)
        #expect(reader.values("acme.a") == [.integer(1)])
        #expect(reader.values("acme.a.b") == [.integer(2), .integer(3)])
    }

    @Test func emptySegmentsAreSegments() {
        let reader = Reader(["a..b", ".c", ""])
        #expect(reader.decode(#"{"a":{"":{"b":1}},"a..b":2,".c":3,"":{"c":4}}"#) == nil)
        #expect(reader.values("a..b") == [.integer(1), .integer(2)])
        #expect(reader.values(".c") == [.integer(3), .integer(4)])
    }

    @Test func manyFieldsOfOneObjectAreToldApart() {
        let names = (0..<500).map { "prefix_of_some_length_\($0)" } + (0..<500).map { "\($0)" }
        let reader = Reader(names.map { FieldPath("winlog.event_data.\($0)") })
        let members = names.map { "\"\($0)\":\"value of \($0)\"" }.joined(separator: ",")
        #expect(reader.decode("{\"winlog\":{\"event_data\":{\(members),\"prefix_of_some_length_\":1}}}") == nil)
        for name in names {
            #expect(reader.values(FieldPath("winlog.event_data.\(name)")) == [.string("value of \(name)")])
        }
    }

    @Test func nothingRemainsOfTheRecordBefore() {
        let reader = Reader(["process.name", "process.pid"])
        #expect(reader.decode(#"{"process":{"name":"a","pid":"x"}}"#) == nil)
        #expect(reader.decoder.event.coercionFailures == 1)
        #expect(reader.decode(#"{"process":{"pid":7}}"#) == nil)
        #expect(reader.values("process.name") == [])
        #expect(reader.values("process.pid") == [.integer(7)])
        #expect(reader.decoder.event.coercionFailures == 0)
    }

    @Test func beforeTheFirstRecordNothingIsPresent() {
        #expect(Reader(["process.name"], limits: DecodeLimits(bytes: 0, depth: 0)).values("process.name") == [])
    }
}
