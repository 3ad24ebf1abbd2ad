// upgrade: the HTTP request that a WebSocket begins with (RFC 6455 4.2, RFC 7118 4), and its answer.
//
// Pure: bytes in, an answer out. HTTP's header lines are SIP's (RFC 9112 5, RFC 3261 7.3.1), so the same index reads
// them.
#ifndef STREAM_UPGRADE_H
#define STREAM_UPGRADE_H

#include <stdbool.h>

#include "sip/message.h"

#define UPGRADE_MAX        8192 // bytes of a request
#define UPGRADE_ANSWER_MAX 256  // bytes

// Reads a whole head of at most UPGRADE_MAX bytes, and writes what is said to it. True: 101, what follows are frames;
// false: it was refused. `message` is room for the index. `*answer_len` is set.
bool stream_upgrade(struct sip_message *message, struct slice head, char answer[UPGRADE_ANSWER_MAX],
                    unsigned *answer_len);

#endif
