// json: JSON (RFC 8259) as it is written, into bounded memory, without a tree.
//
// One writer fills one piece of memory that the caller gives; commas are put where they belong. What does not fit is
// left out and `full` says so. Pure: any thread.
#ifndef CONTROL_JSON_H
#define CONTROL_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/slice.h"

// Bytes that one of a text may become, quotes apart: a control character as backslash, u and four digits.
#define CONTROL_JSON_ESCAPED_MAX 6

struct control_json {
    char *start, *at, *end;
    bool full; // something did not fit: what is there is no JSON
};

static inline void control_json_begin(struct control_json *json, char *room, size_t bytes)
{
    *json = (struct control_json){room, room, room + bytes, false};
}

static inline struct slice control_json_slice(const struct control_json *json)
{
    return slice_of(json->start, (size_t)(json->at - json->start));
}

// `key` NULL: an element of an array, or the whole. A key is a word of this program's and written as it is.
void control_json_open(struct control_json *json, const char *key, char bracket); // '{' or '['
void control_json_close(struct control_json *json, char bracket);                 // '}' or ']'
// A byte that is no UTF-8 becomes U+FFFD.
void control_json_text(struct control_json *json, const char *key, struct slice text);
void control_json_number(struct control_json *json, const char *key, uint64_t number);
void control_json_bool(struct control_json *json, const char *key, bool value);
void control_json_null(struct control_json *json, const char *key);
// "192.0.2.1:5060", or null where it is none.
void control_json_endpoint(struct control_json *json, const char *key, const struct endpoint *endpoint);

#endif
