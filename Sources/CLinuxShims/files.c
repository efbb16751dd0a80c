#define _GNU_SOURCE
#include "CLinuxShims.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(struct open_how) == 24, "open_how of openat2(2), first version");
_Static_assert(sizeof(gid_t) == sizeof(uint32_t), "groups are 32 bits wide");
_Static_assert(sizeof(int) == sizeof(int32_t), "descriptors are 32 bits wide");

int sw_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
    long result = syscall(SYS_openat2, directory, path, &how, sizeof how);
    return result < 0 ? -errno : (int)result;
}

int sw_statx(int directory, const char *path, int flags, struct sw_status *status) {
    struct statx raw;
    if (statx(directory, path, flags, STATX_BASIC_STATS | STATX_MNT_ID, &raw) < 0) {
        return -errno;
    }
    *status = (struct sw_status){
        .inode = raw.stx_ino,
        .size = raw.stx_size,
        .blocks_512 = raw.stx_blocks,
        .mount_id = raw.stx_mask & STATX_MNT_ID ? raw.stx_mnt_id : 0,
        .modified_seconds = raw.stx_mtime.tv_sec,
        .changed_seconds = raw.stx_ctime.tv_sec,
        .modified_nanoseconds = raw.stx_mtime.tv_nsec,
        .changed_nanoseconds = raw.stx_ctime.tv_nsec,
        .links = raw.stx_nlink,
        .uid = raw.stx_uid,
        .gid = raw.stx_gid,
        .mode = raw.stx_mode,
        .device_major = raw.stx_dev_major,
        .device_minor = raw.stx_dev_minor,
        .special_major = raw.stx_rdev_major,
        .special_minor = raw.stx_rdev_minor,
    };
    return 0;
}

int sw_getdents(int directory, uint8_t *buffer, size_t size) {
    long result = syscall(SYS_getdents64, directory, buffer, size);
    return result < 0 ? -errno : (int)result;
}

int sw_renameat2(int from, const char *old_path, int to, const char *new_path, uint32_t flags) {
    return renameat2(from, old_path, to, new_path, flags) < 0 ? -errno : 0;
}

int sw_pipe(int ends[2]) {
    return pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
}

uint32_t sw_setfsuid(uint32_t uid) {
    setfsuid(uid);
    // The call answers with the identity before it and never says whether it was obeyed: ask.
    return (uint32_t)setfsuid((uid_t)-1);
}

uint32_t sw_setfsgid(uint32_t gid) {
    setfsgid(gid);
    return (uint32_t)setfsgid((gid_t)-1);
}

int sw_getgroups(int count, uint32_t *groups) {
    long result = syscall(SYS_getgroups, count, groups);
    return result < 0 ? -errno : (int)result;
}

int sw_setgroups(int count, const uint32_t *groups) {
    return syscall(SYS_setgroups, count, groups) < 0 ? -errno : 0;
}
