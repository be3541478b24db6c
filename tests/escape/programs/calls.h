/* Attacks that are system calls, each tried by itself: all of them must be done, or all refused. */
#pragma once
#include "attack.h"
#include <stddef.h>

struct call {
    const char *name;
    long (*make)(void);
    /* The errno of a call that was let through and had, for its arguments, nothing to do: so that no harm comes of it
     * where it is permitted. 0 where it can be done. */
    int reached;
};

/* Tries each. Any errno but that of a refusal is a broken attack; so is one that works for some of the calls only, for
 * what is not shown to work in the open is not shown to be stopped. What is not there, a call that this kernel does not
 * have or a file that is not shown, is passed over. */
int each(const struct call *calls, size_t count);

#define EACH(calls) each(calls, sizeof(calls) / sizeof *(calls))

/* An attack that is these calls: CALLS(NAME, FUNCTION, {"one", by_one, 0}, {"another", by_another, 0}); */
#define CALLS(called, function, ...)                          \
    static const struct call function##_calls[] = {__VA_ARGS__}; \
    ATTACK(called, function);                                 \
    static int function(int argc, char **argv) {              \
        (void)argc, (void)argv;                               \
        return EACH(function##_calls);                        \
    }                                                         \
    struct call

/* Makes a call in a process of its own, which it may change or be killed for: what it returned. */
long apart(long (*make)(void));
