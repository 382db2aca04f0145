public import EventSchema

/// What can be done to a value on its way into a field. Each makes none, one or several values of one.
public enum Transformation: Hashable, Sendable {
    /// What stands behind the last `\` or `/`; the whole value without one.
    case basename
    /// What stands before the last `\` or `/`.
    case directory
    /// What stands behind the last period of the basename.
    case `extension`
    /// ASCII letters only.
    case lowercase
    case uppercase
    /// `CORP` of `CORP\alice`; none without a `\`.
    case accountDomain
    /// `alice` of `CORP\alice`; the whole value without a `\`.
    case accountName
    /// `corp.example` of `alice@corp.example`; none unless there is exactly one `@`.
    case mailDomain
    /// `alice` of `alice@corp.example`; none unless there is exactly one `@`.
    case mailName
    /// The hash of one algorithm in `SHA1=…,MD5=…`, in lower case; none where it is all zeros.
    case hash(ExactString)
    /// Every hash in `SHA1=…,MD5=…`, in lower case, but for those that are all zeros.
    case hashes
    /// The arguments of a command line, as Windows splits it.
    case arguments
    case argumentCount
    /// An instant in any form that `@timestamp` takes, as ISO 8601 in UTC.
    case date
    /// A whole number, decimal or with `0x`, in decimal.
    case number
    /// Milliseconds as nanoseconds.
    case nanoseconds
    /// `%41` and `+` of an encoded URL resolved; what does not become UTF-8 stays as it is.
    case urlDecode
    case urlScheme
    case urlDomain
    case urlPath
    case urlQuery
    /// Each piece between blanks, tabs and line breaks.
    case words
    /// One piece between blanks, counted from 1.
    case word(Int)
    /// The value up to the end of a number of pieces between blanks; none of one with fewer.
    case firstWords(Int)
    /// The value, if it has this number of pieces between blanks.
    case ifWords(Int)
    /// Each piece between separators, blanks around it left out.
    case split(ExactString)
    /// The value behind `NAME =` at the start of a line.
    case line(ExactString)
    /// The value without the text it begins with, if it begins so; none otherwise.
    case dropPrefix(ExactString)
    /// The value, unless it is this one.
    case unless(ExactString)
    /// The value without the double quotes around it; as it is where there are none.
    case unquote
    /// The value, if it has exactly one `@`.
    case mailAddress
    /// An IP address, without brackets, port, zone, and the prefix of an IPv4 address in IPv6 form; none otherwise.
    case ip
    /// The port behind an IP address.
    case port
    /// The addresses in what Sysmon reports as the answer of a name query.
    case dnsAddresses
    /// The names in it.
    case dnsNames
    /// Each bit that is set in a number, as `0x…`.
    case bits
    /// What a table gives for the value; none for another.
    case map([ExactString: ExactString])
    /// `success` of an HTTP status below 400, else `failure`.
    case httpOutcome
    /// Only for ``NormalizerTable/Origin/pairs(names:values:)``: picks by name; as a segment, by a name whose blanks and
    /// periods have become `_`.
    case pair(ExactString, isSegment: Bool)

    /// The transformation of a name and perhaps an argument behind a colon, as tables write it: `basename`, `word:3`.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let argument = parts.count == 2 ? parts[1] : nil
        let number = argument.flatMap { Int($0) }.flatMap { (1...1000).contains($0) ? $0 : nil }
        switch (parts[0], argument) {
        case ("hash", let name?) where !name.isEmpty: self = .hash(ExactString(ASCII.lowercased(name)))
        case ("split", let separator?) where !separator.isEmpty: self = .split(ExactString(separator))
        case ("line", let name?) where !name.isEmpty: self = .line(ExactString(name))
        case ("drop_prefix", let prefix?) where !prefix.isEmpty: self = .dropPrefix(ExactString(prefix))
        case ("unless", let text?): self = .unless(ExactString(text))
        case ("first_words", .some):
            guard let number else { return nil }
            self = .firstWords(number)
        case ("word", .some):
            guard let number else { return nil }
            self = .word(number)
        case ("if_words", .some):
            guard let number else { return nil }
            self = .ifWords(number)
        case (let name, nil):
            guard let known = Self.plain[name] else { return nil }
            self = known
        default: return nil
        }
    }

    /// Those without an argument, by name.
    private static let plain: [String: Transformation] = [
        "account_domain": .accountDomain, "account_name": .accountName, "argument_count": .argumentCount,
        "arguments": .arguments, "basename": .basename, "bits": .bits, "date": .date, "directory": .directory,
        "dns_addresses": .dnsAddresses, "dns_names": .dnsNames, "extension": .extension, "hashes": .hashes,
        "http_outcome": .httpOutcome, "ip": .ip, "lowercase": .lowercase, "mail_address": .mailAddress,
        "mail_domain": .mailDomain,
        "mail_name": .mailName, "nanoseconds": .nanoseconds, "number": .number, "port": .port,
        "unquote": .unquote, "uppercase": .uppercase, "url_decode": .urlDecode, "url_domain": .urlDomain,
        "url_path": .urlPath,
        "url_query": .urlQuery, "url_scheme": .urlScheme, "words": .words,
    ]

    /// Every name, for messages.
    public static let names: [String] =
        (plain.keys + [
            "drop_prefix:TEXT", "first_words:N", "hash:NAME", "if_words:N", "line:NAME", "split:TEXT", "unless:TEXT",
            "word:N",
        ]).sorted()
}
