// telemetry: the counters and tables, under /strowger/… of DPDK's telemetry socket.
//
// Read-only snapshots, taken on DPDK's telemetry thread from plain stores of others: each number is right, the numbers
// of one answer may be of slightly different moments. Read them with the stock dpdk-telemetry.py.
//
//   /strowger/workers[,ID]      lcore, cycles, ring high-water marks, hand-overs
//   /strowger/ports             frames and bytes, by name; what went to the twin and came from it
//   /strowger/buffers           pools: size and what is free
//   /strowger/drops[,REASON]    counts by reason; with a reason its explanation
//   /strowger/messages[,ID]     by method and by status class, of all workers or one
//   /strowger/parse             malformed messages by what was wrong with them
//   /strowger/location[,ID]     fill of each shard
//   /strowger/transactions[,ID] of each worker: records, branches, messages kept, what was sent beside the one in hand
//   /strowger/calls[,ID]        of each worker: calls followed; lines of accounting
//   /strowger/names             the table of names, the DNS, messages that wait for a name
//   /strowger/gateways[,WHICH]  each gateway: health, since when, share, calls, probes; WHICH: a name, or the number to
//                               start from, as in `next`
//   /strowger/store             state, batches written, registrations that wait or were refused, keys and bytes
//   /strowger/presence[,WORKER] what is published and watched, and what became of PUBLISH and SUBSCRIBE
//   /strowger/streams           connections, messages and handshakes, by transport; why connections ended
//   /strowger/numbers           the number table: prefixes, bytes
//   /strowger/stages[,ID]       cycles per message by stage, as histograms
//   /strowger/hops[,START]      next hops; `next` is the START of the next page, absent on the last
//   /strowger/conf[,START]      the effective configuration, by line
//   /strowger/control           the main lcore's own counters
//
// DPDK 22.11 gives its callbacks no argument and cannot unregister them. So here is the one writable global of the
// program: the control that is served, behind a lock of which workers know nothing.
#ifndef CONTROL_TELEMETRY_H
#define CONTROL_TELEMETRY_H

struct control;

// From now on the commands speak of this control; before, and after close, they answer null. Main lcore.
void control_telemetry_open(const struct control *control);
// Between these two no answer is being made: what answers read may be replaced.
void control_telemetry_pause(void);
void control_telemetry_resume(void);
// Returns when no answer is being made any more.
void control_telemetry_close(void);

#endif
