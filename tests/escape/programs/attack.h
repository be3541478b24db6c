/* How attacks are named and tell what came of them. A file of this directory is one subject. */
#pragma once
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* How an attack ends that was tried and did not work; 0 is that it works. As in lib.sh. */
enum { STOPPED = 41 };

struct attack {
    const char *name;
    int (*run)(int argc, char **argv);
};

/* Makes `attack NAME` run a function. All of them meet in a section of the program, so that a subject is added as a file. */
#define ATTACK(called, function)                                                                          \
    static int function(int argc, char **argv);                                                           \
    static const struct attack function##_attack = {called, function};                                    \
    static const struct attack *const function##_listed                                                   \
        __attribute__((used, section("attacks"))) = &function##_attack

/* The call did not do what the attack needs. */
static inline int stopped(const char *call) {
    printf("stopped: %s: %s\n", call, strerror(errno));
    return STOPPED;
}

/* It is no protection: something that the attack needs is not there. */
static inline int broken(const char *call) {
    fprintf(stderr, "broken: %s: %s\n", call, strerror(errno));
    return 3;
}
