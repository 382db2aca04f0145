import Detection
import EQL
import EventSchema
import Events
import Foundation
import Normalization
import Settings
import Testing

@Suite("What command lines and scripts hide")
struct HiddenTextTests {
    /// What is derived from a command line or a script, in order.
    private func hidden(commandLine: String? = nil, script: String? = nil) throws -> [String] {
        let field: FieldPath = commandLine == nil ? .decodedScript : .decodedCommandLine
        let compiled = Compiled([field])
        var record: [String: Any] = [:]
        if let commandLine { record["process.command_line"] = commandLine }
        if let script { record["powershell.file.script_block_text"] = script }
        let json = try JSONSerialization.data(withJSONObject: record)
        _ = try compiled.table(of: String(decoding: json, as: UTF8.self))
        return compiled.values(field)
    }

    private static func base64(_ text: String) -> String {
        Data(text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }).base64EncodedString()
    }

    @Test(
        "An encoded command, in any spelling of the switch",
        arguments: [
            "-EncodedCommand", "-encodedcommand", "-e", "-E", "-en", "-eNc", "-enco", "-ec", "/e", "/EncodedCommand",
            "–enc",
            "—e", "―enc",
        ])
    func encoded(_ name: String) throws {
        let line = "powershell.exe -nop \(name) \(Self.base64("Invoke-SelfSearch -Mailbox bob"))"
        #expect(try hidden(commandLine: line) == ["invoke-selfsearch -mailbox bob"])
    }

    @Test(
        "Other switches, and what is no text",
        arguments: [
            "powershell.exe -ep Bypass -File C:\\aaaaaaaaaaaaaaaaaaaaaaaa.ps1", "grep -e aaaaaaaaaaaaaaaaaaaaaaaa file",
            "x.exe -ExecutionPolicy AAAAAAAAAAAAAAAAAAAAAAAA", "powershell -encodedcommandx SQBuAHYAbwBrAGUALQBTAGUA",
            "git -e ZmRqZmtkc2pmbGtkc2pma2xzZGpmbHNkamZsc2RqZg==", "powershell -enc", "-e", "",
            #""C:\Program Files\a b\x.exe" --name="c d" -f 'e'"#, "cmd.exe /c dir \"C:\\x y\"",
        ])
    func nothing(_ line: String) throws {
        #expect(try hidden(commandLine: line) == [])
    }

    @Test func encodedInsideEncoded() throws {
        let inner = Self.base64("New-Mailbox`ExportRequest -Mailbox bob")
        let outer = Self.base64("powershell -enc \(inner)")
        let found = try hidden(commandLine: "powershell -e \(outer)")
        #expect(found.contains("new-mailbox`exportrequest -mailbox bob"))
        #expect(found.last == "new-mailboxexportrequest -mailbox bob")
    }

    @Test(
        "Command lines",
        arguments: [
            (
                "powershell -c \"&('New-Mailbox'+'ExportRequest') -Mailbox bob\"",
                "powershell -c &new-mailboxexportrequest -mailbox bob"
            ),
            ("cmd /c p^o^w^e^r^shell -c Inv`oke-Self`Search", "cmd /c powershell -c invoke-selfsearch"),
            ("po\"\"wershell.exe -c New-\"Mailbox\"ExportRequest", "powershell.exe -c new-mailboxexportrequest"),
            (
                #"powershell -c "&(\"{1}{0}\" -f 'ExportRequest','New-Mailbox')""#,
                "powershell -c &new-mailboxexportrequest"
            ),
            (#"powershell -c (\"New-\" + \"MailboxExport\" + 'Request')"#, "powershell -c new-mailboxexportrequest"),
        ])
    func commandLines(_ line: String, _ plain: String) throws {
        #expect(try hidden(commandLine: line) == [plain])
    }

    @Test(
        "Scripts",
        arguments: [
            ("Ne`w-Mailbo`xExportRequest", "new-mailboxexportrequest"),
            ("& ('Invoke' + '-' + \"SelfSearch\")", "& invoke-selfsearch"),
            ("&(\"{2}{0}{1}\" -f 'Mailbox','ExportRequest','New-')", "&new-mailboxexportrequest"),
            ("('{0}-{1}' -f ('Search'),('Mail'+'box'))", "search-mailbox"),
            ("('N','ew-','Mailbox') -join ''", "new-mailbox"),
            ("-join ('Sea','rch-Mail','box')", "search-mailbox"),
            ("'a','b','c' -join '-'", "a-b-c"),
            ("[char]77+[char]0x61+'il'", "mail"),
            ("-join [char[]](77, 97, 105, 108)", "mail"),
            ("$x.Invoke('a'+'b')", "$x.invoke(ab)"),
            ("'it''s'+' here'", "it's here"),
            ("\"a`\"b\"+'c'", "a\"bc"),
            ("('b' + ('{0}' -f 'a'))", "ba"),
            ("Get-Item `\n  -Path x", "get-item -path x"),
        ])
    func scripts(_ script: String, _ plain: String) throws {
        #expect(try hidden(script: script) == [plain])
    }

    @Test(
        "Plain scripts hide nothing",
        arguments: [
            "Get-Mailbox -Identity 'bob' | Format-Table", "$a = \"x\"; Write-Host $a", "don't",
            "if ($a -eq 'b') { 'c' }", "'",
            "Search-Mailbox", "{0} -f",
        ])
    func plain(_ script: String) throws {
        #expect(try hidden(script: script) == [])
    }

    /// A record cannot say itself what it hides.
    @Test func aRecordsOwnValueIsIgnored() throws {
        let compiled = Compiled([.decodedCommandLine])
        _ = try compiled.table(
            of: #"{"apus":{"decoded":{"command_line":"forged"}},"apus.decoded.command_line":"forged"}"#)
        #expect(compiled.values(.decodedCommandLine) == [])
    }

    /// Raw records hide as ECS records do.
    @Test func inRawRecords() throws {
        let compiled = Compiled([.decodedScript])
        _ = try compiled.table(
            of:
                #"{"winlog":{"provider_name":"Microsoft-Windows-PowerShell","event_id":4104,"event_data":{"ScriptBlockText":"Inv`oke-SelfSearch"}}}"#
        )
        #expect(compiled.values(.decodedScript) == ["invoke-selfsearch"])
    }

    /// Attackers write these texts. Steps are counted by the size of the result: growth beyond the text's own size would
    /// be growth of the work.
    @Test(
        "Hostile texts end, and stay small",
        arguments: [
            "'a'+", "(", ")", "'a',", "'{0}{0}{0}{0}' -f ", "-join ", "`", "^", "\"", "'", "[char]", "[char[]](65,",
            "('a')", "-e ",
            "('{0}{0}' -f ('{0}{0}' -f ", "'a' -join ", "\\\"", "{0}", "+", ",", "-f", "''", "'a'-f'b'+",
        ])
    func hostile(_ piece: String) throws {
        for text in [
            String(repeating: piece, count: 20_000), "'x'" + String(repeating: piece, count: 5_000) + "'y'))))",
            String(repeating: "(", count: 5_000) + piece + String(repeating: ")", count: 5_000),
        ] {
            for values in [try hidden(commandLine: text), try hidden(script: text)] {
                #expect(values.count <= 8)
                #expect(values.allSatisfy { $0.utf8.count <= 6 * text.utf8.count + 2048 })
            }
        }
    }

    /// Whatever stands in a text: it is read, and the next one as if nothing had been.
    @Test func anyText() throws {
        let words = [
            "'", "\"", "`", "^", "+", "-f", "-join", "(", ")", ",", " ", "{0}", "{1}", "[char]", "65", "[char[]](", "a",
            "New-Mailbox", "-enc ", "SQBuAHYAbwBrAGUALQBTAGUA", "\\", "é", "\n", "$x", ";", "''", "\"\"",
        ]
        let compiled = Compiled([.decodedCommandLine, .decodedScript])
        var random = SplitMix(state: 7)
        for _ in 0..<3_000 {
            let text = (0..<(1 + Int(random.next() % 24))).map { _ in words[Int(random.next() % UInt64(words.count))] }
                .joined()
            let record = ["process.command_line": text, "powershell.file.script_block_text": text]
            let json = try JSONSerialization.data(withJSONObject: record)
            _ = try compiled.table(of: String(decoding: json, as: UTF8.self))
            for value in compiled.values(.decodedScript) + compiled.values(.decodedCommandLine) {
                #expect(!value.isEmpty && value.utf8.count <= 6 * text.utf8.count + 2048, "\(text)")
            }
        }
        _ = try compiled.table(of: #"{"process.command_line":"Ne`w"}"#)
        #expect(compiled.values(.decodedCommandLine) == ["new"])
    }
}

private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
