#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream/address.h"
#include "stream/parts.h"
#include "stream/socket.h"

static enum stream_end end_of(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return STREAM_END_REFUSED;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRNOTAVAIL: // no port is left
        return STREAM_END_CROWDED;
    default:
        return STREAM_END_UNREACHABLE;
    }
}

// A socket that is on its way there, or -errno.
static int set_out(const struct stream *stream, const struct endpoint *to, uint8_t listener)
{
    union socket_address name;
    socklen_t len = stream_socket_address_of(to, &name);
    int fd = stream_socket_open(stream, listener, true);

    if (fd < 0 || connect(fd, &name.any, len) == 0 || errno == EINPROGRESS)
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

struct connection *stream_connect_begin(struct stream *stream, const struct endpoint *to, uint8_t listener,
                                        const char *expected)
{
    int fd = set_out(stream, to, listener);

    if (fd < 0) {
        stream->counters.ends[end_of(-fd)]++;
        return NULL;
    }
    struct connection *connection = stream_connection_create(stream, fd, to, listener, true);
    if (connection == NULL)
        return NULL;
    connection->state = CONNECTION_CONNECTING;
    connection->expected = expected != NULL ? strdup(expected) : NULL;
    if (!stream_table_put(&stream->table, connection) || (expected != NULL && connection->expected == NULL)) {
        stream_connection_settle(connection, STREAM_END_CROWDED);
        return NULL;
    }
    return connection;
}

int stream_connect_go_on(struct connection *connection)
{
    socklen_t len = sizeof(int);
    int error = 0;

    if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    return error == 0 ? stream_connection_advance(connection) : (int)end_of(error);
}
