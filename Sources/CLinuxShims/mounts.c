#define _GNU_SOURCE
#include "CLinuxShims.h"

#include <errno.h>
#include <linux/loop.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

_Static_assert(sizeof(struct mount_attr) == 32, "mount_attr of mount_setattr(2), first version");

int sw_mount_setattr(
    int directory, const char *path, uint32_t flags, uint64_t set, uint64_t clear, uint64_t propagation) {
    struct mount_attr attributes = {.attr_set = set, .attr_clr = clear, .propagation = propagation};
    long result = syscall(SYS_mount_setattr, directory, path, flags, &attributes, sizeof attributes);
    return result < 0 ? -errno : 0;
}

int sw_loop_get_free(int control) {
    int result = ioctl(control, LOOP_CTL_GET_FREE);
    return result < 0 ? -errno : result;
}

int sw_loop_configure(int loop, int file, uint32_t flags, uint32_t block_size, const char *name) {
    struct loop_config config = {.fd = (uint32_t)file, .block_size = block_size};
    config.info.lo_flags = flags;
    strncpy((char *)config.info.lo_file_name, name, LO_NAME_SIZE - 1);
    return ioctl(loop, LOOP_CONFIGURE, &config) < 0 ? -errno : 0;
}

int sw_loop_status(int loop, uint64_t *device, uint64_t *inode, uint32_t *flags) {
    struct loop_info64 status;
    if (ioctl(loop, LOOP_GET_STATUS64, &status) < 0) {
        return -errno;
    }
    *device = status.lo_device;
    *inode = status.lo_inode;
    *flags = status.lo_flags;
    return 0;
}

int sw_loop_clear(int loop) {
    return ioctl(loop, LOOP_CLR_FD) < 0 ? -errno : 0;
}

int sw_make_block_device(const char *path, uint32_t mode, uint32_t major_number, uint32_t minor_number) {
    dev_t device = makedev(major_number, minor_number);
    return mknod(path, S_IFBLK | (mode & 0777), device) < 0 ? -errno : 0;
}

int sw_setns(int descriptor, int kind) {
    return setns(descriptor, kind) < 0 ? -errno : 0;
}

int sw_unshare(int flags) {
    return unshare(flags) < 0 ? -errno : 0;
}

int sw_pidfd_open(int32_t pid, uint32_t flags) {
    long result = syscall(SYS_pidfd_open, pid, flags);
    return result < 0 ? -errno : (int)result;
}

int sw_pidfd_send_signal(int pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}
