// streams: what ties connections (lib/stream) to workers.
//
// A message that came whole is put into a worker's inject ring unsteered, so that whoever takes it finds its worker; all
// of one connection take the same way and keep their order. What workers send comes by the punt rings (PACKET_STREAM).
// Certificates are read when the server starts and with each reload.
//
// Owned by control; main lcore.
#ifndef CONTROL_STREAMS_H
#define CONTROL_STREAMS_H

#include "stream/stream.h"

struct control;

// Listens where the configuration says so; control->streams stays NULL where it has no such listener. 0, or -errno after
// lines in the log.
int control_streams_open(struct control *control);

// Everything is closed; what waited is with the workers. Without streams nothing happens.
void control_streams_close(struct control *control);

// Another configuration is in force, and `tls` was made of it. Nothing reads the one before any more.
void control_streams_renew(struct control *control, const struct conf *conf, struct stream_tls *tls);

// A message of worker `worker` that was punted; takes the mbuf.
void control_streams_send(struct control *control, struct rte_mbuf *mbuf, uint16_t worker);

// Once a turn. True: there was something to do.
bool control_streams_turn(struct control *control);

#endif
