// packet: what strowger knows of an mbuf, kept in the mbuf's private area.
//
// It travels with the mbuf, so a hand-over to another worker costs no second parse. Who holds the mbuf owns it; an
// mbuf put on a ring is no longer yours.
#ifndef WORKER_PACKET_H
#define WORKER_PACKET_H

#include <rte_mbuf.h>

#include "net/frame.h"
#include "sip/message.h"
#include "worker/arrival.h"
#include "worker/steered.h"

// Steered under no policy at all. An older one's number will not do: a worker may not have heard yet that there is a
// newer one.
#define PACKET_UNSTEERED UINT32_MAX

// What whoever takes the mbuf from a ring is asked to do with it.
enum packet_errand {
    PACKET_SERVE = 1, // mailbox: a parsed message that this worker owns
    PACKET_FRAME, // a whole frame. punt: give it to the twin of `port`; inject, mailbox: transmit it on `port`
    PACKET_DATAGRAM, // a SIP datagram without headers, to `to` from `listener`. punt: its next hop has no MAC yet;
                     // inject, mailbox: put headers on and transmit it
    PACKET_STREAM,  // punt: a message without headers for the stream `to` from `listener`
    PACKET_RESOLVE, // punt: a parsed message that waits for a name; it comes back by inject as PACKET_SERVE
    PACKET_ANSWER,  // punt: the answer to a request of control's own, a message without headers
    PACKET_UNSENT,  // mailbox, inject: a DATAGRAM or STREAM message of this worker that no next hop takes
    PACKET_TOUCH, // inject: no message; what is told of the user with the key `steered.aor` may have changed
    PACKET_UNREACHABLE, // mailbox: a whole ICMP error about a request of this worker; `frame.payload` is what it quotes
};

struct packet {
    struct net_frame frame;
    struct arrival arrival;
    struct endpoint to;  // DATAGRAM, STREAM: where it goes
    uint16_t port;       // index into conf->ports: of arrival, later of departure
    uint16_t vlan;       // tag to keep when the message leaves by the port it came in on; 0: none
    uint16_t vlan_outer; // the 802.1ad tag around it; 0: none
    uint8_t errand;      // enum packet_errand
    uint8_t listener;    // DATAGRAM, STREAM: index of the listener it leaves from
    uint8_t parsed;      // enum sip_error
    uint8_t parks;       // times it waited for a name, see worker/parked.h
    // Of a message that a role keeps (worker/outlet.h): whoever sent it last moved data_off and data_len.
    bool kept_arrived;   // `arrival` says where it came in
    bool kept_indexed;   // `message` is its index
    uint16_t kept_at;    // data_off at its first byte
    uint16_t kept_len;   // bytes
    uint16_t kept_port;  // `port` as it was: a hand-over for transmission writes over that
    uint32_t generation; // of the policy that `steered` was made under, or PACKET_UNSTEERED
    struct steered steered;
    struct sip_message message;
};

static inline struct packet *packet_of(struct rte_mbuf *mbuf)
{
    return (struct packet *)rte_mbuf_to_priv(mbuf);
}

// Bytes of private area that every pool of the data path needs.
#define PACKET_SIZE RTE_ALIGN(sizeof(struct packet), RTE_MBUF_PRIV_ALIGN)

#endif
