#include "datapath/stage.h"
#include "net/encap.h"
#include "sip/edit.h"

// The message into a large buffer: its own has no room for the edits on either side.
static struct rte_mbuf *grow(struct worker *worker, struct rte_mbuf *mbuf)
{
    struct rte_mbuf *large = rte_pktmbuf_alloc(worker->large);

    if (large == NULL)
        return NULL;
    struct packet *from = packet_of(mbuf);
    struct packet *to = packet_of(large);
    char *bytes = rte_pktmbuf_append(large, mbuf->data_len);
    if (bytes == NULL) {
        rte_pktmbuf_free(large);
        return NULL;
    }
    memcpy(bytes, rte_pktmbuf_mtod(mbuf, char *), mbuf->data_len);
    to->arrival = from->arrival;
    to->to = from->to;
    to->port = from->port;
    to->vlan = from->vlan;
    to->vlan_outer = from->vlan_outer;
    to->listener = from->listener;
    worker->counters.linearised++;
    return large;
}

static enum sip_error apply(struct worker *worker, struct rte_mbuf *mbuf, struct sip_edited *edited)
{
    unsigned headroom = rte_pktmbuf_headroom(mbuf);

    return sip_edits_apply(worker->edits, rte_pktmbuf_mtod(mbuf, char *), mbuf->data_len,
                           headroom > NET_ENCAP_MAX ? headroom - NET_ENCAP_MAX : 0,
                           rte_pktmbuf_tailroom(mbuf), edited);
}

enum drop datapath_rewrite(struct worker *worker, struct rte_mbuf **mbuf)
{
    struct rte_mbuf *m = *mbuf;
    struct packet *packet = packet_of(m);
    struct sip_edited edited;

    // What is left is the message alone: its headers make headroom for the edits, what trails it is tailroom.
    m->data_off = (uint16_t)(m->data_off + packet->frame.payload);
    m->data_len = packet->message.len;
    m->pkt_len = packet->message.len;
    if (apply(worker, m, &edited) != SIP_OK) {
        struct rte_mbuf *large = grow(worker, m);
        if (large == NULL)
            return DROP_EDIT_ROOM;
        rte_pktmbuf_free(m);
        *mbuf = m = large;
        if (apply(worker, m, &edited) != SIP_OK)
            return DROP_EDIT_ROOM;
    }
    m->data_off = (uint16_t)(m->data_off + edited.start);
    m->data_len = (uint16_t)edited.len;
    m->pkt_len = edited.len;
    return DROP_NONE;
}
