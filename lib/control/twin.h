// twin: the TAP interface behind which the kernel serves a port's other traffic.
//
// Everything that is not SIP to a listener (ARP, ND, ICMP, TCP, BGP) goes to the twin as it came, and what the kernel
// sends through the twin leaves by the port. The twin has the port's MAC and MTU; addresses, routes and VLAN
// interfaces on it are the operator's. Frames carry whole checksums both ways: TAP without a virtio header offers the
// kernel no offload, so it completes them before control reads the frame. A tag that the NIC stripped is put back.
//
// Owned by control; control thread only. Cost: one syscall a frame.
#ifndef CONTROL_TWIN_H
#define CONTROL_TWIN_H

#include <net/if.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#include "conf/conf.h"

// Buffers that one frame may need: jumbo frames with ordinary 2 KiB buffers.
#define CONTROL_TWIN_SEGMENTS 8

// control: wo, telemetry: ro
struct control_twin_counters {
    uint64_t to_kernel, from_kernel; // frames
    uint64_t refused;                // by the kernel: twin down, or a frame that it does not take
    uint64_t no_mbuf;                // frames of the kernel for which no buffer was free
    uint64_t truncated;              // frames of the kernel larger than the MTU
};

struct control_twin {
    int fd; // -1: closed
    int ifindex;
    uint16_t port; // index into conf->ports
    char name[IFNAMSIZ];
    struct rte_mempool *pool;                      // for the kernel's frames
    unsigned segments_n;                           // that a frame of the MTU needs
    struct rte_mbuf *spare[CONTROL_TWIN_SEGMENTS]; // buffers for the next frame
    struct control_twin_counters counters;
};

// Makes the interface conf->twin, or takes over a persistent one of that name, with the port's MAC, and brings it up.
// In the network namespace of the calling thread. Logs what is wrong and what to do about it.
// 0, -EBUSY (somebody holds it), -EEXIST (there is another kind of interface), -EPERM, -ENOENT (no /dev/net/tun),
// -EINVAL (name or MTU), -errno.
int control_twin_open(struct control_twin *twin, const struct conf_port *conf, uint16_t port,
                      const struct rte_ether_addr *mac, struct rte_mempool *pool);

// The interface goes with it, unless it is persistent. Closed twins are allowed.
void control_twin_close(struct control_twin *twin);

// Gives the kernel a frame, and frees it.
void control_twin_write(struct control_twin *twin, struct rte_mbuf *mbuf);

// The next frame that the kernel sends, now the caller's; NULL when there is none. A frame for which there is no
// buffer is thrown away and counted, and the one behind it is read.
struct rte_mbuf *control_twin_read(struct control_twin *twin);

#endif
