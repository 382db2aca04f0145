import EventSchema

/// A transformation with its texts held as bytes.
enum Step {
    case basename, directory, `extension`
    case lowercase, uppercase
    case accountDomain, accountName, mailDomain, mailName
    case hash(UnsafeRawBufferPointer)
    case hashes
    case arguments, argumentCount
    case date, number, nanoseconds
    case urlDecode, urlScheme, urlDomain, urlPath, urlQuery
    case words
    case word(Int)
    case ifWords(Int)
    case split(UnsafeRawBufferPointer)
    case line(UnsafeRawBufferPointer)
    case dropPrefix(UnsafeRawBufferPointer)
    case firstWords(Int)
    case unless(UnsafeRawBufferPointer)
    case unquote
    case mailAddress
    case ip, port, dnsAddresses, dnsNames
    case bits, httpOutcome
    /// Keys and values in turn, in the compiled values.
    case map(Range<Int>)
    case pair(UnsafeRawBufferPointer, isSegment: Bool)

    init(
        _ transformation: Transformation, hold: (ExactString) -> UnsafeRawBufferPointer,
        pairs: ([ExactString: ExactString]) -> Range<Int>
    ) {
        self =
            switch transformation {
            case .basename: .basename
            case .directory: .directory
            case .extension: .extension
            case .lowercase: .lowercase
            case .uppercase: .uppercase
            case .accountDomain: .accountDomain
            case .accountName: .accountName
            case .mailDomain: .mailDomain
            case .mailName: .mailName
            case .hash(let name): .hash(hold(name))
            case .hashes: .hashes
            case .arguments: .arguments
            case .argumentCount: .argumentCount
            case .date: .date
            case .number: .number
            case .nanoseconds: .nanoseconds
            case .urlDecode: .urlDecode
            case .urlScheme: .urlScheme
            case .urlDomain: .urlDomain
            case .urlPath: .urlPath
            case .urlQuery: .urlQuery
            case .words: .words
            case .word(let number): .word(number)
            case .ifWords(let number): .ifWords(number)
            case .split(let separator): .split(hold(separator))
            case .line(let name): .line(hold(name))
            case .dropPrefix(let prefix): .dropPrefix(hold(prefix))
            case .firstWords(let number): .firstWords(number)
            case .unless(let text): .unless(hold(text))
            case .unquote: .unquote
            case .mailAddress: .mailAddress
            case .ip: .ip
            case .port: .port
            case .dnsAddresses: .dnsAddresses
            case .dnsNames: .dnsNames
            case .bits: .bits
            case .httpOutcome: .httpOutcome
            case .map(let map): .map(pairs(map))
            case .pair(let name, let isSegment): .pair(hold(name), isSegment: isSegment)
            }
    }
}
