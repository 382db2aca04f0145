public import Detection
public import Rules

/// The results of a suite.
public struct RuleTestReport: Sendable {
    /// What every rule should have: cases on both sides of its edge.
    public static let fewestOfAKind = 2

    public struct RuleResult: Sendable {
        public let entry: RuleTestSuite.Entry
        public let tests: [RuleTestResult]

        public var rule: Rule { entry.rule }
        public var passed: Bool { tests.allSatisfy(\.passed) }

        public func count(_ kind: RuleTest.Kind) -> Int { tests.count { $0.test.kind == kind } }
        public func passed(_ kind: RuleTest.Kind) -> Int { tests.count { $0.test.kind == kind && $0.passed } }

        /// What the fixture lacks, as one sentence without a full stop.
        public var shortage: String? {
            guard entry.fixture != nil else { return "there is no fixture" }
            let fewest = RuleTestReport.fewestOfAKind
            let parts = [(RuleTest.Kind.match, "match"), (.nearMiss, "near miss")]
                .filter { count($0.0) < fewest }
                .map { "\(count($0.0)) \($0.1)\(count($0.0) == 1 ? "" : "es")" }
            return parts.isEmpty ? nil : "\(parts.joined(separator: " and ")), where each should be \(fewest) or more"
        }
    }

    public let rules: [RuleResult]

    public var tests: Int { rules.reduce(0) { $0 + $1.tests.count } }
    public var failed: Int { rules.reduce(0) { $0 + $1.tests.count { !$0.passed } } }
    public var short: Int { rules.count { $0.shortage != nil } }
    public var passed: Bool { failed == 0 }
    /// Excepted cases for which no exceptions were given.
    public var untried: Int { rules.reduce(0) { $0 + $1.tests.count { !$0.isTried } } }

    /// What became of an exception over all tests.
    public struct ExceptionResult: Sendable {
        public let exception: RuleException
        public var counters = ExceptionCounters()
        /// How many tests it left something out of.
        public var tests = 0
    }

    /// Of every exception that was given, in the order of the ids; empty when none were given.
    public let exceptions: [ExceptionResult]

    init(rules: [RuleResult], exceptions: ExceptionSet) {
        self.rules = rules
        let hits = Dictionary(grouping: rules.flatMap(\.tests).flatMap(\.exceptions), by: \.id)
        self.exceptions = exceptions.exceptions.map { exception in
            var result = ExceptionResult(exception: exception)
            for hit in hits[exception.id] ?? [] {
                result.counters += hit.counters
                if hit.counters.hits > 0 { result.tests += 1 }
            }
            return result
        }
    }

    // MARK: JUnit

    /// The report as JUnit XML: a suite per rule, a case per test.
    public var junit: String {
        var text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="apus test" tests="\(tests)" failures="\(failed)" skipped="\(untried)">

            """
        for result in rules {
            let failures = result.tests.count { !$0.passed }
            text +=
                #"  <testsuite name="\#(result.rule.name.xml)" tests="\#(result.tests.count)" failures="\#(failures)">"#
            text += "\n"
            for test in result.tests { text += Self.junit(test, of: result.rule) }
            text += "  </testsuite>\n"
        }
        return text + "</testsuites>\n"
    }

    private static func junit(_ result: RuleTestResult, of rule: Rule) -> String {
        let place = result.test.place
        let kind = result.test.kind.name
        let head =
            #"    <testcase classname="\#(rule.path.xml)" name="\#("\(kind): \(result.test.name)".xml)""#
            + #" file="\#(place.path.xml)" line="\#(place.line)""#
        guard !result.passed else {
            return head + (result.isTried ? "/>\n" : "><skipped message=\"no exceptions were given\"/></testcase>\n")
        }
        let failures = result.failures.map { failure in
            let text = (["\(failure.place)"] + failure.details).joined(separator: "\n")
            return #"      <failure message="\#(failure.message.xml)">\#(text.xml)</failure>"# + "\n"
        }
        return head + ">\n" + failures.joined() + "    </testcase>\n"
    }
}

extension String {
    /// Escaped for XML; characters that XML 1.0 cannot hold become U+FFFD.
    fileprivate var xml: String {
        var text = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "\n", "\r", "\t": text.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20: text += "\u{FFFD}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
