// System calls and structures that Swift cannot reach through the Glibc module.
//
// One function per missing wrapper. Each returns the call's value, or `-errno`; none decides anything.
// Every descriptor made here is close-on-exec.
#pragma once

#include <stdint.h>
#include <stddef.h>

// MARK: epoll(7), eventfd(2)

/// `struct epoll_event` with its 64-bit `data` as two halves, so that every member is aligned whether
/// the kernel packs the structure (x86-64) or not.
struct sw_epoll_event {
    uint32_t events;
#ifndef __x86_64__
    uint32_t padding;
#endif
    uint32_t token_low;
    uint32_t token_high;
};

/// epoll_create1(2) with EPOLL_CLOEXEC.
int sw_epoll_create(void);
/// epoll_ctl(2); `operation` 1 adds, 2 removes, 3 modifies.
int sw_epoll_ctl(int epoll, int operation, int descriptor, uint32_t events, uint64_t token);
/// epoll_wait(2); not restarted after a signal.
int sw_epoll_wait(int epoll, struct sw_epoll_event *events, int count, int timeout_ms);
/// eventfd(2), non-blocking.
int sw_eventfd(void);

// MARK: socket(7), unix(7)

/// accept4(2) with SOCK_NONBLOCK and SOCK_CLOEXEC, without the peer's address.
int sw_accept(int listener);
/// SO_PEERCRED of unix(7): process, user and group of the peer when it connected.
int sw_peer_credentials(int socket, int32_t *pid, uint32_t *uid, uint32_t *gid);

// MARK: paths and files

/// openat2(2); O_CLOEXEC is added to `flags`.
int sw_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

/// What statx(2) tells of one file.
struct sw_status {
    uint64_t inode;
    uint64_t size;
    uint64_t blocks_512;
    uint64_t mount_id;
    int64_t modified_seconds;
    int64_t changed_seconds;
    uint32_t modified_nanoseconds;
    uint32_t changed_nanoseconds;
    uint32_t links;
    uint32_t uid;
    uint32_t gid;
    uint32_t mode;
    uint32_t device_major;
    uint32_t device_minor;
    uint32_t special_major;
    uint32_t special_minor;
};
/// statx(2) with the basic fields.
int sw_statx(int directory, const char *path, int flags, struct sw_status *status);
/// getdents64(2); records as the kernel lays them out.
int sw_getdents(int directory, uint8_t *buffer, size_t size);
/// renameat2(2).
int sw_renameat2(int from, const char *old_path, int to, const char *new_path, uint32_t flags);
/// pipe2(2) with O_CLOEXEC.
int sw_pipe(int ends[2]);

/// setfsuid(2) for the calling thread alone; returns the identity that holds afterwards.
uint32_t sw_setfsuid(uint32_t uid);
/// setfsgid(2) for the calling thread alone; returns the identity that holds afterwards.
uint32_t sw_setfsgid(uint32_t gid);
/// getgroups(2) of the calling thread.
int sw_getgroups(int count, uint32_t *groups);
/// setgroups(2) for the calling thread alone, where the C library would change every thread.
int sw_setgroups(int count, const uint32_t *groups);

// MARK: mounts, loop devices, namespaces, processes

/// mount_setattr(2) (Linux 5.12).
int sw_mount_setattr(
    int directory, const char *path, uint32_t flags, uint64_t set, uint64_t clear, uint64_t propagation);
/// LOOP_CTL_GET_FREE of loop(4): the number of a free device.
int sw_loop_get_free(int control);
/// LOOP_CONFIGURE of loop(4) (Linux 5.8). `name` is what `losetup` shows, at most 63 bytes.
int sw_loop_configure(int loop, int file, uint32_t flags, uint32_t block_size, const char *name);
/// LOOP_GET_STATUS64 of loop(4): where the backing file lives.
int sw_loop_status(int loop, uint64_t *device, uint64_t *inode, uint32_t *flags);
/// LOOP_CLR_FD of loop(4).
int sw_loop_clear(int loop);
/// mknod(2) of a block device.
int sw_make_block_device(const char *path, uint32_t mode, uint32_t major, uint32_t minor);

/// setns(2) of the calling thread; `kind` is one CLONE_NEW flag, or 0 for any.
int sw_setns(int descriptor, int kind);
/// unshare(2) of the calling thread.
int sw_unshare(int flags);
/// pidfd_open(2), close-on-exec.
int sw_pidfd_open(int32_t pid, uint32_t flags);
/// pidfd_send_signal(2).
int sw_pidfd_send_signal(int pidfd, int signal);

/// What posix_spawn(3) starts: texts packed one after another, each with its terminating NUL.
struct sw_spawn_request {
    const char *path;
    const char *arguments;
    size_t argument_count;
    const char *environment;
    size_t environment_count;
    /// NULL keeps the working directory.
    const char *directory;
    /// Become the child's 0, 1 and 2; everything above is closed in the child.
    int standard[3];
    /// Not 0: the child leads a session of its own.
    int starts_session;
};
/// posix_spawn(3) with all signals at their defaults, none blocked, and no descriptor above 2.
/// Returns the child's process id.
int32_t sw_spawn(const struct sw_spawn_request *request);

// MARK: netlink(7)

/// A netlink socket of one protocol, bound with a number that the kernel chooses, in the calling thread's
/// network namespace.
int sw_netlink_open(int protocol);
/// send(2) to the kernel.
int sw_netlink_send(int socket, const uint8_t *bytes, size_t count);
/// recvmsg(2) of one datagram. A datagram of anybody but the kernel is thrown away and answered with 0;
/// one longer than the buffer is -EMSGSIZE.
int sw_netlink_receive(int socket, uint8_t *buffer, size_t size, int flags);

// MARK: the idle holder (holder.c)

/// Bytes of the holder's code.
size_t sw_holder_size(void);
/// Offset of its entry.
size_t sw_holder_entry(void);
/// Copies the code to a place of `sw_holder_size` bytes.
void sw_holder_copy(uint8_t *place);
