#define _GNU_SOURCE
#include "CLinuxShims.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

_Static_assert(sizeof(pid_t) == sizeof(int32_t), "process numbers are 32 bits wide");

/// Pointers to `count` packed texts and a final NULL; NULL when there is no memory.
static char **unpack(const char *texts, size_t count) {
    char **pointers = calloc(count + 1, sizeof *pointers);
    for (size_t index = 0; pointers != NULL && index < count; index++) {
        pointers[index] = (char *)texts;
        texts += strlen(texts) + 1;
    }
    return pointers;
}

static int prepare(
    const struct sw_spawn_request *request, posix_spawn_file_actions_t *actions,
    posix_spawnattr_t *attributes) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (request->starts_session) {
        flags |= POSIX_SPAWN_SETSID;
    }
    int status = 0;
    for (int target = 0; status == 0 && target < 3; target++) {
        status = posix_spawn_file_actions_adddup2(actions, request->standard[target], target);
    }
    if (status == 0) status = posix_spawn_file_actions_addclosefrom_np(actions, 3);
    if (status == 0 && request->directory != NULL) {
        status = posix_spawn_file_actions_addchdir_np(actions, request->directory);
    }
    if (status == 0) status = posix_spawnattr_setsigmask(attributes, &none);
    if (status == 0) status = posix_spawnattr_setsigdefault(attributes, &all);
    if (status == 0) status = posix_spawnattr_setflags(attributes, flags);
    return status;
}

int32_t sw_spawn(const struct sw_spawn_request *request) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char **arguments = unpack(request->arguments, request->argument_count);
    char **environment = unpack(request->environment, request->environment_count);
    pid_t pid = -1;
    int status = ENOMEM;
    if (arguments != NULL && environment != NULL && posix_spawn_file_actions_init(&actions) == 0) {
        if (posix_spawnattr_init(&attributes) == 0) {
            status = prepare(request, &actions, &attributes);
            if (status == 0) {
                status = posix_spawn(&pid, request->path, &actions, &attributes, arguments, environment);
            }
            posix_spawnattr_destroy(&attributes);
        }
        posix_spawn_file_actions_destroy(&actions);
    }
    free(arguments);
    free(environment);
    return status == 0 ? pid : -status;
}
