import Settings
import Testing

@Suite("Where the endpoints listen")
struct HTTPTests {
    @Test("On loopback nothing more is needed", arguments: ["127.0.0.1:0", "localhost:9464", "[::1]:9464", ""])
    func loopback(listen: String) {
        #expect(problems("http.listen: \"\(listen)\"\n").isEmpty)
    }

    @Test("Beyond this machine only with credentials and TLS, or on one's word", arguments: ["0.0.0.0:9464", "[::]:1"])
    func exposed(listen: String) {
        let listen = "http.listen: \"\(listen)\"\n"
        let credentials = "http.password: env:PASSWORD\n"
        let tls = "http.tls_certificate: /c\nhttp.tls_key: /k\n"
        let environment = ["PASSWORD": "hidden"]
        #expect(problems(listen).count == 1)
        #expect(problems(listen).first?.contains("without credentials (http.token or http.password) and TLS") == true)
        #expect(problems(listen + credentials, environment: environment).first?.contains("without TLS") == true)
        #expect(problems(listen + tls).first?.contains("without credentials") == true)
        #expect(problems(listen + credentials + tls, environment: environment).isEmpty)
        #expect(problems(listen + "http.insecure: true\n").isEmpty)
    }

    @Test(
        "What is no address is refused",
        arguments: ["9464", "localhost", ":9464", "localhost:99999", "a b:1", "http://x:1"])
    func noAddress(listen: String) {
        #expect(problems("http.listen: \"\(listen)\"\n").count == 1)
    }

    @Test("TLS takes both files")
    func halfTLS() {
        let found = problems("http.tls_key: /k\n")
        #expect(found.count == 1)
        #expect(found.first?.contains("http.tls_certificate") == true)
    }

    @Test("Secrets are never shown")
    func secrets() throws {
        let settings = try load(minimal + "http.token: hidden-1\nhttp.password: hidden-2\n").get()
        #expect(settings.http.token?.revealed == "hidden-1")
        var dumped = ""
        dump(settings, to: &dumped)
        for shown in [settings.rendered(), "\(settings)", dumped] {
            #expect(!shown.contains("hidden"))
        }
    }
}
