import EventSchema
import Testing

@testable import Correlation

@Suite struct WatermarkTests {
    private func watermark(_ sources: Int, lateness seconds: Int64 = 2) -> Watermark {
        var watermark = Watermark(lateness: seconds * Timeline.second)
        for _ in 0..<sources { _ = watermark.addSource() }
        return watermark
    }

    @Test func trailsTheNewestEvent() {
        var mark = watermark(1)
        mark.observe(Timeline.time(10), source: 0)
        mark.observe(Timeline.time(7), source: 0)
        #expect(mark.value == nil, "it moves when it is told to")
        #expect(mark.advance() == Timeline.time(8))
    }

    @Test func followsTheSlowestSource() {
        var mark = watermark(2)
        mark.observe(Timeline.time(10), source: 0)
        #expect(mark.advance() == nil, "nothing is known of the other")
        mark.observe(Timeline.time(5), source: 1)
        #expect(mark.advance() == Timeline.time(3))
        mark.observe(Timeline.time(20), source: 1)
        #expect(mark.advance() == Timeline.time(8))
    }

    @Test func idleSourceHoldsNobodyBack() {
        var mark = watermark(2)
        mark.observe(Timeline.time(10), source: 0)
        mark.setIdle(source: 1)
        #expect(mark.advance() == Timeline.time(8))
        mark.observe(Timeline.time(9), source: 1)
        #expect(mark.advance() == Timeline.time(8), "back to work, and behind: the watermark waits for it")
        mark.observe(Timeline.time(30), source: 0)
        #expect(mark.advance() == Timeline.time(8))
        mark.observe(Timeline.time(20), source: 1)
        #expect(mark.advance() == Timeline.time(18))
    }

    @Test func allIdleMovesToTheNewestEvent() {
        var mark = watermark(2)
        mark.observe(Timeline.time(10), source: 0)
        mark.observe(Timeline.time(4), source: 1)
        mark.setIdle(source: 0)
        mark.setIdle(source: 1)
        #expect(mark.advance() == Timeline.time(10))
    }

    @Test func removedSourceHoldsNobodyBack() {
        var mark = watermark(2)
        mark.observe(Timeline.time(10), source: 0)
        mark.observe(Timeline.time(3), source: 1)
        #expect(mark.advance() == Timeline.time(1))
        mark.remove(source: 1)
        #expect(mark.advance() == Timeline.time(8))
        #expect(mark.addSource() == 2, "numbers are not given twice")
    }

    @Test func neverGoesBack() {
        var mark = watermark(1)
        mark.observe(Timeline.time(10), source: 0)
        #expect(mark.advance() == Timeline.time(8))
        let late = mark.addSource()
        mark.observe(Timeline.time(2), source: late)
        #expect(mark.advance() == Timeline.time(8))
    }

    @Test func endlessLatenessHoldsEverything() {
        var mark = Watermark(lateness: .max)
        let source = mark.addSource()
        mark.observe(Timeline.time(10), source: source)
        #expect(mark.advance() == nil)
        mark.setIdle(source: source)
        #expect(mark.advance() == nil)
    }
}
