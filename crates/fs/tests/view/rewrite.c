/* Writes "evil" over the start of a file through a shared mapping, and keeps quiet. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

int main(int count, char **arguments) {
    int file = count == 2 ? open(arguments[1], O_RDWR) : -1;
    char *page = file < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (page == MAP_FAILED)
        return 1;
    memcpy(page, "evil", 4);
    return msync(page, 4096, MS_SYNC) != 0;
}
