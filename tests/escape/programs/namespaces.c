/* Attacks by namespaces. */
#define _GNU_SOURCE
#include "attack.h"
#include <sched.h>

/* A user namespace of one's own opens the kernel's privileged surface: CVE-2022-0185, CVE-2023-2640. */
ATTACK("nested-userns", nested_userns);
static int nested_userns(int argc, char **argv) {
    (void)argc, (void)argv;
    return unshare(CLONE_NEWUSER) == 0 ? 0 : stopped("unshare(CLONE_NEWUSER)");
}
