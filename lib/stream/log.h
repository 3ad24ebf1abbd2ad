// log: what the room tells the operator, under the log type "strowger.stream". Start-up and configuration only: what a
// peer does is counted.
#ifndef STREAM_LOG_H
#define STREAM_LOG_H

#include <rte_log.h>

extern int stream_logtype;

#define STREAM_LOG(level, format, ...) \
    rte_log(RTE_LOG_##level, stream_logtype, "strowger: " format "\n", ##__VA_ARGS__)

#endif
