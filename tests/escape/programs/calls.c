/* Attacks that are system calls: how they are tried and told. */
#include "calls.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum outcome { DONE, REFUSED, ABSENT, ODD };

static enum outcome try(const struct call *call) {
    errno = 0;
    long got = call->make();
    if (got >= 0 || (call->reached && errno == call->reached)) {
        printf("done: %s\n", call->name);
        return DONE;
    }
    printf("%s: %s\n", call->name, strerror(errno));
    switch (errno) {
        case EPERM: case EACCES: return REFUSED;
        case ENOENT: case ESRCH: case ENOSYS: case EAFNOSUPPORT: case EPROTONOSUPPORT: return ABSENT;
        default: return ODD;
    }
}

int each(const struct call *calls, size_t count) {
    int outcomes[4] = {0};
    for (size_t i = 0; i < count; i++) outcomes[try(&calls[i])]++;
    fflush(stdout);
    if (outcomes[ODD]) {
        fprintf(stderr, "broken: a call failed for another reason\n");
        return 3;
    }
    if (outcomes[DONE] && outcomes[REFUSED]) {
        fprintf(stderr, "broken: only some of the calls work\n");
        return 3;
    }
    return outcomes[DONE] ? 0 : STOPPED;
}

long apart(long (*make)(void)) {
    fflush(stdout);
    pid_t child = fork();
    if (child < 0) return -1;
    if (child == 0) {
        errno = 0;
        long got = make();
        _exit(got >= 0 ? 0 : errno);
    }
    int status;
    if (waitpid(child, &status, 0) < 0) return -1;
    if (WIFSIGNALED(status)) {
        printf("killed by %s: ", WTERMSIG(status) == SIGSYS ? "SIGSYS" : strsignal(WTERMSIG(status)));
        errno = WTERMSIG(status) == SIGSYS ? EPERM : EFAULT;
        return -1;
    }
    errno = WEXITSTATUS(status);
    return errno ? -1 : 0;
}
