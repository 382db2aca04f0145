import Foundation
import Synchronization
import Telemetry
import Testing

@testable import Operations

@Suite("HTTP endpoints", .timeLimit(.minutes(4)))
struct EndpointTests {
    // MARK: Probes

    @Test func probesTellStartingReadyAndStalledApart() async throws {
        let stage = try await Stage()
        #expect(try await stage.get("/livez").status == 200)
        #expect(try await stage.get("/startupz").status == 503)
        #expect(try await stage.get("/readyz").status == 503)
        stage.feed.publish(Stage.reading(1))
        for path in ["/livez", "/startupz", "/readyz"] { #expect(try await stage.get(path).status == 200, "\(path)") }
        stage.feed.publish(Stage.reading(2, stalled: true))
        let stalled = try await stage.get("/readyz")
        #expect(stalled.status == 503)
        #expect(stalled.body == "stalled: partition 2 has records and takes none\n")
        // A restart would not help.
        #expect(try await stage.get("/livez").status == 200)
        await stage.stop()
    }

    @Test func anOldReadingIsNotReadyAndAVeryOldOneNotAlive() {
        let reading = Stage.reading(1, time: 1000)
        #expect(Health.readiness(reading, now: 1005).isEmpty)
        #expect(Health.readiness(reading, now: 1011) == ["the last reading of the engine is 11 s old"])
        #expect(Health.liveness(reading, started: 900, now: 1059).isEmpty)
        #expect(Health.liveness(reading, started: 900, now: 1061) == ["no reading of the engine for 61 s"])
        #expect(Health.liveness(nil, started: 1000, now: 1059).isEmpty)
    }

    // MARK: Content

    @Test func statusSaysWhatRunsAndWhere() async throws {
        let stage = try await Stage()
        stage.feed.publish(Stage.reading(30))
        let answer = try await stage.get("/status")
        #expect(answer.headers["content-type"] == "application/json")
        let status = try #require(
            try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any])
        #expect(status["ready"] as? Bool == true)
        #expect((status["versions"] as? [String: String])?["apus"] == "0.1.0")
        #expect((status["assignment"] as? [[String: Any]])?.count == 6)
        #expect((status["lanes"] as? [[String: Any]])?.first?["state"] as? String == "reading")
        let rules = try #require((status["rules"] as? [String: Any])?["rules"] as? [[String: Any]])
        #expect(rules.first?["hash"] as? String == "hash-0")
        #expect(rules.last?["matches"] as? Int == 87)
        await stage.stop()
    }

    @Test func metricsAreServedAsPrometheusReadsThem() async throws {
        let stage = try await Stage()
        stage.feed.publish(Stage.reading(30))
        let answer = try await stage.get("/metrics")
        #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        for metric in MetricDescription.all { #expect(answer.body.contains("# TYPE \(metric.name) ")) }
        await stage.stop()
    }

    @Test func reloadAnswersWithWhatCameOfIt() async throws {
        let reports = Mutex([
            ReloadReport(hasTakenEffect: true, rules: 7, hash: "ab"),
            ReloadReport(hasTakenEffect: false, rules: 7, hash: "ab", errors: ["a.toml:1:2: error: no rule"]),
        ])
        let stage = try await Stage(credentials: [.token("t")]) { reports.withLock { $0.removeFirst() } }
        let bearer = "Authorization: Bearer t"
        #expect(try await stage.get("/reload", "-X", "POST").status == 401)
        #expect(try await stage.get("/reload", "-H", bearer).status == 404)
        let foreign = try await stage.get("/reload", "-X", "POST", "-H", bearer, "-H", "Origin: http://evil.example")
        #expect(foreign.status == 403)

        let own = "Origin: http://127.0.0.1:\(stage.port)"
        let done = try await stage.get("/reload", "-X", "POST", "-H", bearer, "-H", own)
        #expect(done.status == 200)
        #expect(done.body == #"{"errors":[],"hasTakenEffect":true,"hash":"ab","pending":[],"rules":7}"# + "\n")
        let refused = try await stage.get("/reload", "-X", "POST", "-H", bearer)
        #expect(refused.status == 422)
        #expect(refused.body.contains("a.toml:1:2: error: no rule"))
        await stage.stop()
    }

    @Test func pagesMayDoNothingButShowThemselves() async throws {
        let stage = try await Stage()
        for file in DashboardFile.all {
            let answer = try await stage.get(file.path)
            #expect(answer.status == 200)
            #expect(Array(answer.body.utf8) == file.bytes)
            let policy = try #require(answer.headers["content-security-policy"])
            #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self'"))
            #expect(!policy.contains("unsafe"))
            #expect(answer.headers["x-content-type-options"] == "nosniff")
        }
        #expect(try await stage.get("/nothing").status == 404)
        await stage.stop()
    }

    /// The page must work without a network: nothing in it points elsewhere, and nothing turns text into markup.
    @Test(arguments: DashboardFile.all.map(\.path))
    func filesPointNowhereElse(path: String) throws {
        let file = try #require(DashboardFile.all.first { $0.path == path })
        let text = String(decoding: file.bytes, as: UTF8.self)
            .replacing("http://www.w3.org/2000/svg", with: "")
        for forbidden in [
            "http:", "https:", "//cdn", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
            "style=", " onclick=", "@import",
        ] {
            #expect(!text.contains(forbidden), "\(forbidden)")
        }
    }

    @Test func theStreamTellsWhatWasAndWhatComes() async throws {
        let feed = OperationsFeed(Stage.engine)
        feed.publish(alert: Array(#"{"event":{"id":"1"}}"#.utf8))
        feed.publish(Stage.reading(1))
        let stream = try #require(feed.connect(now: 5))
        feed.publish(alert: Array("{\"event\":\n{\"id\":\"2\"}}".utf8))
        feed.publish(Stage.reading(2))
        feed.close()
        var events: [String] = []
        for await event in stream { events.append(String(decoding: event.bytes, as: UTF8.self)) }
        #expect(
            events.map { $0.prefix { $0 != "\n" } } == [
                "event: hello", "event: reading", "event: past", "event: caught_up", "event: alert", "event: reading",
            ])
        #expect(events[4] == "event: alert\ndata: {\"event\": {\"id\":\"2\"}}\n\n")
        #expect(feed.connect(now: 6) == nil)
    }

    @Test func aFloodOfAlertsReachesDashboardsOnlyInPart() async throws {
        let feed = OperationsFeed(Stage.engine)
        let stream = try #require(feed.connect(now: 5))
        for number in 0..<500 { feed.publish(alert: Array(#"{"n":\#(number)}"#.utf8)) }
        feed.publish(Stage.reading(1))
        feed.close()
        var events: [String] = []
        for await event in stream { events.append(String(decoding: event.bytes, as: UTF8.self)) }
        #expect(events.count { $0.hasPrefix("event: alert") } == OperationsFeed.alertsPerReading)
        #expect(events.last?.contains(#""skipped":450"#) == true)
    }

    @Test func largeAlertsPushOldOnesOut() async throws {
        let feed = OperationsFeed(Stage.engine)
        let large = [UInt8](repeating: UInt8(ascii: " "), count: OperationsFeed.alertBytesKept / 4)
        for _ in 0..<20 { feed.publish(alert: large) }
        let stream = try #require(feed.connect(now: 5))
        feed.close()
        var past = 0
        for await event in stream where event.bytes.starts(with: Array("event: past".utf8)) { past += 1 }
        #expect(past == 4)
    }

    // MARK: Who may ask

    @Test func withATokenOnlyItsOwnerMayAsk() async throws {
        let stage = try await Stage(credentials: [.token("s3cret"), .basic(user: "apus", password: "pass:word")])
        for path in ["/", "/metrics", "/status", "/stream", "/dashboard.js", "/nothing"] {
            let refused = try await stage.get(path)
            #expect(refused.status == 401, "\(path)")
            #expect(refused.headers["www-authenticate"] == #"Basic realm="Apus", charset="UTF-8""#)
        }
        for path in ["/livez", "/readyz", "/startupz"] { #expect(try await stage.get(path).status != 401) }
        #expect(try await stage.get("/status", "-H", "Authorization: Bearer s3cret").status == 200)
        #expect(try await stage.get("/status", "-H", "Authorization: bearer s3cret").status == 200)
        #expect(try await stage.get("/status", "-H", "Authorization: Bearer S3cret").status == 401)
        #expect(try await stage.get("/status", "-H", "Authorization: Bearer s3cret2").status == 401)
        #expect(try await stage.get("/status", "-u", "apus:pass:word").status == 200)
        #expect(try await stage.get("/status", "-u", "apus:wrong").status == 401)
        await stage.stop()
    }

    /// A page whose name was made to point at 127.0.0.1 asks under that name.
    @Test(arguments: [
        ("evil.example", 421), ("evil.example:9464", 421), ("localhost:1", 200), ("[::1]:9464", 200),
        ("127.0.0.1.evil.example", 421),
    ])
    func onLoopbackOnlyLoopbackNamesAreAnswered(host: String, status: Int) async throws {
        let stage = try await Stage()
        #expect(try await stage.get("/", "-H", "Host: \(host)").status == status)
        await stage.stop()
    }

    @Test func speaksTLS() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (key, certificate) = (folder.appending(path: "key.pem").path, folder.appending(path: "cert.pem").path)
        let openssl = Process()
        openssl.executableURL = URL(filePath: "/usr/bin/openssl")
        openssl.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
        ]
        openssl.standardError = FileHandle.nullDevice
        #expect(try await openssl.finish() == 0)
        let stage = try await Stage(credentials: [.token("t")], tls: .init(certificate: certificate, key: key))
        let answer = try await stage.get("/livez", "--cacert", certificate, scheme: "https")
        #expect(answer.status == 200)
        await stage.stop()
    }

    @Test func aMissingCertificateIsAnErrorAtTheStart() async {
        await #expect(throws: (any Error).self) {
            _ = try await Stage(tls: .init(certificate: "/nowhere/cert.pem", key: "/nowhere/key.pem"))
        }
    }
}
