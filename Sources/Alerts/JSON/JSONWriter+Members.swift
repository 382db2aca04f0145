extension JSONWriter {
    mutating func member(_ name: String, _ value: String) {
        key(name)
        string(value)
    }

    mutating func member(_ name: String, _ value: Int) {
        key(name)
        integer(Int64(value))
    }

    mutating func member(_ name: String, _ values: [String]) {
        key(name)
        strings(values)
    }
}
