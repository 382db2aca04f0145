public import ArgumentParser
import Foundation
public import Fuzzing

/// Throws mutated inputs at what reads them. `make fuzz` runs it; Tests/Regressions keeps what it found.
@main
struct Fuzz: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fuzz",
        abstract: "Throws mutated queries, records or state at the engine.",
        discussion: """
            Before each run the input is written to the file of --last: after a crash it is the one to blame. Move it \
            to the folder of its target in Tests/Regressions, where the tests replay it.
            """)

    @Argument(help: "What to fuzz: query, event or state.")
    var target: FuzzTarget

    @Option(help: "Where the random numbers begin.")
    var seed: UInt64 = UInt64.random(in: 0...UInt64(UInt32.max))

    @Option(help: "The first input.")
    var from: Int = 0

    @Option(help: "How many inputs.")
    var count: Int = 1_000_000

    @Option(help: "Where the input of the moment is kept.")
    var last: String = ".build/fuzz-last"

    func run() throws {
        let subject = try target.makeSubject()
        let mutator = try target.mutator(seed: seed)
        let descriptor = open(last, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else { throw ValidationError("cannot write \(last)") }
        defer { close(descriptor) }
        print("\(target.rawValue), seed \(seed), \(count) inputs from \(from)")
        for number in from..<(from + count) {
            let input = mutator.input(number)
            // In place, so that the file is whole even when the process is not.
            guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, input, input.count, 0) == input.count else {
                throw ValidationError("cannot write \(last)")
            }
            if let broken = subject.run(input) {
                print("input \(number): \(broken)\nkept in \(last)")
                throw ExitCode.failure
            }
            if number % 10_000 == 9_999 { print("\(number + 1)") }
        }
    }
}

extension FuzzTarget: ExpressibleByArgument {}
