#include "field_plan.hpp"

#include <map>
#include <string_view>

namespace apus {

namespace {

/// Calls `body` for each segment of a dotted name until it returns false.
template <typename Body>
void for_each_segment(const char *name, size_t length, Body body) {
    size_t start = 0;
    for (size_t index = 0; index <= length; ++index) {
        if (index < length && name[index] != '.') { continue; }
        if (!body(start, index - start)) { return; }
        start = index + 1;
    }
}

} // namespace

FieldPlan::FieldPlan(const apus_json_field *fields, uint16_t count) {
    nodes_.emplace_back();
    std::vector<std::map<std::string, uint32_t>> children(1);
    for (uint16_t index = 0; index < count; ++index) {
        const apus_json_field &field = fields[index];
        if (field.is_derived != 0) { continue; }
        uint32_t node = 0;
        for_each_segment(field.path, field.length, [&](size_t start, size_t length) {
            const auto [place, is_new] =
                children[node].try_emplace(std::string(field.path + start, length), uint32_t(nodes_.size()));
            node = place->second;
            if (is_new) {
                nodes_.emplace_back();
                children.emplace_back();
            }
            return true;
        });
        nodes_[node].field = index;
        nodes_[node].coercion = field.coercion;
    }
    for (size_t node = 0; node < nodes_.size(); ++node) {
        if (children[node].empty()) { continue; }
        size_t capacity = 2;
        while (capacity < children[node].size() * 2) { capacity *= 2; }
        nodes_[node].first_slot = uint32_t(slots_.size());
        nodes_[node].slot_count = uint32_t(capacity);
        slots_.resize(slots_.size() + capacity);
        Slot *const slots = slots_.data() + nodes_[node].first_slot;
        for (const auto &[segment, child] : children[node]) {
            uint8_t head[8] = {};
            std::memcpy(head, segment.data(), segment.size() < 8 ? segment.size() : 8);
            const uint64_t word = load_word(head, 8);
            size_t index = hash(word, segment.size()) & (capacity - 1);
            while (slots[index].child != none) { index = (index + 1) & (capacity - 1); }
            slots[index] = {word, uint32_t(segment.size()), child, uint32_t(tails_.size())};
            if (segment.size() > 8) { tails_.append(segment, 8); }
        }
    }
}

const FieldPlan::Node *FieldPlan::descendant(const Node *node, Text key) const noexcept {
    for_each_segment(reinterpret_cast<const char *>(key.begin), key.length, [&](size_t start, size_t length) {
        const Text segment{key.begin + start, length};
        node = child(node, segment, load_word(segment.begin, segment.length));
        return node != nullptr;
    });
    return node;
}

} // namespace apus
