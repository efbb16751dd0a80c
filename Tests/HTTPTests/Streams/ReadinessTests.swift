import LinuxSystem
import Testing

@testable import HTTP

@Suite struct ReadinessTests {
    /// The numbers that are written out in the loops are the ones that the system module means.
    @Test func flagsAreTheSystems() {
        #expect(Interest().events == [])
        #expect(Interest(reads: true).events == .readable)
        #expect(Interest(writes: true).events == .writable)
        #expect(Interest(reads: true, writes: true).events == [.readable, .writable])
        #expect(ReadyEvents.readable.isReadable && !ReadyEvents.readable.isBroken)
        #expect(ReadyEvents.error.isBroken && ReadyEvents.hangUp.isBroken && !ReadyEvents.error.isReadable)
        #expect(!ReadyEvents([.writable, .peerClosed, .priority]).isBroken)
    }
}
