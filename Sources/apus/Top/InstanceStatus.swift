import Foundation
import Operations

/// What an instance says of itself at `/status`, as far as `apus top` shows it.
struct InstanceStatus: Decodable, Sendable {
    struct Assignment: Decodable, Sendable {
        var lag: Int64
        var lagSeconds: Double
    }

    struct Rule: Decodable, Sendable {
        var id: String
        var name: String
        var severity: String
        var matches: UInt64
        var alerts: UInt64
    }

    struct Rules: Decodable, Sendable {
        var hash: String
        var rules: [Rule]
    }

    var instance: String
    var ready: Bool
    var problems: [String]
    /// Seconds since 1970.
    var time: Double
    var records: UInt64
    var alerts: UInt64
    var deadLetters: [String: UInt64]
    var assignment: [Assignment]
    var rules: Rules

    static func read(_ client: OperationsClient) async -> Result<InstanceStatus, OperationsClient.Failure> {
        do {
            let answer = try await client.get("/status")
            guard answer.status == 200 else {
                let hint = answer.status == 401 ? ": set APUS_HTTP_TOKEN or APUS_HTTP_PASSWORD" : ""
                return .failure(.init(description: "it answers with status \(answer.status)\(hint)"))
            }
            return .success(try JSONDecoder().decode(InstanceStatus.self, from: Data(answer.body)))
        } catch let failure as OperationsClient.Failure {
            return .failure(failure)
        } catch {
            return .failure(.init(description: "its status cannot be read: it may be another version, or no Apus"))
        }
    }
}
