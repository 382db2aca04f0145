// swift-tools-version:6.1
import PackageDescription

/// Every Swift target is held to the same rules: Swift 6 mode, no implicit existential, imports that
/// say whether they are part of the interface, and no member reached through a module not imported.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTLS: Target.Dependency = .product(name: "HummingbirdTLS", package: "hummingbird")
let lifecycle: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")

let package = Package(
    name: "apus",
    products: [
        .executable(name: "apus", targets: ["apus"]),
        .executable(name: "bench", targets: ["Bench"]),
        .executable(name: "fuzz", targets: ["Fuzz"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C and C++ libraries, each behind one module and imported by one Swift target.
        .systemLibrary(name: "CRdKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "CVectorscan", pkgConfig: "libhs", providers: [.apt(["libvectorscan-dev"])]),
        .target(name: "CSimdjson", linkerSettings: [.linkedLibrary("simdjson")]),

        // The core: pure. No Kafka, no Dispatch, no clock.
        library("EventSchema", []),
        library("Events", ["CSimdjson", "EventSchema"]),
        library("Normalization", ["Events", "EventSchema"]),
        library("EQL", ["EventSchema"]),
        library("Rules", ["EQL", "EventSchema", crypto]),
        library("Matching", ["CVectorscan", "EQL", "Events", "EventSchema"]),
        library("Correlation", ["EQL", "Events", "EventSchema", deque, heap]),
        library("Alerts", ["Events", "EventSchema", "Rules", crypto]),
        library(
            "Detection",
            [
                "Alerts", "Correlation", "EQL", "Events", "EventSchema", "Matching", "Normalization", "Rules", crypto,
                deque,
            ]),

        // What rules cover, and whether events carry what they need.
        library("Coverage", ["Detection", "EQL", "Events", "EventSchema", "Normalization", "Rules"]),

        // The tests that stand beside rules, run on the engine.
        library(
            "RuleTesting",
            [
                "Alerts", "Correlation", "Detection", "EQL", "Events", "EventSchema", "Matching", "Normalization",
                "Rules",
                "Yams",
            ]),

        // The runtime around it.
        library("KafkaClient", ["CRdKafka"]),
        library("Settings", ["EventSchema", "Normalization", "Yams"]),
        library("Telemetry", [logging, metrics]),
        // Its page is held in the binary.
        .target(
            name: "Operations",
            dependencies: [
                "Telemetry", crypto, httpTypes, hummingbird, hummingbirdTLS, logging, nio, nioHTTP1, nioPosix,
                nioSSL,
            ],
            resources: [.embedInCode("Dashboard")], swiftSettings: strict),
        library("Streaming", ["Alerts", "Detection", "Events", "EventSchema", "KafkaClient", "Telemetry", deque]),
        library("Traffic", ["EventSchema"]),
        .executableTarget(
            name: "apus",
            dependencies: [
                "Alerts", "Correlation", "Coverage", "Detection", "EQL", "Events", "EventSchema", "KafkaClient",
                "Matching", "Normalization", "Operations", "Rules", "RuleTesting", "Settings", "Streaming", "Telemetry",
                "Traffic", argumentParser, lifecycle, logging, metrics,
            ],
            swiftSettings: strict),

        // Measures all of it. The C targets count allocations and give floors to compare with.
        .target(name: "CAllocations"),
        .target(name: "CInstructions"),
        .target(name: "CFloors", dependencies: ["CRdKafka"], linkerSettings: [.linkedLibrary("simdjson")]),
        .executableTarget(
            name: "Bench",
            dependencies: [
                "CAllocations", "CFloors", "Correlation", "Detection", "EQL", "Events", "EventSchema", "KafkaClient",
                "Matching", "Operations", "Rules", "Streaming", "Telemetry", "Traffic", argumentParser, logging,
            ],
            swiftSettings: strict),

        // Takes mutated inputs to the engine; in the tests a bounded number of them, with `make fuzz` any.
        .target(
            name: "Fuzzing",
            dependencies: [
                "Alerts", "Correlation", "Detection", "EQL", "EventSchema", "Events", "Matching", "Normalization",
                "Rules",
                "Settings", "TestSupport",
            ],
            path: "Tests/Fuzzing", swiftSettings: strict),
        .executableTarget(name: "Fuzz", dependencies: ["Fuzzing", argumentParser], swiftSettings: strict),

        // Tests mirror the targets.
        .target(
            name: "TestSupport", dependencies: ["EQL", "EventSchema"], path: "Tests/TestSupport",
            swiftSettings: strict),
        tests(
            "AllocationTests",
            [
                "CAllocations", "CInstructions", "Detection", "EQL", "EventSchema", "Events", "Matching",
                "Normalization",
                "Rules", "Settings", "Traffic",
            ]),
        tests("EventSchemaTests", ["EventSchema"]),
        tests("EventsTests", ["Events", "EventSchema"]),
        tests("NormalizationTests", ["Detection", "EQL", "EventSchema", "Events", "Normalization", "Settings"]),
        tests("EQLTests", ["EQL", "EventSchema", "TestSupport"]),
        tests("RulesTests", ["Detection", "EQL", "EventSchema", "Rules", "TestSupport"]),
        tests(
            "RuleTestingTests", ["Detection", "EQL", "Events", "EventSchema", "Matching", "Rules", "RuleTesting"]),
        tests("MatchingTests", ["EQL", "Events", "EventSchema", "Matching", "TestSupport"]),
        tests("CoverageTests", ["Coverage", "Detection", "EQL", "EventSchema", "Rules"]),
        tests("CorrelationTests", ["Correlation", "EQL", "Events", "EventSchema"]),
        tests("AlertsTests", ["Alerts", "EQL", "Events", "EventSchema", "Rules"]),
        // The binary itself: depending on it is what gets it built.
        tests("CommandTests", ["apus", "KafkaClient", "TestSupport"]),
        // The binary with a broker in a process of its own.
        tests("BrokerTests", ["apus", "TestSupport"]),
        tests(
            "DetectionTests",
            [
                "Alerts", "Correlation", "Detection", "EQL", "Events", "EventSchema", "Fuzzing", "Matching",
                "Normalization", "Rules", "Settings", "TestSupport", "Traffic",
            ]),
        tests(
            "ConformanceTests", ["Correlation", "Detection", "EQL", "Events", "EventSchema", "TestSupport"],
            resources: [.copy("Specs")]),
        tests("KafkaClientTests", ["KafkaClient", "TestSupport"]),
        tests("SettingsTests", ["Settings"]),
        tests(
            "StreamingTests",
            ["Alerts", "Detection", "EventSchema", "Events", "KafkaClient", "Rules", "Streaming", "TestSupport"]),
        tests("TelemetryTests", ["Telemetry", logging, metrics]),
        tests("OperationsTests", ["Operations", "Telemetry", logging, nio]),
        tests("TrafficTests", ["EQL", "EventSchema", "TestSupport", "Traffic"]),
    ],
    cxxLanguageStandard: .cxx17
)
