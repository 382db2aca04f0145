import Foundation
import TestSupport
import Testing

/// Encrypted and authenticated connections, as an operator sets them up: by librdkafka's properties.
@Suite(
    .timeLimit(.minutes(5)), .serialized, .enabled(if: BrokerProcess.python != nil, "python3 is not installed"),
    .enabled(if: Installation.kcatPath != nil, "kcat is not installed"))
struct SecurityTests {
    static let stunnel = ["/usr/bin/stunnel4", "/usr/bin/stunnel", "/usr/local/bin/stunnel"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }
    static let hasTLSTools = stunnel != nil && Certificates.openssl != nil

    /// A broker that speaks plain text behind a listener that does not; clients are told the listener's port.
    struct TLSListener {
        enum Behind: String, CaseIterable { case own, tansu }

        let broker: TestBroker
        let stunnel: Command
        let address: String
        let certificates: Certificates
        let folder: Folder

        init(before kind: Behind, demandsClientCertificate: Bool) async throws {
            certificates = try await Certificates(openssl: try #require(Certificates.openssl))
            folder = try Folder()
            let (port, inner) = (try TestBroker.freePort(), try TestBroker.freePort())
            broker =
                switch kind {
                case .own: try await TestBroker.own("--port", "\(inner)", "--advertise", "\(port)")
                case .tansu: try await TestBroker.tansu(port: inner, advertised: port)
                }
            let verification =
                demandsClientCertificate
                ? "CAfile = \(certificates.authority)\nverifyChain = yes\nrequireCert = yes" : ""
            let configuration = try folder.write(
                """
                foreground = yes
                pid =
                [kafka]
                accept = 127.0.0.1:\(port)
                connect = 127.0.0.1:\(inner)
                cert = \(certificates.server.certificate)
                key = \(certificates.server.key)
                \(verification)
                """, to: "stunnel.conf")
            stunnel = try Command(try #require(SecurityTests.stunnel), [configuration])
            let process = stunnel
            try await eventually("stunnel listens: \(process.errors)") { TestBroker.canConnect(to: port) }
            address = "127.0.0.1:\(port)"
        }

        func installation(_ properties: [String: String]) throws -> Installation {
            try Installation(
                address: address, properties: ["security.protocol": "ssl"].merging(properties) { $1 },
                library: broker.library)
        }

        func stop() async throws {
            // It has nothing to lose, and waits for its connections otherwise.
            stunnel.signal(SIGKILL)
            _ = try await stunnel.status()
            try await broker.stop()
        }
    }

    /// Ends with 69, one line that says what is wrong, and no secret.
    private func isRefused(
        _ installation: Installation, saying words: String, hiding secrets: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let run = try installation.run("kafka.connect_timeout=30s")
        #expect(try await run.status() == 69, "\(run.errors)", sourceLocation: sourceLocation)
        let complaints = run.errors.split(separator: "\n").filter {
            $0.contains(" error ") || $0.contains(" critical ") || $0.contains(" warning ")
        }
        #expect(complaints.count == 1, "\(run.errors)", sourceLocation: sourceLocation)
        #expect(run.errors.contains(words), "\(run.errors)", sourceLocation: sourceLocation)
        for secret in secrets {
            #expect(!(run.errors + run.output).contains(secret), sourceLocation: sourceLocation)
        }
    }

    // MARK: TLS

    @Test(.enabled(if: hasTLSTools, "stunnel4 or openssl is not installed"), arguments: TLSListener.Behind.allCases)
    func detectsOverTLS(behind: TLSListener.Behind) async throws {
        let listener = try await TLSListener(before: behind, demandsClientCertificate: false)
        try await listener.installation(["ssl.ca.location": listener.certificates.authority]).detects()
        try await listener.stop()
    }

    @Test(.enabled(if: hasTLSTools, "stunnel4 or openssl is not installed"), arguments: TLSListener.Behind.allCases)
    func detectsOverMutualTLS(behind: TLSListener.Behind) async throws {
        let listener = try await TLSListener(before: behind, demandsClientCertificate: true)
        let certificates = listener.certificates
        try await listener.installation([
            "ssl.ca.location": certificates.authority, "ssl.certificate.location": certificates.client.certificate,
            "ssl.key.location": certificates.client.key,
        ]).detects()
        try await listener.stop()
    }

    @Test(.enabled(if: hasTLSTools, "stunnel4 or openssl is not installed"))
    func aBrokerThatCannotProveItselfIsRefused() async throws {
        let listener = try await TLSListener(before: .own, demandsClientCertificate: false)
        try await isRefused(
            listener.installation(["ssl.ca.location": listener.certificates.stranger]),
            saying: "certificate verify failed")
        try await listener.stop()
    }

    @Test(.enabled(if: hasTLSTools, "stunnel4 or openssl is not installed"))
    func withoutAClientCertificateTheBrokerRefuses() async throws {
        let listener = try await TLSListener(before: .own, demandsClientCertificate: true)
        try await isRefused(
            listener.installation(["ssl.ca.location": listener.certificates.authority]), saying: "certificate required")
        try await listener.stop()
    }

    // MARK: SASL

    private static let mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

    /// The password stands in a file, the user's name in the environment.
    @Test(arguments: mechanisms)
    func detectsWithCredentials(mechanism: String) async throws {
        let broker = try await TestBroker.own("--user", "apus:s3cr3t-word")
        let folder = try Folder()
        let secret = try folder.write("s3cr3t-word\n", to: "password")
        let installation = try Installation(
            address: broker.address,
            properties: [
                "security.protocol": "sasl_plaintext", "sasl.mechanisms": mechanism, "sasl.username": "env:KAFKA_USER",
                "sasl.password": "file:\(secret)",
            ], environment: ["KAFKA_USER": "apus"])
        try await installation.detects(
            clientProperties: [
                "security.protocol": "sasl_plaintext", "sasl.mechanisms": mechanism, "sasl.username": "apus",
                "sasl.password": "s3cr3t-word",
            ])
        try await broker.stop()
    }

    /// Even librdkafka's own debug log, which the operator has turned on, tells nothing.
    @Test(arguments: mechanisms, ["apus", "nobody"])
    func wrongCredentialsAreRefusedOnceAndQuietly(mechanism: String, user: String) async throws {
        let broker = try await TestBroker.own("--user", "apus:s3cr3t-word")
        let installation = try Installation(
            address: broker.address,
            properties: [
                "security.protocol": "sasl_plaintext", "sasl.mechanisms": mechanism, "sasl.username": user,
                "sasl.password": "wr0ng-word", "debug": "security,broker,conf",
            ])
        try await isRefused(
            installation, saying: "Check sasl.mechanism, sasl.username and the password", hiding: ["wr0ng-word"])
        try await broker.stop()
    }

    /// Tansu knows no user: it keeps them in its storage, and that begins empty.
    @Test func aBrokerThatKnowsNobodyRefuses() async throws {
        let broker = try await TestBroker.tansu(port: try TestBroker.freePort(), "--authentication")
        let installation = try Installation(
            address: broker.address,
            properties: [
                "security.protocol": "sasl_plaintext", "sasl.mechanisms": "SCRAM-SHA-256", "sasl.username": "apus",
                "sasl.password": "wr0ng-word",
            ], library: broker.library)
        try await isRefused(installation, saying: "[_AUTHENTICATION]", hiding: ["wr0ng-word"])
        try await broker.stop()
    }

    @Test func detectsWithAnUnsecuredToken() async throws {
        let broker = try await TestBroker.own("--user", "apus:unused")
        try await Installation(
            address: broker.address,
            properties: [
                "security.protocol": "sasl_plaintext", "sasl.mechanisms": "OAUTHBEARER",
                "enable.sasl.oauthbearer.unsecure.jwt": "true", "sasl.oauthbearer.config": "principal=apus",
            ]
        ).detects()
        try await broker.stop()
    }

    @Test func detectsWithATokenFromAFile() async throws {
        let broker = try await TestBroker.own("--user", "apus:unused", "--token", "t0ken")
        let folder = try Folder()
        try await Installation(
            address: broker.address,
            properties: [
                "security.protocol": "sasl_plaintext", "sasl.mechanisms": "OAUTHBEARER",
                "sasl.oauthbearer.token.location": try folder.write("t0ken\n", to: "token"),
            ]
        ).detects(
            clientProperties: [
                "security.protocol": "sasl_plaintext", "sasl.mechanisms": "OAUTHBEARER",
                "enable.sasl.oauthbearer.unsecure.jwt": "true", "sasl.oauthbearer.config": "principal=apus",
            ])
        try await broker.stop()
    }

    /// librdkafka fetches the token from an identity provider by itself. Debian 12's is built without that.
    @Test func detectsWithATokenOfAnIdentityProvider() async throws {
        let library = try await TestBroker.installed().library
        let provider = try IdentityProvider()
        try await eventually("the provider's port: \(provider.process.errors)") {
            provider.process.output.contains("\n")
        }
        let broker = try await TestBroker.own("--user", "unused:unused", "--token", provider.token)
        let properties = [
            "security.protocol": "sasl_plaintext", "sasl.mechanisms": "OAUTHBEARER",
            "sasl.oauthbearer.method": "oidc", "sasl.oauthbearer.client.id": "apus",
            "sasl.oauthbearer.token.endpoint.url": "http://127.0.0.1:\(provider.process.lines[0])/token",
        ]
        let installation = try Installation(
            address: broker.address,
            properties: properties.merging(["sasl.oauthbearer.client.secret": "env:CLIENT_SECRET"]) { $1 },
            library: library, environment: ["CLIENT_SECRET": "cl13nt-s3cr3t"])
        try await installation.detects(
            clientProperties: properties.merging(["sasl.oauthbearer.client.secret": "cl13nt-s3cr3t"]) { $1 })
        provider.process.signal(SIGTERM)
        try await broker.stop()
    }

    /// Answers every request for a token with the same one.
    private struct IdentityProvider {
        let process: Command
        let token: String

        init() throws {
            func part(_ json: String) -> String {
                Data(json.utf8).base64EncodedString().replacing("=", with: "").replacing("+", with: "-")
                    .replacing("/", with: "_")
            }
            let expiry = Int(Date().timeIntervalSince1970) + 3600
            token = [
                part(#"{"alg":"RS256","typ":"JWT"}"#),
                part(#"{"sub":"apus","iat":\#(expiry - 3600),"exp":\#(expiry)}"#), part("signature"),
            ].joined(separator: ".")
            process = try Command(
                try #require(BrokerProcess.python),
                [
                    "-u", "-c",
                    """
                    import http.server, sys
                    class Handler(http.server.BaseHTTPRequestHandler):
                        def do_POST(self):
                            body = ('{"access_token":"' + sys.argv[1] + '","token_type":"Bearer"}').encode()
                            self.send_response(200)
                            self.send_header("Content-Type", "application/json")
                            self.send_header("Content-Length", str(len(body)))
                            self.end_headers()
                            self.wfile.write(body)
                    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
                    print(server.server_port)
                    server.serve_forever()
                    """, token,
                ])
        }
    }

    // MARK: The broker of the environment

    @Test(.enabled(if: TestBroker.external != nil, "APUS_TEST_BROKERS names no broker"))
    func detectsOnTheNamedBroker() async throws {
        try await Installation(
            address: try #require(TestBroker.external), properties: TestBroker.externalProperties
        ).detects()
    }

    @Test(
        .enabled(
            if: TestBroker.external != nil && TestBroker.externalProperties["sasl.password"] != nil,
            "APUS_TEST_BROKERS and APUS_TEST_PROPERTIES name no broker with passwords"))
    func theNamedBrokerRefusesAWrongPassword() async throws {
        let installation = try Installation(
            address: try #require(TestBroker.external),
            properties: TestBroker.externalProperties.merging(["sasl.password": "wr0ng-word"]) { $1 })
        try await isRefused(
            installation, saying: "Check sasl.mechanism, sasl.username and the password", hiding: ["wr0ng-word"])
    }

    // MARK: What is shown

    @Test func theSettingsAreShownWithoutSecrets() async throws {
        let folder = try Folder()
        let secret = try folder.write("s3cr3t-word", to: "password")
        let installation = try Installation(
            address: "127.0.0.1:1",
            properties: [
                "sasl.password": "file:\(secret)", "ssl.key.password": "pl41n-word",
                "sasl.oauthbearer.client.secret": "env:CLIENT_SECRET",
            ], environment: ["CLIENT_SECRET": "cl13nt-s3cr3t"])
        let shown = try installation.show()
        #expect(try await shown.status() == 0, "\(shown.errors)")
        #expect(shown.output.contains("file:\(secret)"))
        #expect(shown.output.contains("env:CLIENT_SECRET"))
        for secret in ["s3cr3t-word", "pl41n-word", "cl13nt-s3cr3t"] { #expect(!shown.output.contains(secret)) }
    }
}
