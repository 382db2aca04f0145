import Testing

/// Whether an expression without fields is true.
private func isTrue(_ expression: String) throws -> Bool { try Bench(expression).matches("{}") == [0] }

/// Each function alone, of constants.
@Suite struct FunctionTests {
    @Test(arguments: [
        "length(\"\") == 0", "length(\"abc\") == 3", "length(\"äö\") == 2", "length(\"😀\") == 2",
        "LENGTH(\"a\") == 1", "length(null) == null",
    ])
    func length(expression: String) throws { #expect(try isTrue(expression)) }

    @Test(arguments: [
        #"startsWith("abc", "ab")"#, #"startsWith("abc", "")"#, #"not startsWith("abc", "B")"#,
        #"startsWith~("ÉCOLE", "éc")"#, #"not startsWith("a", "ab")"#, #"startswith("a*b", "a*")"#,
        #"not startsWith("axb", "a*")"#, #"startsWith("a", null) == null"#,
        #"endsWith("abc", "bc")"#, #"endsWith("abc", "")"#, #"endsWith~("ABC", "bC")"#, #"not endsWith("bc", "abc")"#,
        #"not endsWith("abc", "?c")"#,
        #"stringContains("abcabd", "abd")"#, #"not stringContains("abc", "")"#, #"stringContains~("xÄy", "ä")"#,
        #"not stringContains("abc", "b*")"#, #"not stringContains("ab", "abc")"#,
        #"stringContains("aaaab", "aab")"#, #"stringContains("abababac", "ababac")"#,
    ])
    func affixes(expression: String) throws { #expect(try isTrue(expression)) }

    @Test(arguments: [
        #"indexOf("foobarbaz", "L") == null"#, #"indexOf("foobarbaz", "ba", 4) == 6"#, #"indexOf("abc", "a") == 0"#,
        #"indexOf("abc", "", 3) == 3"#, #"indexOf("abc", "", 4) == null"#, #"indexOf("abc", "a", -7) == 0"#,
        #"indexOf("abc", "c", null) == 2"#, #"indexOf("abc", "a", 1) == null"#, #"indexOf("😀a", "a") == 2"#,
        #"indexOf("😀a😀a", "a", 3) == 5"#, #"indexOf("😀😀", "😀", 1) == 2"#, #"indexOf("😀", "", 1) == 1"#,
        #"indexOf~("fooBARbaz", "bar") == 3"#, #"indexOf("fooBARbaz", "bar") == null"#,
        #"indexOf~("İx", "X") == 2"#, #"indexOf("a", "a", 99999999999) == null"#,
    ])
    func indexOf(expression: String) throws { #expect(try isTrue(expression)) }

    @Test(arguments: [
        #"substring("hello world", -5, -1) == "worl""#, #"substring("abc", 2, 1) == """#,
        #"substring("abc", 1) == "bc""#, #"substring("abc", 0, 99) == "abc""#, #"substring("abc", 99) == """#,
        #"substring("abc", null, 2) == "ab""#, #"substring("abc", 1, null) == "bc""#, #"substring("abc", -99, 1) == "a""#,
        #"substring("a😀b", 1, 3) == "😀""#, #"substring("a😀b", 3) == "b""#, #"length(substring("a😀b", 2)) == 2"#,
        #"length(substring("a😀b", 0, 2)) == 2"#, #"substring(null, 1) == null"#,
        #"substring("abc", -9223372036854775807) == "abc""#,
    ])
    func substring(expression: String) throws { #expect(try isTrue(expression)) }

    @Test(arguments: [
        #"between("x(a)(b)", "(", ")") == "a""#, #"between("x(a)(b)", "(", ")", true) == "a)(b""#,
        #"between("abc", "x", "c") == """#, #"between("abc", "a", "x") == """#, #"between("aba", "a", "a") == "b""#,
        #"between("welcome to event query language", " ", " ", false) == "to""#, #"between("aXb", "a", "b") == "X""#,
        #"between~("aXBYc", "xb", "C") == "Y""#, #"between("aXBYc", "xb", "C") == """#,
        #"between~("ÀéB", "à", "b") == "é""#, #"between("aaaa", "a", "aa", true) == "a""#,
        #"between("abc", "", "c") == "ab""#, #"between("abc", "a", "", true) == "bc""#, #"between("a", "a", "a") == """#,
        #"between(null, "a", "b") == null"#,
    ])
    func between(expression: String) throws { #expect(try isTrue(expression)) }

    @Test(arguments: [
        #"number("0x32") == 50"#, #"number("32", 16) == 50"#, #"number("-0x10", 16) == -16"#, #"number(" 12 ") == 12"#,
        #"number("+5") == 5"#, #"number("1.5") == 1.5"#, #"number("1e3") == 1000"#, #"number("-.5") == -0.5"#,
        #"number("abc") == null"#, #"number("") == null"#, #"number("0x") == null"#, #"number("--5") == null"#,
        #"number("12", 2) == null"#, #"number("zz", 36) == 1295"#, #"number("0x10", 10) == null"#,
        #"number("9223372036854775807") == 9223372036854775807"#,
        #"number("-9223372036854775808") + 1 == -9223372036854775807"#,
        #"number("9223372036854775808") > 9.2e18"#, #"number("nan") == null"#, #"number("1e999") == null"#,
    ])
    func number(expression: String) throws { #expect(try isTrue(expression)) }

    @Test(arguments: [
        #"string(2.1828) == "2.1828""#, #"string(true) == "true""#, #"string(-7) == "-7""#, #"string(5.0) == "5.0""#,
        #"string(null) == null"#, #"concat("a", 1, true, 5.0) == "a1true5.0""#, #"concat("a", null) == null"#,
        #"concat("a") == "a""#, #"concat(1 == 1) == "true""#, #"length(string(0.1234567890123456)) == 18"#,
        #"string(number("-9223372036854775808")) == "-9223372036854775808""#,
    ])
    func text(expression: String) throws { #expect(try isTrue(expression)) }

    @Test(arguments: [
        #"add(1, 2) == 3"#, #"subtract(1, 2) == -1"#, #"multiply(3, 4) == 12"#, #"divide(83, 2) == 41"#,
        #"divide(83, 2.0) == 41.5"#, #"modulo(-7, 3) == -1"#, #"modulo(7, -3) == 1"#, #"divide(1, 0) == null"#,
        #"modulo(1, 0) == null"#, #"length("a") / 0 == null"#, #"length("a") + 9223372036854775807 == null"#,
        #"-length("ab") == -2"#, #"length("ab") * 2 - 1 == 3"#, #"length("ab") % 2.0 == 0"#, #"add(null, 1) == null"#,
        #"length("a") == 1.0"#, #"length("ab") in (1, 2)"#, #"not length("ab") in (1, 3)"#,
        #"length("ab") not in (1, 3)"#, #"string(2) in~ ("A", "2")"#,
    ])
    func arithmetic(expression: String) throws { #expect(try isTrue(expression)) }

    @Test(arguments: [
        #"cidrMatch("10.0.0.1", "10.6.48.157/8")"#, #"cidrMatch("10.0.0.1", "11.0.0.0/8", "10.0.0.1")"#,
        #"not cidrMatch("11.0.0.1", "10.0.0.0/8")"#, #"cidrMatch(concat("fe80", "::1"), "fe80::/10")"#,
        #"cidrMatch("x", "10.0.0.0/8") == false"#, #"cidrMatch(null, "10.0.0.0/8") == null"#,
    ])
    func cidrMatch(expression: String) throws { #expect(try isTrue(expression)) }

    @Test(arguments: [
        #"concat("a", "bc") : "A?C""#, #"concat("a", "bc") like "a*""#, #"not concat("ABC") like "a*""#,
        #"concat("ABC") like~ ("x", "a*")"#, #"concat("abc") regex "a.c""#, #"not concat("xabc") regex "abc""#,
        #"concat("abc") regex "^abc$""#, #"concat("ABC") regex "(?i)abc""#, #"concat("ABC") regex~ "a|abc""#,
        #"not concat("a\nc") regex "a.c""#, #"concat("a1") regex """a\d""""#, #"concat("abc") : "*""#,
        #"concat("") regex """#, #"not concat("a") regex """#, #"(concat(null) like "a*") == null"#,
        #"concat("b") > "a""#, #"concat("Z") < "a""#, #"concat("a") >= "a""#, #"concat("é") > "z""#,
    ])
    func patternsAndOrder(expression: String) throws { #expect(try isTrue(expression)) }

    /// Null decides nothing, and `not` of null is null.
    @Test(arguments: [
        #"length(null) > 1"#, #"not (length(null) > 1)"#, #"length(null) != 1"#, #"not (concat("a") == null) and 1 == 2"#,
        #"length(null) > 1 and length("a") == 1"#,
    ])
    func nullIsNoMatch(expression: String) throws { #expect(try !isTrue(expression)) }
}
