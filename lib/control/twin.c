#include "control/twin.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "control/log.h"

#define TUN_DEVICE  "/dev/net/tun"
#define L2_BYTES    (RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN) // Ethernet with up to two tags
#define WRITE_PARTS (64 + 2)                 // segments of a frame, its split first one and the tag
#define MAC_BYTES   (2 * RTE_ETHER_ADDR_LEN) // a tag stands behind the two addresses

static const char *remedy(int error)
{
    switch (error) {
    case -EBUSY:
        return "another process holds it: stop that process, or choose another twin name";
    case -EEXIST:
        return "an interface of another kind has this name: choose another twin name";
    case -EPERM:
    case -EACCES:
        return "it takes CAP_NET_ADMIN: run as root, or give the program that capability";
    case -ENOENT:
    case -ENODEV:
    case -ENXIO:
        return "there is no " TUN_DEVICE
               ": load the module (modprobe tun), or pass the device into the container";
    case -EINVAL:
        return "the name or the MTU is not one the kernel takes: at most 15 characters, no '/' and no blank";
    default:
        return "see the error";
    }
}

// Attaches to the interface, making it where it is not there.
static int attach(struct control_twin *twin)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};

    twin->fd = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (twin->fd < 0)
        return -errno;
    memcpy(request.ifr_name, twin->name, sizeof(request.ifr_name));
    if (ioctl(twin->fd, TUNSETIFF, &request) < 0) {
        int error = -errno;
        // A name that something else than a TAP has is EINVAL, too; tell the two apart.
        return error == -EINVAL && if_nametoindex(twin->name) != 0 ? -EEXIST : error;
    }
    if (strcmp(request.ifr_name, twin->name) != 0) // "tap%d" is a pattern to the kernel
        return -EINVAL;
    // A persistent interface may have been left with offloads on, and then frames would lack their checksums.
    return ioctl(twin->fd, TUNSETOFFLOAD, 0) < 0 ? -errno : 0;
}

static int configure(struct control_twin *twin, uint16_t mtu, const struct rte_ether_addr *mac)
{
    struct ifreq request = {0};
    int error = 0;
    int control = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (control < 0)
        return -errno;
    memcpy(request.ifr_name, twin->name, sizeof(request.ifr_name));
    if (ioctl(control, SIOCGIFINDEX, &request) < 0)
        goto failed;
    twin->ifindex = request.ifr_ifindex;
    request.ifr_mtu = mtu;
    if (ioctl(control, SIOCSIFMTU, &request) < 0)
        goto failed;
    request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    memcpy(request.ifr_hwaddr.sa_data, mac, RTE_ETHER_ADDR_LEN);
    // Some virtual ports have no MAC; the kernel has then chosen one for the twin, and workers use that.
    if (rte_is_valid_assigned_ether_addr(mac) && ioctl(control, SIOCSIFHWADDR, &request) < 0)
        goto failed;
    if (ioctl(control, SIOCGIFFLAGS, &request) < 0)
        goto failed;
    request.ifr_flags |= IFF_UP;
    if (ioctl(control, SIOCSIFFLAGS, &request) < 0)
        goto failed;
    goto done;
failed:
    error = -errno;
done:
    close(control);
    return error;
}

static int open_quietly(struct control_twin *twin, const struct conf_port *conf,
                        const struct rte_ether_addr *mac)
{
    unsigned room = rte_pktmbuf_data_room_size(twin->pool) - RTE_PKTMBUF_HEADROOM;

    // One byte more than the largest frame: one that fills the buffers was cut off by the kernel.
    twin->segments_n = (conf->mtu + L2_BYTES + 1 + room - 1) / room;
    if (strlen(conf->twin) >= sizeof(twin->name) || twin->segments_n > CONTROL_TWIN_SEGMENTS)
        return -EINVAL;
    strcpy(twin->name, conf->twin);
    int error = attach(twin);
    return error != 0 ? error : configure(twin, conf->mtu, mac);
}

int control_twin_open(struct control_twin *twin, const struct conf_port *conf, uint16_t port,
                      const struct rte_ether_addr *mac, struct rte_mempool *pool)
{
    *twin = (struct control_twin){.fd = -1, .port = port, .pool = pool};
    int error = open_quietly(twin, conf, mac);
    if (error == 0)
        return 0;
    CONTROL_LOG(ERR, "port %s: cannot make its twin %s: %s; %s", conf->name, conf->twin, strerror(-error),
                remedy(error));
    control_twin_close(twin);
    return error;
}

static void drop_spares(struct control_twin *twin)
{
    for (unsigned i = 0; i < CONTROL_TWIN_SEGMENTS; i++) {
        if (twin->spare[i] != NULL)
            rte_pktmbuf_free_seg(twin->spare[i]);
        twin->spare[i] = NULL;
    }
}

void control_twin_close(struct control_twin *twin)
{
    if (twin->fd >= 0)
        close(twin->fd);
    twin->fd = -1;
    drop_spares(twin);
}

// The frame as the wire had it: its segments, with a stripped tag put back. 0 parts: it cannot be.
static int gather(const struct rte_mbuf *mbuf, struct rte_vlan_hdr *tag, struct iovec *parts)
{
    int n = 0;
    uint32_t skip = 0;

    if ((mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0) {
        if (rte_pktmbuf_data_len(mbuf) < MAC_BYTES)
            return 0;
        // Written as it stands on the wire: the EtherType of the tag, then its control information.
        tag->vlan_tci = rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN);
        tag->eth_proto = rte_cpu_to_be_16(mbuf->vlan_tci);
        parts[n++] = (struct iovec){rte_pktmbuf_mtod(mbuf, void *), MAC_BYTES};
        parts[n++] = (struct iovec){tag, sizeof(*tag)};
        skip = MAC_BYTES;
    }
    for (; mbuf != NULL; mbuf = mbuf->next, skip = 0) {
        if (n == WRITE_PARTS)
            return 0;
        parts[n++] = (struct iovec){rte_pktmbuf_mtod_offset(mbuf, void *, skip), mbuf->data_len - skip};
    }
    return n;
}

void control_twin_write(struct control_twin *twin, struct rte_mbuf *mbuf)
{
    struct iovec parts[WRITE_PARTS];
    struct rte_vlan_hdr tag;
    int n = gather(mbuf, &tag, parts);

    if (n > 0 && writev(twin->fd, parts, n) >= 0)
        twin->counters.to_kernel++;
    else
        twin->counters.refused++;
    rte_pktmbuf_free(mbuf);
}

// A frame without a buffer: out of the kernel's queue with it, or the descriptor would stay readable for ever.
static bool discard(struct control_twin *twin)
{
    char scrap[1];

    if (read(twin->fd, scrap, sizeof(scrap)) < 0)
        return false;
    twin->counters.no_mbuf++;
    return true;
}

// Makes one mbuf of the first `len` bytes of the spare buffers.
static struct rte_mbuf *chain(struct control_twin *twin, uint32_t len)
{
    struct rte_mbuf *head = twin->spare[0], *last = NULL;

    head->pkt_len = len;
    head->nb_segs = 0;
    for (unsigned i = 0; i < twin->segments_n && (i == 0 || len > 0); i++) {
        struct rte_mbuf *part = twin->spare[i];
        part->data_len = (uint16_t)RTE_MIN(len, (uint32_t)rte_pktmbuf_tailroom(part));
        len -= part->data_len;
        if (last != NULL)
            last->next = part;
        last = part;
        head->nb_segs++;
        twin->spare[i] = NULL;
    }
    return head;
}

struct rte_mbuf *control_twin_read(struct control_twin *twin)
{
    struct iovec parts[CONTROL_TWIN_SEGMENTS];
    uint32_t room = 0;

    for (unsigned i = 0; i < twin->segments_n; i++) {
        while (twin->spare[i] == NULL && (twin->spare[i] = rte_pktmbuf_alloc(twin->pool)) == NULL) {
            if (!discard(twin))
                return NULL;
        }
        parts[i] =
            (struct iovec){rte_pktmbuf_mtod(twin->spare[i], void *), rte_pktmbuf_tailroom(twin->spare[i])};
        room += rte_pktmbuf_tailroom(twin->spare[i]);
    }
    ssize_t len = readv(twin->fd, parts, (int)twin->segments_n);
    if (len <= 0)
        return NULL;
    if ((uint32_t)len >= room) {
        twin->counters.truncated++;
        return NULL;
    }
    twin->counters.from_kernel++;
    return chain(twin, (uint32_t)len);
}
