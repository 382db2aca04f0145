import Foundation
import Testing

@testable import Alerts

@Suite struct JSONTests {
    @Test(arguments: [
        (" { \"a\" : [ 1 , -0.50e+2 , true , null ] }\n", #"{"a":[1,-0.50e+2,true,null]}"#), ("[]", "[]"),
        ("{ }", "{}"),
        (#""a b\u00e9\/""#, #""a b\u00e9\/""#), (#""\uD83D\uDC26 \uDC26\uD83D""#, #""\uD83D\uDC26 \ufffd\ufffd""#),
        ("12345678901234567890.10", "12345678901234567890.10"),
    ])
    func minifyKeepsTokens(json: String, expected: String) {
        #expect(JSONReader.minify(Array(json.utf8)).map { String(decoding: $0, as: UTF8.self) } == expected)
    }

    @Test(arguments: [
        "", " ", "1 2", "[1,]", "[,1]", "{\"a\"}", "{a:1}", "01", "-", "1.", ".5", "1e", "+1", "nul", "'a'", "\"a",
        "\"\\u12g4\"",
        "[1}", "{\"a\":1]", "\u{FEFF}{}", "NaN",
    ])
    func minifyRefusesWhatIsNotJSON(text: String) {
        #expect(JSONReader.minify(Array(text.utf8)) == nil)
    }

    @Test func everyByteIsRefusedOrKeptWellFormed() throws {
        for byte in UInt8.min...UInt8.max {
            let text = Array(#"{"a":""#.utf8) + [byte] + Array(#""}"#.utf8)
            guard let minified = JSONReader.minify(text) else { continue }
            #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(minified)) }
        }
    }

    @Test(arguments: [
        (73, "73"), (47.5, "47.5"), (-0.25, "-0.25"), (1e300, "1e+300"), (.infinity, "null"), (.nan, "null"),
    ])
    func doubles(number: Double, expected: String) {
        var writer = JSONWriter()
        writer.double(number)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == expected)
    }

    @Test func commasStandWhereTheyBelong() {
        var writer = JSONWriter()
        writer.object { root in
            root.key("a")
            root.array { list in
                list.array { _ in }
                list.object { $0.member("x", 1) }
                list.boolean(false)
                list.null()
            }
            root.member("b", ["c", "d"])
        }
        #expect(String(decoding: writer.bytes, as: UTF8.self) == #"{"a":[[],{"x":1},false,null],"b":["c","d"]}"#)
    }

    @Test(arguments: [
        #"{"host":{"name":"a"}}"#, #"{"host.name":"a"}"#, #"{"host":[{"id":1},{"name":["a"]}]}"#,
        #"{"ho\u0073t":{"name":"\u0061"}}"#,
        #"{"x":"}","host":{"os":{"name":"b"},"name":"a"}}"#, #"{"host.names":"b","host":{"name":"a","name.x":"c"}}"#,
    ])
    func fieldsAreFoundInEveryShape(json: String) throws {
        let event = try #require(OriginalEvent(Array(json.utf8)))
        #expect(event.texts(of: "host.name") == ["a"])
    }

    @Test func deeperDottedMixturesAndRepeats() throws {
        let json = #"{"host":{"os.name":"a"},"host.os":{"name":"b"},"host.os.name":"c","host":{"os":{"name":"d"}}}"#
        let event = try #require(OriginalEvent(Array(json.utf8)))
        #expect(event.texts(of: "host.os.name") == ["a", "b", "c", "d"])
        #expect(event.members(of: "host").map(\.name) == ["host", "host.os", "host.os.name"])
    }
}
