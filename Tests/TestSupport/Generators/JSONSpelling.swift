/// The same JSON in other words.
public enum JSONSpelling {
    /// `json` with some of the characters of its strings spelled as escapes: one in `times`, and slashes half of the time.
    public static func respelled(_ json: String, oneIn times: Int, _ random: inout SeededRandom) -> String {
        var result = ""
        var isInString = false
        var isEscaped = false
        for scalar in json.unicodeScalars {
            if !isInString {
                isInString = scalar == "\""
            } else if isEscaped {
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else if scalar == "\"" {
                isInString = false
            } else if scalar == "/", random.oneIn(2) {
                result += "\\/"
                continue
            } else if random.oneIn(times) {
                result += escape(scalar, isUpperCase: random.oneIn(2))
                continue
            }
            result.unicodeScalars.append(scalar)
        }
        return result
    }

    /// As `\u` and a number, or two of them.
    private static func escape(_ scalar: Unicode.Scalar, isUpperCase: Bool) -> String {
        String(scalar).utf16.map { unit in
            let hex = String(unit, radix: 16, uppercase: isUpperCase)
            return "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        }.joined()
    }
}
