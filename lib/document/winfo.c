#include "document/winfo.h"

#include "document/text.h"

void document_winfo_begin(struct document_text *text, uint32_t version, bool full, struct slice resource,
                          struct slice package)
{
    document_text_declaration(text);
    document_text_literal(text, "<watcherinfo xmlns=\"urn:ietf:params:xml:ns:watcherinfo\"");
    document_text_count(text, SLICE("version"), version);
    document_text_attribute(text, SLICE("state"), full ? SLICE("full") : SLICE("partial"));
    document_text_literal(text, "><watcher-list");
    document_text_attribute(text, SLICE("resource"), resource);
    document_text_attribute(text, SLICE("package"), package);
    document_text_literal(text, ">");
}

void document_winfo_watcher(struct document_text *text, const struct document_watcher *watcher)
{
    static const struct slice states[] = {
        [DOCUMENT_WATCHER_PENDING] = SLICE("pending"),
        [DOCUMENT_WATCHER_ACTIVE] = SLICE("active"),
        [DOCUMENT_WATCHER_WAITING] = SLICE("waiting"),
        [DOCUMENT_WATCHER_TERMINATED] = SLICE("terminated"),
    };
    static const struct slice events[] = {
        [DOCUMENT_WATCHER_SUBSCRIBE] = SLICE("subscribe"),
        [DOCUMENT_WATCHER_APPROVED] = SLICE("approved"),
        [DOCUMENT_WATCHER_DEACTIVATED] = SLICE("deactivated"),
        [DOCUMENT_WATCHER_PROBATION] = SLICE("probation"),
        [DOCUMENT_WATCHER_REJECTED] = SLICE("rejected"),
        [DOCUMENT_WATCHER_TIMEOUT] = SLICE("timeout"),
        [DOCUMENT_WATCHER_GIVEUP] = SLICE("giveup"),
        [DOCUMENT_WATCHER_NORESOURCE] = SLICE("noresource"),
    };

    document_text_literal(text, "<watcher");
    document_text_attribute(text, SLICE("id"), watcher->id);
    document_text_attribute(text, SLICE("status"), states[watcher->status]);
    document_text_attribute(text, SLICE("event"), events[watcher->event]);
    if (watcher->display_name.len > 0)
        document_text_attribute(text, SLICE("display-name"), watcher->display_name);
    if (watcher->expiration_s >= 0)
        document_text_count(text, SLICE("expiration"), (uint64_t)watcher->expiration_s);
    if (watcher->subscribed_s >= 0)
        document_text_count(text, SLICE("duration-subscribed"), (uint64_t)watcher->subscribed_s);
    document_text_literal(text, ">");
    document_text_escape(text, watcher->uri);
    document_text_literal(text, "</watcher>");
}

void document_winfo_end(struct document_text *text)
{
    document_text_literal(text, "</watcher-list></watcherinfo>\n");
}
