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
