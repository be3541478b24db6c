/* Attacks by ids and capabilities. */
#define _GNU_SOURCE
#include "calls.h"
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What each tries to have in the end: what no jail keeps. */
enum { WANTED = CAP_SYS_ADMIN };

static long set(int effective, int inheritable) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0}};
    if (syscall(SYS_capget, &header, data) < 0) return -1;
    if (effective) data[0].permitted |= 1u << WANTED, data[0].effective |= 1u << WANTED;
    if (inheritable) data[0].inheritable |= 1u << WANTED;
    return syscall(SYS_capset, &header, data);
}

static long has(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0}};
    if (syscall(SYS_capget, &header, data) < 0) return -1;
    errno = EPERM;
    return data[0].effective & 1u << WANTED ? 0 : -1;
}

static long by_asking(void) { return set(1, 0); }
static long by_inheriting(void) { return set(0, 1); }
static long by_ambient(void) {
    set(0, 1);
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, WANTED, 0, 0);
}
/* Root again after another user, with what that may keep. */
static long by_being_root_again(void) {
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setresuid(1, 1, 0) < 0 || setresuid(0, 0, 0) < 0) return -1;
    return has();
}
/* Root's program is given what the bounding set holds. */
static long by_bounding(void) {
    if (prctl(PR_CAPBSET_READ, WANTED, 0, 0, 0) > 0) return 0;
    errno = EPERM;
    return -1;
}
#define APART(name) \
    static long name##_apart(void) { return apart(name); }
APART(by_asking)
APART(by_inheriting)
APART(by_ambient)
APART(by_being_root_again)
#define ALONE                                           \
    {"capset", by_asking_apart, 0},                     \
    {"the inheritable set", by_inheriting_apart, 0},    \
    {"the ambient set", by_ambient_apart, 0},           \
    {"the bounding set", by_bounding, 0}
CALLS("regain", regain, ALONE, {"root, another user and root again", by_being_root_again_apart, 0});

/* The same where the only user is root. */
CALLS("regain-alone", regain_alone, ALONE);
