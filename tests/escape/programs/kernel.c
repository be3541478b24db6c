/* Attacks by system calls that are no business of a server's. Their arguments do no harm where they are let through: even
 * a host in the tests shares its kernel with the machine. */
#define _GNU_SOURCE
#include "calls.h"
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static const char nowhere[] = "/nonexistent";

/* The calls of the mount API, old and new; the new ones were missing from Flatpak's list: CVE-2021-41133. */
static long by_mount(void) { return mount("none", "/", NULL, MS_PRIVATE, NULL); }
static long by_umount(void) { return umount2("/usr/bin", 0); }
static long by_pivot_root(void) { return syscall(SYS_pivot_root, nowhere, nowhere); }
static long by_fsopen(void) { return syscall(SYS_fsopen, "tmpfs", 0); }
static long by_fspick(void) { return syscall(SYS_fspick, AT_FDCWD, "/", 0); }
static long by_open_tree(void) { return syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE | AT_RECURSIVE); }
static long by_move_mount(void) { return syscall(SYS_move_mount, AT_FDCWD, nowhere, AT_FDCWD, nowhere, 0); }
static long by_mount_setattr(void) {
    struct mount_attr nothing = {0};
    return syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &nothing, sizeof nothing);
}
CALLS("mount-api", mount_api,
    {"mount", by_mount, 0},
    {"umount2", by_umount, EINVAL},
    {"pivot_root", by_pivot_root, ENOENT},
    {"fsopen", by_fsopen, 0},
    {"fspick", by_fspick, 0},
    {"open_tree", by_open_tree, 0},
    {"move_mount", by_move_mount, ENOENT},
    {"mount_setattr", by_mount_setattr, 0});

/* The machine itself: its end, and another kernel or more of it. */
static long by_reboot(void) { return syscall(SYS_reboot, 0, 0, 0, NULL); }
static long by_kexec(void) { return syscall(SYS_kexec_load, 0, 1L << 20, NULL, 0); }
static long by_kexec_file(void) { return syscall(SYS_kexec_file_load, -1, -1, 0, NULL, ~0UL); }
static long by_init_module(void) { return syscall(SYS_init_module, "", 0L, ""); }
static long by_finit_module(void) { return syscall(SYS_finit_module, -1, "", 0); }
static long by_delete_module(void) { return syscall(SYS_delete_module, "jail_no_such_module", O_NONBLOCK); }
CALLS("machine", machine,
    {"reboot", by_reboot, EINVAL},
    {"kexec_load", by_kexec, EINVAL},
    {"kexec_file_load", by_kexec_file, EINVAL},
    {"init_module", by_init_module, ENOEXEC},
    {"finit_module", by_finit_module, EBADF},
    {"delete_module", by_delete_module, ENOENT});

/* Its clock. */
static long by_settimeofday(void) {
    struct timezone too_far = {.tz_minuteswest = 100000};
    return syscall(SYS_settimeofday, NULL, &too_far);
}
static struct timex no_tick(void) { return (struct timex){.modes = ADJ_TICK, .tick = 0}; }
static long by_adjtimex(void) {
    struct timex timex = no_tick();
    return syscall(SYS_adjtimex, &timex);
}
static long by_clock_adjtime(void) {
    struct timex timex = no_tick();
    return syscall(SYS_clock_adjtime, CLOCK_REALTIME, &timex);
}
CALLS("clock", the_clock,
    {"settimeofday", by_settimeofday, EINVAL},
    {"adjtimex", by_adjtimex, EINVAL},
    {"clock_adjtime", by_clock_adjtime, EINVAL});

/* Its swap space, and its accounting of processes. */
static long by_swapon(void) { return swapon(nowhere, 0); }
static long by_swapoff(void) { return swapoff(nowhere); }
static long by_acct(void) { return acct(nowhere); }
CALLS("swap-and-accounting", swap_and_accounting,
    {"swapon", by_swapon, ENOENT},
    {"swapoff", by_swapoff, ENOENT},
    {"acct", by_acct, ENOENT});

/* Its names. */
static long by_sethostname(void) {
    char name[65] = "";
    gethostname(name, sizeof name);
    return syscall(SYS_sethostname, name, strlen(name));
}
static long by_setdomainname(void) {
    char name[65] = "";
    return getdomainname(name, sizeof name) == 0 ? syscall(SYS_setdomainname, name, strlen(name)) : -1;
}
CALLS("host-name", host_name,
    {"sethostname", by_sethostname, 0},
    {"setdomainname", by_setdomainname, 0});

/* What the kernel logs: addresses, device names, other people's crashes. */
static long by_syslog(void) { return klogctl(9, NULL, 0); }
static long by_kmsg(void) { return open("/dev/kmsg", O_RDONLY | O_NONBLOCK); }
static long by_proc_kmsg(void) { return open("/proc/kmsg", O_RDONLY | O_NONBLOCK); }
static long by_kmsg_node(void) {
    long made = mknod("/run/kmsg", S_IFCHR | 0600, makedev(1, 11));
    if (made < 0) return made;
    long opened = open("/run/kmsg", O_RDONLY | O_NONBLOCK);
    unlink("/run/kmsg");
    return opened;
}
CALLS("kernel-log", kernel_log,
    {"syslog", by_syslog, 0},
    {"/dev/kmsg", by_kmsg, 0},
    {"/proc/kmsg", by_proc_kmsg, 0},
    {"/dev/kmsg made anew", by_kmsg_node, 0});

/* Namespaces of one's own: each gives capabilities over some part of the kernel. */
#define UNSHARES(name, flag)                                      \
    static long name##_here(void) { return unshare(flag); }       \
    static long name(void) { return apart(name##_here); }
UNSHARES(unshare_user, CLONE_NEWUSER)
UNSHARES(unshare_mount, CLONE_NEWNS)
UNSHARES(unshare_net, CLONE_NEWNET)
UNSHARES(unshare_pid, CLONE_NEWPID)
UNSHARES(unshare_ipc, CLONE_NEWIPC)
UNSHARES(unshare_uts, CLONE_NEWUTS)
UNSHARES(unshare_cgroup, CLONE_NEWCGROUP)
UNSHARES(unshare_time, CLONE_NEWTIME)
static long child_of_clone(long child) {
    if (child == 0) _exit(0);
    return child;
}
static long by_clone(void) { return child_of_clone(syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0)); }
static long by_clone3(void) {
    struct clone_args args = {.flags = CLONE_NEWNET, .exit_signal = SIGCHLD};
    return child_of_clone(syscall(SYS_clone3, &args, sizeof args));
}
CALLS("new-namespaces", new_namespaces,
    {"unshare mount", unshare_mount, 0},   {"unshare net", unshare_net, 0}, {"unshare pid", unshare_pid, 0},
    {"unshare ipc", unshare_ipc, 0},       {"unshare uts", unshare_uts, 0}, {"unshare cgroup", unshare_cgroup, 0},
    {"unshare time", unshare_time, 0},     {"clone", by_clone, 0},          {"clone3", by_clone3, 0});

/* The other tables of system calls, which a filter that knows one number for each call does not see. */
#ifdef __x86_64__
static long here_by_int80(void) {
    long got;
    __asm__ volatile("int $0x80" : "=a"(got) : "a"(20L /* getpid */) : "memory", "r8", "r9", "r10", "r11");
    if (got >= 0) return got;
    errno = (int)-got;
    return -1;
}
static long here_by_x32(void) { return syscall(0x40000000L | SYS_getpid); }
static long by_int80(void) { return apart(here_by_int80); }
static long by_x32(void) { return apart(here_by_x32); }
CALLS("foreign-abi", foreign_abi, {"int 0x80", by_int80, 0}, {"x32", by_x32, 0});
#endif

/* Subsystems with a history: userfaultfd (the helper of many a kernel exploit), BPF, performance events. */
static long by_userfaultfd(void) { return syscall(SYS_userfaultfd, O_CLOEXEC); }
static long by_userfaultfd_user(void) { return syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* UFFD_USER_MODE_ONLY */); }
CALLS("userfaultfd", by_userfaultfds,
    {"userfaultfd", by_userfaultfd, 0},
    {"userfaultfd, user mode only", by_userfaultfd_user, 0});
CALLS("userfaultfd-user-mode", by_userfaultfd_alone, {"userfaultfd, user mode only", by_userfaultfd_user, 0});

static long by_bpf_map(void) {
    union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};
    return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr);
}
static long by_bpf_program(void) {
    static const struct bpf_insn returns_0[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
        {.code = BPF_JMP | BPF_EXIT},
    };
    union bpf_attr attr = {
        .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
        .insns = (uintptr_t)returns_0,
        .insn_cnt = 2,
        .license = (uintptr_t) "GPL",
    };
    return syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
}
CALLS("bpf", by_bpf, {"a map", by_bpf_map, 0}, {"a program", by_bpf_program, 0});

/* Sees and holds whatever is opened on a file system, by whoever. */
static long by_fanotify(void) { return syscall(SYS_fanotify_init, 4 /* FAN_CLASS_CONTENT */, O_RDONLY); }
static long by_fanotify_mark(void) {
    int group = (int)syscall(SYS_fanotify_init, 4, O_RDONLY);
    if (group < 0) return -1;
    return syscall(SYS_fanotify_mark, group, 0x101 /* FAN_MARK_ADD | FAN_MARK_FILESYSTEM */, 0x20 /* FAN_OPEN */, AT_FDCWD,
                   "/srv");
}
CALLS("fanotify", fanotify,
    {"fanotify_init", by_fanotify, 0},
    {"fanotify_mark", by_fanotify_mark, 0});

static long by_event(pid_t pid, int cpu) {
    struct perf_event_attr attr = {
        .type = PERF_TYPE_SOFTWARE,
        .size = sizeof attr,
        .config = PERF_COUNT_SW_CPU_CLOCK,
        .disabled = 1,
    };
    return syscall(SYS_perf_event_open, &attr, pid, cpu, -1, 0);
}
static long by_own_event(void) { return by_event(0, -1); }
static long by_cpus_event(void) { return by_event(-1, 0); }
CALLS("perf-events", perf_events, {"its own", by_own_event, 0}, {"everybody's on a cpu", by_cpus_event, 0});

/* What an x86 offers programs of the past: CVE-2015-3290, CVE-2017-17053. */
#ifdef __x86_64__
static long by_modify_ldt(void) {
    char table[16];
    return syscall(SYS_modify_ldt, 0, table, sizeof table);
}
static long here_by_iopl(void) { return syscall(SYS_iopl, 3); }
static long by_iopl(void) { return apart(here_by_iopl); }
static long here_by_ioperm(void) { return syscall(SYS_ioperm, 0x80, 1, 1); }
static long by_ioperm(void) { return apart(here_by_ioperm); }
CALLS("old-cpu-calls", old_cpu_calls,
    {"modify_ldt", by_modify_ldt, 0},
    {"iopl", by_iopl, 0},
    {"ioperm", by_ioperm, 0});
#endif

/* Exploits want to know where everything is, and that what they write can be executed. */
static long here_by_fixed_addresses(void) { return personality(ADDR_NO_RANDOMIZE); }
static long by_fixed_addresses(void) { return apart(here_by_fixed_addresses); }
static long here_by_executable_data(void) { return personality(READ_IMPLIES_EXEC); }
static long by_executable_data(void) { return apart(here_by_executable_data); }
static long here_by_bsd(void) { return personality(PER_BSD); }
static long by_bsd(void) { return apart(here_by_bsd); }
CALLS("personality", by_personality,
    {"ADDR_NO_RANDOMIZE", by_fixed_addresses, 0},
    {"READ_IMPLIES_EXEC", by_executable_data, 0},
    {"PER_BSD", by_bsd, 0});

/* What /proc says of a process is what tools of the host's believe: which program it runs, with which arguments. */
static long here_by_arguments(void) {
    static char other[] = "innocent";
    uint64_t start = (uintptr_t)other, end = start + sizeof other;
    struct prctl_mm_map map = {
        .start_code = start, .end_code = end, .start_data = start, .end_data = end, .start_brk = end, .brk = end,
        .start_stack = end,  .arg_start = start, .arg_end = end,   .env_start = end, .env_end = end, .exe_fd = ~0u,
    };
    return prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0);
}
static long by_arguments(void) { return apart(here_by_arguments); }
static long by_map_size(void) {
    unsigned int size = 0;
    return prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, (unsigned long)&size, 0, 0);
}
CALLS("memory-map", memory_map,
    {"PR_SET_MM_MAP", by_arguments, 0},
    {"PR_SET_MM_MAP_SIZE", by_map_size, 0});

/* A core dump may start a program, as root on the host, wherever the limit is not the one value that prevents it. */
static long set_core_limit(long (*set)(const struct rlimit *)) {
    const struct rlimit none = {0, 0};
    struct rlimit now;
    if (set(&none) < 0 || getrlimit(RLIMIT_CORE, &now) < 0) return -1;
    errno = EPERM; /* it says that it did, and did not */
    return now.rlim_cur == 0 ? 0 : -1;
}
static long with_setrlimit(const struct rlimit *limit) { return syscall(SYS_setrlimit, RLIMIT_CORE, limit); }
static long with_prlimit(const struct rlimit *limit) { return syscall(SYS_prlimit64, 0, RLIMIT_CORE, limit, NULL); }
static long here_by_setrlimit(void) { return set_core_limit(with_setrlimit); }
static long by_setrlimit(void) { return apart(here_by_setrlimit); }
static long here_by_prlimit(void) { return set_core_limit(with_prlimit); }
static long by_prlimit(void) { return apart(here_by_prlimit); }
CALLS("core-limit", core_limit, {"setrlimit", by_setrlimit, 0}, {"prlimit", by_prlimit, 0});

/* A filter is asked before another that is added, but a caller may hope: it lets everything through, takes back what
 * made it binding, and tries. `filter-loosened user` tries what an ordinary user may in the open. */
ATTACK("filter-loosened", filter_loosened);
static int filter_loosened(int argc, char **argv) {
    (void)argv;
    struct sock_filter allow[] = {{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
    struct sock_fprog program = {1, allow};
    printf("PR_SET_NO_NEW_PRIVS 0: %s\n", prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) ? strerror(errno) : "done");
    printf("PR_SET_SECCOMP 0: %s\n", prctl(PR_SET_SECCOMP, SECCOMP_MODE_DISABLED, 0) ? strerror(errno) : "done");
    printf("PR_SET_SECCOMP 2: %s\n", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? strerror(errno) : "done");
    printf("seccomp: %s\n", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) ? strerror(errno) : "done");
    static const struct call of_user[] = {
        {"unshare", unshare_user, 0},
        {"userfaultfd", by_userfaultfd_user, 0},
        {"personality", by_fixed_addresses, 0},
        {"PR_SET_MM_MAP", by_arguments, 0},
    };
    static const struct call of_root[] = {
        {"unshare", unshare_uts, 0},
        {"syslog", by_syslog, 0},
        {"userfaultfd", by_userfaultfd, 0},
        {"bpf", by_bpf_map, 0},
        {"PR_SET_MM_MAP", by_arguments, 0},
    };
    return argc > 1 ? EACH(of_user) : EACH(of_root);
}

/* A device node is the device, whatever its name. */
static long made_and_opened(const char *path, long made) {
    if (made < 0) return made;
    long opened = open(path, O_RDONLY | O_NONBLOCK);
    unlink(path);
    return opened;
}
static char node[4096];
static long by_mknod(void) { return made_and_opened(node, mknod(node, S_IFCHR | 0600, makedev(1, 3))); }
static long by_mknodat(void) { return made_and_opened(node, mknodat(AT_FDCWD, node, S_IFCHR | 0600, makedev(1, 8))); }
static long by_block(void) {
    struct stat root;
    /* The disk that the root file system is on, if it is on one. */
    dev_t disk = stat("/usr", &root) == 0 && major(root.st_dev) ? root.st_dev : makedev(1, 0);
    long made = mknod(node, S_IFBLK | 0600, disk);
    return made < 0 ? made : unlink(node);
}
ATTACK("device-node", device_node);
static int device_node(int argc, char **argv) {
    snprintf(node, sizeof node, "%s/node", argc > 1 ? argv[1] : "/run");
    static const struct call calls[] = {
        {"a character device by mknod", by_mknod, 0},
        {"a character device by mknodat", by_mknodat, 0},
        {"a disk", by_block, 0},
    };
    return EACH(calls);
}
