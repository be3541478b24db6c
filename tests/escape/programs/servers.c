/* Servers of the host's to be called, and calls. */
#define _GNU_SOURCE
#include "attack.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A socket and its address from three words: `unix PATH -` (an abstract name begins with @), `tcp ADDRESS PORT`, `udp
 * ADDRESS PORT`. An address with % names a link. */
union address {
    struct sockaddr any;
    struct sockaddr_un un;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};
static int named(char **words, union address *address, socklen_t *size) {
    memset(address, 0, sizeof *address);
    if (strcmp(words[0], "unix") == 0) {
        size_t length = strlen(words[1]);
        if (length >= sizeof address->un.sun_path) return -1;
        address->un.sun_family = AF_UNIX;
        memcpy(address->un.sun_path, words[1], length);
        if (words[1][0] == '@') address->un.sun_path[0] = 0;
        *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
        return socket(AF_UNIX, SOCK_STREAM, 0);
    }
    in_port_t port = htons((in_port_t)atoi(words[2]));
    int type = strcmp(words[0], "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM;
    char text[64];
    snprintf(text, sizeof text, "%s", words[1]);
    char *link = strchr(text, '%');
    if (link) *link++ = 0;
    if (inet_pton(AF_INET, text, &address->in.sin_addr) == 1) {
        address->in.sin_family = AF_INET;
        address->in.sin_port = port;
        *size = sizeof address->in;
    } else {
        if (inet_pton(AF_INET6, text, &address->in6.sin6_addr) != 1) return -1;
        address->in6.sin6_family = AF_INET6;
        address->in6.sin6_port = port;
        address->in6.sin6_scope_id = link ? if_nametoindex(link) : 0;
        *size = sizeof address->in6;
    }
    return socket(address->any.sa_family, type, 0);
}

static void told(int log, const char *from, const char *text, ssize_t length) {
    dprintf(log, "%s: %.*s\n", from, (int)(length > 0 ? length : 0), text);
}

/* Who is at the other end of a socket of the host's: the user that the kernel knows, and the one that it is told. */
static ssize_t received(int client, char *text, size_t size, char *from, size_t room) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec all = {text, size};
    struct msghdr message = {NULL, 0, &all, 1, &control, sizeof control, 0};
    setsockopt(client, SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int));
    ssize_t length = recvmsg(client, &message, 0);
    struct ucred peer = {0}, said = {0};
    getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &(socklen_t){sizeof peer});
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_CREDENTIALS) memcpy(&said, CMSG_DATA(header), sizeof said);
    snprintf(from, room, "uid %u says %u", peer.uid, said.uid);
    return length;
}

/* Answers whoever calls, and writes down who did and what was said: `listen LOG KIND ADDRESS PORT`. Returns when it
 * listens. */
ATTACK("listen", listens);
static int listens(int argc, char **argv) {
    union address address;
    socklen_t size;
    if (argc < 5) return 3;
    int log = open(argv[1], O_WRONLY | O_CREAT | O_APPEND, 0644);
    int server = named(argv + 2, &address, &size);
    if (log < 0 || server < 0) return broken("listen");
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    setsockopt(server, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int));
    umask(0);
    if (bind(server, &address.any, size) < 0) return broken("bind");
    int stream = listen(server, 16) == 0;
    if (daemon(0, 0) < 0) return broken("daemon");
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        char text[256], from[128] = "";
        union address caller = {0};
        size = sizeof caller;
        int client = stream ? accept(server, &caller.any, &size) : server;
        ssize_t length;
        if (address.any.sa_family == AF_UNIX) length = received(client, text, sizeof text, from, sizeof from);
        else if (stream) length = recv(client, text, sizeof text, 0);
        else length = recvfrom(client, text, sizeof text, 0, &caller.any, &size);
        if (caller.any.sa_family == AF_INET) inet_ntop(AF_INET, &caller.in.sin_addr, from, sizeof from);
        if (caller.any.sa_family == AF_INET6) inet_ntop(AF_INET6, &caller.in6.sin6_addr, from, sizeof from);
        told(log, from, text, length);
        if (length > 0) sendto(client, text, (size_t)length, 0, stream ? NULL : &caller.any, stream ? 0 : size);
        if (stream) close(client);
    }
}

/* Whether it is answered in time. */
static int answered(int server) {
    struct pollfd answer = {.fd = server, .events = POLLIN};
    if (poll(&answer, 1, 1000) == 0) {
        errno = ETIMEDOUT;
        return 0;
    }
    char text[256];
    return recv(server, text, sizeof text, 0) > 0;
}

/* Why nobody answers, where that is for a reason: refused, no such way, no such name, or in silence. */
static int unanswered(const char *who) {
    switch (errno) {
        case ECONNREFUSED: case EHOSTUNREACH: case ENETUNREACH: case ETIMEDOUT: case EAGAIN: case EINPROGRESS:
        case EPERM: case EACCES: case ENOENT: case ENOBUFS:
            return stopped(who);
        default: return broken(who);
    }
}

/* Calls one: `call KIND ADDRESS PORT`. */
ATTACK("call", calls);
static int calls(int argc, char **argv) {
    union address address;
    socklen_t size;
    if (argc < 4) return 3;
    int server = named(argv + 1, &address, &size);
    if (server < 0) return broken("call");
    signal(SIGPIPE, SIG_IGN);
    setsockopt(server, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){3, 0}, sizeof(struct timeval));
    setsockopt(server, SOL_SOCKET, SO_BROADCAST, &(int){1}, sizeof(int));
    /* Not by a connected socket, which would not hear an answer from another address of the server's. */
    int datagram = strcmp(argv[1], "udp") == 0;
    setsockopt(server, IPPROTO_IP, 11 /* IP_RECVERR */, &(int){datagram}, sizeof(int));
    if (!datagram && connect(server, &address.any, size) < 0) return unanswered(argv[2]);
    ssize_t sent = datagram ? sendto(server, "hello", 5, 0, &address.any, size) : send(server, "hello", 5, 0);
    return sent == 5 && answered(server) ? 0 : unanswered(argv[2]);
}

/* Takes a port: `bind KIND ADDRESS PORT`. */
ATTACK("bind", binds);
static int binds(int argc, char **argv) {
    union address address;
    socklen_t size;
    if (argc < 4) return 3;
    int server = named(argv + 1, &address, &size);
    if (server < 0) return broken("bind");
    return bind(server, &address.any, size) == 0 ? 0 : stopped("bind");
}

/* Says to a server by a socket in the file system that it is somebody else, root: `pretend PATH`. */
ATTACK("pretend", pretends);
static int pretends(int argc, char **argv) {
    union address address;
    socklen_t size;
    if (argc < 2) return 3;
    int server = named((char *[]){"unix", argv[1], "-"}, &address, &size);
    if (server < 0 || connect(server, &address.any, size) < 0) return broken("connect");
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(struct ucred))];
    } control = {.header = {CMSG_LEN(sizeof(struct ucred)), SOL_SOCKET, SCM_CREDENTIALS}};
    const struct ucred root = {getpid(), 0, 0};
    memcpy(CMSG_DATA(&control.header), &root, sizeof root);
    struct iovec all = {"root", 4};
    struct msghdr message = {NULL, 0, &all, 1, &control, sizeof control, 0};
    if (sendmsg(server, &message, 0) < 0) return stopped("SCM_CREDENTIALS");
    return answered(server) ? 0 : broken("no answer");
}

/* Sends a datagram from an address that is not its own: `forge SOURCE ADDRESS PORT TEXT`. */
ATTACK("forge", forges);
static int forges(int argc, char **argv) {
    struct sockaddr_in6 from = {.sin6_family = AF_INET6}, to = {.sin6_family = AF_INET6};
    if (argc < 5 || inet_pton(AF_INET6, argv[1], &from.sin6_addr) != 1) return 3;
    if (inet_pton(AF_INET6, argv[2], &to.sin6_addr) != 1) return 3;
    to.sin6_port = htons((in_port_t)atoi(argv[3]));
    int sender = socket(AF_INET6, SOCK_DGRAM, 0);
    const int freebind = 78; /* IPV6_FREEBIND */
    if (setsockopt(sender, IPPROTO_IPV6, freebind, &(int){1}, sizeof(int)) < 0) return stopped("IPV6_FREEBIND");
    if (bind(sender, (struct sockaddr *)&from, sizeof from) < 0) return stopped("bind");
    size_t length = strlen(argv[4]);
    ssize_t sent = sendto(sender, argv[4], length, 0, (struct sockaddr *)&to, sizeof to);
    return sent == (ssize_t)length ? 0 : stopped("sendto");
}

/* Sends one datagram by a link, whatever the routes say: `call-by-link LINK ADDRESS PORT`. */
ATTACK("call-by-link", call_by_link);
static int call_by_link(int argc, char **argv) {
    union address address;
    socklen_t size;
    if (argc < 4) return 3;
    int sender = named((char *[]){"udp", argv[2], argv[3]}, &address, &size);
    if (sender < 0) return broken("call-by-link");
    socklen_t length = (socklen_t)strlen(argv[1]);
    if (setsockopt(sender, SOL_SOCKET, SO_BINDTODEVICE, argv[1], length) < 0) return stopped(argv[1]);
    return sendto(sender, "hello", 5, 0, &address.any, size) == 5 ? 0 : stopped(argv[2]);
}

/* Sends one datagram from a port: `call-from udp PORT ADDRESS PORT`. */
ATTACK("call-from", call_from);
static int call_from(int argc, char **argv) {
    union address from, to;
    socklen_t size;
    if (argc < 5) return 3;
    int spare = named((char *[]){argv[1], "0.0.0.0", argv[2]}, &from, &size);
    int sender = named((char *[]){argv[1], argv[3], argv[4]}, &to, &size);
    if (spare < 0 || sender < 0) return broken("call-from");
    close(spare);
    if (bind(sender, &from.any, sizeof from.in) < 0) return stopped("bind");
    setsockopt(sender, SOL_SOCKET, SO_BROADCAST, &(int){1}, sizeof(int));
    return sendto(sender, "hello", 5, 0, &to.any, size) == 5 ? 0 : stopped(argv[3]);
}

/* Asks for an echo, by the socket that nobody needs a right for: `ping ADDRESS`. */
ATTACK("ping", pings);
static int pings(int argc, char **argv) {
    struct sockaddr_in to = {.sin_family = AF_INET};
    if (argc < 2 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) return 3;
    int sender = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    if (sender < 0) return broken("a socket for ping"); /* ping_group_range */
    const unsigned char echo[8] = {8};
    setsockopt(sender, IPPROTO_IP, 11 /* IP_RECVERR */, &(int){1}, sizeof(int));
    if (connect(sender, (struct sockaddr *)&to, sizeof to) < 0) return unanswered(argv[1]);
    return send(sender, echo, sizeof echo, 0) == sizeof echo && answered(sender) ? 0 : unanswered(argv[1]);
}
