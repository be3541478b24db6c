/* Attacks by sockets: families and protocols that are no server's, servers to be called, and calls. */
#define _GNU_SOURCE
#include "calls.h"
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET(name, family, type, protocol) \
    static long name(void) { return socket(family, type, protocol); }

/* Sees and sends every frame of a link. */
SOCKET(packet_raw, AF_PACKET, SOCK_RAW, htons(ETH_P_ALL))
SOCKET(packet_dgram, AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL))
SOCKET(old_packet, AF_INET, 10 /* SOCK_PACKET */, htons(ETH_P_ALL))
SOCKET(xdp, AF_XDP, SOCK_RAW, 0)
CALLS("packet-sockets", packet_sockets,
    {"AF_PACKET raw", packet_raw, 0},
    {"AF_PACKET", packet_dgram, 0},
    {"SOCK_PACKET", old_packet, 0},
    {"AF_XDP", xdp, 0});

/* Sends packets with any header. */
SOCKET(raw_icmp, AF_INET, SOCK_RAW, IPPROTO_ICMP)
SOCKET(raw_tcp, AF_INET, SOCK_RAW, IPPROTO_TCP)
SOCKET(raw_ip, AF_INET, SOCK_RAW, IPPROTO_RAW)
SOCKET(raw_icmp6, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)
SOCKET(raw_ip6, AF_INET6, SOCK_RAW, IPPROTO_RAW)
CALLS("raw-sockets", raw_sockets,
    {"ICMP", raw_icmp, 0}, {"TCP", raw_tcp, 0}, {"any", raw_ip, 0}, {"ICMPv6", raw_icmp6, 0}, {"any IPv6", raw_ip6, 0});

/* Talks to the hypervisor, and to what listens beside it. */
SOCKET(vsock_stream, AF_VSOCK, SOCK_STREAM, 0)
SOCKET(vsock_packets, AF_VSOCK, SOCK_SEQPACKET, 0)
CALLS("vsock", by_vsock, {"AF_VSOCK", vsock_stream, 0}, {"AF_VSOCK, packets", vsock_packets, 0});

/* Families that a kernel may have for some machine or other, each with a parser of its own. */
static const struct {
    const char *name;
    int family, type, protocol;
} rare[] = {
    {"AF_ALG", AF_ALG, SOCK_SEQPACKET, 0},       {"AF_KEY", AF_KEY, SOCK_RAW, 2},
    {"AF_TIPC", AF_TIPC, SOCK_STREAM, 0},        {"AF_BLUETOOTH", AF_BLUETOOTH, SOCK_RAW, 1},
    {"AF_CAN", AF_CAN, SOCK_RAW, 1},             {"AF_RDS", AF_RDS, SOCK_SEQPACKET, 0},
    {"AF_SMC", AF_SMC, SOCK_STREAM, 0},          {"AF_NFC", AF_NFC, SOCK_SEQPACKET, 0},
    {"AF_CAIF", AF_CAIF, SOCK_SEQPACKET, 0},     {"AF_KCM", AF_KCM, SOCK_DGRAM, 0},
    {"AF_QIPCRTR", AF_QIPCRTR, SOCK_DGRAM, 0},   {"AF_PHONET", AF_PHONET, SOCK_DGRAM, 0},
    {"AF_PPPOX", AF_PPPOX, SOCK_STREAM, 0},      {"AF_LLC", AF_LLC, SOCK_STREAM, 0},
    {"AF_X25", AF_X25, SOCK_SEQPACKET, 0},       {"AF_AX25", AF_AX25, SOCK_SEQPACKET, 0},
    {"AF_NETROM", AF_NETROM, SOCK_SEQPACKET, 0}, {"AF_ROSE", AF_ROSE, SOCK_SEQPACKET, 0},
    {"AF_APPLETALK", AF_APPLETALK, SOCK_DGRAM, 0}, {"AF_IEEE802154", AF_IEEE802154, SOCK_DGRAM, 0},
    {"AF_MCTP", 45, SOCK_DGRAM, 0},              {"AF_XDP", AF_XDP, SOCK_RAW, 0},
    {"AF_VSOCK", AF_VSOCK, SOCK_STREAM, 0},      {"AF_PACKET", AF_PACKET, SOCK_RAW, 0},
};
ATTACK("rare-families", rare_families);
static int rare_families(int argc, char **argv) {
    (void)argc, (void)argv;
    int made = 0;
    for (size_t i = 0; i < sizeof rare / sizeof *rare; i++) {
        int pair[2];
        int one = socket(rare[i].family, rare[i].type, rare[i].protocol);
        if (one < 0 && errno != EAFNOSUPPORT && errno != EPROTONOSUPPORT && errno != EPERM) return broken(rare[i].name);
        int two = socketpair(rare[i].family, rare[i].type, rare[i].protocol, pair);
        /* EOPNOTSUPP is the family's own answer: it was asked. */
        int reached = one >= 0 || two >= 0 || errno == EOPNOTSUPP;
        if (reached) printf("done: %s\n", rare[i].name);
        made += reached;
    }
    if (made) return 0;
    printf("stopped: none of them: %s\n", strerror(EAFNOSUPPORT));
    return STOPPED;
}

/* Protocols of netlink that configure or overhear the kernel. */
#define NETLINK(name, protocol) SOCKET(name, AF_NETLINK, SOCK_RAW, protocol)
NETLINK(netlink_netfilter, NETLINK_NETFILTER)
NETLINK(netlink_xfrm, NETLINK_XFRM)
NETLINK(netlink_audit, NETLINK_AUDIT)
NETLINK(netlink_uevent, NETLINK_KOBJECT_UEVENT)
NETLINK(netlink_generic, NETLINK_GENERIC)
NETLINK(netlink_diag, NETLINK_SOCK_DIAG)
NETLINK(netlink_connector, NETLINK_CONNECTOR)
static long netlink_upper_half(void) {
    return syscall(SYS_socket, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER | 1UL << 32);
}
CALLS("netlink", by_netlink,
    {"netfilter", netlink_netfilter, 0},
    {"netfilter, with a bit that the kernel does not read", netlink_upper_half, 0},
    {"xfrm", netlink_xfrm, 0},
    {"audit", netlink_audit, 0},
    {"kobject-uevent", netlink_uevent, 0},
    {"generic", netlink_generic, 0},
    {"sock-diag", netlink_diag, 0},
    {"connector", netlink_connector, 0});

/* The firewall by options of an ordinary socket: CVE-2016-3134, CVE-2021-22555. */
static long netfilter(int family, int level) {
    struct {
        char table[32];
        unsigned int hooks[20];
    } info = {"filter", {0}};
    socklen_t size = 84; /* struct ipt_getinfo, and ip6t_getinfo */
    int socket_ = socket(family, SOCK_STREAM, 0);
    long got = getsockopt(socket_, level, 64 /* IPT_SO_GET_INFO, IP6T_SO_GET_INFO */, &info, &size);
    int why = errno;
    close(socket_);
    errno = why;
    return got;
}
static long by_iptables(void) { return netfilter(AF_INET, IPPROTO_IP); }
static long by_ip6tables(void) { return netfilter(AF_INET6, IPPROTO_IPV6); }
static long set_option(int level, int option) {
    return setsockopt(socket(AF_INET, SOCK_DGRAM, 0), level, option, &(int){1}, sizeof(int));
}
static long by_transparent(void) { return set_option(IPPROTO_IP, 19 /* IP_TRANSPARENT */); }
static long by_mark(void) { return set_option(SOL_SOCKET, SO_MARK); }
CALLS("socket-options", socket_options,
    {"IPT_SO_GET_INFO", by_iptables, EINVAL},
    {"IP6T_SO_GET_INFO", by_ip6tables, EINVAL},
    {"IP_TRANSPARENT", by_transparent, 0},
    {"SO_MARK", by_mark, 0});
