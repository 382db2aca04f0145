#pragma once

#include "apus_json.h"
#include "text.hpp"

#include <string>
#include <vector>

namespace apus {

/// The needed fields as a tree of path segments. Immutable once built.
class FieldPlan {
public:
    static constexpr uint32_t none = UINT32_MAX;

    struct Node {
        uint32_t field = none;
        apus_json_coercion coercion = APUS_JSON_DYNAMIC;
        bool has_children() const noexcept { return !slots.empty(); }

        /// Open addressing, at most half full; a slot without child is empty.
        struct Slot {
            uint64_t head = 0;
            uint32_t length = 0;
            uint32_t child = none;
            std::string segment;
        };
        std::vector<Slot> slots;
    };

    /// Throws std::bad_alloc.
    FieldPlan(const apus_json_field *fields, uint16_t count);

    const Node *root() const noexcept { return nodes_.data(); }

    /// The node one segment below `node`, or nullptr.
    const Node *child(const Node *node, Text segment) const noexcept {
        if (!node->has_children()) { return nullptr; }
        const uint64_t head = load_word(segment.begin, segment.length);
        const size_t mask = node->slots.size() - 1;
        for (size_t index = hash(head, segment.length) & mask;; index = (index + 1) & mask) {
            const Node::Slot &slot = node->slots[index];
            if (slot.child == none) { return nullptr; }
            if (slot.head == head && slot.length == segment.length
                && (segment.length <= 8
                    || std::memcmp(slot.segment.data() + 8, segment.begin + 8, segment.length - 8) == 0)) {
                return &nodes_[slot.child];
            }
        }
    }

    /// The node a key names, which may hold several segments joined by dots, or nullptr.
    const Node *descendant(const Node *node, Text key) const noexcept;

private:
    static size_t hash(uint64_t head, size_t length) noexcept {
        return size_t(((head ^ length) * 0x9E3779B97F4A7C15) >> 40);
    }

    std::vector<Node> nodes_;
};

} // namespace apus
