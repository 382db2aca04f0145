import Events
import Testing

@Suite struct EventDocumentTests {
    let json = "\u{FEFF}" + #"""
         { "host" : { "name" : "ws 1", "ip" : [ "10.0.0.1" ] } ,
          "host.os" : null, "hostname":"x", "us\u0065r":{"name":"a\" b"}, "n":-1.5e3 , "host":[ ] }
        """#

    private func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

    @Test func findsMembersAsWritten() throws {
        let document = try EventDocument(Array(json.utf8))
        #expect(document.members.map(\.name) == ["host", "host.os", "hostname", "user", "n", "host"])
        #expect(document.members.map { text(document.bytes[$0.key]) } == ["host", "host.os", "hostname", #"us\u0065r"#, "n", "host"])
        #expect(
            document.members.map { text(document.bytes[$0.value]) } == [
                #"{ "name" : "ws 1", "ip" : [ "10.0.0.1" ] }"#, "null", #""x""#, #"{"name":"a\" b"}"#, "-1.5e3", "[ ]",
            ])
    }

    @Test func selectsTheWholeOfARoot() throws {
        let document = try EventDocument(Array(json.utf8))
        #expect(document.members(of: "host").map { text(document.minified($0)) } == [
            #"{"name":"ws 1","ip":["10.0.0.1"]}"#, "null", "[]",
        ])
        #expect(document.members(of: "user").map { text(document.minified($0)) } == [#"{"name":"a\" b"}"#])
        #expect(document.members(of: "hos").isEmpty)
    }

    @Test func minifiesToOneLine() throws {
        let minified = text(try EventDocument(Array(json.utf8)).minified)
        let expected = #"{"host":{"name":"ws 1","ip":["10.0.0.1"]},"host.os":null,"hostname":"x","#
            + #""us\u0065r":{"name":"a\" b"},"n":-1.5e3,"host":[]}"#
        #expect(minified == expected)
    }

    @Test(arguments: [
        ("", DecodeFailure.notJSON), ("[]", .notObject), ("{", .notJSON), (#"{"a":1}x"#, .notJSON), (#"{"a":[[1]]}"#, .tooDeep),
        (#"{"a":"0123456789012345678901234567890"}"#, .tooLarge), (#"{"\x":1}"#, .notJSON), (#"{"a":"\x"}"#, .notJSON),
    ])
    func failsAsDecodingDoes(json: String, failure: DecodeFailure) {
        #expect(throws: failure) { try EventDocument(Array(json.utf8), limits: DecodeLimits(bytes: 32, depth: 2)) }
    }

    @Test func anEmptyObjectHasNoMembers() throws {
        #expect(try EventDocument(Array(" { } ".utf8)).members.isEmpty)
    }
}
