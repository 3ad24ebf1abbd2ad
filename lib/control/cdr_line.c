#include "control/cdr_line.h"

#include <stdio.h>
#include <time.h>

#include "control/json.h"

_Static_assert((CALL_TEXT_MAX + 2 * CONTROL_CDR_NAME_MAX) * CONTROL_JSON_ESCAPED_MAX + 1024 <
                   CONTROL_CDR_LINE_MAX,
               "the longest line fits");

static void put_name(struct control_json *json, const char *key, const char *name)
{
    if (name == NULL)
        control_json_null(json, key);
    else
        control_json_text(json, key, slice_of(name, strnlen(name, CONTROL_CDR_NAME_MAX)));
}

// RFC 3339, with milliseconds.
static void put_time(struct control_json *json, const char *key, uint64_t unix_ms)
{
    time_t seconds = (time_t)(unix_ms / 1000);
    char text[48];
    struct tm tm;

    if (unix_ms == 0 || gmtime_r(&seconds, &tm) == NULL) {
        control_json_null(json, key);
        return;
    }
    size_t len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + len, sizeof(text) - len, ".%03uZ", (unsigned)(unix_ms % 1000));
    control_json_text(json, key, slice_text(text));
}

static struct slice reason_of(uint8_t end)
{
    switch (end) {
    case CALL_COMPLETED:
        return SLICE("completed");
    case CALL_FAILED:
        return SLICE("failed");
    case CALL_CANCELLED:
        return SLICE("cancelled");
    case CALL_TIMEOUT:
        return SLICE("timeout");
    case CALL_STOPPED:
        return SLICE("stopped");
    default:
        return SLICE("lost");
    }
}

static uint64_t duration(const struct call *call)
{
    // The wall clock may have been set back.
    return call->answer_ms != 0 && call->end_ms > call->answer_ms ? call->end_ms - call->answer_ms : 0;
}

unsigned control_cdr_line(const struct call *call, const char *gateway, const char *route,
                          char line[CONTROL_CDR_LINE_MAX])
{
    struct control_json json;

    control_json_begin(&json, line, CONTROL_CDR_LINE_MAX - 1);
    control_json_open(&json, NULL, '{');
    put_time(&json, "start", call->start_ms);
    put_time(&json, "answer", call->answer_ms);
    put_time(&json, "end", call->end_ms);
    control_json_number(&json, "duration_ms", duration(call));
    control_json_number(&json, "code", call->code);
    control_json_text(&json, "reason", reason_of(call->end));
    control_json_text(&json, "call_id", call_text(call, CALL_CALL_ID));
    control_json_text(&json, "from", call_text(call, CALL_FROM));
    control_json_text(&json, "to", call_text(call, CALL_TO));
    control_json_text(&json, "uri", call_text(call, CALL_URI));
    control_json_endpoint(&json, "source", &call->source);
    control_json_endpoint(&json, "next_hop", &call->hop);
    put_name(&json, "gateway", gateway);
    put_name(&json, "route", route);
    control_json_number(&json, "tries", call->tries);
    control_json_close(&json, '}');
    *json.at++ = '\n';
    return (unsigned)(json.at - line);
}
