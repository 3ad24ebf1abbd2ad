#include "stream/log.h"
#include "stream/stream.h"

RTE_LOG_REGISTER(stream_logtype, strowger.stream, INFO);

static const char *const names[STREAM_ENDS] = {
    [STREAM_END_PEER] = "peer",
    [STREAM_END_IDLE] = "idle",
    [STREAM_END_STOPPING] = "stopping",
    [STREAM_END_RESET] = "reset",
    [STREAM_END_CROWDED] = "crowded",
    [STREAM_END_CROWDED_SOURCE] = "crowded_source",
    [STREAM_END_PROXY_HEADER] = "proxy_header",
    [STREAM_END_HANDSHAKE] = "handshake",
    [STREAM_END_CERTIFICATE] = "certificate",
    [STREAM_END_UPGRADE] = "upgrade",
    [STREAM_END_HANDSHAKE_SLOW] = "handshake_slow",
    [STREAM_END_FRAME] = "frame",
    [STREAM_END_NO_SIP] = "no_sip",
    [STREAM_END_NO_LENGTH] = "no_length",
    [STREAM_END_TOO_LARGE] = "too_large",
    [STREAM_END_MESSAGE_SLOW] = "message_slow",
    [STREAM_END_READER_SLOW] = "reader_slow",
    [STREAM_END_REFUSED] = "refused",
    [STREAM_END_UNREACHABLE] = "unreachable",
};

const char *stream_end_name(enum stream_end end)
{
    return names[end];
}
