#define _GNU_SOURCE
#include "CLinuxShims.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

_Static_assert(sizeof(struct sw_epoll_event) == sizeof(struct epoll_event), "epoll_event size");
_Static_assert(offsetof(struct sw_epoll_event, events) == offsetof(struct epoll_event, events), "events");
_Static_assert(offsetof(struct sw_epoll_event, token_low) == offsetof(struct epoll_event, data), "data");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the halves of a token are little-endian");

int sw_epoll_create(void) {
    int result = epoll_create1(EPOLL_CLOEXEC);
    return result < 0 ? -errno : result;
}

int sw_epoll_ctl(int epoll, int operation, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return epoll_ctl(epoll, operation, descriptor, &event) < 0 ? -errno : 0;
}

int sw_epoll_wait(int epoll, struct sw_epoll_event *events, int count, int timeout_ms) {
    int result = epoll_wait(epoll, (struct epoll_event *)events, count, timeout_ms);
    return result < 0 ? -errno : result;
}

int sw_eventfd(void) {
    int result = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return result < 0 ? -errno : result;
}

int sw_accept(int listener) {
    int result = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    return result < 0 ? -errno : result;
}

int sw_peer_credentials(int socket, int32_t *pid, uint32_t *uid, uint32_t *gid) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0) {
        return -errno;
    }
    *pid = credentials.pid;
    *uid = credentials.uid;
    *gid = credentials.gid;
    return 0;
}
