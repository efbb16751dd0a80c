// Journal: the product's memory, on disk, as lines of JSON.
//
// Three streams (``JournalStream``) below one data folder, each a row of segments:
//
//     DIR/lock                                held by the one writer
//     DIR/state/head                          how far each stream was known to be on disk
//     DIR/violations/000000000001.jsonl.gz    a sealed segment, compressed; named by its first record
//     DIR/violations/000000000001.index       what is in it and where: a help for queries
//     DIR/violations/000000008193.jsonl       the active segment
//     DIR/audit/… DIR/metrics/…
//     DIR/aside/…                             what was cut off unfinished ends
//
// A segment begins with a header line. Each line after it is one record, `{"seq":N,…}`, numbers without gaps;
// in `violations` and `audit` its last member is `chain`, the SHA-256 over the chain of the line before (64
// hex digits, zeros at the start) and the line's bytes without `,"chain":"…"`. docs/journal-format.md is the
// whole specification.
//
// What is promised:
// - A record that was acknowledged is flushed to the device. Many callers share one flush.
// - A flush that failed is never tried again on the same file. The segment is cut to what was flushed before
//   and closed; a new one begins, with a record that says what was lost, when the disk takes records again.
// - After a crash at any moment the journal opens, without loss of what was acknowledged. An unfinished end
//   is cut off and kept aside; anything else that is wrong is left as it is, reported, and never silently
//   skipped.
// - Damage, removal, reordering and a cut end are found by ``JournalReader/verify(_:progress:)``.
//
// Who calls what: ``JournalWriter`` is the daemon's, one a folder. ``JournalReader`` is anybody's, beside a
// running daemon too, without its lock. ``JournalSubscription`` follows what is written.
//
// Not promised: secrecy, and detection of a forger who writes everything anew, `state/head` too.
