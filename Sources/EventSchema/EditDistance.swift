/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours cost 1 each.
public func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast = [Int](repeating: 0, count: right.count + 1)
    var last = Array(0...right.count)
    var row = beforeLast
    for i in 0..<left.count {
        row[0] = i + 1
        for j in 0..<right.count {
            let substitution = last[j] + (left[i] == right[j] ? 0 : 1)
            row[j + 1] = min(substitution, last[j + 1] + 1, row[j] + 1)
            if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                row[j + 1] = min(row[j + 1], beforeLast[j - 1] + 1)
            }
        }
        (beforeLast, last, row) = (last, row, beforeLast)
    }
    return last[right.count]
}
