import EventSchema

/// What a function of EQL takes and gives.
///
/// Source: the EQL function reference of Elasticsearch.
struct FunctionSignature: Sendable {
    /// As the reference spells it; queries may spell it in any case.
    let name: String
    /// The last one stands for all further arguments when the function takes any number of them.
    let parameters: [ScalarType]
    /// How many arguments a call may have.
    let count: ClosedRange<Int>
    let result: ScalarType
    /// Whether there is a form with `~`.
    let canFold: Bool
    let meaning: Meaning

    enum Meaning: Hashable, Sendable {
        case arithmetic(ArithmeticOperator)
        case blocks
        case function(ScalarFunction)
    }

    private init(
        _ name: String, _ parameters: [ScalarType], _ count: ClosedRange<Int>, _ result: ScalarType,
        canFold: Bool = false, _ meaning: Meaning
    ) {
        self.name = name
        self.parameters = parameters
        self.count = count
        self.result = result
        self.canFold = canFold
        self.meaning = meaning
    }

    static let all = [
        FunctionSignature("add", [.number, .number], 2...2, .number, .arithmetic(.add)),
        FunctionSignature(
            "between", [.text, .text, .text, .boolean], 3...4, .text, canFold: true, .function(.between)),
        FunctionSignature("cidrMatch", [.address, .text], 2...Int.max, .boolean, .blocks),
        FunctionSignature("concat", [.any], 1...Int.max, .text, .function(.concat)),
        FunctionSignature("divide", [.number, .number], 2...2, .number, .arithmetic(.divide)),
        FunctionSignature("endsWith", [.text, .text], 2...2, .boolean, canFold: true, .function(.endsWith)),
        FunctionSignature(
            "indexOf", [.text, .text, .number], 2...3, .number, canFold: true, .function(.indexOf)),
        FunctionSignature("length", [.text], 1...1, .number, .function(.length)),
        FunctionSignature("modulo", [.number, .number], 2...2, .number, .arithmetic(.modulo)),
        FunctionSignature("multiply", [.number, .number], 2...2, .number, .arithmetic(.multiply)),
        FunctionSignature("number", [.text, .number], 1...2, .number, .function(.number)),
        FunctionSignature("startsWith", [.text, .text], 2...2, .boolean, canFold: true, .function(.startsWith)),
        FunctionSignature("string", [.any], 1...1, .text, .function(.string)),
        FunctionSignature(
            "stringContains", [.text, .text], 2...2, .boolean, canFold: true, .function(.stringContains)),
        FunctionSignature("substring", [.text, .number, .number], 2...3, .text, .function(.substring)),
        FunctionSignature("subtract", [.number, .number], 2...2, .number, .arithmetic(.subtract)),
    ]

    static func named(_ name: String) -> FunctionSignature? { byName[ASCII.lowercased(name)] }

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { (ASCII.lowercased($0.name), $0) })

    /// What to write for a function that older EQL had and Elasticsearch's has not.
    static func instead(of name: String) -> String? {
        switch ASCII.lowercased(name) {
        case "wildcard": "Write `field like \"a*\"`, or `field : \"a*\"` to ignore case"
        case "match", "matchlite": "Write `field regex \"…\"`, or `regex~` to ignore case"
        case "arraycontains", "arraysearch", "arraycount":
            "Every value of an array is compared as it is: `field == \"a\"`"
        case "safe": "Leave it out: what cannot be computed is null"
        default: nil
        }
    }

    /// The function whose name `name` most likely misspells.
    static func nearest(to name: String) -> String? {
        let wanted = Array(ASCII.lowercased(name).utf8)
        let near = all.map { ($0.name, editDistance(wanted, Array(ASCII.lowercased($0.name).utf8))) }
            .filter { $0.1 <= max(1, wanted.count / 3) }
        return near.min { $0.1 < $1.1 }?.0
    }

    func parameter(_ index: Int) -> ScalarType { parameters[min(index, parameters.count - 1)] }

    /// "2 arguments", "2 or 3 arguments", "at least 2 arguments".
    var countText: String {
        let noun = count == 1...1 ? "argument" : "arguments"
        if count.upperBound == .max {
            return "at least \(count.lowerBound) \(count.lowerBound == 1 ? "argument" : noun)"
        }
        return count.count == 1 ? "\(count.lowerBound) \(noun)" : "\(count.lowerBound) or \(count.upperBound) \(noun)"
    }
}

/// What is known of the values of an expression before any event is seen.
enum ScalarType: Hashable, Sendable {
    case text
    case number
    case boolean
    /// An instant; it has no text of its own.
    case time
    /// Text that is compared as an address.
    case address
    /// Text that is ordered as a version.
    case version
    /// A field outside ECS, or null.
    case any

    init(_ type: FieldType) {
        switch type {
        case .keyword, .wildcard, .constantKeyword, .text, .flattened: self = .text
        case .version: self = .version
        case .ip: self = .address
        case .long, .float: self = .number
        case .boolean: self = .boolean
        case .date: self = .time
        case .dynamic: self = .any
        }
    }

    /// Whether a value of this type may stand where `wanted` is asked for.
    func suits(_ wanted: ScalarType) -> Bool {
        switch wanted {
        case .any: self != .time
        case .text: self == .any || isText
        case .address: self == .any || self == .address
        case .number, .boolean, .time, .version: self == .any || self == wanted
        }
    }

    var isText: Bool { self == .text || self == .address || self == .version }

    /// As messages name it.
    var name: String {
        switch self {
        case .text: "text"
        case .number: "a number"
        case .boolean: "true or false"
        case .time: "a date"
        case .address: "an address"
        case .version: "a version"
        case .any: "a value other than a date"
        }
    }
}

extension ScalarExpression {
    var type: ScalarType {
        switch self {
        case .constant(.null): .any
        case .constant(.boolean): .boolean
        case .constant(.integer), .constant(.double), .arithmetic: .number
        case .constant(.string): .text
        case .field(let field): ScalarType(field.type)
        case .comparison, .isNull, .not, .all, .any, .membership, .pattern, .within: .boolean
        case .call(let function, _, _):
            FunctionSignature.all.first { $0.meaning == .function(function) }?.result ?? .any
        }
    }
}
