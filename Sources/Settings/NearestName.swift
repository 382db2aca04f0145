/// The name among `candidates` that a person who wrote `name` most likely meant; nil when none is near.
///
/// A setting written in the wrong section (`brokers` for `kafka.brokers`) counts as near, like a slip of the keyboard.
func nearestName(to name: String, among candidates: [String]) -> String? {
    let last = lastPart(of: name)
    let ranked = candidates.map { candidate in
        let isMisplaced = lastPart(of: candidate) == last && candidate != name
        return (candidate, isMisplaced ? 1 : editDistance(name, candidate))
    }
    guard let best = ranked.min(by: { $0.1 < $1.1 }), best.1 <= max(2, name.count / 4) else { return nil }
    return best.0
}

private func lastPart(of path: String) -> Substring {
    path.split(separator: ".").last ?? Substring(path)
}

/// The fewest insertions, deletions, replacements and swaps of neighbours that turn one text into the other.
private func editDistance(_ left: String, _ right: String) -> Int {
    let left = Array(left.utf8)
    let right = Array(right.utf8)
    var beforePrevious: [Int] = []
    var previous = Array(0...right.count)
    for (row, byte) in left.enumerated() {
        var current = [row + 1]
        for (column, other) in right.enumerated() {
            var best = min(previous[column + 1] + 1, current[column] + 1, previous[column] + (byte == other ? 0 : 1))
            if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other {
                best = min(best, beforePrevious[column - 1] + 1)
            }
            current.append(best)
        }
        beforePrevious = previous
        previous = current
    }
    return previous[right.count]
}
