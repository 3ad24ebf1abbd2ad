#include "registrar/durable.h"

#include "registrar/stored.h"
#include "store/store.h"

static bool promises(const struct role *role)
{
    return role->conf->durability == CONF_DURABILITY_COMMIT;
}

bool registrar_durable_ready(const struct role *role)
{
    // Without a promise at all (none) the store lags behind rather than that phones are turned away.
    if (role->journal == NULL || role->conf->durability == CONF_DURABILITY_NONE ||
        journal_ready(role->journal, true))
        return true;
    role->journal->refused++;
    return false;
}

void registrar_durable_note(struct registrar_registration *registration, struct slice aor, bool news)
{
    struct role_request *request = registration->request;
    struct role *role = request->role;

    if (role->journal == NULL)
        return;
    if (!journal_ready(role->journal, false)) {
        role->journal->skipped++;
        return;
    }
    uint32_t room = registrar_stored_room(registration->next, registration->next_n);
    // What the disk has comes back in the same place, and is mostly what is replaced here.
    uint32_t current = registrar_stored_room(registration->current, registration->current_n);
    struct journal_record *record =
        journal_stage(role->journal, STORE_BINDINGS, aor, room > current ? room : current);
    if (registration->next_n > 0)
        record->value_len = registrar_stored_write(role->conf, &request->arrival->now, registration->next,
                                                   registration->next_n, journal_value(record));
    record->news = news && promises(role);
    if (promises(role))
        request->verdict->waits = true;
    else
        journal_publish(role->journal, NULL);
}

void registrar_durable_wait(struct registrar_registration *registration)
{
    struct role_request *request = registration->request;
    struct journal *journal = request->role->journal;

    if (journal == NULL || !promises(request->role) || journal_idle(journal))
        return;
    journal_stage(journal, 0, (struct slice){"", 0}, 0);
    request->verdict->waits = true;
}

static void undo(struct role *role, struct journal_record *record, struct hash128 key,
                 const struct clock *now)
{
    struct location_binding bindings[LOCATION_CONTACTS_MAX];
    struct slice aor = slice_of(record->text, record->key_len);
    struct slice value = slice_of(journal_value(record), record->value_len);
    unsigned n = 0;

    // Unknown: a record before it has brought the value back already, or the disk cannot be read; then what is there
    // stays.
    if (record->outcome != JOURNAL_REFUSED ||
        (value.len > 0 && !registrar_stored_read(role->conf, now, value, bindings, &n)) ||
        location_put(role->location, key, aor, bindings, n, now->ms) != 0)
        role->journal->lost++;
    else
        role->journal->restored++;
}

void registrar_durable_settled(struct role *role, struct journal_record *record, const struct clock *now)
{
    bool written = record->outcome == JOURNAL_WRITTEN;

    if (record->key_len == 0 || (written && !record->news))
        return;
    struct hash128 key = location_key(role->location, slice_of(record->text, record->key_len));

    if (!written)
        undo(role, record, key, now);
    registrar_tell(role, key);
}

void registrar_durable_refuse(struct role *role, const struct sip_message *answer, struct sip_edits *edits)
{
    static const uint64_t success =
        UINT64_C(1) << SIP_HEADER_CONTACT | UINT64_C(1) << SIP_HEADER_PATH | UINT64_C(1) << SIP_HEADER_DATE;

    role_answer_withdraw(answer, SLICE("SIP/2.0 503 Registration Not Stored\r\n"),
                         registrar_retry_after(role), success, edits);
}
