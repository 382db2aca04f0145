import Foundation
import Fuzzing
import Testing

/// A bounded run of `make fuzz` from a fixed seed, and everything it ever found.
@Suite struct FuzzTests {
    @Test(arguments: FuzzTarget.allCases)
    func tenThousandInputsBreakNoPromise(target: FuzzTarget) throws {
        let subject = try target.makeSubject()
        let mutator = try target.mutator(seed: 1114)
        for number in 0..<10_000 {
            let input = mutator.input(number)
            guard let broken = subject.run(input) else { continue }
            Issue.record(
                "input \(number): \(broken)\n\(Data(input).base64EncodedString())\n\(String(decoding: input, as: UTF8.self))"
            )
            return
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func whatWasFoundStaysFixed(target: FuzzTarget) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Regressions/\(target.rawValue)")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        let subject = try target.makeSubject()
        for file in files {
            let broken = subject.run(Array(try Data(contentsOf: file)))
            #expect(broken == nil, "\(file.lastPathComponent): \(broken ?? "")")
        }
    }
}
