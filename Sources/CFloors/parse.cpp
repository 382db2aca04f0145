#include "floors.h"

#include <cstring>
#include <new>
#include <simdjson.h>

struct apus_floor_parser {
    simdjson::dom::parser parser;
    std::unique_ptr<uint8_t[]> buffer;
    size_t capacity = 0;
};

apus_floor_parser *apus_floor_parser_create(void) { return new (std::nothrow) apus_floor_parser; }

void apus_floor_parser_destroy(apus_floor_parser *parser) { delete parser; }

int apus_floor_parse(apus_floor_parser *parser, const uint8_t *bytes, size_t length) {
    if (length > parser->capacity) {
        parser->capacity = length * 2;
        parser->buffer.reset(new (std::nothrow) uint8_t[parser->capacity + simdjson::SIMDJSON_PADDING]());
        if (parser->buffer == nullptr) { return 0; }
    }
    std::memcpy(parser->buffer.get(), bytes, length);
    return parser->parser.parse(parser->buffer.get(), length, false).error() == simdjson::SUCCESS ? 1 : 0;
}
