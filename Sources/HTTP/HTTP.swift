/// # HTTP
///
/// HTTP/1.1 and HTTP/1.0 over TCP and unix sockets, written on raw sockets.
///
/// * **Codec** (`Codec/`): state machines without I/O. ``RequestReader`` and ``ResponseReader`` take bytes in
///   pieces of any size and answer with steps; encoders append to an array of bytes. Whatever two parties
///   could understand in two ways is refused.
/// * **Server** (`Server/`): ``HTTPServer`` runs one epoll loop a core. A handler is called on the loop's own
///   thread and answers at once, or later from a task; bodies of replies may be streamed with back-pressure.
/// * **Client** (`Client/`): ``HTTPClient`` talks to one fixed address, keeps a few connections, streams
///   replies, and hands over connections that the other side turns into raw streams.
/// * **Streams** (`Streams/`): the bounded mailboxes between loops and tasks.
///
/// Not supported, on purpose: HTTP/0.9 and HTTP/2, TLS, `CONNECT`, upgrades on the server, transfer codings
/// other than `chunked`, folded header lines, bare line feeds, ranges, proxies, cookies, redirects.
