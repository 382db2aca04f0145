import ArgumentParser
import Normalization
import Settings

/// How a command that reads files brings records into ECS.
struct NormalizationOptions: ParsableArguments {
    @Flag(
        inversion: .prefixedNo,
        help: "Bring records that are not ECS yet (Winlogbeat, IIS, Microsoft 365, …) into ECS, as apus run does.")
    var normalize = true

    @Option(help: "A folder with tables to normalise by, in place of those that come with Apus.")
    var normalizers: String?

    /// None when records are to be taken as they are.
    func tables() throws -> [NormalizerTable] {
        normalize ? try NormalizationTables.load(normalizers) : []
    }
}

enum NormalizationTables {
    /// - Throws: the exit status for tables that cannot be used, after saying everything that is wrong with them.
    static func load(_ folder: String?) throws -> [NormalizerTable] {
        switch NormalizerTable.load(folder: folder) {
        case .success(let tables): return tables
        case .failure(let errors):
            Console.note("\(errors)")
            throw ExitStatus.configuration.code
        }
    }
}
