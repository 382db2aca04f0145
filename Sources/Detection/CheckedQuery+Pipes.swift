public import EQL

extension CheckedQuery {
    /// What the pipes leave of the matches of a bounded input, applied in their order.
    public func cut(_ matches: [QueryMatch]) -> [QueryMatch] {
        pipes.reduce(matches) { matches, pipe in
            switch pipe.name {
            case .head: Array(matches.prefix(pipe.count))
            case .tail: Array(matches.suffix(pipe.count))
            }
        }
    }
}
