// The TAP twin of a port, against the real kernel.
#include "fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "control/twin.h"

#define PEER_MAC "02:00:00:00:00:02"

static const struct rte_ether_addr port_mac = {{0x02, 0, 0, 0, 0, 1}};

static struct conf_port port_conf(const char *twin, uint16_t mtu)
{
    return (struct conf_port){.name = (char *)"p", .twin = (char *)(uintptr_t)twin, .mtu = mtu};
}

static void open_twin(struct control_twin *twin, const char *name, uint16_t mtu, struct rte_mempool *pool)
{
    struct conf_port conf = port_conf(name, mtu);

    assert_int_equal(control_twin_open(twin, &conf, 3, &port_mac, pool), 0);
}

// The next frame for which `wanted` holds; the kernel sends others of its own accord. NULL after five seconds.
static struct rte_mbuf *await(struct control_twin *twin, bool (*wanted)(const struct rte_mbuf *))
{
    uint64_t deadline = fixture_ms() + 5000;
    struct pollfd readable = {.fd = twin->fd, .events = POLLIN};

    while (fixture_ms() < deadline) {
        struct rte_mbuf *mbuf;
        poll(&readable, 1, 50);
        while ((mbuf = control_twin_read(twin)) != NULL) {
            if (wanted(mbuf))
                return mbuf;
            rte_pktmbuf_free(mbuf);
        }
    }
    return NULL;
}

static void test_twin_has_the_ports_mac_and_mtu_and_is_up(void **state)
{
    struct control_twin twin;

    (void)state;
    fixture_namespace();
    struct rte_mempool *pool = fixture_pool(2048);
    open_twin(&twin, "sip0", 1400, pool);
    assert_int_equal(twin.ifindex, if_nametoindex("sip0"));
    assert_int_equal(twin.port, 3);
    assert_true(fixture_ip_says("link show sip0", "02:00:00:00:00:01"));
    assert_true(fixture_ip_says("link show sip0", "mtu 1400"));
    assert_true(fixture_ip_says("link show sip0", ",UP"));
    control_twin_close(&twin);
    assert_int_equal(if_nametoindex("sip0"), 0);
    control_twin_close(&twin);
    fixture_pool_free(pool);
}

static void test_busy_twin_is_refused_and_stays_with_its_owner(void **state)
{
    struct control_twin first, second;
    struct conf_port conf = port_conf("sip0", 1500);

    (void)state;
    fixture_namespace();
    struct rte_mempool *pool = fixture_pool(2048);
    open_twin(&first, "sip0", 1500, pool);
    assert_int_equal(control_twin_open(&second, &conf, 0, &port_mac, pool), -EBUSY);
    assert_int_equal(second.fd, -1);
    assert_int_not_equal(if_nametoindex("sip0"), 0);
    control_twin_close(&first);
    fixture_pool_free(pool);
}

static void test_interface_of_another_kind_is_refused(void **state)
{
    struct control_twin twin;
    struct conf_port conf = port_conf("lo", 1500);

    (void)state;
    fixture_namespace();
    struct rte_mempool *pool = fixture_pool(2048);
    assert_int_equal(control_twin_open(&twin, &conf, 0, &port_mac, pool), -EEXIST);
    fixture_pool_free(pool);
}

static void test_names_that_the_kernel_does_not_take_are_refused(void **state)
{
    static const char *const names[] = {"sixteen-letters-", "a/b", "sip%d", "with blank"};

    (void)state;
    fixture_namespace();
    struct rte_mempool *pool = fixture_pool(2048);
    for (unsigned i = 0; i < RTE_DIM(names); i++) {
        struct control_twin twin;
        struct conf_port conf = port_conf(names[i], 1500);
        assert_int_equal(control_twin_open(&twin, &conf, 0, &port_mac, pool), -EINVAL);
    }
    fixture_pool_free(pool);
}

static void test_twin_without_the_capability_is_refused(void **state)
{
    struct control_twin twin;
    struct conf_port conf = port_conf("sip0", 1500);

    (void)state;
    fixture_namespace();
    struct rte_mempool *pool = fixture_pool(2048);
    if (seteuid(65534) != 0) {
        fixture_pool_free(pool);
        skip();
    }
    int error = control_twin_open(&twin, &conf, 0, &port_mac, pool);
    assert_int_equal(seteuid(0), 0);
    assert_true(error == -EPERM || error == -EACCES);
    fixture_pool_free(pool);
}

static void test_persistent_twin_is_taken_over_with_its_addresses(void **state)
{
    struct control_twin twin;

    (void)state;
    fixture_namespace();
    struct rte_mempool *pool = fixture_pool(2048);
    fixture_ip("tuntap add dev sip0 mode tap");
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    open_twin(&twin, "sip0", 1500, pool);
    assert_true(fixture_ip_says("addr show sip0", "198.18.0.1/24"));
    control_twin_close(&twin);
    assert_true(fixture_ip_says("addr show sip0", "198.18.0.1/24"));
    fixture_pool_free(pool);
}

static bool is_arp_reply(const struct rte_mbuf *mbuf)
{
    const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
    // EtherType ARP, operation 2, from 198.18.0.1
    return frame[12] == 8 && frame[13] == 6 && frame[21] == 2 && memcmp(frame + 28, "\xc6\x12\0\1", 4) == 0;
}

static void test_kernel_answers_arp_through_the_twin(void **state)
{
    struct control_twin twin;

    (void)state;
    fixture_namespace();
    struct rte_mempool *pool = fixture_pool(2048);
    open_twin(&twin, "sip0", 1500, pool);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    control_twin_write(&twin,
                       fixture_arp(pool, true, PEER_MAC, "198.18.0.2", "ff:ff:ff:ff:ff:ff", "198.18.0.1", 0));
    struct rte_mbuf *reply = await(&twin, is_arp_reply);
    assert_non_null(reply);
    struct rte_ether_addr peer = fixture_mac(PEER_MAC);
    const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(reply, const struct rte_ether_hdr *);
    assert_true(rte_is_same_ether_addr(&eth->dst_addr, &peer));
    assert_true(rte_is_same_ether_addr(&eth->src_addr, &port_mac));
    rte_pktmbuf_free(reply);
    assert_int_equal(twin.counters.to_kernel, 1);
    assert_true(twin.counters.from_kernel >= 1);
    control_twin_close(&twin);
    fixture_pool_free(pool);
}

// The tag with which the kernel received the next frame of EtherType ARP, or -1. It notes tags beside the frame.
static int received_tag(int fd)
{
    char frame[128], control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    struct iovec part = {frame, sizeof(frame)};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    struct tpacket_auxdata about;

    if (recvmsg(fd, &message, MSG_DONTWAIT) < 0)
        return -1;
    const struct cmsghdr *extra = CMSG_FIRSTHDR(&message);
    assert_non_null(extra);
    memcpy(&about, CMSG_DATA(extra), sizeof(about));
    return (about.tp_status & TP_STATUS_VLAN_VALID) != 0 ? about.tp_vlan_tci : -1;
}

static void test_tag_that_the_nic_stripped_is_put_back(void **state)
{
    struct control_twin twin;
    int one = 1;

    (void)state;
    fixture_namespace();
    struct rte_mempool *pool = fixture_pool(2048);
    open_twin(&twin, "sip0", 1500, pool);
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)), 0);
    struct rte_mbuf *ask =
        fixture_arp(pool, true, PEER_MAC, "198.18.7.2", "ff:ff:ff:ff:ff:ff", "198.18.7.1", 0);
    ask->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
    ask->vlan_tci = 0x6007; // priority 3
    control_twin_write(&twin, ask);
    int tag = -1;
    for (unsigned frame = 0; frame < 20 && tag < 0; frame++) // the kernel's own come in between
        tag = received_tag(fd);
    assert_int_equal(tag, 0x6007);
    close(fd);
    control_twin_close(&twin);
    fixture_pool_free(pool);
}

static int udp_socket(const char *address)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(9)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, address, &name.sin_addr);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    return fd;
}

static bool is_udp(const struct rte_mbuf *mbuf)
{
    const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
    return frame[12] == 8 && frame[13] == 0 && frame[23] == IPPROTO_UDP;
}

// What the kernel sends through the twin has its checksums, for a worker sends the frame as it is.
static void assert_udp_is_whole(struct control_twin *twin)
{
    char text[999];

    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("neigh add 198.18.0.2 lladdr " PEER_MAC " dev sip0");
    int fd = udp_socket("198.18.0.2");
    memset(text, 'x', sizeof(text));
    assert_int_equal(send(fd, text, sizeof(text), 0), sizeof(text));
    struct rte_mbuf *mbuf = await(twin, is_udp);
    assert_non_null(mbuf);
    struct rte_ipv4_hdr *ip =
        rte_pktmbuf_mtod_offset(mbuf, struct rte_ipv4_hdr *, sizeof(struct rte_ether_hdr));
    assert_int_equal(rte_raw_cksum(ip, sizeof(*ip)), 0xffff);
    struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
    uint16_t checksum = udp->dgram_cksum;
    udp->dgram_cksum = 0;
    assert_int_equal(checksum, rte_ipv4_udptcp_cksum(ip, udp));
    rte_pktmbuf_free(mbuf);
    close(fd);
}

// Without IFF_VNET_HDR the kernel must finish the checksum itself.
static void test_frames_of_the_kernel_carry_whole_checksums(void **state)
{
    struct control_twin twin;

    (void)state;
    fixture_namespace();
    struct rte_mempool *pool = fixture_pool(2048);
    open_twin(&twin, "sip0", 1500, pool);
    assert_udp_is_whole(&twin);
    control_twin_close(&twin);
    fixture_pool_free(pool);
}

// An earlier owner of a persistent interface may have offered the kernel to finish its checksums for it.
static void test_offloads_left_on_a_persistent_twin_are_turned_off(void **state)
{
    struct ifreq request = {.ifr_name = "sip0", .ifr_flags = IFF_TAP | IFF_NO_PI};
    struct control_twin twin;

    (void)state;
    fixture_namespace();
    struct rte_mempool *pool = fixture_pool(2048);
    int earlier = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    assert_int_equal(ioctl(earlier, TUNSETIFF, &request), 0);
    assert_int_equal(ioctl(earlier, TUNSETPERSIST, 1), 0);
    assert_int_equal(ioctl(earlier, TUNSETOFFLOAD, TUN_F_CSUM), 0);
    close(earlier);
    open_twin(&twin, "sip0", 1500, pool);
    assert_udp_is_whole(&twin);
    control_twin_close(&twin);
    fixture_pool_free(pool);
}

static void test_jumbo_frame_comes_in_segments_and_goes_back_whole(void **state)
{
    struct control_twin twin;
    static char text[8900], got[8900];

    (void)state;
    fixture_namespace();
    struct rte_mempool *pool = fixture_pool(2048);
    open_twin(&twin, "sip0", 9000, pool);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("neigh add 198.18.0.2 lladdr " PEER_MAC " dev sip0");
    int fd = udp_socket("198.18.0.2");
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)(i * 31);
    assert_int_equal(send(fd, text, sizeof(text), 0), sizeof(text));
    struct rte_mbuf *mbuf = await(&twin, is_udp);
    assert_non_null(mbuf);
    assert_int_equal(rte_pktmbuf_pkt_len(mbuf), 42 + sizeof(text));
    assert_int_equal(mbuf->nb_segs, 5);
    rte_mbuf_sanity_check(mbuf, 1);
    assert_memory_equal(rte_pktmbuf_read(mbuf, 42, sizeof(text), got), text, sizeof(text));
    // Back to its sender: addresses and ports turned round, in as many segments. Sums do not care for order.
    uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
    struct rte_ipv4_hdr *ip = (void *)(frame + 14);
    struct rte_udp_hdr *udp = (void *)(ip + 1);
    struct rte_ether_addr peer = fixture_mac(PEER_MAC);
    memcpy(frame, &port_mac, 6);
    memcpy(frame + 6, &peer, 6);
    RTE_SWAP(ip->src_addr, ip->dst_addr);
    RTE_SWAP(udp->src_port, udp->dst_port);
    control_twin_write(&twin, mbuf);
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), sizeof(text));
    assert_memory_equal(got, text, sizeof(text));
    close(fd);
    control_twin_close(&twin);
    fixture_pool_free(pool);
}

static void test_frame_without_a_buffer_is_thrown_away_and_counted(void **state)
{
    struct control_twin twin;
    struct rte_mbuf *taken[FIXTURE_MBUFS];
    unsigned taken_n = 0;

    (void)state;
    fixture_namespace();
    struct rte_mempool *pool = fixture_pool(2048);
    open_twin(&twin, "sip0", 1500, pool);
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("neigh add 198.18.0.2 lladdr " PEER_MAC " dev sip0");
    while (taken_n < FIXTURE_MBUFS && (taken[taken_n] = rte_pktmbuf_alloc(pool)) != NULL)
        taken_n++;
    int fd = udp_socket("198.18.0.2");
    assert_int_equal(send(fd, "1", 1, 0), 1);
    assert_null(control_twin_read(&twin));
    assert_true(twin.counters.no_mbuf >= 1);
    struct pollfd readable = {.fd = twin.fd, .events = POLLIN};
    assert_int_equal(poll(&readable, 1, 0), 0);
    rte_pktmbuf_free_bulk(taken, taken_n);
    assert_int_equal(send(fd, "2", 1, 0), 1);
    struct rte_mbuf *mbuf = await(&twin, is_udp);
    assert_non_null(mbuf);
    rte_pktmbuf_free(mbuf);
    close(fd);
    control_twin_close(&twin);
    fixture_pool_free(pool);
}

static void test_frame_for_a_twin_that_is_down_is_counted_and_freed(void **state)
{
    struct control_twin twin;

    (void)state;
    fixture_namespace();
    struct rte_mempool *pool = fixture_pool(2048);
    open_twin(&twin, "sip0", 1500, pool);
    fixture_ip("link set sip0 down");
    control_twin_write(&twin,
                       fixture_arp(pool, true, PEER_MAC, "198.18.0.2", "ff:ff:ff:ff:ff:ff", "198.18.0.1", 0));
    assert_int_equal(twin.counters.to_kernel, 0);
    assert_int_equal(twin.counters.refused, 1);
    control_twin_close(&twin);
    fixture_pool_free(pool);
}

static void test_frame_too_short_for_a_tag_is_refused(void **state)
{
    struct control_twin twin;

    (void)state;
    fixture_namespace();
    struct rte_mempool *pool = fixture_pool(2048);
    open_twin(&twin, "sip0", 1500, pool);
    struct rte_mbuf *mbuf = fixture_frame(pool, "short", 5);
    mbuf->ol_flags = RTE_MBUF_F_RX_VLAN_STRIPPED;
    control_twin_write(&twin, mbuf);
    control_twin_write(&twin, fixture_frame(pool, "short", 5));
    assert_int_equal(twin.counters.refused, 2);
    control_twin_close(&twin);
    fixture_pool_free(pool);
}

static void test_frame_larger_than_the_twins_mtu_is_not_passed_on_cut_off(void **state)
{
    struct control_twin twin;
    static char text[6000];

    (void)state;
    fixture_namespace();
    struct rte_mempool *pool = fixture_pool(2048);
    open_twin(&twin, "sip0", 1500, pool);
    fixture_ip("link set sip0 mtu 9000"); // behind our back
    fixture_ip("addr add 198.18.0.1/24 dev sip0");
    fixture_ip("neigh add 198.18.0.2 lladdr " PEER_MAC " dev sip0");
    int fd = udp_socket("198.18.0.2");
    assert_int_equal(send(fd, text, sizeof(text), 0), sizeof(text));
    struct rte_mbuf *mbuf;
    for (unsigned i = 0; i < 20; i++) {
        if ((mbuf = control_twin_read(&twin)) == NULL)
            continue;
        assert_false(is_udp(mbuf));
        rte_pktmbuf_free(mbuf);
    }
    assert_int_equal(twin.counters.truncated, 1);
    close(fd);
    control_twin_close(&twin);
    fixture_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_twin_has_the_ports_mac_and_mtu_and_is_up),
        cmocka_unit_test(test_busy_twin_is_refused_and_stays_with_its_owner),
        cmocka_unit_test(test_interface_of_another_kind_is_refused),
        cmocka_unit_test(test_names_that_the_kernel_does_not_take_are_refused),
        cmocka_unit_test(test_twin_without_the_capability_is_refused),
        cmocka_unit_test(test_persistent_twin_is_taken_over_with_its_addresses),
        cmocka_unit_test(test_kernel_answers_arp_through_the_twin),
        cmocka_unit_test(test_tag_that_the_nic_stripped_is_put_back),
        cmocka_unit_test(test_frames_of_the_kernel_carry_whole_checksums),
        cmocka_unit_test(test_offloads_left_on_a_persistent_twin_are_turned_off),
        cmocka_unit_test(test_jumbo_frame_comes_in_segments_and_goes_back_whole),
        cmocka_unit_test(test_frame_without_a_buffer_is_thrown_away_and_counted),
        cmocka_unit_test(test_frame_for_a_twin_that_is_down_is_counted_and_freed),
        cmocka_unit_test(test_frame_too_short_for_a_tag_is_refused),
        cmocka_unit_test(test_frame_larger_than_the_twins_mtu_is_not_passed_on_cut_off),
    };
    return cmocka_run_group_tests(tests, fixture_eal, fixture_eal_end);
}
