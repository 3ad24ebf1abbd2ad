// command: the socket by which an operator tells the running server what to do; strowgerctl is its client.
//
// A Unix socket of packets ([control] socket) for root, whoever runs the server, and the members of [control] group;
// the kernel says who calls (unix(7), SO_PEERCRED). Framed as DPDK's telemetry socket is: the server greets with an
// object of JSON, then each request, one packet, is answered by one or more, an object each:
//
//     strowger:  {"server":"strowger","pid":411,"request_max":4096,"telemetry":"/var/run/dpdk/rte/dpdk_telemetry.v2"}
//     request:   registrations
//     reply:     {"ok":true,"rows":[{"aor":"bob@example.com",…},…],"more":true}
//     reply:     {"ok":true,"rows":[…]}
//     request:   log loud
//     reply:     {"ok":false,"error":"…"}
//
// `more` announces a further reply, so no answer is ever cut off. A request is words between spaces: all that a word
// may be (URI, number, name) has no space in it, so nothing is gained by a second grammar, and a shell can speak it.
//
// Main lcore, in control's event loop: nothing waits. At most CONTROL_CLIENTS_MAX clients; one that does not take its
// replies for CONTROL_SLOW_MS, or says nothing for CONTROL_SILENT_MS, is cut off.
#ifndef CONTROL_COMMAND_H
#define CONTROL_COMMAND_H

#include <rte_mbuf.h>

#define CONTROL_CLIENTS_MAX 16
#define CONTROL_SLOW_MS     5000
#define CONTROL_SILENT_MS   60000

struct control;
struct control_commands;

// What [control] asks for; without a socket in there *commands becomes NULL. `control` has its event base. A socket
// that nobody listens at any more is replaced. 0, or -errno after a line in the log.
int control_commands_open(struct control_commands **commands, struct control *control);
void control_commands_close(struct control_commands *commands); // NULL is allowed here and below

// Whoever is slow or silent is cut off, and what was waited for is looked at.
void control_commands_tick(struct control_commands *commands);

// An answer to a request that this made and a worker served (PACKET_ANSWER); takes the mbuf.
void control_commands_hear(struct control_commands *commands, struct rte_mbuf *mbuf);

// control: wo
struct control_commands_counters {
    uint64_t accepted, denied, busy, requests, cut_off;
};
const struct control_commands_counters *control_commands_counters(const struct control_commands *commands);

#endif
