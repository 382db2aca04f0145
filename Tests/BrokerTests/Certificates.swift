import Foundation
import TestSupport

/// Keys and certificates made for one test: an authority, a server and a client it has signed, and an authority that
/// has signed neither.
struct Certificates {
    let folder: Folder

    var authority: String { path("authority.pem") }
    var stranger: String { path("stranger.pem") }
    var server: (certificate: String, key: String) { (path("server.pem"), path("server.key")) }
    var client: (certificate: String, key: String) { (path("client.pem"), path("client.key")) }

    static let openssl = ["/usr/bin/openssl", "/usr/local/bin/openssl"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    init(openssl: String) async throws {
        folder = try Folder()
        let extensions = try folder.write("subjectAltName=IP:127.0.0.1,DNS:localhost\n", to: "server.ext")
        let plain = try folder.write("basicConstraints=CA:FALSE\n", to: "client.ext")
        func run(_ arguments: String...) async throws {
            let command = try Command(openssl, arguments)
            guard try await command.status() == 0 else { throw NotInTime(description: command.errors) }
        }
        let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        for name in ["authority", "stranger"] {
            let command = try Command(
                openssl,
                [
                    "req", "-x509", "-days", "2", "-subj", "/CN=\(name)", "-keyout", path("\(name).key"), "-out",
                    path("\(name).pem"),
                ]
                    + newKey)
            guard try await command.status() == 0 else { throw NotInTime(description: command.errors) }
        }
        for (name, extensions) in [("server", extensions), ("client", plain)] {
            let request = try Command(
                openssl,
                ["req", "-new", "-subj", "/CN=\(name)", "-keyout", path("\(name).key"), "-out", path("\(name).csr")]
                    + newKey)
            guard try await request.status() == 0 else { throw NotInTime(description: request.errors) }
            try await run(
                "x509", "-req", "-days", "2", "-in", path("\(name).csr"), "-CA", authority, "-CAkey",
                path("authority.key"), "-CAcreateserial", "-extfile", extensions, "-out", path("\(name).pem"))
        }
    }

    private func path(_ name: String) -> String { folder.url.appending(path: name).path }
}
