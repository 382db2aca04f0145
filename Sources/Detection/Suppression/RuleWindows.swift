import Alerts
import Correlation
import Crypto
import DequeModule
import EventSchema
import Rules

/// The windows of one rule.
struct RuleWindows {
    enum Verdict {
        /// Opens a window; with the one before it, if it still has something to tell.
        case new(after: Suppressor.Window?)
        case repeated(in: Suppressor.Window)
    }

    let ruleID: String
    let suppression: Rule.Suppression
    let fields: [FieldID]
    var windows: [Suppressor.Group: Suppressor.Window] = [:]
    private(set) var changed: Set<Suppressor.Group> = []
    private let tracksChanges: Bool
    /// In the order in which windows were opened; of those opened anew, entries with an older start are void.
    private var opened: Deque<Entry> = []
    /// Windows that are closed and still have something to tell.
    private var closed: Deque<Entry> = []

    private struct Entry {
        var group: Suppressor.Group
        var start: EventTime
    }

    init(ruleID: String, suppression: Rule.Suppression, fields: [FieldID], tracksChanges: Bool) {
        self.ruleID = ruleID
        self.suppression = suppression
        self.fields = fields
        self.tracksChanges = tracksChanges
    }

    private mutating func set(_ window: Suppressor.Window?, of group: Suppressor.Group) {
        windows[group] = window
        if tracksChanges { changed.insert(group) }
    }

    mutating func takeChanged() -> Set<Suppressor.Group> {
        defer { changed.removeAll(keepingCapacity: true) }
        return changed
    }

    /// SHA-256 over the rule's id and each field with its values, each text and list behind its length.
    func group(_ terms: [SuppressedFindings.Term]) -> Suppressor.Group {
        var hash = SHA256()
        func add(count: Int) {
            withUnsafeBytes(of: UInt32(clamping: count).bigEndian) { hash.update(bufferPointer: $0) }
        }
        func add(_ text: String) {
            let bytes = Array(text.utf8)
            add(count: bytes.count)
            hash.update(data: bytes)
        }
        add("apus-suppression-1")
        add(ruleID)
        add(count: suppression.stage ?? 0)
        for term in terms {
            add(term.field)
            add(count: term.values.count)
            for value in term.values { add(value) }
        }
        let digest = Array(hash.finalize())
        return Suppressor.Group(
            high: digest[..<8].reduce(0) { $0 << 8 | UInt64($1) },
            low: digest[8..<16].reduce(0) { $0 << 8 | UInt64($1) })
    }

    mutating func judge(
        _ group: Suppressor.Group, at time: EventTime, counters: inout Suppressor.Counters
    ) -> Verdict {
        guard var window = windows[group] else {
            open(group, at: time, counters: &counters)
            return .new(after: nil)
        }
        let distance = max(time, window.start).span(since: min(time, window.start))
        if distance < suppression.window {
            window.count += 1
            window.first = window.first.map { min($0, time) } ?? time
            window.last = window.last.map { max($0, time) } ?? time
            set(window, of: group)
            return .repeated(in: window)
        }
        // Long before the window: it stays as it is.
        if time < window.start { return .new(after: nil) }
        let isForgotten = time >= window.start.ahead(by: suppression.window).ahead(by: Suppressor.retention)
        if isForgotten { counters.forgotten += window.count }
        open(group, at: time, counters: &counters)
        return .new(after: isForgotten ? nil : window)
    }

    private mutating func open(
        _ group: Suppressor.Group, at time: EventTime, counters: inout Suppressor.Counters
    ) {
        while windows[group] == nil, windows.count >= Suppressor.maximumGroups,
            let oldest = closed.popFirst() ?? opened.popFirst()
        {
            guard let window = windows[oldest.group], window.start == oldest.start else { continue }
            set(nil, of: oldest.group)
            counters.evicted += 1
            counters.forgotten += window.count
        }
        set(Suppressor.Window(start: time), of: group)
        opened.append(Entry(group: group, start: time))
        // Windows opened anew leave void entries behind.
        if opened.count > 2 * windows.count + 64 {
            opened.removeAll { [windows] in windows[$0.group]?.start != $0.start }
        }
    }

    mutating func expire(_ watermark: EventTime, counters: inout Suppressor.Counters) {
        while let entry = opened.first,
            entry.start.ahead(by: suppression.window).ahead(by: Suppressor.grace) <= watermark
        {
            opened.removeFirst()
            guard let window = windows[entry.group], window.start == entry.start else { continue }
            if window.count > 0 {
                closed.append(entry)
            } else {
                set(nil, of: entry.group)
            }
        }
        while let entry = closed.first,
            entry.start.ahead(by: suppression.window).ahead(by: Suppressor.retention) <= watermark
        {
            closed.removeFirst()
            guard let window = windows[entry.group], window.start == entry.start else { continue }
            counters.forgotten += window.count
            set(nil, of: entry.group)
        }
    }

    /// Takes over what is remembered of the same rule.
    mutating func takeOver(_ old: RuleWindows) {
        windows = old.windows
        changed = old.changed
        opened = old.opened
        closed = old.closed
    }

    mutating func abandon() {
        for group in windows.keys { set(nil, of: group) }
    }

    mutating func finishRestoring() {
        opened = Deque(
            windows.map { Entry(group: $0.key, start: $0.value.start) }
                .sorted { ($0.start, $0.group.high, $0.group.low) < ($1.start, $1.group.high, $1.group.low) })
    }
}
