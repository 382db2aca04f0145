// Vectorscan behind owning types. It is the only regular-expression engine here because its time is
// linear in the length of the value, whatever the pattern: values come from attackers.

import CVectorscan
public import EQL
import Glibc

/// Why Vectorscan refuses a pattern.
public struct PatternProblem: Error, Hashable, Sendable {
    public let pattern: StringPattern
    /// Vectorscan's own words.
    public let reason: String

    /// Whether `pattern` alone is a valid expression; nil when it is.
    public static func check(_ pattern: StringPattern) -> PatternProblem? {
        var info: UnsafeMutablePointer<hs_expr_info_t>?
        var failure: UnsafeMutablePointer<hs_compile_error_t>?
        let status = hs_expression_info(pattern.expression, PatternSet.flags, &info, &failure)
        defer {
            free(info)
            hs_free_compile_error(failure)
        }
        guard status != HS_SUCCESS else { return nil }
        return PatternProblem(pattern: pattern, reason: reason(failure))
    }

    static func reason(_ failure: UnsafeMutablePointer<hs_compile_error_t>?) -> String {
        guard let text = failure?.pointee.message else { return "out of memory" }
        return String(cString: text)
    }
}

/// All patterns of one field, compiled into one database and scanned at once.
///
// `@unchecked`: the database is never changed, and scans bring working memory of their own; `deinit` runs when nobody
// is left to scan it.
final class PatternSet: @unchecked Sendable {
    static let flags = UInt32(HS_FLAG_DOTALL | HS_FLAG_UTF8 | HS_FLAG_ALLOWEMPTY | HS_FLAG_SINGLEMATCH)

    /// Valid until this set is deallocated; read-only, and so free to use from several threads.
    let database: OpaquePointer

    /// - Throws: the first pattern that cannot be part of a set.
    init(_ patterns: [StringPattern], flags: UInt32 = PatternSet.flags) throws(PatternProblem) {
        var database: OpaquePointer?
        var failure: UnsafeMutablePointer<hs_compile_error_t>?
        let expressions = patterns.map { strdup($0.expression) }
        defer { for expression in expressions { free(expression) } }
        let status = hs_compile_multi(
            expressions.map { UnsafePointer($0) }, Array(repeating: flags, count: patterns.count),
            Array(0..<UInt32(patterns.count)), UInt32(patterns.count), UInt32(HS_MODE_BLOCK), nil,
            &database, &failure)
        defer { hs_free_compile_error(failure) }
        guard status == HS_SUCCESS, let database else {
            let index = Int(failure?.pointee.expression ?? 0)
            throw PatternProblem(
                pattern: patterns[max(0, min(index, patterns.count - 1))], reason: PatternProblem.reason(failure))
        }
        self.database = database
    }

    /// Literals instead of expressions: quick to compile, and ASCII letters of folded ones match in either case.
    ///
    /// - Parameters:
    ///   - literals: none of them empty.
    ///   - reportsEach: the one of them, by its index, of which every place is reported; of the others one is.
    /// - Throws: nothing that a literal could be the reason of; out of memory traps, as everywhere.
    init(literals: [GlobTable.Literal], reportsEach: UInt32? = nil) {
        var database: OpaquePointer?
        var failure: UnsafeMutablePointer<hs_compile_error_t>?
        let bytes = literals.map(\.bytes).joined().map { CChar(bitPattern: $0) }
        let status = bytes.withUnsafeBufferPointer { bytes in
            var offset = 0
            let starts = literals.map { literal in
                defer { offset += literal.bytes.count }
                return bytes.baseAddress.map { $0 + offset }
            }
            return hs_compile_lit_multi(
                starts,
                literals.enumerated().map { index, literal in
                    UInt32(
                        (reportsEach.map(Int.init) == index ? 0 : HS_FLAG_SINGLEMATCH)
                            | (literal.isFolded ? HS_FLAG_CASELESS : 0))
                },
                Array(0..<UInt32(literals.count)), literals.map(\.bytes.count), UInt32(literals.count),
                UInt32(HS_MODE_BLOCK), nil, &database, &failure)
        }
        defer { hs_free_compile_error(failure) }
        guard status == HS_SUCCESS, let database else {
            preconditionFailure("hs_compile_lit_multi: \(PatternProblem.reason(failure))")
        }
        self.database = database
    }

    deinit {
        hs_free_database(database)
    }
}

/// Working memory for scans; one per lane, never used by two threads at once.
final class PatternScratch {
    private(set) var pointer: OpaquePointer?

    /// Makes the scratch large enough for `database` too.
    ///
    /// - Throws: nothing; a failed allocation leaves scans reporting no match, so it traps instead, as
    ///   every other failed allocation of the process does.
    func reserve(for database: OpaquePointer) {
        let status = hs_alloc_scratch(database, &pointer)
        precondition(status == HS_SUCCESS, "hs_alloc_scratch: out of memory or wrong version (\(status))")
    }

    deinit {
        hs_free_scratch(pointer)
    }
}

/// One block scan. `context` goes to every call of `report`.
@inline(__always)
func scan(
    _ database: OpaquePointer, _ value: UnsafeRawBufferPointer, _ scratch: PatternScratch,
    context: UnsafeMutableRawPointer, report: match_event_handler
) -> hs_error_t {
    // Vectorscan refuses a null pointer even for an empty value.
    var nothing: CChar = 0
    return withUnsafeMutablePointer(to: &nothing) { nothing in
        let start = value.baseAddress?.assumingMemoryBound(to: CChar.self) ?? UnsafePointer(nothing)
        return hs_scan(database, start, UInt32(value.count), 0, scratch.pointer, report, context)
    }
}
