// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target, tests too, is built under the same strict settings.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

/// A Swift library target of this package.
func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// The test target that mirrors one module.
func tests(_ module: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: module + "Tests",
        dependencies: [.target(name: module)] + dependencies,
        swiftSettings: strict
    )
}

let package = Package(
    name: "sandwarden",
    products: [
        .executable(name: "sandwarden", targets: ["sandwarden"]),
        .library(name: "ShellAnalysis", targets: ["ShellAnalysis"]),
        .library(name: "SandboxPolicy", targets: ["SandboxPolicy"]),
        .library(name: "HTTP", targets: ["HTTP"]),
        .library(name: "Journal", targets: ["Journal"]),
        .library(name: "SandboxSecurity", targets: ["SandboxSecurity", "SandboxModel"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .target(name: "CLinuxShims"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        module("LinuxSystem", ["CLinuxShims", system, subprocess]),
        module("SandboxModel", []),
        module("ShellAnalysis", []),
        module("Metrics", []),
        module("SandboxPolicy", ["SandboxModel", "ShellAnalysis", .product(name: "Yams", package: "Yams")]),
        module("HTTP", ["LinuxSystem", "Metrics", "CZlib", logging]),
        module("Journal", ["SandboxModel", "LinuxSystem", "Metrics", "CZlib", crypto, logging]),
        module("SandboxNetwork", ["SandboxPolicy", "SandboxModel", "LinuxSystem", "Metrics", logging]),
        module(
            "SandboxRuntime",
            [
                "SandboxNetwork", "SandboxPolicy", "SandboxModel", "HTTP", "LinuxSystem", "Metrics", crypto,
                logging,
            ]),
        module(
            "SandboxMonitor",
            ["SandboxNetwork", "SandboxPolicy", "SandboxModel", "LinuxSystem", "Metrics", crypto, logging]),
        module(
            "SandboxSecurity",
            [
                "SandboxRuntime", "SandboxMonitor", "SandboxNetwork", "SandboxPolicy", "HTTP", "Journal",
                "SandboxModel", "ShellAnalysis", "Metrics", "LinuxSystem", crypto, logging,
            ]),
        .target(
            name: "SandwardenAPI",
            dependencies: ["SandboxSecurity", "SandboxPolicy", "SandboxModel", "HTTP", "Metrics", logging],
            // The description of the API is served by the binary itself.
            resources: [.embedInCode("openapi.yaml")],
            swiftSettings: strict),
        .executableTarget(
            name: "sandwarden",
            dependencies: [
                "SandwardenAPI", "SandboxSecurity", "SandboxRuntime", "SandboxMonitor", "SandboxNetwork",
                "SandboxPolicy", "HTTP", "Journal", "SandboxModel", "ShellAnalysis", "Metrics", "LinuxSystem",
                arguments, logging, .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),

        tests("LinuxSystem"),
        tests("SandboxModel"),
        tests("ShellAnalysis", ["SandboxModel"]),
        tests("Metrics"),
        tests("SandboxPolicy", ["SandboxModel", "ShellAnalysis"]),
        tests("HTTP", ["LinuxSystem", "Metrics"]),
        tests("Journal", ["SandboxModel", "LinuxSystem", "Metrics"]),
        tests("SandboxNetwork", ["SandboxPolicy", "SandboxModel", "LinuxSystem"]),
        tests("SandboxRuntime", ["SandboxNetwork", "SandboxPolicy", "SandboxModel", "HTTP", "LinuxSystem"]),
        tests("SandboxMonitor", ["SandboxPolicy", "SandboxModel", "LinuxSystem", "Metrics", logging]),
        tests(
            "SandboxSecurity",
            [
                "SandboxRuntime", "SandboxMonitor", "SandboxPolicy", "SandboxModel", "Journal", "LinuxSystem",
                "HTTP",
            ]),
        tests("SandwardenAPI", ["SandboxSecurity", "SandboxPolicy", "SandboxModel", "HTTP"]),
        .testTarget(name: "ArchitectureTests", dependencies: [], swiftSettings: strict),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "HTTP", "LinuxSystem", "SandboxModel", "SandboxPolicy", "SandboxSecurity", "sandwarden",
                logging,
            ],
            swiftSettings: strict),
    ],
    cLanguageStandard: .gnu11
)
