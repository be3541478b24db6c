// Asks the kernel what a filter is there to refuse, and says what it answered: NAME=ERRNO, or NAME=0 when it worked.
// With "x32" or "i386" makes one call of that ABI instead and says that it survived. With "numbers" and some numbers makes
// these calls as nobody and with arguments that are no descriptor, no address and no flags: NUMBER=ERRNO.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *name, long result)
{
	printf("%s=%d\n", name, result < 0 ? errno : 0);
}

static void clone_with(const char *name, long flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(0);
	say(name, pid);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void answers(void)
{
	struct rlimit none = {0, 0}, now;
	long file = open("file", O_CREAT | O_RDWR, 0644);
	say("open_0644", file);
	say("unknown_call", syscall(999));
	say("minus_one", syscall(-1));
	say("mount", syscall(SYS_mount, "none", "/proc/self/nowhere", "tmpfs", 0, 0));
	clone_with("clone_plain", 0);
	clone_with("clone_user", CLONE_NEWUSER);
	say("clone3", syscall(435, NULL, 0));
	say("openat2", syscall(437, -1, NULL, NULL, 0));
	say("io_uring_setup", syscall(425, 0, NULL));
	say("chmod_0755", syscall(SYS_fchmodat, AT_FDCWD, "file", 0755));
	say("chmod_4755", syscall(SYS_fchmodat, AT_FDCWD, "file", 04755));
	say("fchmod_2755", syscall(SYS_fchmod, file, 02755));
	say("open_4755", syscall(SYS_openat, AT_FDCWD, "set-id", O_CREAT | O_RDWR, 04755));
	say("open_existing", syscall(SYS_openat, AT_FDCWD, "file", O_RDONLY, 04755));
	say("mkdir_0755", syscall(SYS_mkdirat, AT_FDCWD, "plain", 0755));
	say("mkdir_2755", syscall(SYS_mkdirat, AT_FDCWD, "group", 02755));
	say("mkfifo", syscall(SYS_mknodat, AT_FDCWD, "fifo", S_IFIFO | 0600, 0));
	say("mknod_device", syscall(SYS_mknodat, AT_FDCWD, "null", S_IFCHR | 0600, 0x103));
	say("socket_inet", socket(AF_INET, SOCK_STREAM, 0));
	say("socket_route", socket(AF_NETLINK, SOCK_RAW, 0));
	say("socket_audit", socket(AF_NETLINK, SOCK_RAW, 9));
	say("socket_packet", socket(AF_PACKET, SOCK_RAW, 0));
	say("socket_inet_packet", socket(AF_INET, SOCK_PACKET, 0));
	say("socket_vsock_high_bits", syscall(SYS_socket, 0xdead00000000L | AF_VSOCK, SOCK_STREAM, 0));
	say("tiocsti", ioctl(-1, TIOCSTI, "x"));
	say("tiocsti_high_bits", syscall(SYS_ioctl, -1, 0xdead00000000L | TIOCSTI, "x"));
	say("tcgets", ioctl(-1, TIOCGWINSZ, NULL));
	say("core_limit_exchanged", prlimit(0, RLIMIT_CORE, &none, &now));
	say("core_limit", setrlimit(RLIMIT_CORE, &none));
	getrlimit(RLIMIT_CORE, &now);
	errno = EPERM;
	say("core_limit_is_zero", now.rlim_cur == 0 ? 0 : -1);
	say("other_limit", setrlimit(RLIMIT_MSGQUEUE, &none));
	say("set_mm", prctl(PR_SET_MM, 0, 0, 0, 0));
	say("personality", syscall(SYS_personality, 0x0040000));
	say("unshare_user", syscall(SYS_unshare, CLONE_NEWUSER)); // last: from here on nothing is as before
}

static void numbers(char **words)
{
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	alarm(10);
	if (getuid() == 0 && (syscall(SYS_setgroups, 0, NULL) || setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)))
		exit(1);
	for (; *words; words++)
		say(*words, syscall(atol(*words), -1L, -1L, -1L, -1L, -1L, -1L));
}

int main(int count, char **arguments)
{
	if (count == 1) {
		answers();
		return 0;
	}
	if (strcmp(arguments[1], "numbers") == 0) {
		numbers(arguments + 2);
		return 0;
	}
#ifdef __x86_64__
	if (strcmp(arguments[1], "x32") == 0)
		syscall(0x40000000 | SYS_getpid);
	if (strcmp(arguments[1], "i386") == 0) {
		long number = 20; // getpid
		__asm__ volatile("int $0x80" : "+a"(number) : : "memory");
	}
#endif
	puts("survived");
	return 0;
}
