/* Attacks by what processes share without a file of theirs: keys, System V objects, queues. */
#define _GNU_SOURCE
#include "attack.h"
#include <fcntl.h>
#include <linux/keyctl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { KEY = 0x6a61696c };

/* What is looked for is not there, or may not be had. */
static int looked_for(const char *what, long got) {
    printf("%s: %s\n", what, got < 0 ? strerror(errno) : "found");
    return got >= 0;
}

/* Objects of System V that everybody may use: `sysv make` makes them, `sysv` finds and uses them. */
ATTACK("sysv", sysv);
static int sysv(int argc, char **argv) {
    (void)argv;
    umask(0);
    int flags = argc > 1 ? IPC_CREAT | 0666 : 0;
    int memory = shmget(KEY, 4096, flags);
    int found = looked_for("shared memory", memory) + looked_for("a queue", msgget(KEY, flags)) +
                looked_for("a semaphore", semget(KEY, 1, flags));
    if (found == 0) return STOPPED;
    if (found < 3) return broken("only some are found");
    return shmat(memory, NULL, 0) == (void *)-1 ? broken("shmat") : 0;
}

/* The same with a POSIX queue. */
ATTACK("queue", queue);
static int queue(int argc, char **argv) {
    (void)argv;
    umask(0);
    mqd_t got = argc > 1 ? mq_open("/attacked", O_CREAT | O_RDWR, 0666, NULL) : mq_open("/attacked", O_RDWR);
    return looked_for("/attacked", got) ? 0 : STOPPED;
}

/* A key of the session that the sandbox was started in: `key make` makes it, `key` reads it. */
ATTACK("key", key);
static int key(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        long made = syscall(SYS_add_key, "user", "attacked", "secret", 6L, KEY_SPEC_SESSION_KEYRING);
        return made < 0 ? broken("add_key") : 0;
    }
    long by_request = syscall(SYS_request_key, "user", "attacked", NULL, 0L);
    long by_search = looked_for("request_key", by_request)
                         ? by_request
                         : syscall(SYS_keyctl, KEYCTL_SEARCH, (long)KEY_SPEC_SESSION_KEYRING, "user", "attacked", 0L);
    if (by_request < 0 && !looked_for("keyctl search", by_search)) return STOPPED;
    char secret[16];
    return syscall(SYS_keyctl, KEYCTL_READ, by_search, secret, sizeof secret) == 6 ? 0 : stopped("keyctl read");
}
