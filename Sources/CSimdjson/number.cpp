#include "number.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>

namespace apus {

namespace {

bool is_digit(uint8_t byte) noexcept { return uint8_t(byte - '0') < 10; }

const char *chars(const uint8_t *bytes) noexcept { return reinterpret_cast<const char *>(bytes); }

Number real_number(const uint8_t *begin, const uint8_t *end) noexcept {
    double value = 0;
    const auto [stop, error] = std::from_chars(chars(begin), chars(end), value);
    if (error == std::errc::invalid_argument || stop != chars(end)) { return {Number::none, 0, 0}; }
    if (error == std::errc::result_out_of_range) {
        // from_chars does not say whether too large or too small. strtod does; it stops at the byte after
        // the token, which is a quote, a blank, punctuation or padding.
        value = std::strtod(chars(begin), nullptr);
        if (!std::isfinite(value)) { return {Number::none, 0, 0}; }
    }
    return {Number::real, 0, value};
}

Number whole_number(const uint8_t *begin, const uint8_t *end) noexcept {
    int64_t value = 0;
    const auto [stop, error] = std::from_chars(chars(begin), chars(end), value);
    if (error == std::errc() && stop == chars(end)) { return {Number::integer, value, 0}; }
    return real_number(begin, end);
}

} // namespace

Number::Form json_number_form(Text token) noexcept {
    const uint8_t *at = token.begin;
    const uint8_t *const end = token.end();
    auto skip_digits = [&]() noexcept {
        const uint8_t *const start = at;
        while (at < end && is_digit(*at)) { ++at; }
        return at != start;
    };
    if (at < end && *at == '-') { ++at; }
    if (at < end && *at == '0') {
        ++at;
    } else if (!skip_digits()) {
        return Number::none;
    }
    if (at == end) { return Number::integer; }
    if (*at == '.') {
        ++at;
        if (!skip_digits()) { return Number::none; }
    }
    if (at < end && (*at | 0x20) == 'e') {
        ++at;
        if (at < end && (*at == '+' || *at == '-')) { ++at; }
        if (!skip_digits()) { return Number::none; }
    }
    return at == end ? Number::real : Number::none;
}

Number number_from_token(Text token, Number::Form form) noexcept {
    switch (form) {
    case Number::integer: return whole_number(token.begin, token.end());
    case Number::real: return real_number(token.begin, token.end());
    case Number::none: break;
    }
    return {Number::none, 0, 0};
}

Number number_from_string(Text string) noexcept {
    const uint8_t *begin = string.begin;
    const uint8_t *const end = string.end();
    if (begin < end && *begin == '+') { ++begin; }
    const bool is_negative = begin < end && *begin == '-' && begin == string.begin;
    const uint8_t *const magnitude = begin + (is_negative ? 1 : 0);
    // from_chars would take "inf" and "nan" as well.
    if (magnitude == end || !(is_digit(*magnitude) || *magnitude == '.')) { return {Number::none, 0, 0}; }
    return whole_number(begin, end);
}

} // namespace apus
