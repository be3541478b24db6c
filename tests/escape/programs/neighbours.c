/* Attacks on other processes of the jail: memory, descriptors, namespaces, and signals. */
#define _GNU_SOURCE
#include "calls.h"
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pid_t victim;

static char *of_victim(const char *file) {
    static char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", victim, file);
    return path;
}

static long here_by_ptrace(void) { return ptrace(PTRACE_SEIZE, victim, 0, 0); }
static long by_ptrace(void) { return apart(here_by_ptrace); }
static long by_mem(void) { return open(of_victim("mem"), O_RDWR); }
static long by_root(void) { return open(of_victim("root"), O_RDONLY | O_DIRECTORY); }
static long by_environ(void) { return open(of_victim("environ"), O_RDONLY); }
static long vm(int number) {
    char byte;
    struct iovec here = {&byte, 1}, there = {(void *)1, 1};
    return syscall(number, victim, &here, 1, &there, 1, 0);
}
static long by_readv(void) { return vm(SYS_process_vm_readv); }
static long by_writev(void) { return vm(SYS_process_vm_writev); }
static long by_pidfd_getfd(void) {
    int pidfd = (int)syscall(SYS_pidfd_open, victim, 0);
    return pidfd < 0 ? -1 : syscall(SYS_pidfd_getfd, pidfd, 0, 0);
}
static long by_kcmp(void) { return syscall(SYS_kcmp, victim, getpid(), KCMP_FILES, 0, 0); }

/* Reads and writes a process's memory and takes its descriptors: `process-memory PID`. */
ATTACK("process-memory", process_memory);
static int process_memory(int argc, char **argv) {
    victim = argc > 1 ? atoi(argv[1]) : 1;
    static const struct call calls[] = {
        {"ptrace", by_ptrace, 0},
        {"process_vm_readv", by_readv, EFAULT},
        {"process_vm_writev", by_writev, EFAULT},
        {"pidfd_getfd", by_pidfd_getfd, 0},
        {"kcmp", by_kcmp, 0},
        {"/proc/PID/mem", by_mem, 0},
        {"/proc/PID/environ", by_environ, 0},
        {"/proc/PID/root", by_root, 0},
    };
    return EACH(calls);
}

static long enter(const char *name, int kind) {
    char path[64];
    snprintf(path, sizeof path, "/proc/1/ns/%s", name);
    int ns = open(path, O_RDONLY);
    return ns < 0 ? -1 : setns(ns, kind);
}
#define ENTERS(name, file, kind)                               \
    static long name##_here(void) { return enter(file, kind); } \
    static long name(void) { return apart(name##_here); }
ENTERS(enter_mount, "mnt", CLONE_NEWNS)
ENTERS(enter_net, "net", CLONE_NEWNET)
ENTERS(enter_uts, "uts", CLONE_NEWUTS)
static long here_by_pidfd(void) {
    int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);
    return pidfd < 0 ? -1 : setns(pidfd, CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS);
}
static long by_pidfd(void) { return apart(here_by_pidfd); }

/* Enters the namespaces of the first process that can be seen. */
CALLS("first-namespaces", first_namespaces,
    {"the mount namespace", enter_mount, 0}, {"the network", enter_net, 0}, {"the host name", enter_uts, 0},
    {"all by a pidfd", by_pidfd, 0});

/* Signals a process by a descriptor of it, and that by its number: `pidfd-signal PID`. */
ATTACK("pidfd-signal", pidfd_signal);
static int pidfd_signal(int argc, char **argv) {
    int pidfd = argc > 1 ? (int)syscall(SYS_pidfd_open, atoi(argv[1]), 0) : -1;
    if (pidfd < 0) return stopped("pidfd_open");
    return syscall(SYS_pidfd_send_signal, pidfd, SIGURG, NULL, 0) == 0 ? 0 : stopped("pidfd_send_signal");
}
