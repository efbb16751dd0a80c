// LinuxSystem: everything in this package that talks to the kernel.
//
// The pieces are small and total: a call either gives its answer or throws a ``SystemError`` that says what
// was attempted. Nothing here knows of sandboxes, policies or HTTP, and nothing here decides.
//
// - Descriptors: ``Descriptor`` owns one open file description's number; it is closed exactly once and never
//   inherited by a child (`O_CLOEXEC` always).
// - Waiting: ``Poller`` is epoll(7), ``EventLoop`` a thread around it, ``BlockingQueue`` the place where
//   blocking calls go so that the cooperative pool never waits on the kernel.
// - Text of the kernel (`/proc`, control groups, `mountinfo`) and binary messages (netlink) are read by pure
//   parsers over bytes that never trap; the callers that fetch the bytes are separate and bounded.
