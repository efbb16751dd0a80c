internal import LinuxSystem

/// The segments of one stream, oldest first.
struct SegmentCatalog: Sendable {
    /// One segment, in one or both of its forms.
    struct Entry: Sendable, Hashable {
        let firstSeq: Int64
        /// Sizes of the files; `nil` for the form that is not there.
        var plainBytes: Int64?
        var compressedBytes: Int64?
        var indexBytes: Int64?

        /// Everything that it takes on the disk.
        var bytes: Int64 { (plainBytes ?? 0) + (compressedBytes ?? 0) + (indexBytes ?? 0) }
        /// The name of the form that is read.
        var name: String {
            plainBytes != nil ? SegmentName.plain(firstSeq) : SegmentName.compressed(firstSeq)
        }
    }

    var entries: [Entry] = []
    /// Files that were being written when the process ended, by name.
    var temporaries: [String] = []
    /// Indexes without a segment, by name.
    var strays: [String] = []

    /// Lists a stream's folder; a folder that is not there holds nothing.
    static func load(
        _ stream: JournalStream, in storage: any JournalStorage
    ) throws(JournalError) -> SegmentCatalog {
        var catalog = SegmentCatalog()
        let files: [JournalFolderEntry]
        do throws(SystemError) {
            files = try storage.list(stream.rawValue)
        } catch {
            if error.isMissing { return catalog }
            throw JournalError(error, .io, stream.rawValue)
        }
        var bySeq: [Int64: Entry] = [:]
        for file in files {
            guard let name = SegmentName(file.name) else { continue }
            var entry = bySeq[name.firstSeq] ?? Entry(firstSeq: name.firstSeq)
            switch name.kind {
            case .plain: entry.plainBytes = file.size
            case .compressed: entry.compressedBytes = file.size
            case .index: entry.indexBytes = file.size
            case .temporary:
                catalog.temporaries.append(String(decoding: file.name, as: UTF8.self))
                continue
            }
            bySeq[name.firstSeq] = entry
        }
        for entry in bySeq.values.sorted(by: { $0.firstSeq < $1.firstSeq }) {
            if entry.plainBytes == nil, entry.compressedBytes == nil {
                catalog.strays.append(SegmentName.index(entry.firstSeq))
            } else {
                catalog.entries.append(entry)
            }
        }
        return catalog
    }

    /// The number that ends a segment: the record before the next one's first; `nil` for the last.
    func lastSeq(at index: Int) -> Int64? {
        index + 1 < entries.count ? entries[index + 1].firstSeq - 1 : nil
    }
}
