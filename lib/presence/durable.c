#include "presence/durable.h"

#include <errno.h>

#include "document/winfo.h"
#include "presence/list.h"
#include "presence/stored.h"
#include "store/store.h"

static bool promises(const struct role *role)
{
    return role->conf->durability == CONF_DURABILITY_COMMIT;
}

bool presence_durable_ready(struct role_request *request)
{
    const struct role *role = request->role;

    if (role->journal == NULL || role->conf->durability == CONF_DURABILITY_NONE ||
        journal_ready(role->journal, true))
        return true;
    role->journal->refused++;
    presence_refuse_later(request, "Events Cannot Be Stored Now");
    return false;
}

// False: the store lags behind, which it may where nothing is promised.
static bool has_room(struct role *role)
{
    if (role->journal == NULL)
        return false;
    if (journal_ready(role->journal, false))
        return true;
    role->journal->skipped++;
    return false;
}

// With an answer that waits for it, or without.
static bool publish(struct role *role, struct verdict *verdict)
{
    if (verdict != NULL && promises(role)) {
        verdict->waits = true;
        return true;
    }
    journal_publish(role->journal, NULL);
    return false;
}

void presence_durable_wait(struct role_request *request, enum store_kind kind)
{
    struct journal *journal = request->role->journal;

    if (journal == NULL || !promises(request->role) || journal_idle(journal))
        return;
    journal_stage(journal, (uint8_t)kind, (struct slice){"", 0}, 0);
    request->verdict->waits = true;
}

bool presence_durable_publication(struct role *role, struct verdict *verdict,
                                  const struct subscription_publication *publication, uint32_t before,
                                  bool removed, const struct clock *now)
{
    struct subscription_table *table = role->presence->table;
    struct subscription_presentity *presentity = subscription_presentity_at(table, publication->presentity);
    const struct subscription_body *body = subscription_body(table, publication->body);
    char key[PRESENCE_KEY_MAX];

    if (presentity == NULL || body == NULL || !has_room(role))
        return false;
    unsigned len = presence_stored_publication_key(presentity->package, publication->source,
                                                   subscription_presentity_owner(table, presentity), key);
    const struct presence_stored_publication stored = {
        .tag = publication->tag,
        .expires_ms = publication->expires_ms,
        .order = publication->order,
        .type = (uint8_t)body->type,
        .body = slice_of(body->bytes, body->len),
    };
    // What the disk has comes back in the same place, and is mostly what is replaced here.
    struct journal_record *record =
        journal_stage(role->journal, STORE_PUBLICATIONS, slice_of(key, len),
                      PRESENCE_PUBLICATION_HEAD + (before > body->len ? before : body->len));
    if (!removed)
        record->value_len = presence_stored_publication_write(now, &stored, journal_value(record));
    // Watchers must not hear of what a crash may undo.
    if (promises(role))
        subscription_presentity_hold(presentity);
    return publish(role, verdict);
}

bool presence_durable_subscription(struct role *role, struct verdict *verdict,
                                   struct subscription *subscription, const struct endpoint *source,
                                   const struct clock *now)
{
    char key[PRESENCE_SUBSCRIPTION_KEY];

    if (!has_room(role))
        return false;
    presence_stored_subscription_key(subscription->check, key);
    struct journal_record *record = journal_stage(role->journal, STORE_SUBSCRIPTIONS,
                                                  slice_of(key, sizeof(key)), PRESENCE_SUBSCRIPTION_MAX);
    subscription->mark[PRESENCE_MARK_FLAGS] |= PRESENCE_STORED;
    record->value_len = presence_stored_subscription_write(role->conf, now, role->presence->table,
                                                           subscription, source, journal_value(record));
    return publish(role, verdict);
}

bool presence_durable_forget(struct role *role, struct verdict *verdict, struct subscription *subscription)
{
    char key[PRESENCE_SUBSCRIPTION_KEY];

    if (!(subscription->mark[PRESENCE_MARK_FLAGS] & PRESENCE_STORED) || !has_room(role))
        return false;
    subscription->mark[PRESENCE_MARK_FLAGS] &= (uint8_t)~PRESENCE_STORED;
    presence_stored_subscription_key(subscription->check, key);
    journal_stage(role->journal, STORE_SUBSCRIPTIONS, slice_of(key, sizeof(key)), PRESENCE_SUBSCRIPTION_MAX);
    return publish(role, verdict);
}

static struct subscription_publication *publication_numbered(struct subscription_table *table,
                                                             const struct subscription_presentity *presentity,
                                                             uint32_t number)
{
    struct subscription_publication *publication = NULL;

    while ((publication = subscription_publication_next(table, presentity, publication)) != NULL) {
        if (publication->source == number)
            return publication;
    }
    return NULL;
}

uint32_t presence_durable_number(struct subscription_table *table,
                                 const struct subscription_presentity *presentity, uint64_t tag)
{
    uint32_t number = (uint32_t)tag;

    while (publication_numbered(table, presentity, number) != NULL)
        number++;
    return number;
}

// A block is read where it is aligned, and before it is believed.
static bool body_is_good(struct presence *presence, const struct presence_stored_publication *stored)
{
    enum document_kind kind = stored->type == PRESENCE_TYPE_DIALOG ? DOCUMENT_DIALOG : DOCUMENT_PIDF;

    if (stored->type == PRESENCE_TYPE_SUMMARY)
        return true;
    if ((stored->type != PRESENCE_TYPE_PIDF && stored->type != PRESENCE_TYPE_DIALOG) ||
        stored->body.len > sizeof(presence->block))
        return false;
    memcpy(presence->block, stored->body.at, stored->body.len);
    return document_block_check(presence->block, stored->body.len, kind);
}

// What the disk has becomes what the table has.
static int put_publication(struct presence *presence, struct hash128 aor_key, uint8_t package,
                           uint32_t number, struct slice aor,
                           const struct presence_stored_publication *stored, const struct clock *now)
{
    struct subscription_table *table = presence->table;
    struct subscription_presentity *presentity =
        subscription_presentity_open(table, role_presentity_key(aor_key, package), aor, package, now->unix_s);
    struct subscription_publication *publication =
        presentity != NULL ? publication_numbered(table, presentity, number) : NULL;

    if (presentity == NULL)
        return -ENOSPC;
    if (publication != NULL) {
        int error = subscription_publication_change(table, publication, stored->tag, stored->type,
                                                    &stored->body, stored->expires_ms);
        if (error != 0)
            return error;
    } else {
        publication = subscription_publish(table, presentity, stored->tag, stored->type, stored->body,
                                           stored->expires_ms);
        if (publication == NULL)
            return -ENOSPC;
        publication->source = number;
    }
    if (stored->order != 0)
        subscription_publication_place(table, publication, stored->order);
    return 0;
}

static bool undo_publication(struct role *role, const struct journal_record *record, struct slice key,
                             struct slice value, const struct clock *now)
{
    struct presence *presence = role->presence;
    struct presence_stored_publication stored;
    uint8_t package;
    uint32_t number;
    struct slice aor;

    if (record->outcome != JOURNAL_REFUSED ||
        !presence_stored_publication_key_read(key, &package, &number, &aor))
        return false;
    struct hash128 aor_key = location_key(role->location, aor);
    if (value.len > 0 && !presence_stored_publication_read(now, value, &stored))
        return false;
    if (value.len > 0 && stored.expires_ms > 0)
        return body_is_good(presence, &stored) &&
               put_publication(presence, aor_key, package, number, aor, &stored, now) == 0;
    // The disk has none, or one that is dead, whose removal it refuses to no end.
    struct subscription_presentity *presentity =
        subscription_presentity_find(presence->table, role_presentity_key(aor_key, package));
    struct subscription_publication *publication =
        presentity == NULL ? NULL : publication_numbered(presence->table, presentity, number);
    if (publication != NULL)
        subscription_publication_close(presence->table, publication);
    return true;
}

// One that nobody was promised goes; one that was prolonged, or taken back, is as the disk has it.
static bool undo_subscription(struct role *role, const struct journal_record *record, struct slice key,
                              struct slice value, struct subscription *subscription, const struct clock *now)
{
    struct presence_stored_subscription stored;

    if (record->outcome != JOURNAL_REFUSED)
        return false;
    if (subscription == NULL)
        return true;
    if (value.len == 0) {
        subscription_close(role->presence->table, subscription);
        return true;
    }
    if (!presence_stored_subscription_read(role->conf, now, key, value, &stored))
        return false;
    uint8_t *flags = &subscription->mark[PRESENCE_MARK_FLAGS];
    *flags = (uint8_t)((*flags & ~PRESENCE_ASKS) | PRESENCE_STORED);
    subscription->held = false;
    subscription_refresh(role->presence->table, subscription, stored.opening.expires_ms, now->ms);
    subscription->to = stored.opening.to;
    subscription->listener = stored.opening.listener;
    return subscription_text_put(role->presence->table, subscription, SUBSCRIPTION_TARGET,
                                 stored.opening.text[SUBSCRIPTION_TARGET]) == 0;
}

// Its outcome is known, and in the table: watchers may hear of it.
static void release(struct role *role, struct slice key)
{
    uint8_t package;
    uint32_t number;
    struct slice aor;

    if (promises(role) && presence_stored_publication_key_read(key, &package, &number, &aor))
        subscription_presentity_release(role->presence->table,
                                        role_presentity_key(location_key(role->location, aor), package));
}

void presence_durable_settled(struct role *role, struct journal_record *record, const struct clock *now)
{
    struct presence *presence = role->presence;
    struct slice key = slice_of(record->text, record->key_len);
    struct slice value = slice_of(journal_value(record), record->value_len);
    struct subscription *subscription = NULL;
    bool good = true;

    if (presence == NULL || key.len == 0)
        return;
    if (record->kind == STORE_SUBSCRIPTIONS)
        subscription = subscription_find(presence->table, presence_stored_subscription_check(key));
    if (record->outcome != JOURNAL_WRITTEN) {
        good = record->kind == STORE_SUBSCRIPTIONS
                   ? undo_subscription(role, record, key, value, subscription, now)
                   : undo_publication(role, record, key, value, now);
        *(good ? &role->journal->restored : &role->journal->lost) += 1;
    } else if (subscription != NULL && (subscription->mark[PRESENCE_MARK_FLAGS] & PRESENCE_ASKS)) {
        subscription->mark[PRESENCE_MARK_FLAGS] &= (uint8_t)~PRESENCE_ASKS;
        presence_ask_soon(role, subscription, now);
    }
    if (record->kind == STORE_PUBLICATIONS)
        release(role, key);
}

void presence_durable_refuse(struct role *role, const struct sip_message *answer, struct sip_edits *edits)
{
    static const uint64_t success = UINT64_C(1) << SIP_HEADER_CONTACT | UINT64_C(1) << SIP_HEADER_EXPIRES |
                                    UINT64_C(1) << SIP_HEADER_SIP_ETAG | UINT64_C(1) << SIP_HEADER_REQUIRE;

    role_answer_withdraw(answer, SLICE("SIP/2.0 503 Events Not Stored\r\n"), role->conf->retry_after, success,
                         edits);
}

static int restore_publication(struct presence *const *all, const struct location *location,
                               const struct clock *now, struct slice key, struct slice value)
{
    struct presence_stored_publication stored;
    uint8_t package;
    uint32_t number;
    struct slice aor;

    if (!presence_stored_publication_key_read(key, &package, &number, &aor) ||
        !presence_stored_publication_read(now, value, &stored))
        return -EPROTO;
    if (stored.expires_ms == 0)
        return 1;
    struct hash128 aor_key = location_key(location, aor);
    struct presence *owner = all[location_owner(location, aor_key)];
    if (!body_is_good(owner, &stored))
        return -EPROTO;
    return put_publication(owner, aor_key, package, number, aor, &stored, now);
}

static int restore_subscription(struct presence *const *all, const struct location *location,
                                const struct conf *conf, const struct clock *now, struct slice key,
                                struct slice value)
{
    struct presence_stored_subscription stored;
    struct subscription *subscription;

    if (!presence_stored_subscription_read(conf, now, key, value, &stored))
        return -EPROTO;
    if (stored.opening.expires_ms == 0)
        return 1;
    struct hash128 aor_key = location_key(location, stored.aor);
    struct subscription_table *table = all[location_owner(location, aor_key)]->table;
    struct hash128 key_of = stored.flags & PRESENCE_LIST
                                ? presence_list_key(aor_key, stored.package, stored.opening.check)
                                : role_presentity_key(aor_key, stored.package);
    struct subscription_presentity *presentity =
        subscription_presentity_open(table, key_of, stored.aor, stored.package, now->unix_s);
    if (presentity == NULL)
        return -ENOSPC;
    uint64_t most_ms = now->ms + conf->presence_expires_max * UINT64_C(1000);
    if (stored.opening.expires_ms > most_ms) // by a clock that has been set back
        stored.opening.expires_ms = most_ms;
    stored.opening.local_cseq = presence_cseq_after(stored.opening.local_cseq, now->unix_s);
    endpoint_flow_end(&stored.opening.to);
    if (subscription_open(table, presentity, &stored.opening, now->ms, &subscription) != 0)
        return -ENOSPC;
    subscription->mark[PRESENCE_MARK_FLAGS] = stored.flags & PRESENCE_FLAGS_STORED;
    subscription->mark[PRESENCE_MARK_EVENT] = DOCUMENT_WATCHER_SUBSCRIBE;
    subscription->own[PRESENCE_OWN_BEGAN] = stored.began_s;
    subscription->mark[PRESENCE_MARK_HOP] = stored.flags & PRESENCE_NAMED ? PRESENCE_HOP_NAMED : 0;
    subscription->blind = (stored.flags & PRESENCE_BLIND) != 0;
    subscription->version = stored.opening.local_cseq;
    return 0;
}

int presence_restore(struct presence *const *all, const struct location *location, const struct conf *conf,
                     const struct clock *now, uint8_t kind, struct slice key, struct slice value)
{
    return kind == STORE_PUBLICATIONS ? restore_publication(all, location, now, key, value)
                                      : restore_subscription(all, location, conf, now, key, value);
}
