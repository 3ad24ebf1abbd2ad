#include "stream/output.h"
#include "stream/secure.h"

// Whether what is sent now reaches the peer, or waits until it does.
static bool takes_messages(const struct connection *connection)
{
    return connection->state == CONNECTION_OPEN ||
           (connection->outgoing &&
            (connection->state == CONNECTION_CONNECTING || connection->state == CONNECTION_HANDSHAKE));
}

// Whether the connection leads to who is meant, and not only to where he should be: over TLS he must have proved it
// (RFC 5923 9.3), or must before anything is said. `expected` NULL: nobody in particular is meant, but who is there
// himself. An answer goes to who asked from there, and who asks need prove nothing (RFC 3261 18.2.2).
static bool leads_to(const struct connection *connection, const struct endpoint *to, const char *expected,
                     bool answers)
{
    bool itself = connection->peer.port == to->port; // and not by alias

    if (expected == NULL || (itself && answers && !connection->outgoing))
        return itself;
    if (connection->outgoing)
        return connection->expected != NULL && strcmp(connection->expected, expected) == 0;
    return stream_tls_proves(connection, slice_text(expected));
}

static struct connection *find_any(const struct stream *stream, const struct endpoint *to, uint8_t listener,
                                   const char *expected, bool answers)
{
    struct connection *found = stream_table_next(&stream->table, to, listener, NULL);

    while (found != NULL && (!takes_messages(found) || !leads_to(found, to, expected, answers)))
        found = stream_table_next(&stream->table, to, listener, found);
    return found;
}

// The name that the peer must prove, as connection->expected has it; NULL: none.
static const char *expected_of(const struct stream *stream, const struct endpoint *to,
                               const struct rte_mbuf *mbuf, char name[256])
{
    if (to->transport != ENDPOINT_TLS || !stream->conf->tls_verify_servers)
        return NULL;
    if (!stream->setup.expect(stream->setup.owner, to, mbuf, name))
        name[endpoint_write_host(to, name)] = 0;
    return name;
}

static bool is_answer(const struct rte_mbuf *mbuf)
{
    return slice_starts(slice_of(rte_pktmbuf_mtod(mbuf, const char *), mbuf->data_len), SLICE("SIP/2.0 "));
}

// NULL: there is none, and none can be made.
static struct connection *way_to(struct stream *stream, const struct rte_mbuf *mbuf,
                                 const struct endpoint *to, uint8_t listener)
{
    char name[256];

    if (listener >= stream->sockets_n || stream->conf->listeners[listener].transport != to->transport)
        return NULL;
    if (to->flow != 0) {
        struct connection *connection = stream_table_find(&stream->table, to, listener);
        return connection != NULL && takes_messages(connection) ? connection : NULL;
    }
    // Nobody listens for WebSockets but servers (RFC 7118 5.4).
    bool connects = to->transport == ENDPOINT_TCP || to->transport == ENDPOINT_TLS, answers = is_answer(mbuf);
    if (stream->conf->listeners[listener].address.family != to->family || to->port == 0 ||
        (!connects && !answers))
        return NULL;
    const char *expected = expected_of(stream, to, mbuf, name);
    struct connection *connection = find_any(stream, to, listener, expected, answers);
    return connection != NULL || !connects ? connection
                                           : stream_connect_begin(stream, to, listener, expected);
}

void stream_send(struct stream *stream, struct rte_mbuf *mbuf, uint16_t worker, uint64_t now_ms)
{
    const struct packet *packet = packet_of(mbuf);
    struct endpoint to = packet->to;
    bool taken = false;

    if (now_ms > stream->now_ms)
        stream->now_ms = now_ms;
    struct connection *connection = way_to(stream, mbuf, &to, packet->listener);
    if (connection != NULL)
        stream_connection_settle(connection, stream_output_message(connection, mbuf, worker, &taken));
    if (!taken)
        stream_unsent(stream, mbuf, worker);
}
