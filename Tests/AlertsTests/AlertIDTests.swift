import EventSchema
import Events
import Rules
import Testing

@testable import Alerts

@Suite struct AlertIDTests {
    private func id(_ change: (inout Finding) -> Void = { _ in }) throws -> AlertID {
        var finding = try finding()
        finding.rule = try fixedRule()
        change(&finding)
        return AlertID(finding, topicName: encoder.topicName)
    }

    /// Computed outside this code from the layout in the documentation.
    @Test func knownAnswer() throws {
        #expect(try id().description == "7cbab6bb0f52a9c2f42325e0e4c19a92")
    }

    @Test func dependsOnEachCoordinateAndTheirOrder() throws {
        let other = try fixedRule(id: "rule-2")
        let ids = try [
            id(), id { $0.evidence.swapAt(0, 1) }, id { $0.evidence.removeLast() },
            id { $0.evidence[0].origin.offset += 1 },
            id { $0.evidence[0].origin.partition += 1 }, id { $0.evidence[0].origin.topic = TopicID(rawValue: 1) },
            id { $0.rule = other },
        ]
        #expect(Set(ids).count == ids.count)
    }

    @Test func nothingElseMatters() throws {
        let other = try id {
            $0.isLate = true
            $0.suppression = SuppressedFindings(terms: [], count: 3)
            $0.keyStep = 1
            $0.evidence[0].original = []
            $0.evidence[0].timestamp = EventTime(nanoseconds: 0)
        }
        #expect(try id() == other)
    }

    @Test func hasAlways32Digits() throws {
        for offset in 0..<200 {
            let text = try id { $0.evidence[0].origin.offset = Int64(offset) }.description
            #expect(text.count == 32 && text.allSatisfy { $0.isHexDigit && !$0.isUppercase })
        }
    }
}
