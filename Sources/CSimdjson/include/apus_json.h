/// JSON records to typed field values, over simdjson; plain C for Swift. Nothing here throws.
#ifndef APUS_JSON_H
#define APUS_JSON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define APUS_JSON_NOEXCEPT noexcept
#else
#define APUS_JSON_NOEXCEPT
#endif

typedef enum apus_json_status {
    APUS_JSON_OK = 0,
    APUS_JSON_NOT_JSON,
    APUS_JSON_NOT_OBJECT,
    APUS_JSON_INVALID_UTF8,
    APUS_JSON_TOO_LARGE,
    APUS_JSON_TOO_DEEP,
    APUS_JSON_NO_MEMORY,
} apus_json_status;

/// How the JSON values of a field are read. A value that does not fit is left out and counted.
typedef enum apus_json_coercion {
    /// Strings; numbers and literals become their source text.
    APUS_JSON_TEXT = 0,
    /// Integers, also in strings; fractions are cut off. Beyond 64 bits signed: a double.
    APUS_JSON_LONG,
    /// Doubles, also in strings; not infinite.
    APUS_JSON_FLOAT,
    /// `true` and `false`, also in strings.
    APUS_JSON_BOOLEAN,
    /// Strings and numbers as they are.
    APUS_JSON_DATE,
    /// Any value as it is.
    APUS_JSON_DYNAMIC,
} apus_json_coercion;

typedef enum apus_json_kind {
    APUS_JSON_STRING = 0,
    APUS_JSON_INTEGER,
    APUS_JSON_DOUBLE,
    APUS_JSON_BOOL,
} apus_json_kind;

/// The end of a list of values.
#define APUS_JSON_NONE UINT32_MAX

/// One value of one field.
typedef struct apus_json_value {
    /// A string's address, an integer, the bits of a double, or 0 and 1.
    uint64_t bits;
    /// Bytes of a string.
    uint32_t length;
    /// Index of the field's next value in document order, or APUS_JSON_NONE.
    uint32_t next;
    uint16_t field;
    uint8_t kind;
} apus_json_value;

typedef struct apus_json_field {
    const char *path;
    size_t length;
    apus_json_coercion coercion;
    /// Never read from a record: only apus_json_alias and apus_json_give give it values.
    uint8_t is_derived;
} apus_json_field;

typedef struct apus_json_limits {
    size_t bytes;
    /// Objects and arrays inside each other, the root included; at most 1024, which takes less than 384 KB of
    /// stack even unoptimised.
    size_t depth;
} apus_json_limits;

/// What the last successful decode found. Valid until the decoder is used again.
typedef struct apus_json_record {
    const apus_json_value *values;
    /// Per field the index of its first value, or APUS_JSON_NONE.
    const uint32_t *heads;
    uint32_t coercion_failures;
} apus_json_record;

/// Place of one member of the root object, in the bytes given: the key without its quotes but with its
/// escapes, and the value as written.
typedef struct apus_json_member {
    size_t key_offset;
    size_t key_length;
    size_t value_offset;
    size_t value_length;
} apus_json_member;

/// Owns all buffers of decoding; they grow up to the limits and are kept. For one thread at a time.
typedef struct apus_json_decoder apus_json_decoder;

/// NULL when memory is short. The paths are copied. `record` becomes one without values.
apus_json_decoder *apus_json_decoder_create(const apus_json_field *fields, uint16_t count, apus_json_limits limits,
                                            apus_json_record *record) APUS_JSON_NOEXCEPT;

void apus_json_decoder_destroy(apus_json_decoder *decoder) APUS_JSON_NOEXCEPT;

/// Reads one record. `record` is only written on APUS_JSON_OK.
apus_json_status apus_json_decode(apus_json_decoder *decoder, const uint8_t *bytes, size_t length,
                                  apus_json_record *record) APUS_JSON_NOEXCEPT;

/// Gives the derived field `target` one more value, equal to `source`, in the record last decoded.
apus_json_status apus_json_alias(apus_json_decoder *decoder, uint16_t target, apus_json_value source,
                                 apus_json_record *record) APUS_JSON_NOEXCEPT;

/// Room for `length` bytes, and a zero byte behind them, which stays where it is until the next record is read. NULL when
/// memory is short.
uint8_t *apus_json_room(apus_json_decoder *decoder, size_t length) APUS_JSON_NOEXCEPT;

/// Gives the field `target` of the record last decoded one more value, read from `text` as from a JSON string whose
/// escapes are resolved. The text is not copied: it stands in the record or in room of it.
apus_json_status apus_json_give(apus_json_decoder *decoder, uint16_t target, const uint8_t *text, size_t length,
                                apus_json_record *record) APUS_JSON_NOEXCEPT;

/// Takes all values from the field `target` of the record last decoded.
void apus_json_take_away(apus_json_decoder *decoder, uint16_t target) APUS_JSON_NOEXCEPT;

/// Finds the members of the root object. `members` is valid until the decoder is used again.
apus_json_status apus_json_members(apus_json_decoder *decoder, const uint8_t *bytes, size_t length,
                                   const apus_json_member **members, size_t *count) APUS_JSON_NOEXCEPT;

/// Resolves the escapes between the quotes of a JSON string; `output` has room for `length` bytes.
/// The length of the result, or SIZE_MAX for an escape JSON does not know. Lone surrogates become U+FFFD.
size_t apus_json_unescape(const uint8_t *bytes, size_t length, uint8_t *output) APUS_JSON_NOEXCEPT;

/// Bytes apus_json_minify may write beyond the length of its input.
#define APUS_JSON_MINIFY_SLACK 64

/// Copies JSON without blanks between tokens; `output` has room for `length` + APUS_JSON_MINIFY_SLACK bytes.
/// The length of the result, or SIZE_MAX for an unclosed string.
size_t apus_json_minify(const uint8_t *bytes, size_t length, uint8_t *output) APUS_JSON_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#undef APUS_JSON_NOEXCEPT

#endif
