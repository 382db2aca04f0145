import Crypto
import Foundation
import HTTPTypes
import Hummingbird

/// Lets nobody in who may not, and tells browsers what the pages may do: nothing but show themselves.
struct Guard<Context: RequestContext>: RouterMiddleware {
    /// Kubernetes asks without credentials; the answers are a word or two.
    static var openPaths: Set<String> { ["/livez", "/readyz", "/startupz"] }

    /// Digests, so that comparing them takes equal time whatever is asked, and memory holds no plain secret.
    private let accepted: [SHA256.Digest]
    private let offersBasic: Bool
    private let isLoopback: Bool

    init(_ options: OperationsOptions) {
        accepted = options.credentials.map { credential in
            switch credential {
            case .token(let token): Self.digest("Bearer " + token)
            case .basic(let user, let password):
                Self.digest("Basic " + Data("\(user):\(password)".utf8).base64EncodedString())
            }
        }
        offersBasic = options.credentials.contains { if case .basic = $0 { true } else { false } }
        isLoopback = options.isLoopback
    }

    private static func digest(_ text: String) -> SHA256.Digest { SHA256.hash(data: Data(text.utf8)) }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response: Response
        if !isAddressedRightly(request) {
            response = .text(.misdirectedRequest, "not the name of this server\n")
        } else if !Self.openPaths.contains(request.uri.path), !isAllowed(request) {
            response = .text(.unauthorized, "credentials are needed\n")
            response.headers[.wwwAuthenticate] = offersBasic ? #"Basic realm="Apus", charset="UTF-8""# : "Bearer"
        } else {
            do {
                response = try await next(request, context)
            } catch let error as HTTPError {
                response = .text(error.status, "\(error.status.code) \(error.status.reasonPhrase)\n")
            }
        }
        for (name, value) in Self.headers { response.headers[name] = value }
        return response
    }

    private func isAllowed(_ request: Request) -> Bool {
        guard !accepted.isEmpty else { return true }
        guard let given = request.headers[.authorization] else { return false }
        let space = given.firstIndex(of: " ") ?? given.endIndex
        // The scheme's case does not matter; what follows it does.
        let digest = Self.digest(given[..<space].capitalized + given[space...])
        return accepted.reduce(false) { ($1 == digest) || $0 }
    }

    /// A page elsewhere can give its own name the address 127.0.0.1 and ask in the name of whoever looks at it; the
    /// name it asks for gives it away.
    private func isAddressedRightly(_ request: Request) -> Bool {
        guard isLoopback, let authority = request.head.authority else { return true }
        var host = authority[...]
        if host.hasPrefix("[") {
            host = host.dropFirst().prefix { $0 != "]" }
        } else if let colon = host.lastIndex(of: ":") {
            host = host[..<colon]
        }
        return OperationsOptions.isLoopback(host.lowercased())
    }

    private static var headers: [(HTTPField.Name, String)] {
        [
            (.contentSecurityPolicy, DashboardFile.policy),
            (.xContentTypeOptions, "nosniff"),
            (.referrerPolicy, "no-referrer"),
            (.crossOriginResourcePolicy, "same-origin"),
            (.crossOriginOpenerPolicy, "same-origin"),
            (.cacheControl, "no-store"),
        ]
    }
}

extension HTTPField.Name {
    static let referrerPolicy = Self("Referrer-Policy")!
    static let crossOriginOpenerPolicy = Self("Cross-Origin-Opener-Policy")!
}

extension Response {
    static func text(
        _ status: HTTPResponse.Status, _ text: String, type: String = "text/plain; charset=utf-8"
    ) -> Response {
        bytes(Array(text.utf8), type: type, status: status)
    }

    static func bytes(_ bytes: [UInt8], type: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
