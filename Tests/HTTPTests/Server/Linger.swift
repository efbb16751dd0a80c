import Glibc
import LinuxSystem

/// Makes the closing of a socket a reset.
func setLingerZero(_ descriptor: borrowing Descriptor) throws {
    var value = linger(l_onoff: 1, l_linger: 0)
    let size = socklen_t(MemoryLayout<linger>.size)
    // SAFETY: setsockopt reads `size` bytes of the structure.
    let status = unsafe setsockopt(descriptor.rawValue, SOL_SOCKET, SO_LINGER, &value, size)
    guard status == 0 else { throw SystemError(errno: errno, operation: "setsockopt") }
}
