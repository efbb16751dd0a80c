// Makes, drives and removes sandboxes. A `RuntimeDriver` speaks to one kind of engine; everything that both kinds
// share (the workspace's file system, the gate, exec, files, attestation, the order of the steps) is written once
// beside them. Outside its driver nobody knows that Docker or runc exist.
