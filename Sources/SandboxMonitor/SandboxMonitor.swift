// Watches sandboxes from the host: samples control groups, `/proc` and the network namespace, listens to kernel
// event sources where there are any, and turns what it sees into findings. Nothing is ever run inside a sandbox.
