/// Sockets of a network namespace, by `/proc/PID/net/sockstat` and `sockstat6`: counted, not listed.
package struct SocketCounts: Sendable, Hashable {
    /// TCP sockets that are neither closed nor waiting after the end, listeners included.
    package var tcp = 0
    /// TCP sockets that no process holds any more.
    package var tcpOrphaned = 0
    /// TCP connections in their last wait.
    package var tcpTimeWait = 0
    package var udp = 0
    package var raw = 0

    package init() {}

    /// Adds what one of the two files says; lines of other protocols are ignored.
    /// - Returns: `false` when neither a TCP nor a UDP line was found.
    package mutating func add(_ bytes: ArraySlice<UInt8>) -> Bool {
        var isKnown = false
        for line in KernelText.lines(bytes) {
            let words = KernelText.words(line)
            guard let name = words.first else { continue }
            let count: (String) -> Int = { key in Self.value(of: key, in: words) }
            switch KernelText.text(name) {
            case "TCP:":
                tcp += count("inuse")
                tcpOrphaned += count("orphan")
                tcpTimeWait += count("tw")
                isKnown = true
            case "TCP6:":
                tcp += count("inuse")
                isKnown = true
            case "UDP:", "UDP6:", "UDPLITE:", "UDPLITE6:":
                udp += count("inuse")
                isKnown = true
            case "RAW:", "RAW6:":
                raw += count("inuse")
            default: break
            }
        }
        return isKnown
    }

    private static func value(of key: String, in words: [ArraySlice<UInt8>]) -> Int {
        guard let index = words.firstIndex(where: { $0.elementsEqual(key.utf8) }), index + 1 < words.count
        else {
            return 0
        }
        return KernelText.unsigned(words[index + 1]).flatMap { Int(exactly: $0) } ?? 0
    }
}

/// Traffic of one interface.
package struct InterfaceCounters: Sendable, Hashable {
    package let name: String
    package let receivedBytes: UInt64
    package let receivedPackets: UInt64
    package let receivedDropped: UInt64
    package let sentBytes: UInt64
    package let sentPackets: UInt64
    package let sentDropped: UInt64

    /// Reads `/proc/PID/net/dev`. Lines of another form (the two heads) are left out.
    /// - SeeAlso: proc_pid_net(5).
    package static func parse(_ bytes: ArraySlice<UInt8>) -> [InterfaceCounters] {
        KernelText.lines(bytes).compactMap { line in
            // An interface's name may hold a colon itself (an alias); the last one ends it.
            guard let colon = line.lastIndex(of: 0x3a) else { return nil }
            let numbers = KernelText.words(line[(colon + 1)...]).map { KernelText.unsigned($0) }
            guard numbers.count >= 16 else { return nil }
            guard let received = numbers[0], let packets = numbers[1], let dropped = numbers[3],
                let sent = numbers[8], let sentPackets = numbers[9], let sentDropped = numbers[11]
            else { return nil }
            return InterfaceCounters(
                name: KernelText.text(KernelText.trimmed(line[..<colon])), receivedBytes: received,
                receivedPackets: packets, receivedDropped: dropped, sentBytes: sent,
                sentPackets: sentPackets, sentDropped: sentDropped)
        }
    }
}

/// Protocol counters of `/proc/PID/net/snmp`.
package struct ProtocolCounters: Sendable, Hashable {
    /// By protocol and counter, such as `Tcp` and `ActiveOpens`.
    package let values: [String: [String: Int64]]

    /// Reads pairs of lines: names, then numbers, each beginning with the protocol. Others are left out.
    package static func parse(_ bytes: ArraySlice<UInt8>) -> ProtocolCounters {
        var values: [String: [String: Int64]] = [:]
        var head: [ArraySlice<UInt8>] = []
        for line in KernelText.lines(bytes) {
            let words = KernelText.words(line)
            if let first = words.first, first == head.first, words.count == head.count {
                let name = KernelText.text(first.last == 0x3a ? first.dropLast() : first)
                for (key, word) in zip(head, words).dropFirst() {
                    if let number = KernelText.signed(word) {
                        values[name, default: [:]][KernelText.text(key)] = number
                    }
                }
                head = []
            } else {
                head = words
            }
        }
        return ProtocolCounters(values: values)
    }
}
