#pragma once

#include "text.hpp"

namespace apus {

struct Number {
    enum Form : uint8_t { none, integer, real } form;
    int64_t whole;
    double fraction;

    double as_double() const noexcept { return form == integer ? double(whole) : fraction; }
};

/// Whether the token is a number by the grammar of RFC 8259, section 6.
Number::Form json_number_form(Text token) noexcept;

/// The value of a token of that form. Integers beyond 64 bits signed are real; `none` beyond double.
Number number_from_token(Text token, Number::Form form) noexcept;

/// The number a string spells, as Elasticsearch's numeric mappers read strings: leading zeros and a plus
/// sign are fine, blanks and hexadecimal are not.
Number number_from_string(Text string) noexcept;

} // namespace apus
