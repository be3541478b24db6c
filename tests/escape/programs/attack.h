/* The attacks, one file for each subject, and how they tell what came of them. */
#pragma once
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The call did not do what the attack needs. */
static inline int stopped(const char *call) {
    printf("stopped: %s: %s\n", call, strerror(errno));
    return 1;
}

/* namespaces.c */
int nested_userns(int argc, char **argv);
