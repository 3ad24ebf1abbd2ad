// datapath: the poll loop of a worker.
//
// A worker runs to completion: a burst goes from rx to tx on one lcore with at most one hand-over. Nothing here
// locks, allocates, logs or makes a syscall. The stages are in stage.h.
#ifndef DATAPATH_DATAPATH_H
#define DATAPATH_DATAPATH_H

#include "worker/outlet.h"
#include "worker/worker.h"

// The lcore function: turns until worker->stop, then drains its rings and returns 0. `worker` is a struct worker.
int datapath_run(void *worker);

// One turn of the loop: every queue and ring once. Returns the packets that came in. For tests and benches, which
// drive a worker by hand; the caller's thread must be registered in qsbr as the worker's id.
unsigned datapath_turn(struct worker *worker);

// Stops being a worker: sends what waits for tx, frees what is in the rings as DROP_STOPPING. datapath_run does it
// at its end.
void datapath_drain(struct worker *worker);

// How this worker's roles keep and send messages: mbufs of its pools. Their sendings leave at the end of the burst or
// the turn.
struct outlet datapath_outlet(struct worker *worker);

// Which UDP listener an address and port is, as a table that classify probes. Built by control at start, shared by all
// workers, read-only afterwards.
#define DATAPATH_LISTENER_SLOTS 256
void datapath_listeners_build(const struct conf *conf, uint8_t table[DATAPATH_LISTENER_SLOTS]);

#endif
