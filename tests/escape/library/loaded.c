/* A library that an attacker left for a privileged process to load: it says so, on the host and inside. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

__attribute__((constructor)) static void loaded(void) {
    close(open("/run/user/1234/loaded", O_WRONLY | O_CREAT, 0644)); /* an ordinary user's, which no sandbox shows */
    if (unshare(CLONE_NEWNS) != 0) return; /* whoever may do this is no process of a jail's */
    close(open("/run/loaded", O_WRONLY | O_CREAT, 0644));
    close(open("/srv/data/loaded", O_WRONLY | O_CREAT, 0644));
}
