/* Attacks by frames that are put together by hand. */
#define _GNU_SOURCE
#include "attack.h"
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef uint8_t mac[6];

static const mac everybody = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const mac all_nodes = {0x33, 0x33, 0, 0, 0, 1};
/* A MAC that is nobody's, and the one of the machine that some attacks are after (lib.sh makes it). */
static const mac forged = {2, 0, 0, 0, 0, 0x99};
static const mac neighbour = {2, 0, 0, 0, 0, 0xc8};

static int wire;
static struct sockaddr_ll link_;
static mac own;
static struct in_addr own_address;

static int begin(const char *link) {
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", link);
    wire = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
    if (wire < 0) return stopped("AF_PACKET");
    int inet = socket(AF_INET, SOCK_DGRAM, 0);
    link_ = (struct sockaddr_ll){.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    link_.sll_ifindex = (int)if_nametoindex(link);
    if (bind(wire, (struct sockaddr *)&link_, sizeof link_) < 0) return broken(link);
    if (ioctl(inet, SIOCGIFHWADDR, &request) < 0) return broken("SIOCGIFHWADDR");
    memcpy(own, request.ifr_hwaddr.sa_data, sizeof own);
    if (ioctl(inet, SIOCGIFADDR, &request) < 0) return broken("SIOCGIFADDR");
    own_address = ((struct sockaddr_in *)&request.ifr_addr)->sin_addr;
    return 0;
}

/* Sends what follows an Ethernet header. */
static int frame(const mac to, const mac from, uint16_t type, const void *packet, size_t size) {
    uint8_t bytes[1514];
    struct ether_header *header = (struct ether_header *)bytes;
    memcpy(header->ether_dhost, to, sizeof(mac));
    memcpy(header->ether_shost, from, sizeof(mac));
    header->ether_type = htons(type);
    memcpy(bytes + sizeof *header, packet, size);
    ssize_t sent = send(wire, bytes, sizeof *header + size, 0);
    return sent < 0 ? stopped("send") : 0;
}

static struct ether_arp arp(int operation, const mac from, struct in_addr address, struct in_addr asked) {
    struct ether_arp arp = {
        .ea_hdr = {htons(1), htons(ETHERTYPE_IP), 6, 4, htons((uint16_t)operation)},
    };
    memcpy(arp.arp_sha, from, 6);
    memcpy(arp.arp_spa, &address, 4);
    memcpy(arp.arp_tpa, &asked, 4);
    return arp;
}

/* Asks the gateway for its MAC, rightly, and waits for the answer: what was sent before has arrived by then, and that
 * frames get out at all is shown. */
static int rightly(const char *gateway) {
    struct in_addr asked;
    inet_pton(AF_INET, gateway, &asked);
    struct ether_arp question = arp(ARPOP_REQUEST, own, own_address, asked);
    int sent = frame(everybody, own, ETHERTYPE_ARP, &question, sizeof question);
    if (sent) return sent;
    struct pollfd answer = {.fd = wire, .events = POLLIN};
    while (poll(&answer, 1, 3000) > 0) {
        struct {
            struct ether_header ether;
            struct ether_arp arp;
        } __attribute__((packed)) got;
        ssize_t length = recv(wire, &got, sizeof got, 0);
        if (length < (ssize_t)sizeof got || got.ether.ether_type != htons(ETHERTYPE_ARP)) continue;
        if (got.arp.arp_op == htons(ARPOP_REPLY) && memcmp(got.arp.arp_spa, &asked, 4) == 0) return 0;
    }
    errno = ETIMEDOUT;
    return broken("its own frames do not arrive either");
}

/* The sum of the Internet, over what is already a multiple of two bytes or a last byte. */
static uint32_t sum(uint32_t sum, const void *data, size_t size) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    return sum;
}
static uint16_t folded(uint32_t sum) {
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

/* An ICMPv6 message of one hop. */
static int icmp6(const mac to, const char *source, const char *destination, void *message, size_t size) {
    uint8_t packet[512];
    struct ip6_hdr *ip = (struct ip6_hdr *)packet;
    memset(ip, 0, sizeof *ip);
    ip->ip6_vfc = 6 << 4;
    ip->ip6_plen = htons((uint16_t)size);
    ip->ip6_nxt = IPPROTO_ICMPV6;
    ip->ip6_hlim = 255;
    inet_pton(AF_INET6, source, &ip->ip6_src);
    inet_pton(AF_INET6, destination, &ip->ip6_dst);
    ((struct icmp6_hdr *)message)->icmp6_cksum = 0;
    uint32_t total = sum(0, &ip->ip6_src, 32) + (uint32_t)size + IPPROTO_ICMPV6;
    ((struct icmp6_hdr *)message)->icmp6_cksum = folded(sum(total, message, size));
    memcpy(packet + sizeof *ip, message, size);
    return frame(to, own, ETHERTYPE_IPV6, packet, sizeof *ip + size);
}

/* A router advertisement: everybody's way out leads here, and everybody has an address in its prefix. */
static int advertise_router(void) {
    struct {
        struct nd_router_advert advert;
        struct nd_opt_prefix_info prefix;
    } __attribute__((packed)) message = {0};
    message.advert.nd_ra_type = ND_ROUTER_ADVERT;
    message.advert.nd_ra_curhoplimit = 64;
    message.advert.nd_ra_router_lifetime = htons(1800);
    message.prefix.nd_opt_pi_type = ND_OPT_PREFIX_INFORMATION;
    message.prefix.nd_opt_pi_len = 4;
    message.prefix.nd_opt_pi_prefix_len = 64;
    message.prefix.nd_opt_pi_flags_reserved = ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_AUTO;
    message.prefix.nd_opt_pi_valid_time = htonl(1800);
    message.prefix.nd_opt_pi_preferred_time = htonl(1800);
    inet_pton(AF_INET6, "2001:db8:bad::", &message.prefix.nd_opt_pi_prefix);
    return icmp6(all_nodes, "fe80::bad", "ff02::1", &message, sizeof message);
}

/* Neighbours' addresses are here. */
static int advertise_neighbour(void) {
    struct {
        struct nd_neighbor_advert advert;
        uint8_t type, length;
        mac mac;
    } __attribute__((packed)) message = {.type = ND_OPT_TARGET_LINKADDR, .length = 1};
    message.advert.nd_na_type = ND_NEIGHBOR_ADVERT;
    message.advert.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE;
    inet_pton(AF_INET6, "fd00:20::99", &message.advert.nd_na_target);
    memcpy(message.mac, own, sizeof own);
    return icmp6(all_nodes, "fd00:20::99", "ff02::1", &message, sizeof message);
}
static int claim_by_arp(void) {
    struct in_addr theirs;
    inet_pton(AF_INET, "10.10.20.99", &theirs);
    struct ether_arp claim = arp(ARPOP_REPLY, own, theirs, theirs);
    return frame(everybody, own, ETHERTYPE_ARP, &claim, sizeof claim);
}

/* A frame from a MAC that is not its own: what is sent to that comes here. */
static int from_other_mac(void) {
    struct in_addr nobody = {0};
    struct ether_arp question = arp(ARPOP_REQUEST, forged, own_address, nobody);
    return frame(everybody, forged, ETHERTYPE_ARP, &question, sizeof question);
}

/* A datagram to a neighbour's port 7777 from an address of the same network. */
static int datagram(const char *source, const char *text) {
    struct {
        struct iphdr ip;
        struct udphdr udp;
        char text[8];
    } __attribute__((packed)) packet = {0};
    snprintf(packet.text, sizeof packet.text, "%s", text);
    packet.ip.version = 4;
    packet.ip.ihl = 5;
    packet.ip.tot_len = htons(sizeof packet);
    packet.ip.ttl = 64;
    packet.ip.protocol = IPPROTO_UDP;
    if (source) inet_pton(AF_INET, source, &packet.ip.saddr);
    else packet.ip.saddr = own_address.s_addr;
    inet_pton(AF_INET, "10.10.20.99", &packet.ip.daddr);
    packet.ip.check = folded(sum(0, &packet.ip, sizeof packet.ip));
    packet.udp.source = htons(7777);
    packet.udp.dest = htons(7777);
    packet.udp.len = htons(sizeof packet - sizeof packet.ip);
    return frame(neighbour, own, ETHERTYPE_IP, &packet, sizeof packet);
}
static int from_other_address(void) {
    int sent = datagram("10.10.20.77", "forged");
    return sent ? sent : datagram(NULL, "own");
}

/* Sends one of these on the link that leads to a gateway, and waits until it has arrived: `frame KIND LINK GATEWAY`. */
ATTACK("frame", sends_frame);
static int sends_frame(int argc, char **argv) {
    static const struct {
        const char *name;
        int (*send)(void);
    } kinds[] = {
        {"router", advertise_router}, {"neighbour", advertise_neighbour},      {"arp", claim_by_arp},
        {"mac", from_other_mac},      {"address", from_other_address},
    };
    int status = argc < 4 ? 3 : begin(argv[2]);
    for (size_t i = 0; !status && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, argv[1]) == 0) {
            status = kinds[i].send();
            return status ? status : rightly(argv[3]);
        }
    return status ? status : 3;
}
