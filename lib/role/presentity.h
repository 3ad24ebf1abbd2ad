// presentity: what is watched: an address of record seen through a package of events (RFC 6665), and how the tables
// find it.
//
// Each role may have something to say of it: the registrar changes what packages tell, the presence server tells it.
// Pure: any thread.
#ifndef ROLE_PRESENTITY_H
#define ROLE_PRESENTITY_H

#include "role/request.h"

// The numbers are in the store.
enum role_package {
    ROLE_PACKAGE_PRESENCE = 1, // RFC 3856
    ROLE_PACKAGE_WINFO,        // presence.winfo, RFC 3857
    ROLE_PACKAGE_REG,          // RFC 3680
    ROLE_PACKAGE_DIALOG,       // RFC 4235
    ROLE_PACKAGE_SUMMARY,      // message-summary, RFC 3842
    ROLE_PACKAGES,
};

// The key of one package's view. The half that says who owns it stays as it is, so that all views of an address of
// record have one owner, which is that of its bindings.
static inline struct hash128 role_presentity_key(struct hash128 aor, enum role_package package)
{
    return (struct hash128){aor.low + (uint64_t)package * UINT64_C(0x9fb21c651e98df25), aor.high};
}

static inline struct hash128 role_presentity_aor(struct hash128 key, enum role_package package)
{
    return (struct hash128){key.low - (uint64_t)package * UINT64_C(0x9fb21c651e98df25), key.high};
}

// To tags of dialogs that the presence server made: "stp-", eight digits that name the owner whatever the number of
// workers, sixteen that nobody guesses.
#define ROLE_DIALOG_MARK    "stp-"
#define ROLE_DIALOG_TAG_LEN (sizeof(ROLE_DIALOG_MARK) - 1 + 8 + 16)

struct role_dialog_tag {
    uint32_t owner; // upper half of the key's `high`
    uint64_t check; // not 0
};

void role_dialog_tag_write(const struct role_dialog_tag *tag, char text[ROLE_DIALOG_TAG_LEN]);
// False: it has not this form.
bool role_dialog_tag_read(struct slice text, struct role_dialog_tag *tag);

static inline struct hash128 role_dialog_tag_key(const struct role_dialog_tag *tag)
{
    return (struct hash128){0, (uint64_t)tag->owner << 32};
}

// A PUBLISH, or a SUBSCRIBE that makes a dialog or is in one that was made here, which the presence server answers as a
// user agent does.
bool role_is_presences(const struct role_request *request);

#endif
