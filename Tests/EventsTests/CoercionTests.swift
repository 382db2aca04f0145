import Events
import EventSchema
import Testing

/// How JSON values become values of a field's type.
@Suite struct CoercionTests {
    @Test(arguments: [
        ("443", [Plain.string("443")]), ("4104.50", [.string("4104.50")]), ("-0", [.string("-0")]), ("1e400", [.string("1e400")]),
        ("true", [.string("true")]), ("[false,1]", [.string("false"), .string("1")]), ("\"\"", [.string("")]), ("null", []),
        (#""a\"b\\c\/\b\f\n\r\t\u00e9\u20ac\ud83d\ude00""#, [.string("a\"b\\c/\u{8}\u{c}\n\r\té€😀")]),
        (#""nul \u0000 nul""#, [.string("nul \0 nul")]), ("\"é€😀\"", [.string("é€😀")]),
    ])
    func keyword(json: String, expected: [Plain]) {
        #expect(values(of: "event.code", in: "{\"event\":{\"code\":\(json)}}") == expected)
    }

    @Test(arguments: [
        (#""\ud800""#, "\u{FFFD}"), (#""\udc00x""#, "\u{FFFD}x"), (#""\ud800\ud800\udc00""#, "\u{FFFD}\u{10000}"),
        (#""a\ud800b""#, "a\u{FFFD}b"), (#""\ud800\u0041""#, "\u{FFFD}A"), (#""\ud800\n""#, "\u{FFFD}\n"),
        (#""\udc00\ud800""#, "\u{FFFD}\u{FFFD}"), (#""\uDBFF\uDFFF""#, "\u{10FFFF}"),
    ])
    func loneSurrogatesDoNotHideTheRecord(json: String, expected: String) {
        #expect(values(of: "event.code", in: "{\"event\":{\"code\":\(json)}}") == [.string(expected)])
    }

    @Test(arguments: [
        ("443", [Plain.integer(443)]), ("\"443\"", [.integer(443)]), ("\"0443\"", [.integer(443)]), ("\"+443\"", [.integer(443)]),
        ("-7", [.integer(-7)]), ("\"-7\"", [.integer(-7)]), ("443.9", [.integer(443)]), ("-1.9", [.integer(-1)]), ("\"443.9\"", [.integer(443)]),
        ("4.43e2", [.integer(443)]), ("-0", [.integer(0)]), ("-0.0", [.integer(0)]), ("1e-400", [.integer(0)]),
        ("9223372036854775807", [.integer(.max)]), ("-9223372036854775808", [.integer(.min)]),
        ("9223372036854775808", [.double(0x1p63)]), ("18446744073709551615", [.double(0x1p64)]),
        ("-9223372036854775809", [.integer(.min)]), ("-18446744073709551616", [.double(-0x1p64)]), ("1e300", [.double(1e300)]),
    ])
    func long(json: String, expected: [Plain]) {
        #expect(values(of: "destination.port", in: "{\"destination\":{\"port\":\(json)}}") == expected)
    }

    @Test(arguments: [
        ("0.5", 0.5), ("\"0.5\"", 0.5), ("1", 1), ("\"1e3\"", 1000), ("-0", 0), ("1e-400", 0), ("4.9e-324", .leastNonzeroMagnitude),
        ("1267650600228229401496703205376", 0x1p100), ("\".5\"", 0.5),
        ("0.1", 0.1), ("1.7976931348623157e308", 1.7976931348623157e308),
    ])
    func float(json: String, expected: Double) {
        #expect(values(of: "event.risk_score", in: "{\"event\":{\"risk_score\":\(json)}}") == [.double(expected)])
    }

    @Test(arguments: [("true", true), ("false", false), ("\"true\"", true), ("\"false\"", false)])
    func boolean(json: String, expected: Bool) {
        #expect(values(of: "dll.code_signature.valid", in: "{\"dll.code_signature.valid\":\(json)}") == [.boolean(expected)])
    }

    @Test(arguments: [
        ("\"x\"", Plain.string("x")), ("1", .integer(1)), ("1.0", .double(1)), ("true", .boolean(true)), ("-0", .integer(0)),
        ("-0.0", .double(0)), ("18446744073709551615", .double(0x1p64)), ("\"1\"", .string("1")), ("\"true\"", .string("true")),
    ])
    func dynamic(json: String, expected: Plain) {
        #expect(values(of: "acme.x", in: "{\"acme\":{\"x\":\(json)}}") == [expected])
    }

    @Test(arguments: [
        ("destination.port", #""""#), ("destination.port", #""x""#), ("destination.port", #""443 ""#), ("destination.port", #""0x1bb""#),
        ("destination.port", "true"), ("destination.port", "1e400"), ("destination.port", #""1e400""#), ("destination.port", #""inf""#),
        ("destination.port", #""-""#), ("destination.port", #""+-1""#), ("destination.port", #""nan""#), ("event.risk_score", #""infinity""#),
        ("event.risk_score", "-1e400"), ("dll.code_signature.valid", "1"), ("dll.code_signature.valid", #""yes""#),
        ("dll.code_signature.valid", #""""#), ("dll.code_signature.valid", #""TRUE""#), ("@timestamp", "true"), ("acme.x", "1e999"),
    ] as [(FieldPath, String)])
    func whatDoesNotFitIsMissingAndCounted(field: FieldPath, json: String) {
        let reader = Reader([field])
        #expect(reader.decode("{\"\(field)\":[\(json),{}]}") == nil)
        #expect(reader.values(field) == [])
        #expect(reader.decoder.event.coercionFailures == 1)
    }
}
