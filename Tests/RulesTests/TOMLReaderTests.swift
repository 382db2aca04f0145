import EQL
import Testing

@testable import Rules

@Suite struct TOMLReaderTests {
    private func value(_ text: String) throws -> TOMLValue {
        let table = try TOMLReader.read(Array(("k = " + text).utf8))
        return try #require(table["k"]).value
    }

    private func string(_ text: String) throws -> TOMLString? {
        if case .string(let string) = try value(text).kind { string } else { nil }
    }

    @Test(arguments: [
        (#""plain""#, "plain"), (#"'C:\dir'"#, #"C:\dir"#), (#""a\tb\"c\\""#, "a\tb\"c\\"), (#""\u00e9\U0001F426""#, "é🐦"),
        ("'''\nfirst\nsecond'''", "first\nsecond"), ("\"\"\"a\\\n   b\"\"\"", "ab"), ("\"\"\"a\\  \r\n\n  b\"\"\"", "ab"),
        ("'''a\r\nb'''", "a\nb"), ("\"\"\"two \"\"quotes\"\"\"", "two \"\"quotes"), ("''''quoted''''", "'quoted'"), ("''", ""),
        ("\"\"\"five\"\"\"\"\"", "five\"\""),
    ])
    func strings(text: String, expected: String) throws {
        #expect(try string(text)?.text == expected)
    }

    @Test(arguments: [
        ("0", "integer(0)"), ("-17", "integer(-17)"), ("1_000", "integer(1000)"), ("0xfF", "integer(255)"),
        ("0o17", "integer(15)"), ("0b101", "integer(5)"), ("1.5", "float(1.5)"), ("6e2", "float(600.0)"), ("-inf", "float(-inf)"),
        ("true", "boolean(true)"), ("2026-11-24", "date(\"2026-11-24\")"),
        ("2026-11-24 10:00:00Z", "date(\"2026-11-24 10:00:00Z\")"), ("10:00:00.5", "date(\"10:00:00.5\")"),
    ])
    func scalars(text: String, expected: String) throws {
        #expect(String(describing: try value(text).kind) == expected)
    }

    @Test func tablesOfEveryKind() throws {
        let text = """
            a.b = 1 # dotted
            [t]
            "quoted key" = { x.y = [1, 2, # comment
              3,], z = {} }
            [[t.list]]
            n = 1
            [t.list.inner]
            [[t.list]]
            [t.later.deep]
            [t.later]
            """
        let root = try TOMLReader.read(Array(text.utf8))
        guard case .table(let t) = root["t"]?.value.kind, case .tables(let list) = t["list"]?.value.kind else {
            Issue.record("t.list is missing")
            return
        }
        #expect(list.count == 2)
        #expect(list[0].entries.map(\.key) == ["n", "inner"])
        #expect(t.entries.map(\.key) == ["quoted key", "list", "later"])
    }

    @Test(arguments: [
        ("a = 1\na = 2", 6), ("a = \"x", 4), ("a = 'x\n'", 4), ("a = '''x", 4), ("= 1", 0), ("a 1", 2), ("a = ", 4),
        ("a = 1 b = 2", 6), ("[t]\n[t]", 5), ("a.b = 1\n[a]", 9), ("a = {b = 1}\na.c = 2", 12), ("a = \"\\x\"", 5),
        ("a = \"\\ud800\"", 5), ("a = 01", 4), ("a = [1 2]", 7), ("a = [1", 4), ("a = nope", 4), ("a = \"\u{1}\"", 5),
        ("[t\n", 2), ("[[t]\n", 4), ("a = 1__0", 4), ("t = 1\n[t.x]", 7), ("# \u{0}", 2), ("[[a]]\n[a]", 7), ("a = []\n[[a]]", 9),
        ("a = 99999999999999999999", 4),
    ])
    func errorsAreWhereTheyAre(text: String, offset: Int) {
        let error = #expect(throws: TOMLError.self) { try TOMLReader.read(Array(text.utf8)) }
        #expect(error?.span.lower == offset, "\(error?.message ?? "")")
    }

    @Test func depthIsBounded() {
        let text = "a = " + String(repeating: "[", count: 100_000)
        #expect(throws: TOMLError.self) { try TOMLReader.read(Array(text.utf8)) }
    }

    /// Each byte of a decoded string leads back to the byte it was written as.
    @Test(arguments: [
        "'abc'", "'''\nabc\r\ndef'''", #""a\tb\u00e9c""#, "\"\"\"\\\n  abc \\\n  def\"\"\"", "\"\"\"x\\n\\\n   y\\\"z\"\"\"",
    ])
    func offsetsLeadBack(text: String) throws {
        let document = Array(("k = " + text).utf8)
        let string = try #require(try string(text))
        for (offset, byte) in string.text.utf8.enumerated() where byte >= 0x61 && byte <= 0x7A {
            #expect(document[string.documentOffset(of: offset)] == byte, "offset \(offset)")
        }
    }
}
