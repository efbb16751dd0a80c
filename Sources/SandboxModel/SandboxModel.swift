// Values that travel between modules: identifiers, times, violations, samples, controls, verdicts, and the
// strict JSON that they are written in. Nothing here does I/O, reads a clock or knows a driver.
