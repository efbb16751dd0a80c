import Testing

@testable import SandboxRuntime

@Suite struct DockerAPIVersionTests {
    @Test(arguments: [("1.41", 1, 41), ("1.9", 1, 9), ("12.0", 12, 0)])
    func readsVersions(_ text: String, _ major: Int, _ minor: Int) {
        #expect(DockerAPIVersion(text: text) == DockerAPIVersion(major, minor))
    }

    @Test(arguments: ["", "1", "1.", ".1", "1.41.0", "v1.41", "1.-4", "1. 41", "99999.1", "١.٢"])
    func refusesOtherText(_ text: String) {
        #expect(DockerAPIVersion(text: text) == nil)
    }

    @Test func ordersByNumber() throws {
        #expect(DockerAPIVersion(1, 9) < DockerAPIVersion(1, 41))
        #expect(DockerAPIVersion(2, 0) > DockerAPIVersion(1, 99))
    }

    @Test func clampsToWhatIsKnown() {
        #expect(DockerAPIVersion.negotiate(offered: DockerAPIVersion(1, 99), isPodman: false) == .highest)
        #expect(
            DockerAPIVersion.negotiate(offered: DockerAPIVersion(1, 41), isPodman: false) == DockerAPIVersion(1, 41))
    }

    @Test func refusesEnginesThatAreTooOld() {
        #expect(DockerAPIVersion.negotiate(offered: DockerAPIVersion(1, 40), isPodman: false) == nil)
        #expect(
            DockerAPIVersion.negotiate(offered: DockerAPIVersion(1, 40), isPodman: true) == DockerAPIVersion(1, 40))
        #expect(DockerAPIVersion.negotiate(offered: DockerAPIVersion(1, 39), isPodman: true) == nil)
    }
}
