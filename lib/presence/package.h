// package: one package of events (RFC 6665 7.4): a row in a table, and a file that composes its document.
//
// Internal to the room. A new package is a number (role/presentity.h), a file with its row, and its line in package.c.
#ifndef PRESENCE_PACKAGE_H
#define PRESENCE_PACKAGE_H

#include "document/document.h"
#include "presence/presence.h"

// Types of content; the numbers are in the store.
enum presence_type {
    PRESENCE_TYPE_NONE,
    PRESENCE_TYPE_PIDF,
    PRESENCE_TYPE_PIDF_DIFF, // RFC 5262
    PRESENCE_TYPE_WINFO,
    PRESENCE_TYPE_REGINFO,
    PRESENCE_TYPE_DIALOG,
    PRESENCE_TYPE_SUMMARY,
    PRESENCE_TYPE_LIST, // RFC 4662: its Content-Type is the first line of the body
    PRESENCE_TYPES,
};

#define PRESENCE_TYPE_BIT(type) (1u << (type))

struct slice presence_type_name(enum presence_type type);

// What a publication's body becomes.
struct presence_body {
    enum presence_type type;
    struct slice bytes;  // in the room's own memory, until its next use
    struct slice entity; // whose it says it is, unescaped; empty: it does not say
};

// What a composer writes: the document, and its tag, which is the same for the same document and never 0.
struct presence_composing {
    struct role *role;
    struct subscription_presentity *presentity;
    const struct clock *now;
    struct slice aor; // of the presentity
};

struct presence_package {
    struct slice name; // as Event has it
    uint8_t number;    // enum role_package
    uint8_t type;      // enum presence_type of its document; what is sent to who does not say what he takes
    uint8_t published; // enum presence_type that a PUBLISH has; PRESENCE_TYPE_NONE: there is no PUBLISH
    uint16_t told;     // PRESENCE_TYPE_BITs of all that its NOTIFYs may have
    bool private; // for the user himself and the trusted; else the roster and [presence] policy say for whom
    // Reads what was published.
    enum document_error (*read)(struct presence *presence, struct slice bytes, struct presence_body *body);
    // Composes the document anew and puts it into the table, or says there that nothing changed.
    void (*compose)(struct presence_composing *composing);
    // What a watcher sees who shall not see that he is blocked: the same as of a user who is away, of whom nothing is
    // known. The other for those who take differences (RFC 5263), where the package has them.
    struct slice (*blind)(struct presence *presence, struct slice aor);
    struct slice (*blind_partial)(struct presence *presence, struct slice aor);
    // What is said in a list of one of whom there is no document, as nobody publishes or watches, and its tag.
    struct slice (*absent)(struct role *role, struct hash128 key, struct slice aor, uint64_t now_ms);
    uint64_t (*absent_tag)(const struct role *role, struct hash128 key, uint64_t now_ms);
};

extern const struct presence_package presence_package_presence, presence_package_winfo, presence_package_reg,
    presence_package_dialog, presence_package_summary;

// NULL: not served.
const struct presence_package *presence_package_named(struct slice name);
const struct presence_package *presence_package_at(uint8_t number);

// For composers: the document of this tag becomes the current one; nothing changes where it is that already.
void presence_document_put(struct presence_composing *composing, uint64_t tag, enum presence_type type,
                           struct slice document);
// What is published of a presentity in this type, the latest first. Returns how many.
unsigned presence_gather(const struct presence_composing *composing, enum presence_type type,
                         const struct document_block *blocks[SUBSCRIPTION_PUBLICATIONS_MAX]);
// For readers of documents that become blocks. DOCUMENT_TOO_LARGE also for what no NOTIFY could carry.
enum document_error presence_read_block(struct presence *presence, enum document_kind kind,
                                        enum presence_type type, struct slice bytes,
                                        struct presence_body *body);
// "sip:" and the address of record, in the room's own memory.
struct slice presence_entity(struct presence *presence, struct slice aor);
// Never 0.
uint64_t presence_tag_of(const void *bytes, size_t len);

#endif
