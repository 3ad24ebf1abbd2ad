// presence_traffic: both ends of presence around a server on the rig: phones that publish, watchers that answer.
//
// Every PUBLISH says something new, in documents of 400 to 600 bytes of several kinds, under the tag that the last
// answer gave; every NOTIFY that is taken is compared with what its user published last. All that is kept here is kept
// outside of measurements. One thread.
#ifndef BENCH_PRESENCE_TRAFFIC_H
#define BENCH_PRESENCE_TRAFFIC_H

#include "rig/rig.h"

#define TRAFFIC_MESSAGE_MAX 2048
#define TRAFFIC_WAITING_MAX 4096

struct traffic_user {
    uint64_t tag;  // of what is published; 0: nothing
    uint32_t said; // what the last document says that no other does; 0: nothing
    uint32_t cseq;
    bool busy; // a PUBLISH is under way
};

struct traffic_message {
    struct endpoint source;
    uint16_t len;
    char text[TRAFFIC_MESSAGE_MAX];
};

struct traffic {
    struct rig *rig;
    struct traffic_user *user; // "user0" to "user<users - 1>"
    uint32_t users;
    uint64_t random;
    uint32_t said;
    uint64_t answered, notified;     // PUBLISHes and SUBSCRIBEs; NOTIFYs
    struct traffic_message *waiting; // answers to NOTIFYs, [TRAFFIC_WAITING_MAX]
    unsigned waiting_n;
};

// 0, or -ENOMEM.
int traffic_open(struct traffic *traffic, struct rig *rig, uint32_t users);
void traffic_close(struct traffic *traffic);

// A PUBLISH of a random user for whom none is under way. `mixed`: some end their publication, and begin another when
// they are drawn again; else all say something. At most half of all users at a time.
void traffic_publish(struct traffic *traffic, bool mixed);
void traffic_publish_of(struct traffic *traffic, uint32_t user);

// A subscription of its own to the user.
void traffic_subscribe(struct traffic *traffic, uint32_t user, uint32_t watcher);

// The answers that wait go into the receive ring. Returns how many.
unsigned traffic_answer(struct traffic *traffic);

// Takes what left the server and lets the ends react. Exits when anything is not as it should be.
void traffic_drain(struct traffic *traffic);

#endif
