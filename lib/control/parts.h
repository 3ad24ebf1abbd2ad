// parts: what control consists of, made one after another and tied together.
//
// Internal to the room: loop.c runs what parts.c makes. Main lcore.
#ifndef CONTROL_PARTS_H
#define CONTROL_PARTS_H

#include "control/loop.h"

// Everything in struct control behind the event base. 0 or -errno, and then nothing is left.
int control_parts_make(struct control *control);
void control_parts_unmake(struct control *control);

// The workers' clocks go as fast as the kernel's, and say its time of day. Now and then.
void control_tune_clocks(struct control *control);

// Counts a packet that was in control's hands, and frees it. `owner` is a struct control.
void control_drop(void *owner, struct rte_mbuf *mbuf, enum drop reason);

// Gives a packet with its errand to a worker.
void control_inject(struct control *control, struct rte_mbuf *mbuf, struct worker *worker);

// Tells the owner of an address of record that watchers may have to be told something else (service_touch). `owner` is
// a struct control. False: no buffer is free, or there is no room in its ring.
bool control_touch(void *owner, struct slice aor);

#endif
