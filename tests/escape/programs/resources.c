/* Attacks on what the machine has only so much of. */
#define _GNU_SOURCE
#include "calls.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* More processes than a server has, and none that stays: of which the first is refused tells who counts. */
ATTACK("fork-bomb", fork_bomb);
static int fork_bomb(int argc, char **argv) {
    enum { MANY = 300 };
    pid_t children[MANY];
    int made = 0, why = 0;
    (void)argc, (void)argv;
    for (; made < MANY && !why; made++) {
        pid_t child = fork();
        if (child == 0) {
            pause();
            _exit(0);
        }
        if (child < 0) why = errno;
        else children[made] = child;
    }
    if (why) made--;
    for (int i = 0; i < made; i++) kill(children[i], SIGKILL);
    printf("%d processes\n", made);
    errno = why;
    return why ? why == EAGAIN ? stopped("fork") : broken("fork") : 0;
}

/* A file of so many megabytes: `fill FILE MEGABYTES`. */
ATTACK("fill", fills);
static int fills(int argc, char **argv) {
    if (argc < 3) return 3;
    int file = open(argv[1], O_CREAT | O_WRONLY, 0600);
    if (file < 0) return broken(argv[1]);
    return posix_fallocate(file, 0, atol(argv[2]) << 20) == 0 ? 0 : (errno = ENOSPC, stopped(argv[1]));
}

/* So many names of files: `fill-names DIRECTORY NUMBER`. */
ATTACK("fill-names", fills_names);
static int fills_names(int argc, char **argv) {
    if (argc < 3 || mkdir(argv[1], 0700) < 0) return 3;
    for (long i = 0; i < atol(argv[2]); i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%ld", argv[1], i);
        if (mknod(path, S_IFREG | 0600, 0) < 0) return errno == ENOSPC ? stopped(path) : broken(path);
    }
    return 0;
}

/* Before others. */
static long by_nice(void) { return setpriority(PRIO_PROCESS, 0, -10); }
static long by_real_time(void) { return sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){1}); }
static long by_ioprio(void) { return syscall(SYS_ioprio_set, 1 /* a process */, 0, 1 << 13 /* real-time */); }
#define APART(name) \
    static long name##_apart(void) { return apart(name); }
APART(by_nice)
APART(by_real_time)
APART(by_ioprio)
CALLS("priority", priority,
    {"nice", by_nice_apart, 0},
    {"real-time scheduling", by_real_time_apart, 0},
    {"real-time disk access", by_ioprio_apart, 0});
