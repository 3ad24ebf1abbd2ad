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

// What whoever takes the mbuf from a ring is asked to do with it.
enum packet_errand {
    PACKET_SERVE = 1, // mailbox: a parsed message that this worker owns
    PACKET_FRAME, // a whole frame. punt: give it to the twin of `port`; inject, mailbox: transmit it on `port`
    PACKET_DATAGRAM, // a SIP datagram without headers, to `to` from `listener`. punt: its next hop has no MAC yet;
                     // inject, mailbox: put headers on and transmit it
};

struct packet {
    struct net_frame frame;
    struct arrival arrival;
    struct endpoint to;  // DATAGRAM: where it goes
    uint16_t port;       // index into conf->ports: of arrival, later of departure
    uint16_t vlan;       // tag to keep when the message leaves by the port it came in on; 0: none
    uint16_t vlan_outer; // the 802.1ad tag around it; 0: none
    uint8_t errand;      // enum packet_errand
    uint8_t listener;    // DATAGRAM: index of the listener it leaves from
    uint8_t parsed;      // enum sip_error
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
