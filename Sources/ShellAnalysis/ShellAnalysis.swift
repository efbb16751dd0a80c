// ShellAnalysis answers one question about a piece of shell text: which programs would it start, and which
// files would it name, if a shell read it now?
//
// The text is read by a hand-written parser over bytes (`Syntax/`), and the tree is walked (`Walk/`) with what
// is known of quoting, expansions, variables, functions, aliases and redirections. Programs that start other
// programs are unwrapped by a table (`Programs/`); text that a shell would read again is parsed again.
//
// The rule for everything that cannot be known is the same: it becomes an ``Undecidable`` with its place in
// the text, and never a silent gap. The module does no input or output, reads no clock, imports nothing, keeps
// no state between calls, ends on every byte string, and its work is bounded by ``AnalysisLimits``.
//
// What it is not: a sandbox. A program that is allowed to run may do anything its process may do.
