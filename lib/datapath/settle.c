// Answers that waited for the disk, and those of which it turned out that they would be untrue.
//
// Drops: EDIT_ROOM.
#include <rte_prefetch.h>

#include "datapath/stage.h"
#include "presence/durable.h"
#include "registrar/durable.h"
#include "role/role.h"
#include "store/store.h"

static bool is_of_presence(const struct journal_record *record)
{
    return record->kind == STORE_PUBLICATIONS || record->kind == STORE_SUBSCRIPTIONS;
}

// The answer to a record that did not get to the disk says so. NULL: there is none, or none any more.
static struct rte_mbuf *refuse(struct worker *worker, const struct journal_record *record)
{
    struct rte_mbuf *mbuf = record->answer;

    if (mbuf == NULL)
        return NULL;
    struct packet *packet = packet_of(mbuf);
    packet->frame.payload = 0; // it has no headers in front
    sip_edits_clear(worker->edits);
    if (sip_message_parse(&packet->message, rte_pktmbuf_mtod(mbuf, char *), mbuf->data_len) != SIP_OK) {
        worker_drop(worker, mbuf, DROP_EDIT_ROOM);
        return NULL;
    }
    if (is_of_presence(record))
        presence_durable_refuse(worker->role, &packet->message, worker->edits);
    else
        registrar_durable_refuse(worker->role, &packet->message, worker->edits);
    enum drop drop = datapath_rewrite(worker, &mbuf);
    if (drop != DROP_NONE) {
        worker_drop(worker, mbuf, drop);
        return NULL;
    }
    return mbuf;
}

static struct rte_mbuf *settle(struct worker *worker, struct journal_record *record)
{
    bool written = record->outcome == JOURNAL_WRITTEN;
    struct rte_mbuf *mbuf = written ? record->answer : refuse(worker, record);

    if (is_of_presence(record))
        presence_durable_settled(worker->role, record, &worker->now);
    else
        registrar_durable_settled(worker->role, record, &worker->now);

    journal_free(worker->journal, record);
    if (mbuf == NULL)
        return NULL;
    worker->counters.replies[written ? 2 : 5]++;
    rte_prefetch0(packet_of(mbuf));
    rte_prefetch0(rte_pktmbuf_mtod(mbuf, char *));
    return mbuf;
}

unsigned datapath_settle(struct worker *worker)
{
    struct journal_record *record;
    unsigned settled = 0;

    if (worker->journal == NULL)
        return 0;
    for (unsigned bursts = 0; bursts < DATAPATH_SETTLE_BURSTS; bursts++) {
        struct burst answers = {.n = 0};
        for (unsigned i = 0; i < WORKER_BURST && (record = journal_settled(worker->journal)) != NULL; i++) {
            struct rte_mbuf *mbuf = settle(worker, record);
            settled++;
            if (mbuf != NULL)
                answers.mbuf[answers.n++] = mbuf;
        }
        datapath_encap(worker, &answers);
    }
    return settled;
}
