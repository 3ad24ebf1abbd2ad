// The table of the kernel's interfaces, by netlink messages written by hand.
#include "fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "control/link.h"

struct interface {
    int ifindex;
    unsigned flags;
    uint32_t mtu;
    const char *mac;
    uint32_t parent;   // 0: none
    const char *kind;  // NULL: none
    uint16_t vlan;     // 0: none
    uint16_t protocol; // of the tag; 0: none
    bool other_namespace, removed, bridge_port;
};

static const struct interface twin = {
    .ifindex = 5, .flags = IFF_UP | IFF_RUNNING, .mtu = 1500, .mac = "02:00:00:00:00:01"};

static bool apply(struct control_links *links, const struct interface *interface)
{
    _Alignas(struct nlmsghdr) char buffer[512];
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

    message->nlmsg_type = interface->removed ? RTM_DELLINK : RTM_NEWLINK;
    struct ifinfomsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
    info->ifi_family = interface->bridge_port ? AF_BRIDGE : AF_UNSPEC;
    info->ifi_index = interface->ifindex;
    info->ifi_flags = interface->flags;
    if (interface->mtu != 0)
        mnl_attr_put_u32(message, IFLA_MTU, interface->mtu);
    if (interface->mac != NULL) {
        struct rte_ether_addr mac = fixture_mac(interface->mac);
        mnl_attr_put(message, IFLA_ADDRESS, sizeof(mac), &mac);
    }
    if (interface->parent != 0)
        mnl_attr_put_u32(message, IFLA_LINK, interface->parent);
    if (interface->other_namespace)
        mnl_attr_put_u32(message, IFLA_LINK_NETNSID, 0);
    if (interface->kind != NULL) {
        struct nlattr *nest = mnl_attr_nest_start(message, IFLA_LINKINFO);
        mnl_attr_put_strz(message, IFLA_INFO_KIND, interface->kind);
        struct nlattr *data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
        if (interface->vlan != 0)
            mnl_attr_put_u16(message, IFLA_VLAN_ID, interface->vlan);
        if (interface->protocol != 0)
            mnl_attr_put_u16(message, IFLA_VLAN_PROTOCOL, htons(interface->protocol));
        mnl_attr_nest_end(message, data);
        mnl_attr_nest_end(message, nest);
    }
    return control_links_apply(links, message);
}

static struct control_links links_with_twin(void)
{
    struct control_links links = {0};

    assert_int_equal(control_links_twin(&links, twin.ifindex, 2), 0);
    assert_true(apply(&links, &twin));
    return links;
}

static void test_twin_takes_mac_and_mtu_from_the_kernel(void **state)
{
    struct control_links links = links_with_twin();
    const struct control_link *link = control_links_find(&links, 5);
    struct rte_ether_addr mac = fixture_mac(twin.mac);

    (void)state;
    assert_non_null(link);
    assert_int_equal(link->port, 2);
    assert_int_equal(link->vlan, 0);
    assert_int_equal(link->mtu, 1500);
    assert_true(link->up);
    assert_true(rte_is_same_ether_addr(&link->mac, &mac));
    assert_ptr_equal(control_links_of(&links, 2, 0), link);
    assert_null(control_links_of(&links, 1, 0));
}

static void test_same_message_again_is_no_change_and_each_other_one_is(void **state)
{
    struct control_links links = links_with_twin();
    struct interface changed = twin;

    (void)state;
    assert_false(apply(&links, &twin));
    changed.mtu = 9000;
    assert_true(apply(&links, &changed));
    changed.mac = "02:00:00:00:00:99";
    assert_true(apply(&links, &changed));
    changed.flags = IFF_UP;
    assert_true(apply(&links, &changed));
    assert_false(control_links_find(&links, 5)->up);
    changed.removed = true;
    assert_true(apply(&links, &changed));
    assert_null(control_links_find(&links, 5));
}

static void test_vlan_on_a_twin_is_its_port_with_a_tag(void **state)
{
    struct control_links links = links_with_twin();
    struct interface vlan = {.ifindex = 9,
                             .flags = IFF_UP | IFF_RUNNING,
                             .mtu = 1496,
                             .mac = "02:00:00:00:00:01",
                             .parent = 5,
                             .kind = "vlan",
                             .vlan = 7,
                             .protocol = ETH_P_8021Q};

    (void)state;
    assert_true(apply(&links, &vlan));
    const struct control_link *link = control_links_of(&links, 2, 7);
    assert_non_null(link);
    assert_int_equal(link->ifindex, 9);
    assert_int_equal(link->mtu, 1496);
    vlan.removed = true;
    assert_true(apply(&links, &vlan));
    assert_null(control_links_of(&links, 2, 7));
    assert_non_null(control_links_of(&links, 2, 0));
}

static void test_other_interfaces_are_passed_over(void **state)
{
    static const struct interface others[] = {
        {.ifindex = 1, .flags = IFF_UP},                                                  // not a VLAN
        {.ifindex = 9, .parent = 5, .kind = "macvlan"},                                   // not a tag
        {.ifindex = 9, .parent = 4, .kind = "vlan", .vlan = 7},                           // on something else
        {.ifindex = 9, .parent = 5, .kind = "vlan", .vlan = 7, .protocol = ETH_P_8021AD}, // another tag
        {.ifindex = 9, .parent = 5, .kind = "vlan", .vlan = 7, .other_namespace = true}, // index 5 over there
        {.ifindex = 9, .parent = 5, .kind = "vlan"},                                     // no id
        {.ifindex = 9, .parent = 5, .kind = "vlan", .vlan = 7, .removed = true},         // never was
        {.ifindex = 5, .flags = 0, .mtu = 42, .bridge_port = true},                      // a bridge's view
    };
    struct control_links links = links_with_twin();

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(others); i++) {
        assert_false(apply(&links, &others[i]));
        assert_int_equal(links.n, 1);
    }
    assert_int_equal(control_links_find(&links, 5)->mtu, 1500);
}

static void test_vlan_on_a_vlan_is_passed_over(void **state)
{
    struct control_links links = links_with_twin();
    struct interface vlan = {.ifindex = 9, .parent = 5, .kind = "vlan", .vlan = 7};
    struct interface inner = {.ifindex = 10, .parent = 9, .kind = "vlan", .vlan = 8};

    (void)state;
    assert_true(apply(&links, &vlan));
    assert_false(apply(&links, &inner));
    assert_int_equal(links.n, 2);
}

static void test_full_table_refuses_and_counts(void **state)
{
    struct control_links links = links_with_twin();
    struct interface vlan = {.parent = 5, .kind = "vlan"};

    (void)state;
    for (int i = 1; i < CONTROL_LINKS_MAX; i++) {
        vlan.ifindex = 100 + i;
        vlan.vlan = (uint16_t)i;
        assert_true(apply(&links, &vlan));
    }
    vlan.ifindex = 5000;
    vlan.vlan = 4000;
    assert_false(apply(&links, &vlan));
    assert_int_equal(links.refused, 1);
    assert_int_equal(control_links_twin(&links, 6, 3), -ENOSPC);
}

static void test_sweep_forgets_what_the_dump_did_not_name(void **state)
{
    struct control_links links = links_with_twin();
    struct interface vlan = {.ifindex = 9, .parent = 5, .kind = "vlan", .vlan = 7};

    (void)state;
    assert_true(apply(&links, &vlan));
    control_links_mark(&links);
    assert_false(apply(&links, &twin));
    control_links_sweep(&links);
    assert_int_equal(links.n, 1);
    assert_non_null(control_links_find(&links, 5));
}

static void test_message_shorter_than_its_header_is_passed_over(void **state)
{
    struct control_links links = links_with_twin();
    struct nlmsghdr message = {.nlmsg_len = sizeof(message), .nlmsg_type = RTM_DELLINK};

    (void)state;
    assert_false(control_links_apply(&links, &message));
    assert_int_equal(links.n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_twin_takes_mac_and_mtu_from_the_kernel),
        cmocka_unit_test(test_same_message_again_is_no_change_and_each_other_one_is),
        cmocka_unit_test(test_vlan_on_a_twin_is_its_port_with_a_tag),
        cmocka_unit_test(test_other_interfaces_are_passed_over),
        cmocka_unit_test(test_vlan_on_a_vlan_is_passed_over),
        cmocka_unit_test(test_full_table_refuses_and_counts),
        cmocka_unit_test(test_sweep_forgets_what_the_dump_did_not_name),
        cmocka_unit_test(test_message_shorter_than_its_header_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
