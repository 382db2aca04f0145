/// Reads and writes a whole number with a unit, such as `500ms` or `1MiB`.
struct UnitTable: Sendable {
    /// Largest first; the last one measures 1.
    let units: [(name: String, size: Int)]

    /// The amount in the smallest unit; nil when `text` is not digits and one of the units, or is too large.
    func amount(of text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let name = text.dropFirst(digits.count)
        guard let number = Int(digits), let unit = units.first(where: { $0.name == name }) else { return nil }
        let (amount, overflow) = number.multipliedReportingOverflow(by: unit.size)
        return overflow ? nil : amount
    }

    /// The shortest text that reads back as `amount`.
    func text(for amount: Int) -> String {
        let unit = units.first { amount != 0 && amount.isMultiple(of: $0.size) } ?? units[units.count - 1]
        return "\(amount / unit.size)\(unit.name)"
    }
}

extension Duration {
    static let units = UnitTable(units: [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)])

    /// Whole milliseconds; what is smaller is cut off.
    var milliseconds: Int {
        Int(components.seconds) * 1_000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }

    /// As settings are written: `500ms`, `2s`, `5m`.
    public var settingText: String { self == .zero ? "0s" : Self.units.text(for: milliseconds) }
}
