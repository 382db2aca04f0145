#pragma once

#include "apus_json.h"
#include "buffer.hpp"
#include "number.hpp"
#include "text.hpp"

#include <memory>
#include <simdjson.h>

namespace apus {

/// A padded copy of one document and the places of its tokens: every brace, bracket, colon and comma, and
/// the first byte of every string, number and literal.
///
/// simdjson's first stage finds them, for the whole document at once and with the widest instructions the
/// processor has (chosen at run time), and refuses invalid UTF-8, unclosed strings and raw control characters.
/// Escapes are checked here too, read or not: alerts copy records verbatim and must stay JSON.
///
/// The walk over the tokens is ours (``Walker``). simdjson's On-Demand front end, used from a plain build, is
/// compiled for the oldest processor of the target, checks nothing in what it skips, and leaves neither depth
/// nor lone surrogates to us.
class Structure {
public:
    [[nodiscard]] apus_json_status load(const uint8_t *bytes, size_t length, size_t limit) noexcept;

    uint8_t *text() const noexcept { return bytes_.data(); }
    const uint32_t *begin() const noexcept { return stage_->structural_indexes.get(); }
    /// The place after the last token; it holds the length of the text, where a zero byte stands.
    const uint32_t *end() const noexcept { return begin() + stage_->n_structural_indexes; }
    /// Bytes before the text: a byte order mark, which RFC 8259 lets a reader ignore.
    size_t skipped() const noexcept { return skipped_; }

private:
    Buffer<uint8_t> bytes_;
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage_;
    size_t skipped_ = 0;
};

/// Goes through the tokens once, in order, and holds them to the grammar of RFC 8259. Every method returns
/// false after a failure, whose reason is `status`.
class Walker {
public:
    Walker(const Structure &structure, size_t depth_limit) noexcept
        : text_(structure.text()), next_(structure.begin()), end_(structure.end()), depth_limit_(depth_limit) {}

    apus_json_status status = APUS_JSON_OK;

    uint8_t peek() const noexcept { return text_[*next_]; }
    bool is_at_end() const noexcept { return next_ == end_; }
    uint8_t *position() const noexcept { return text_ + *next_; }

    /// The end of the token before the next one.
    uint8_t *end_of_last_token() const noexcept { return trimmed(position()); }

    [[nodiscard]] bool fail(apus_json_status reason) noexcept {
        status = reason;
        return false;
    }

    /// The next token, a string, without its quotes. Between the start of a string and the next token
    /// stand only the string and blanks, so its end is found from there.
    Text take_string() noexcept {
        uint8_t *const start = position() + 1;
        ++next_;
        return {start, size_t(end_of_last_token() - 1 - start)};
    }

    /// The next token, when it is neither string nor container.
    Text take_scalar() noexcept {
        uint8_t *const start = position();
        ++next_;
        return {start, size_t(end_of_last_token() - start)};
    }

    /// `member(key)` must take the value and may return false; `depth` counts the object itself.
    template <typename Member>
    [[nodiscard]] bool take_object(size_t depth, Member member) noexcept {
        if (depth > depth_limit_) { return fail(APUS_JSON_TOO_DEEP); }
        ++next_;
        if (peek() == '}') {
            ++next_;
            return true;
        }
        while (true) {
            if (peek() != '"') { return fail(APUS_JSON_NOT_JSON); }
            const Text key = take_string();
            if (peek() != ':') { return fail(APUS_JSON_NOT_JSON); }
            ++next_;
            if (!member(key)) { return false; }
            const uint8_t separator = peek();
            if (separator != ',' && separator != '}') { return fail(APUS_JSON_NOT_JSON); }
            ++next_;
            if (separator == '}') { return true; }
        }
    }

    template <typename Element>
    [[nodiscard]] bool take_array(size_t depth, Element element) noexcept {
        if (depth > depth_limit_) { return fail(APUS_JSON_TOO_DEEP); }
        ++next_;
        if (peek() == ']') {
            ++next_;
            return true;
        }
        while (true) {
            if (!element()) { return false; }
            const uint8_t separator = peek();
            if (separator != ',' && separator != ']') { return fail(APUS_JSON_NOT_JSON); }
            ++next_;
            if (separator == ']') { return true; }
        }
    }

    /// `depth` is that of the value, should it be a container.
    [[nodiscard]] bool skip_value(size_t depth) noexcept {
        // Most of what is skipped.
        if (peek() == '"') {
            ++next_;
            return true;
        }
        return skip_other(depth);
    }

private:
    [[nodiscard]] bool skip_other(size_t depth) noexcept;

    static uint8_t *trimmed(uint8_t *end) noexcept {
        while (is_blank(end[-1])) { --end; }
        return end;
    }

    uint8_t *text_;
    const uint32_t *next_;
    const uint32_t *end_;
    size_t depth_limit_;
};

enum class Literal : uint8_t { none, null, false_, true_ };

Literal literal_of(Text token) noexcept;

} // namespace apus
