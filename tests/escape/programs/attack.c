/* What attacks need and a shell cannot do: `attack NAME [ARG]...` makes one system call after the other and tells what came of it.
 * Exit status: 0 it works, 41 it was stopped (and by which errno), 3 it is broken or was called wrongly. */
#include "attack.h"

extern const struct attack *const __start_attacks[], *const __stop_attacks[];

int main(int argc, char **argv) {
    for (const struct attack *const *at = __start_attacks; argc > 1 && at < __stop_attacks; at++)
        if (strcmp((*at)->name, argv[1]) == 0) return (*at)->run(argc - 1, argv + 1);
    fprintf(stderr, "attack: there is no attack %s\n", argc > 1 ? argv[1] : "");
    return 3;
}
