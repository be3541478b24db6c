/* What attacks need and a shell cannot do: `attack NAME [ARG]...` makes one system call after the other and tells what came of it.
 * Exit status: 0 it works, 1 it was stopped (and by which errno), 3 it was called wrongly. */
#include "attack.h"
#include <stdio.h>
#include <string.h>

static const struct { const char *name; int (*run)(int argc, char **argv); } attacks[] = {
    {"nested-userns", nested_userns},
};

int main(int argc, char **argv) {
    for (size_t i = 0; argc > 1 && i < sizeof attacks / sizeof *attacks; i++)
        if (strcmp(attacks[i].name, argv[1]) == 0) return attacks[i].run(argc - 1, argv + 1);
    fprintf(stderr, "attack: there is no attack %s\n", argc > 1 ? argv[1] : "");
    return 3;
}
