import Foundation
import TestSupport

/// All cases of `Specs/`. A file that cannot be read is one failing case, so that no case gets lost.
enum SpecFiles {
    static let all: Result<[SpecCase], any Error> = Result {
        guard let directory = Bundle.module.resourceURL?.appendingPathComponent("Specs").path else {
            throw CocoaError(.fileNoSuchFile)
        }
        return try SpecReader.cases(inDirectory: directory)
    }

    static var cases: [SpecCase] { (try? all.get()) ?? [] }
}
