import LinuxSystem
import Testing

@Suite struct SocketAddressTests {
    @Test(arguments: [
        "127.0.0.1:8722", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80", "[::]:0",
        "[2001:db8::7]:443", "unix:/run/x.sock", "unix:relative",
    ])
    func printsWhatItRead(_ text: String) {
        #expect(SocketAddress(text)?.description == text)
    }

    @Test(arguments: [
        "", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1",
        "127.0.0.1: 1", "127.0.0.1:1 ", "127.1:80", "01.2.3.4:80", "::1:80", "[127.0.0.1]:80", "[::1:80",
        "[::1]80", "[]:80", "localhost:80", "[fe80::1%eth0]:80", "unix:", "unix:/a\0b", "127.0.0.1\0:80",
        "127.0.0.1:\u{0661}", "256.0.0.1:1",
    ])
    func refuses(_ text: String) {
        #expect(SocketAddress(text) == nil)
    }

    @Test func longPathsAreRefused() {
        let longest = String(repeating: "a", count: 107)
        #expect(SocketAddress("unix:" + longest) == .unix(path: longest))
        #expect(SocketAddress("unix:" + longest + "a") == nil)
    }

    @Test func addressesHaveOneForm() {
        #expect(InternetAddress("::ffff:10.0.0.1")?.unmapped == InternetAddress("10.0.0.1"))
        #expect(InternetAddress("::ffff:127.0.0.1")?.isLoopback == true)
        #expect(InternetAddress("127.255.0.1")?.isLoopback == true)
        #expect(InternetAddress("128.0.0.1")?.isLoopback == false)
        #expect(InternetAddress("::2")?.isLoopback == false)
        #expect(InternetAddress("::")?.isUnspecified == true)
        #expect(InternetAddress("2001:0db8:0000::0001")?.description == "2001:db8::1")
        for octets in [0, 1, 3, 5, 15, 17] {
            #expect(InternetAddress(octets: [UInt8](repeating: 1, count: octets)) == nil)
        }
        let address = InternetAddress("102:304:506:708:90a:b0c:d0e:f10")
        #expect(address?.octets == Array(1...16))
    }
}
