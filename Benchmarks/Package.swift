// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that what measures never reaches who uses the library.
let package = Package(
    name: "Benchmarks",
    dependencies: [.package(name: "sandwarden", path: "..")],
    targets: [
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                .product(name: "ShellAnalysis", package: "sandwarden"),
                .product(name: "SandboxPolicy", package: "sandwarden"),
            ],
            swiftSettings: [
                .swiftLanguageMode(.v6),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .strictMemorySafety(),
                .treatAllWarnings(as: .error),
            ])
    ]
)
