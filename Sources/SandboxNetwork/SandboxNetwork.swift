// SandboxNetwork: what a sandbox can reach, set from the host and never by a process in the sandbox.
//
// The sandbox's idle holder already sits in a network namespace of its own that has only loopback. Before any
// program of the client runs, ``NetworkController`` gives that namespace its rules, then its interface:
//
// - `none`: loopback and nothing else.
// - `internal`: one Ethernet bridge for each policy, without an address of the host on it. The namespace's
//   rules let through the bridge's subnet alone.
// - `restricted` and `full`: a pair of interfaces with four addresses of their own, and address translation
//   on the host. `restricted` reaches the resolver and the allowed ports of public addresses; `full`
//   everything but loopback, link-local (metadata) and host addresses.
//
// Two nftables tables hold it. `sandwarden` in the namespace refuses with an answer, counts, tells over nflog
// what was refused, and limits connections. `sandwarden_<instance>` on the host repeats the address and port
// rules for packets that come around the first (packet sockets), ties each interface to its address, keeps
// sandboxes from each other and from the host, and translates addresses. Both are replaced as a whole in one
// transaction. Outgoing packets are judged one by one, not by connection, so that a tightened policy also
// ends what was open. IPv6 is switched off in the namespace and dropped by both tables.
//
// Pure parts make text and plans: ``CIDR``, ``EgressRules``, ``NamespaceRuleset``, ``HostRuleset``,
// ``AddressPlan``. Nothing reaches an nft or ip script that was not parsed into one of these types first.
