import Alerts
import Detection
import EventSchema
import Foundation
import Rules
import Testing
import Traffic

/// What the pack says to a day without an attack: the background of the generator, and on top of it everybody whose
/// work looks like one. The README of the pack has the numbers.
@Suite struct BenignTrafficTests {
    @Test func theReadmeHasTheNumbers() throws {
        let before = try Self.alerts(exceptions: .none)
        let after = try Self.alerts(exceptions: try Self.examples())
        let rows = try Pack.load().rules.map(\.fileName).sorted().map { name in
            "| `\(name)` | \(before[name] ?? 0) | \(after[name] ?? 0) |"
        }
        let table = rows.joined(separator: "\n")
        let readme = try String(contentsOf: Pack.folder.appending(path: "README.md"), encoding: .utf8)
        #expect(readme.contains(table), "the table is now\n\(table)")
        #expect(after.values.reduce(0, +) < before.values.reduce(0, +))
    }

    /// The traffic of the generator alone raises nothing.
    @Test func theBackgroundIsQuiet() throws {
        let lane = try Pack.lane()
        for record in try Self.background() { lane.send(record) }
        #expect(lane.finish().map(\.rule.fileName) == [])
    }

    // MARK: Counting

    private static func alerts(exceptions: ExceptionSet) throws -> [String: Int] {
        let lane = try Pack.lane(exceptions: exceptions, lateness: 4 * 3_600)
        for record in try background() { lane.send(record) }
        for record in work { lane.send(record) }
        return lane.finish().reduce(into: [:]) { $0[$1.rule.fileName, default: 0] += 1 }
    }

    /// The examples of the repository, switched on.
    private static func examples() throws -> ExceptionSet {
        let file = Pack.folder.deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "exceptions/mail_collection.toml")
        let text = try String(contentsOf: file, encoding: .utf8).replacing("enabled = false", with: "")
        let report = ExceptionLoader(checker: .standard).load(toml: text, path: file.path)
        try #require(report.problems.isEmpty, "\(report.problems)")
        return report.exceptions
    }

    /// Browsers, Outlook on 443, health checks with curl, inventory scripts, mailbox statistics, ordinary mail clients.
    private static func background() throws -> [[UInt8]] {
        let start = try #require(EventTime(parsing: "2026-01-01T09:00:00Z"))
        let plan = try TrafficPlan(
            seed: 1, events: 4_000, hosts: TrafficPlan.minimumHosts, start: start, seconds: 7_200)
        let woven = Set(plan.behaviours.flatMap(\.events))
        return TrafficGenerator(plan: plan).enumerated().filter { !woven.contains($0.offset) }.map(\.element.bytes)
    }

    // MARK: People whose work looks like an attack

    private static var work: [String] {
        health + automation + discovery + archive + capacity + helpDesk + cloud
    }

    /// Exchange administrators look after health and capacity, all day.
    private static let health = (0..<60).flatMap { number in
        let cmdlet = [
            "Test-ServiceHealth", "Get-MailboxDatabaseCopyStatus", "Get-MailboxStatistics -Server mail-1", "Get-Queue",
            "Get-MailboxFolderStatistics alice", "New-Mailbox -Name trainee", "Get-MigrationBatch",
        ][number % 7]
        let second = number * 60
        return [
            Records.start(
                "powershell.exe -c \(cmdlet)", second: second, host: "admin-ws-\(number % 3)", user: "exchange.admin"),
            Records.block(cmdlet, id: "h\(number)", second: second + 1, host: "admin-ws-\(number % 3)"),
            Records.connection(second: second + 2, host: "admin-ws-\(number % 3)"),
        ]
    }

    /// curl, Python, Go and others on ordinary sites, whose logs hold their user agents.
    private static let automation = (0..<40).map { number in
        Records.request(
            ["curl/8.9.1", "python-requests/2.32.3", "Go-http-client/2.0", "Wget/1.21", "okhttp/4.12.0"][number % 5],
            path: ["/api/orders", "/metrics", "/status.json"][number % 3], port: 443, second: number * 90,
            address: "10.30.0.\(number % 9 + 1)", user: "svc-jobs", host: "web-1")
    }

    /// The eDiscovery team: a search each, its export, and one of them exports to a file, which nobody excepts.
    private static let discovery =
        (0..<6).flatMap { number in
            let second = 300 + number * 900
            let user = number % 2 == 0 ? "ediscovery.one" : "ediscovery.two"
            let host = number % 2 == 0 ? "legal-ws-01" : "legal-ws-02"
            let search = "New-ComplianceSearch -Name case-\(number) -ExchangeLocation all"
            return [
                Records.start("powershell.exe -c \(search)", second: second, host: host, user: user),
                Records.block(search, id: "d\(number)", second: second + 1, host: host),
                Records.connection(second: second + 2, host: host),
                Records.audit(
                    "New-ComplianceSearch", user: "\(user)@corp.example", second: second + 3, #""ObjectId":"q""#),
                Records.audit(
                    "New-ComplianceSearchAction", user: "\(user)@corp.example", second: second + 400,
                    #""Parameters":{"Export":"True"}"#),
            ]
        } + [
            Records.audit(
                "New-MailboxExportRequest", user: "exchange.admin@corp.example", second: 5_000, #""ObjectId":"bob""#)
        ]

    /// The archive reads over EWS with the SDK, from its own servers.
    private static let archive =
        [
            Records.record(
                second: 5, host: "archive-1", address: "192.0.2.5",
                #""event":{"code":"7","category":["process"],"type":["change"]},"process":{"entity_id":"{a}","pid":9,"#
                    + #""name":"archive.exe","executable":"C:\\Program Files\\Archive\\archive.exe"},"#
                    + #""file":{"name":"Microsoft.Exchange.WebServices.dll"}"#),
            Records.record(
                second: 8, host: "archive-1", address: "192.0.2.5",
                #""event":{"code":"3","category":["network"],"type":["start","connection","protocol"]},"process":{"#
                    + #""entity_id":"{a}","pid":9,"name":"archive.exe"},"destination":{"port":443}"#),
        ]
        + (0..<50).map { number in
            Records.request(
                "ExchangeServicesClient/15.00.0913.015", port: 443, second: 10 + number * 60, address: "192.0.2.5",
                user: #"CORP\\svc-archive"#)
        }

    /// The capacity job, once in ten minutes.
    private static let capacity = (0..<12).flatMap { number in
        [
            Records.start(
                "powershell.exe -c Get-GlobalAddressList; Get-MailboxExportRequest", second: 30 + number * 600,
                host: "monitor-1", user: "svc-capacity"),
            Records.connection(second: 31 + number * 600, host: "monitor-1"),
        ]
    }

    /// The help desk moves a profile; the backup reads a store over the network.
    private static let helpDesk = [
        Records.start(
            #"robocopy C:\Users\bob\AppData\Local\Microsoft\Outlook D:\migration *.ost"#, name: "Robocopy.exe",
            original: "robocopy.exe", second: 1_000, host: "help-ws-1", user: "help.desk"),
        Records.record(
            second: 2_000, host: "ws-77",
            #""event":{"code":"4663"},"winlog":{"event_data":{"ObjectName":"C:\\Users\\bob\\bob.ost","#
                + #""AccessList":["%%4416"],"ProcessName":"C:\\Program Files\\Corp Backup\\agent.exe"}}"#),
        Records.record(
            second: 2_001, host: "ws-77",
            #""event":{"code":"5145","category":["network","file"],"type":["info","access"]},"winlog":{"event_data":{"#
                + #""ShareName":"\\\\*\\home","RelativeTargetName":"bob\\archive.pst"}}"#),
    ]

    /// An assistant is given a mailbox; the backup of Microsoft 365 reads all of them, and a room display that the help desk
    /// sets up reads calendars and its own mail.
    private static let cloud =
        [
            Records.audit(
                "Add-MailboxPermission", user: "help.desk@corp.example", second: 100,
                #""ObjectId":"ceo","Parameters":{"User":"assistant@corp.example","AccessRights":"FullAccess"}"#),
            Records.audit(
                "MailItemsAccessed", user: "assistant@corp.example", second: 700,
                #""LogonType":2,"ClientInfoString":"Client=OWA""#),
        ]
        + (0..<32).map { number in
            let mailbox = String(number, radix: 16) + "41f-\(number)"
            return Records.graph("/v1.0/users/\(mailbox)/messages", second: 3_000 + number, app: "backup")
        } + [
            Records.appGrant(
                "Add app role assignment to service principal.",
                [("AppRole_Value", "Calendars.Read"), ("ServicePrincipal_AppId", "rooms")], target: ["Microsoft Graph"],
                second: 4_000),
            Records.graph("/v1.0/users/room-1/events", second: 4_060, app: "rooms"),
            Records.appGrant(
                "Consent to application.", [("ConsentAction_Permissions", "[] => [[Scope: Mail.Read Mail.Send]]")],
                target: ["ServicePrincipal", "Mail Merge", "merge"], second: 4_100),
            Records.graph("/v1.0/me/mailFolders/drafts/messages", second: 4_160, app: "merge"),
        ]
}
