import Foundation
import Settings
import Testing

@Suite("Secrets come from elsewhere and are never shown")
struct SecretTests {
    @Test("A property takes a file's content or a variable's, or what is literally there")
    func references() throws {
        let settings = try load(
            minimal + """
                kafka.properties:
                  sasl.password: file:/run/secrets/kafka
                  ssl.key.password: env:APUS_KEY_PASSWORD
                  sasl.username: literal:env:name
                """,
            environment: ["APUS_KEY_PASSWORD": "hidden-1"], files: ["/run/secrets/kafka": "hidden-2\n"]
        ).get()
        #expect(
            settings.kafka.properties.mapValues(\.revealed) == [
                "sasl.password": "hidden-2", "ssl.key.password": "hidden-1", "sasl.username": "env:name",
            ])
    }

    @Test("A reference that leads nowhere is a problem")
    func brokenReferences() {
        let found = problems("kafka.properties:\n  sasl.password: file:/no\n  ssl.key.password: env:NO\n")
        #expect(
            found == [
                "apus.yaml:8:18: sasl.password refers to the file /no, which cannot be read: no such file",
                "apus.yaml:9:21: ssl.key.password refers to the environment variable NO, which is not set",
            ])
    }

    @Test("No way of showing settings shows a secret")
    func masked() throws {
        let settings = try load(
            minimal + """
                kafka.properties:
                  sasl.password: hidden-1
                  ssl.key.pem: hidden-2
                  sasl.oauthbearer.client.secret: hidden-3
                  ssl.keystore.password: file:/secret
                  sasl.username: apus
                """,
            flags: [("kafka.producer_properties.sasl.password", "hidden-4")],
            files: ["/secret": "hidden-5"]
        ).get()
        var dumped = ""
        dump(settings, to: &dumped)
        dump(settings.kafka, to: &dumped)
        let shown = [
            settings.rendered(), "\(settings)", "\(settings.kafka)", String(reflecting: settings),
            String(reflecting: settings.kafka), dumped,
            String(decoding: try JSONEncoder().encode(settings.shown), as: UTF8.self),
        ]
        for text in shown {
            #expect(!text.contains("hidden-"))
        }
        #expect(settings.rendered().contains("    sasl.password: \"********\"\n"))
        #expect(settings.rendered().contains("    ssl.keystore.password: file:/secret\n"))
        #expect(settings.rendered().contains("    sasl.username: apus\n"))
    }

    @Test("No problem quotes the value of a property")
    func problemsAreMasked() {
        let found = problems(
            "kafka.properties:\n  group.id: hidden-1\n",
            flags: [("kafka.properties.group.id", "hidden-2"), ("kafka.properties", "hidden-3")])
        #expect(found.count == 3)
        #expect(found.allSatisfy { !$0.contains("hidden-") })
    }
}
