#define _GNU_SOURCE
#include "CLinuxShims.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

_Static_assert(sizeof(struct nlmsghdr) == 16, "the framing that LinuxSystem parses");

int sw_netlink_open(int protocol) {
    int result = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (result < 0) {
        return -errno;
    }
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    if (bind(result, (struct sockaddr *)&address, sizeof address) < 0) {
        int error = errno;
        close(result);
        return -error;
    }
    return result;
}

int sw_netlink_send(int socket, const uint8_t *bytes, size_t count) {
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    ssize_t result = sendto(socket, bytes, count, 0, (struct sockaddr *)&kernel, sizeof kernel);
    return result < 0 ? -errno : (int)result;
}

int sw_netlink_receive(int socket, uint8_t *buffer, size_t size, int flags) {
    struct sockaddr_nl sender = {0};
    struct iovec place = {.iov_base = buffer, .iov_len = size};
    struct msghdr message = {
        .msg_name = &sender, .msg_namelen = sizeof sender, .msg_iov = &place, .msg_iovlen = 1};
    ssize_t result = recvmsg(socket, &message, flags);
    if (result < 0) {
        return -errno;
    }
    if (message.msg_namelen != sizeof sender || sender.nl_pid != 0) {
        return 0;
    }
    return message.msg_flags & MSG_TRUNC ? -EMSGSIZE : (int)result;
}
