import Foundation
import Testing

// MARK: Rules and events

func ruleFile(_ number: Int, _ query: String) -> String {
    """
    [rule]
    name = "Rule \(number)"
    rule_id = "00000000-0000-4000-8000-00000000000\(number)"
    description = "Fires in tests."
    severity = "high"
    risk_score = 73
    type = "eql"
    query = '''
    \(query)
    '''
    """
}

let goodRule = ruleFile(1, #"any where event.action == "alert""#)
let brokenRule = ruleFile(2, #"any where event.action = "alert""#)

func event(_ action: String, second: Int = 0, host: String = "h1", more: String = "") -> String {
    let time = "2025-01-01T00:00:\(second < 10 ? "0" : "")\(second)Z"
    return #"{"@timestamp":"\#(time)","event":{"action":"\#(action)"},"host":{"id":"\#(host)"}\#(more)}"#
}

func lines(_ events: String...) -> Data { Data(events.map { $0 + "\n" }.joined().utf8) }

func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
}
