import Correlation
import Detection
import EQL
import EventSchema
import Events
import Matching
import Normalization
import Settings

/// From the bytes of a record to matches.
///
/// Promises: a record is read or refused with a reason, the second time as the first; what was read can be evaluated
/// both ways with one result; a refused record changes nothing for the next one.
final class EventSubject: FuzzSubject {
    private static let queries = [
        #"process where process.name : ("cmd*", "*é*") and process.args == "/c""#,
        #"any where destination.port > 80 or cidrMatch(source.ip, "10.0.0.0/8") or event.created >= "2024-01-01""#,
        #"any where length(process.command_line) > 3 and substring(user.name, -2) != "x" and process.pid % 2 == 0"#,
        #"any where process.hash.md5 != null or process.args_count > 2 or dns.resolved_ip != null or user_agent.original != null"#,
        #"any where o365.audit.Parameters.Mailbox != null or url.query != null or event.duration > 1 or file.path != null"#,
        #"any where winlog.event_data.AccessListDescription != null or powershell.command.name != null or client.port > 0"#,
        #"sequence by host.id, ?user.name with maxspan=1m [process where true] [network where true]"#,
    ]

    private static let good = Array(#"{"event":{"category":"process"},"process":{"name":"CMD.exe","args":"/c"}}"#.utf8)

    private let compiled: CompiledQueries
    private let decoder: EventReader
    private let matcher: Matcher
    private var evaluator: Evaluator
    private var source = 0
    private var offset: Int64 = 0

    init() throws {
        compiled = try CompiledQueries(
            Self.queries.compactMap { QueryReader(.bounded).read(SourceText($0)).query },
            normalizers: NormalizerTable.builtIn)
        decoder = compiled.makeDecoder(limits: DecodeLimits())
        matcher = Matcher(compiled.program)
        evaluator = Self.evaluator(compiled)
        source = evaluator.addSource()
    }

    private static func evaluator(_ compiled: CompiledQueries) -> Evaluator {
        Evaluator(compiled, options: EvaluatorOptions(ordering: .sorted, correlationLimits: .bounded))
    }

    func run(_ input: [UInt8]) -> String? {
        let failure = input.withUnsafeBytes { decoder.decode($0) }
        if let failure {
            if failure.reason.isEmpty { return "refused without a reason" }
        } else if let broken = compare(decoder.event) {
            return broken
        }
        offset += 1
        let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: offset)
        let again = input.withUnsafeBytes { evaluator.process($0, origin: origin, source: source, recordTime: nil) }
        guard again == failure else { return "read once and refused once: \(String(describing: again ?? failure))" }
        if offset.isMultiple(of: 256) {
            evaluator.finish()
            _ = evaluator.takeMatches()
            evaluator = Self.evaluator(compiled)
            source = evaluator.addSource()
        }
        guard Self.good.withUnsafeBytes({ decoder.decode($0) }) == nil, matcher.holds(0, for: decoder.event) else {
            return "the next record is not read as it should be"
        }
        return nil
    }

    private func compare(_ event: Event) -> String? {
        let matched = Set(matcher.match(event))
        for id in compiled.program.conditions.indices {
            let holds = matcher.holds(id, for: event)
            guard matched.contains(Int32(id)) == holds, matcher.verdicts(id, for: event).holds == holds else {
                return "the plans of condition \(id) disagree"
            }
            _ = matcher.explain(id, for: event)
        }
        return nil
    }

    static let seeds = [
        #"{"winlog":{"provider_name":"Microsoft-Windows-Sysmon","event_id":1,"event_data":{"UtcTime":"2026-11-24 09:00:02.123","Image":"C:\\a\\b.exe","CommandLine":"b.exe \"x y\" \\\"z","Hashes":"MD5=AB,SHA256=00","User":"D\\u"}}}"#,
        #"{"winlog":{"provider_name":"Microsoft-Windows-Sysmon","event_id":"22","event_data":{"QueryResults":"type:  5 a.b;::ffff:1.2.3.4;[::1]:5;","QueryName":"a"}}}"#,
        #"{"winlog":{"provider_name":"Microsoft-Windows-Security-Auditing","event_id":4663,"event_data":{"AccessList":"%%4416\n %%4417","AccessMask":"0x13","ProcessId":"0x1f"}}}"#,
        #"{"winlog":{"provider_name":"Microsoft-Windows-PowerShell","event_id":4103,"event_data":{"ContextInfo":" User = A\\b\n Sequence Number = 9\n","Payload":"a\nb"}}}"#,
        #"{"date":"2026-11-24","time":"09:00:04","c-ip":"1.2.3.4","s-ip":"::1","cs-uri-stem":"/a?b","cs-uri-query":"%41+%ff%C3%A9","cs(User-Agent)":"a+b%20","sc-status":404,"time-taken":99}"#,
        #"{"event.dataset":"iis.access","message":"2026-11-24 09:00:04 10.0.0.5 GET /owa/ a=b 443 - 10.1.2.3 ua - 200 0 0 15"}"#,
        #"{"CreationTime":"2026-11-24T09:10:00","Workload":"Exchange","RecordType":1,"Operation":"x","UserId":"a@b","ClientIP":"[::1]:9","Parameters":[{"Name":"Mailbox","Value":"v"}]}"#,
        #"{"category":"MicrosoftGraphActivityLogs","time":"2026-11-24T09:00:00.1Z","durationMs":18446744073709551615,"properties":{"requestUri":"https://u@h:1/p?q#f","roles":"a b"}}"#,
        #"{"@timestamp":"2026-11-24T03:11:06.123Z","event":{"category":["process"],"type":["start"],"created":1700000000000},"process":{"name":"cmd.exe","args":["/c",null,true,-1.5e-3],"pid":7312,"command_line":"cmd \"é\" \ud83d\ude00"},"host":{"id":"h1"}}"#,
        #"{"host.id":"h1","event.category":"network","destination":{"port":"443"},"source":{"ip":["10.0.0.1","::1"]},"user.name":"ada"}"#,
        #"{"event":[{"category":"process"},{"category":[["network"]]}],"process":{"name":{"a":1},"parent.name":"x","args":[]}}"#,
        #"{"a":{"b":[1,2.5,1e308,-0,12345678901234567890,"x\\\/\b\f\n\r\t"]},"@timestamp":"2026-11-24T03:11:06+01:00"}"#,
    ]

    static let words = [
        "{", "}", "[", "]", "\"", ":", ",", "\\", "\\u", "\\ud800", "null", "true", "false", "1e999", "-0", "0.1",
        "1e-400",
        "9223372036854775808", "\"event\":", "\"event.category\":\"process\",", "\"process\":{", "\"@timestamp\":\"",
        "\"\":",
        "\"host\":{\"id\":", "[[", "{\"a\":", " ", "\n", "\0", "\u{FEFF}", "é", "9999-99-99T99:99:99Z", "10.0.0.256",
        "::ffff:1.2.3.4", "\"args\":[", "MD5=", "%%4416", "0x", "+", "%", "%4", "@", "=", ";", "type:", "type:  5 x",
        "://",
        "?", "\\\\", "\\\"",
    ]
}
