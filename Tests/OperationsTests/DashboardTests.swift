import Foundation
import Telemetry
import Testing

@testable import Operations

/// The dashboard in a real browser. With `APUS_TEST_SCREENSHOTS` naming a folder, what is seen is kept there.
@Suite(
    "Dashboard", .serialized, .timeLimit(.minutes(5)), .enabled(if: Browser.path != nil, "Chromium is not installed"))
struct DashboardTests {
    /// Runs with a page that is connected.
    private func withPage(
        width: Int = 1440, height: Int = 1100, scheme: String = "light", complaining expected: String? = nil,
        _ body: (Stage, Browser) async throws -> Void
    ) async throws {
        let stage = try await Stage()
        for second in 0..<240 {
            stage.feed.publish(Stage.reading(second, time: Date().timeIntervalSince1970 - 240 + Double(second)))
        }
        let browser = try await Browser()
        try await browser.show("http://127.0.0.1:\(stage.port)/", width: width, height: height, scheme: scheme)
        try await browser.wait(for: "document.getElementById('health')?.textContent === 'ready'")
        do {
            try await body(stage, browser)
        } catch {
            await browser.close()
            throw error
        }
        #expect(browser.complaints.allSatisfy { expected != nil && $0.contains(expected ?? "") })
        await browser.close()
        await stage.stop()
    }

    private func keep(_ browser: Browser, _ name: String) async throws {
        let picture = try await browser.screenshot()
        #expect(picture.count > 20_000, "an empty page")
        guard let folder = ProcessInfo.processInfo.environment["APUS_TEST_SCREENSHOTS"] else { return }
        try picture.write(to: URL(filePath: folder).appending(path: "\(name).png"))
    }

    /// An alert like those that Apus writes.
    private func alert(
        _ id: String, rule: String = "Mail collection command with a connection to port 443", severity: Int = 99,
        host: String = "ws-042", user: String = "alice",
        command: String = "powershell.exe -nop -c Import-Module .\\\\MailSniper.ps1; Invoke-SelfSearch -Mailbox alice",
        span: String = "[39, 49]"
    ) -> [UInt8] {
        Array(
            """
            {"@timestamp":"2026-11-24T09:00:04.120Z","message":"\(rule) on \(host)","event":{"kind":"alert","id":"\(id)",
            "severity":\(severity),"risk_score":91,"reason":"process.command_line regex~ \\"MailSniper\\"; destination.port == \\"443\\""},
            "rule":{"id":"r","name":"\(rule)","description":"A command line that collects mail, and a connection to \
            port 443 of the same host within a minute."},
            "threat":{"technique":{"id":["T1114"],"name":["Email Collection"],
            "subtechnique":{"id":["T1114.002"],"name":["Remote Email Collection"]}}},
            "host":{"id":"8f1c2a","name":"\(host)"},"user":{"name":"\(user)"},"process":{"name":"powershell.exe","pid":4242},
            "apus":{"host_key":"8f1c2a","late":false,"join_keys":[{"field":"apus.host_key","value":"8f1c2a"}],"evidence":[
            {"stage":0,"topic":"events","partition":3,"offset":88120,"timestamp":"2026-11-24T09:00:00.000Z","matches":[
            {"field":"process.name","operator":"in~","value":"powershell.exe"},
            {"field":"process.command_line","operator":"regex~","value":"\(command)","span":\(span)}],
            "event":{"event":{"category":["process"],"type":["start"]},"process.name":"powershell.exe",
            "process":{"executable":"C:\\\\Windows\\\\System32\\\\powershell.exe","parent":{"name":"cmd.exe"}},"user":{"name":"\(user)"}}},
            {"stage":1,"topic":"events","partition":3,"offset":88171,"timestamp":"2026-11-24T09:00:04.120Z","matches":[
            {"field":"destination.port","operator":"==","value":"443"}],
            "event":{"event":{"category":["network"],"type":["start","connection","protocol"]},
            "destination":{"ip":"203.0.113.20","port":443,"domain":"outlook.office365.com"},"process":{"name":"powershell.exe"}}}]}}
            """.utf8)
    }

    private func publishAll(_ feed: OperationsFeed) {
        let rules = [
            ("Unusual user agent at Exchange Web Services", 21, "ws-311", "svc-archive"),
            ("Exchange Web Services client in PowerShell", 47, "ws-120", "dora"),
            ("Mailbox exported to a PST on a network share", 73, "exch-02", "admin.t0"),
            ("Unusual user agent at Exchange Web Services", 21, "ws-078", "bo"),
            ("Offline Outlook data file copied by another program", 73, "ws-219", "yusuf"),
            ("MailSniper or a similar tool in a script block", 73, "ws-042", "alice"),
            ("Mail collection command with a connection to port 443", 99, "ws-042", "alice"),
        ]
        for (number, rule) in rules.enumerated() {
            feed.publish(alert: alert("id-\(number)", rule: rule.0, severity: rule.1, host: rule.2, user: rule.3))
        }
    }

    // MARK: Alerts

    @Test func anAlertAppearsWithinASecondAndOpensIntoItsEvidence() async throws {
        try await withPage { stage, browser in
            #expect(try await browser.count("article.alert") == 0)
            // A busy machine may be late once; three times in a row it is the page.
            var delays: [Duration] = []
            for number in 0..<3 {
                let start = ContinuousClock.now
                stage.feed.publish(alert: alert("id-\(number)"))
                try await browser.wait(for: "document.querySelectorAll('article.alert').length === \(number + 1)")
                delays.append(.now - start)
            }
            #expect(delays.contains { $0 < .seconds(1) }, "\(delays)")

            _ = try await browser.value("document.querySelector('.summary').click()")
            #expect(try await browser.count(".evidence .step") == 2)
            #expect(try await browser.text(".axis .what") == "process start")
            let words = try await browser.value(
                "[...document.querySelectorAll('.axis .what')].map(n => n.textContent).join()")
            #expect(words as? String == "process start,connection")
            let times = try await browser.value(
                "[...document.querySelectorAll('.axis .when')].map(n => n.textContent)[1]")
            #expect(times as? String == "+4.12 s")
            let marks = try await browser.value(
                "[...document.querySelectorAll('.step mark')].map(n => n.textContent).join()")
            #expect(marks as? String == "powershell.exe,MailSniper,443")
            // The same alert again, as a repeated transaction brings it, is the same line.
            stage.feed.publish(alert: alert("id-0"))
            stage.feed.publish(alert: alert("id-9"))
            try await browser.wait(for: "document.querySelectorAll('article.alert').length === 4")
        }
    }

    /// Raw records have no category of their own: what the rule matched tells it, else the event log and its number.
    @Test func rawRecordsAreNamedByWhatIsKnown() async throws {
        let steps = [
            // What the record was given while it was normalised, and the rule asked for.
            (
                #"{"field":"event.category","operator":"==","value":"process"},{"field":"event.type","operator":"==","value":"start"}"#,
                #"{"event":{"code":"1"},"winlog":{"provider_name":"Microsoft-Windows-Sysmon","event_id":"1"}}"#
            ),
            (
                #"{"field":"destination.port","operator":"==","value":"443"}"#,
                #"{"event":{"action":"Network connection detected (rule: NetworkConnect)"},"winlog":{"provider_name":"Microsoft-Windows-Sysmon","event_id":3}}"#
            ),
            ("", #"{"winlog.event_id":"4663","event.provider":"Microsoft-Windows-Security-Auditing"}"#),
            ("", #"{"winlog":{"provider_name":"Vendor-Agent","event_id":"77"}}"#),
            ("", #"{"Operation":"New-MailboxExportRequest","Workload":"Exchange"}"#),
            ("", #"{"operationName":"Consent to application","category":"AuditLogs"}"#),
            ("", #"{"message":"2026-11-24 09:00:00 GET /EWS/Exchange.asmx"}"#),
        ]
        let evidence = steps.enumerated().map { number, step in
            #"{"stage":0,"topic":"events","partition":0,"offset":\#(number),"timestamp":"2026-11-24T09:0\#(number):00Z","#
                + #""matches":[\#(step.0)],"event":\#(step.1)}"#
        }
        try await withPage { stage, browser in
            stage.feed.publish(
                alert: Array(
                    #"{"@timestamp":"2026-11-24T09:00:00Z","event":{"id":"raw"},"apus":{"evidence":[\#(evidence.joined(separator: ","))]}}"#
                        .utf8))
            try await browser.wait(for: "document.querySelectorAll('article.alert').length === 1")
            _ = try await browser.value("document.querySelector('.summary').click()")
            let titles = try await browser.value(
                "[...document.querySelectorAll('.step header b')].map(n => n.textContent).join()")
            #expect(
                titles as? String
                    == "process start,Sysmon 3,Security 4663,Vendor-Agent 77,New-MailboxExportRequest,Consent to application,event"
            )
        }
    }

    @Test func hostileContentIsShownAsText() async throws {
        let hostile = #"<img src=x onerror=\"window.owned=1\"><script>window.owned=1</script>&lt;b&gt; äöü \u202e"#
        try await withPage(complaining: "TrustedHTML") { stage, browser in
            stage.feed.publish(
                alert: alert(
                    "<b>id</b>", rule: "<svg onload='window.owned=1'>", host: "<i>host</i>", user: "</span><b>user",
                    command: hostile, span: "[0, 4]"))
            try await browser.wait(for: "document.querySelectorAll('article.alert').length === 1")
            _ = try await browser.value("document.querySelector('.summary').click()")
            _ = try await browser.value("document.querySelector('.step details').open = true")
            #expect(try await browser.count("#list img, #list script, #list svg, #list i, #list [onerror]") == 0)
            #expect(try await browser.value("typeof window.owned") as? String == "undefined")
            #expect(try await browser.text(".summary strong") == "<svg onload='window.owned=1'>")
            let command = try await browser.value("document.querySelectorAll('.facts dd')[1].textContent") as? String
            #expect(
                command?.contains(#"<img src=x onerror="window.owned=1"><script>window.owned=1</script>&lt;b&gt; äöü"#)
                    == true)
            #expect(try await browser.text(".facts dd:nth-of-type(2) mark") == "<img")
            // The policy leaves no other way either.
            let refused = try await browser.value(
                "(() => { try { document.body.innerHTML = '<p>'; return false } catch { return true } })()")
            #expect(refused as? Bool == true)
        }
    }

    @Test func spansCountBytesOfTheWholeValue() async throws {
        try await withPage { stage, browser in
            // Two bytes per umlaut: bytes 5 to 15 are characters 3 to 13.
            stage.feed.publish(alert: alert("id", command: "ää MailSniper", span: "[5, 15]"))
            try await browser.wait(for: "document.querySelectorAll('article.alert').length === 1")
            _ = try await browser.value("document.querySelector('.summary').click()")
            #expect(try await browser.text(".facts dd:nth-of-type(2) mark") == "MailSniper")
        }
    }

    @Test func alertsAreSearchedChosenAndHeldByKeyboard() async throws {
        try await withPage { stage, browser in
            publishAll(stage.feed)
            try await browser.wait(for: "document.querySelectorAll('article.alert').length === 7")
            try await browser.press("j")
            try await browser.press("j")
            #expect(
                try await browser.value("document.activeElement.querySelector('strong').textContent") as? String
                    == "MailSniper or a similar tool in a script block")
            try await browser.press("Enter")
            #expect(try await browser.count("article.alert[data-open] .step") == 2)
            try await browser.press("/")
            #expect(try await browser.value("document.activeElement.id") as? String == "search")
            for letter in "yusuf" { try await browser.press(String(letter)) }
            #expect(try await browser.count("article.alert:not([hidden])") == 1)
            try await browser.press("Escape")
            #expect(try await browser.count("article.alert:not([hidden])") == 7)
            _ = try await browser.value("document.querySelector('.chips .low').click()")
            #expect(try await browser.count("article.alert:not([hidden])") == 5)
            try await browser.press("p")
            stage.feed.publish(alert: alert("held"))
            try await browser.wait(for: "document.getElementById('pause').textContent === '1 new'")
            #expect(try await browser.count("article.alert") == 7)
            try await browser.press("p")
            #expect(try await browser.count("article.alert") == 8)
            try await browser.press("?")
            #expect(try await browser.value("document.getElementById('keys').open") as? Bool == true)
        }
    }

    // MARK: Readings

    @Test func readingsAreShownAsTheyCome() async throws {
        try await withPage { stage, browser in
            stage.feed.publish(Stage.reading(300))
            try await browser.wait(for: "document.querySelectorAll('#lanes tr').length === 6")
            #expect(try await browser.text("#rules tr td") == "Global address list read by a script shadow")
            #expect(try await browser.count("#rules tr") == 7)
            #expect(try await browser.text("#dead span") == "not json")
            #expect(try await browser.text("#instance") == "mail-detection · kafka-07:4711 · 0.1.0 · 7 rules")
            for chart in ["records", "latency", "lag", "alerts"] {
                let path = try await browser.value(
                    "document.querySelector('[data-chart=\(chart)] .line').getAttribute('d')?.length ?? 0")
                #expect(path as? Int ?? 0 > 100, "\(chart)")
            }
            stage.feed.publish(Stage.reading(301, stalled: true))
            try await browser.wait(for: "document.getElementById('health').textContent === '1 stalled'")
            #expect(try await browser.count("#lanes .state-stalled") == 1)
        }
    }

    @Test(arguments: [("light", 1440, 1100), ("dark", 1440, 1100), ("light", 390, 1400)])
    func fitsTheScreenInBothColours(scheme: String, width: Int, height: Int) async throws {
        try await withPage(width: width, height: height, scheme: scheme) { stage, browser in
            publishAll(stage.feed)
            // As many seconds later as have passed, so that the rates are those of before.
            let last = try #require(stage.feed.reading).time
            let passed = max(1, Int((Date().timeIntervalSince1970 - last).rounded()))
            stage.feed.publish(Stage.reading(239 + passed, time: last + Double(passed)))
            try await browser.wait(for: "document.querySelectorAll('article.alert').length === 7")
            _ = try await browser.value("document.querySelector('.summary').click()")
            // Without the colour of what has just arrived.
            _ = try await browser.value("document.querySelectorAll('.alert').forEach(n => n.classList.remove('new'))")
            #expect(try await browser.value("document.documentElement.scrollWidth <= innerWidth") as? Bool == true)
            let ground = try await browser.value("getComputedStyle(document.body).backgroundColor") as? String
            #expect(ground == (scheme == "dark" ? "rgb(13, 18, 20)" : "rgb(244, 243, 239)"))
            try await keep(browser, "dashboard-\(scheme)-\(width)")
        }
    }
}
