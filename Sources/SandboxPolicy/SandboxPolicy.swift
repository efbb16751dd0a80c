// SandboxPolicy holds what a policy is, and answers with it.
//
// From text to answer, each step a value: bytes are read into a tree with places (`Document/`: strict YAML here,
// strict JSON in SandboxModel); ``PolicyDocument`` is one checked tree; ``PolicyCatalog`` resolves documents over
// their parents, counts versions, and compiles each policy once into a ``CompiledPolicy``, which then answers
// ``CommandCheck`` and ``PathCheck`` with a ``SandboxModel/Verdict`` on any thread, without I/O, locks or a clock.
//
// All faults of a document are reported at once, by JSON pointer and by line and column. ``DocumentChecker`` and
// ``YAMLReader`` serve the program's configuration as well.
//
// What a check says is advice about names and paths; what a program does once it runs, only the kernel holds. A verdict
// says which of the two stands behind it.
