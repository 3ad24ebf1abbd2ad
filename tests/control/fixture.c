#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/icmp6.h>
#include <rte_arp.h>
#include <rte_eal.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_malloc.h>
#include <rte_random.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static char runtime[] = "/tmp/strowger-test-XXXXXX";

int fixture_eal(void **state)
{
    (void)state;
    if (mkdtemp(runtime) == NULL || setenv("RUNTIME_DIRECTORY", runtime, 1) != 0)
        return -1;
    // EAL 22.11 refuses --no-huge together with --in-memory; --no-shconf keeps its other files away.
    char *arguments[] = {(char *)"test",
                         (char *)"--no-huge",
                         (char *)"--no-pci",
                         (char *)"--no-shconf",
                         (char *)"-m",
                         (char *)"1024",
                         (char *)"--lcores=0@0",
                         (char *)"--file-prefix=t",
                         (char *)"--log-level=*:error",
                         (char *)"--log-level=strowger.control:critical",
                         (char *)"--vdev=net_null0",
                         NULL};
    return rte_eal_init(RTE_DIM(arguments) - 1, arguments) < 0 ? -1 : 0;
}

int fixture_eal_end(void **state)
{
    static const char *const parts[] = {"/dpdk/t/dpdk_telemetry.v2", "/dpdk/t", "/dpdk", ""};
    char path[128];

    (void)state;
    rte_eal_cleanup();
    for (unsigned i = 0; i < RTE_DIM(parts); i++) {
        snprintf(path, sizeof(path), "%s%s", runtime, parts[i]);
        (void)remove(path);
    }
    return access(runtime, F_OK) == 0 ? -1 : 0;
}

const char *fixture_telemetry(void)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/dpdk/t/dpdk_telemetry.v2", runtime);
    return path;
}

void fixture_setting(const char *path, const char *value)
{
    char whole[128];

    snprintf(whole, sizeof(whole), "/proc/sys/net/%s", path);
    int fd = open(whole, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, value, strlen(value)), strlen(value));
    close(fd);
}

void fixture_namespace(void)
{
    if (unshare(CLONE_NEWNET) != 0) {
        print_message("skipped: a network namespace is not permitted here (%s); run as root\n",
                      strerror(errno));
        skip();
    }
    if (access("/dev/net/tun", R_OK | W_OK) != 0) {
        print_message("skipped: /dev/net/tun: %s\n", strerror(errno));
        skip();
    }
    // Without duplicate address detection addresses work at once, and the kernel sends less of its own accord.
    fixture_setting("ipv6/conf/default/accept_dad", "0");
    fixture_setting("ipv6/conf/default/router_solicitations", "0");
    fixture_ip("link set lo up");
}

void fixture_ip(const char *format, ...)
{
    char command[512] = "ip ";
    va_list arguments;

    va_start(arguments, format);
    int n = vsnprintf(command + 3, sizeof(command) - 3, format, arguments);
    va_end(arguments);
    assert_in_range(n, 1, sizeof(command) - 4);
    if (system(command) != 0)
        fail_msg("%s", command);
}

bool fixture_ip_says(const char *arguments, const char *words)
{
    char command[256], line[512];
    bool said = false;

    snprintf(command, sizeof(command), "ip %s", arguments);
    FILE *out = popen(command, "re");
    assert_non_null(out);
    while (fgets(line, sizeof(line), out) != NULL)
        said |= strstr(line, words) != NULL;
    pclose(out);
    return said;
}

void fixture_ip_await(const char *arguments, const char *words)
{
    uint64_t deadline = fixture_ms() + 5000;

    while (!fixture_ip_says(arguments, words)) {
        if (fixture_ms() > deadline)
            fail_msg("ip %s: no %s", arguments, words);
        usleep(10000);
    }
}

struct rte_mempool *fixture_pool(uint16_t data_room)
{
    char name[RTE_MEMPOOL_NAMESIZE];

    // A test that fails leaves its pool behind: the next one has another name.
    snprintf(name, sizeof(name), "test%" PRIx64, rte_rand());
    struct rte_mempool *pool = rte_pktmbuf_pool_create(name, FIXTURE_MBUFS, 0, PACKET_SIZE,
                                                       RTE_PKTMBUF_HEADROOM + data_room, SOCKET_ID_ANY);

    assert_non_null(pool);
    return pool;
}

void fixture_pool_free(struct rte_mempool *pool)
{
    assert_int_equal(rte_mempool_in_use_count(pool), 0);
    rte_mempool_free(pool);
}

struct rte_rcu_qsbr *fixture_qsbr(void)
{
    struct rte_rcu_qsbr *qsbr = rte_zmalloc(NULL, rte_rcu_qsbr_get_memsize(1), RTE_CACHE_LINE_SIZE);

    assert_non_null(qsbr);
    assert_int_equal(rte_rcu_qsbr_init(qsbr, 1), 0);
    return qsbr;
}

struct net_hops *fixture_hops(struct rte_rcu_qsbr *qsbr, uint32_t routes, uint32_t neighbours)
{
    struct net_hops_limits limits = {routes, neighbours};
    struct net_hops *hops;

    assert_int_equal(net_hops_create(&hops, &limits, SOCKET_ID_ANY, qsbr), 0);
    return hops;
}

struct endpoint fixture_address(const char *text)
{
    struct endpoint address;

    assert_true(endpoint_parse_host(slice_text(text), &address));
    return address;
}

struct rte_ether_addr fixture_mac(const char *text)
{
    struct rte_ether_addr mac;

    assert_int_equal(rte_ether_unformat_addr(text, &mac), 0);
    return mac;
}

struct net_hop *fixture_hop(const struct net_hops *hops, const char *destination)
{
    struct endpoint address = fixture_address(destination);

    return net_hop_at(hops, net_hops_find(hops, &address));
}

uint64_t fixture_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct rte_mbuf *fixture_frame(struct rte_mempool *pool, const void *bytes, size_t len)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);

    assert_non_null(mbuf);
    memset(packet_of(mbuf), 0, sizeof(struct packet));
    char *at = rte_pktmbuf_append(mbuf, (uint16_t)len);
    assert_non_null(at);
    memcpy(at, bytes, len);
    return mbuf;
}

struct rte_mbuf *fixture_arp(struct rte_mempool *pool, bool request, const char *sender_mac,
                             const char *sender, const char *target_mac, const char *target, uint16_t vlan)
{
    struct {
        struct rte_ether_hdr eth;
        uint8_t rest[sizeof(struct rte_vlan_hdr) + sizeof(struct rte_arp_hdr)];
    } __attribute__((packed, aligned(2))) frame = {0};
    struct rte_arp_hdr arp = {.arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER),
                              .arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4),
                              .arp_hlen = RTE_ETHER_ADDR_LEN,
                              .arp_plen = 4,
                              .arp_opcode =
                                  rte_cpu_to_be_16(request ? RTE_ARP_OP_REQUEST : RTE_ARP_OP_REPLY)};
    struct endpoint from = fixture_address(sender), to = fixture_address(target);
    uint8_t *at = frame.rest;

    arp.arp_data.arp_sha = frame.eth.src_addr = fixture_mac(sender_mac);
    frame.eth.dst_addr = fixture_mac(target_mac);
    if (!request)
        arp.arp_data.arp_tha = frame.eth.dst_addr;
    memcpy(&arp.arp_data.arp_sip, from.address, 4);
    memcpy(&arp.arp_data.arp_tip, to.address, 4);
    frame.eth.ether_type = rte_cpu_to_be_16(vlan != 0 ? RTE_ETHER_TYPE_VLAN : RTE_ETHER_TYPE_ARP);
    if (vlan != 0) {
        struct rte_vlan_hdr tag = {rte_cpu_to_be_16(vlan), rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP)};
        memcpy(at, &tag, sizeof(tag));
        at += sizeof(tag);
    }
    memcpy(at, &arp, sizeof(arp));
    return fixture_frame(pool, &frame, sizeof(frame.eth) + (size_t)(at - frame.rest) + sizeof(arp));
}

bool fixture_is_arp_for(const struct rte_mbuf *mbuf, const char *target, uint16_t vlan)
{
    struct endpoint address = fixture_address(target);
    struct rte_arp_hdr arp;
    uint32_t offset = sizeof(struct rte_ether_hdr);
    uint16_t type = rte_pktmbuf_mtod(mbuf, const struct rte_ether_hdr *)->ether_type;

    if (vlan != 0) {
        const struct rte_vlan_hdr *tag = rte_pktmbuf_mtod_offset(mbuf, const struct rte_vlan_hdr *, offset);
        if (type != rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN) ||
            (rte_be_to_cpu_16(tag->vlan_tci) & 0xfff) != vlan)
            return false;
        type = tag->eth_proto;
        offset += sizeof(*tag);
    }
    if (type != rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP) || rte_pktmbuf_pkt_len(mbuf) < offset + sizeof(arp))
        return false;
    memcpy(&arp, rte_pktmbuf_mtod_offset(mbuf, void *, offset), sizeof(arp));
    return arp.arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REQUEST) &&
           memcmp(&arp.arp_data.arp_tip, address.address, 4) == 0;
}

struct solicitation {
    struct rte_ether_hdr eth;
    struct rte_ipv6_hdr ip;
    struct nd_neighbor_solicit nd;
} __attribute__((packed, aligned(2)));

bool fixture_is_solicitation_for(const struct rte_mbuf *mbuf, const char *target)
{
    struct endpoint address = fixture_address(target);
    struct solicitation frame;

    if (rte_pktmbuf_pkt_len(mbuf) < sizeof(frame))
        return false;
    memcpy(&frame, rte_pktmbuf_mtod(mbuf, void *), sizeof(frame));
    return frame.eth.ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6) &&
           frame.ip.proto == IPPROTO_ICMPV6 && frame.nd.nd_ns_type == ND_NEIGHBOR_SOLICIT &&
           memcmp(&frame.nd.nd_ns_target, address.address, 16) == 0;
}

struct rte_mbuf *fixture_advertisement(struct rte_mempool *pool, const char *sender_mac, const char *sender,
                                       const struct rte_mbuf *solicitation)
{
    const struct solicitation *asked = rte_pktmbuf_mtod(solicitation, const struct solicitation *);
    struct endpoint from = fixture_address(sender);
    struct {
        struct rte_ether_hdr eth;
        struct rte_ipv6_hdr ip;
        struct nd_neighbor_advert nd;
        struct nd_opt_hdr option;
        struct rte_ether_addr mac;
    } __attribute__((packed, aligned(2))) frame = {0};

    frame.mac = frame.eth.src_addr = fixture_mac(sender_mac);
    frame.eth.dst_addr = asked->eth.src_addr;
    frame.eth.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6);
    frame.ip.vtc_flow = rte_cpu_to_be_32(6u << 28);
    frame.ip.payload_len = rte_cpu_to_be_16(sizeof(frame) - sizeof(frame.eth) - sizeof(frame.ip));
    frame.ip.proto = IPPROTO_ICMPV6;
    frame.ip.hop_limits = 255; // RFC 4861 7.1.2
    memcpy(frame.ip.src_addr, from.address, 16);
    memcpy(frame.ip.dst_addr, asked->ip.src_addr, 16);
    frame.nd.nd_na_type = ND_NEIGHBOR_ADVERT;
    frame.nd.nd_na_flags_reserved = ND_NA_FLAG_SOLICITED | ND_NA_FLAG_OVERRIDE;
    memcpy(&frame.nd.nd_na_target, from.address, 16);
    frame.option.nd_opt_type = ND_OPT_TARGET_LINKADDR;
    frame.option.nd_opt_len = 1;
    frame.nd.nd_na_cksum = rte_ipv6_udptcp_cksum(&frame.ip, &frame.nd);
    return fixture_frame(pool, &frame, sizeof(frame));
}
