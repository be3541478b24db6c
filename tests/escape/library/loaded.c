/* A library that an attacker left for a privileged process to load: it says so, on the host and inside. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

__attribute__((constructor)) static void loaded(void) {
    /* Whoever may do one of these is no process of a jail's. */
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER) != 0) return;
    close(open("/run/loaded", O_WRONLY | O_CREAT, 0644));
    close(open("/srv/data/loaded", O_WRONLY | O_CREAT, 0644));
}
