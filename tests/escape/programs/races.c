/* What runs beside an attack on a start: paths that change while they are looked at, and ids that do not fit. */
#define _GNU_SOURCE
#include "attack.h"
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Two paths change places, again and again, until a signal ends this. */
ATTACK("exchange", exchange);
static int exchange(int argc, char **argv) {
    if (argc < 3) return 3;
    while (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) == 0) {}
    return broken("renameat2");
}

/* Runs a command as a user id that is read as carelessly as it can be. */
ATTACK("as", as);
static int as(int argc, char **argv) {
    if (argc < 3) return 3;
    uid_t id = strtoull(argv[1], NULL, 10);
    if (setgroups(0, NULL) != 0 || setresgid(id, id, id) != 0 || setresuid(id, id, id) != 0) return stopped("setresuid");
    execvp(argv[2], argv + 2);
    return broken(argv[2]);
}
