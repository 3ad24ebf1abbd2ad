// schema: every section and key of the configuration, once.
//
// Reading, range checks, defaults, the effective configuration, the commented template and the reference all follow
// from this table; a key is named nowhere else. Constant data: any thread.
#ifndef CONF_SCHEMA_H
#define CONF_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONF_TEXT_MAX \
    160 // bytes of any text, so that KEY = TEXT fits a line of the INI library (200 in Debian)
#define CONF_NAME_MAX   63  // bytes of a section's NAME
#define CONF_EXPECT_MAX 256 // bytes of conf_key_expect's text

// What a value looks like, and the field that it goes to. From CONF_TEXT on, empty stands for "none" where the key is
// not required; so it does for a number that has no default.
enum conf_type {
    CONF_BOOL,         // yes no on off true false: bool
    CONF_NUMBER,       // digits and perhaps a suffix, min to max: unsigned integer of any size; none: 0
    CONF_CHOICE,       // one of `choices`: enum
    CONF_TEXT,         // min to max bytes: char * or struct conf_text
    CONF_WORD,         // the same, visible ASCII only
    CONF_INTERFACE,    // a word that Linux takes as the name of an interface
    CONF_URI,          // a word that begins with sip:, sips: or tel:
    CONF_METHOD,       // a word that may be a SIP method (RFC 3261 25.1 token)
    CONF_HOST,         // host name or IP address, kept in lower case and canonical: struct conf_text
    CONF_HOP,          // the same with perhaps a port: struct conf_text; and a transport: struct conf_hop
    CONF_USER_MATCH,   // "text", "text*" or "/PCRE2/": struct conf_match
    CONF_DOMAIN_MATCH, // the same of a host, kept in lower case, an exact one canonical: struct conf_match
    CONF_ENDPOINT,     // unicast ADDRESS or ADDRESS:PORT: struct endpoint
    CONF_SUBNET,       // ADDRESS/BITS or ADDRESS: struct conf_network
    CONF_REFERENCE,    // NAME of a section of kind `refers`: int, index of that section; none: CONF_NONE
};

enum conf_flag {
    CONF_REQUIRED = 1,     // there is no default, and empty will not do
    CONF_UNIQUE = 2,       // no two sections of a kind may have the same
    CONF_LOWER = 4,        // texts: kept in lower case
    CONF_POWER_OF_TWO = 8, // numbers
    CONF_SHOWN = 16,       // not commented out in the template
    CONF_FROM_NAME = 32,   // the default is the section's NAME
    CONF_FIXED = 64,       // cannot change while the server runs: a reload refuses another value
    CONF_OR_ZERO = 128,    // numbers: 0 as well, though it is below the least
};

struct conf_choice {
    const char *name; // NULL ends the table
    int value;
};

struct conf_suffix {
    const char *name; // NULL ends the table
    uint32_t factor;
};

enum conf_section_kind {
    CONF_SERVER,
    CONF_REGISTRAR,
    CONF_LOCATION,
    CONF_STORE,
    CONF_PROXY,
    CONF_STREAM,
    CONF_TLS,
    CONF_PRESENCE,
    CONF_TRANSACTION,
    CONF_TRUST,
    CONF_DNS,
    CONF_NUMBERS,
    CONF_CDR,
    CONF_CONTROL,
    CONF_NETWORK,
    CONF_PORT,
    CONF_LISTENER,
    CONF_CERTIFICATE,
    CONF_DOMAIN,
    CONF_AUTH,
    CONF_GATEWAYS,
    CONF_GATEWAY,
    CONF_ROUTE,
    CONF_SECTIONS
};

struct conf_key {
    const char *name;
    enum conf_type type;
    unsigned flags; // of enum conf_flag
    size_t offset,
        size; // the field, in struct conf or in the element of a repeatable section; of an array in place: its element
    bool list;           // field is a pointer to an array; of networks and choices: an array in place
    size_t count_offset; // list: unsigned, how many there are
    uint64_t min, max;   // number: its range; single text: bytes; list: elements
    const char *unit;    // number: what is counted
    const struct conf_suffix *suffixes; // number, or NULL
    const struct conf_choice *choices;  // choice
    enum conf_section_kind refers;      // reference
    uint16_t assumed_port;              // endpoint: where none is given; 0: it stays 0
    const char *fallback;               // default as the INI would say it; NULL: the field stays empty
    const char *example;                // for the template, where the default does not do
    const char *help;
};

struct conf_section {
    const char *name;
    const struct conf_key *keys;
    unsigned keys_n;
    // [name NAME], elements of an array in struct conf; else its keys are fields of struct conf
    bool repeatable;
    size_t array_offset, count_offset; // repeatable: in struct conf
    size_t element_size, name_offset;  // repeatable: bytes of an element, and of its char *name in it
    unsigned min, max;                 // repeatable: how many there may be
    const char *example;               // repeatable: NAME in the template
    bool shown;                        // not commented out in the template
    const char *help;
};

// A section or a key that there was, and what there is instead. An operator who still has it is told.
struct conf_renamed {
    const char *section, *key; // key NULL: the section itself
    const char *now;
};

// Ends with a section of NULL.
extern const struct conf_renamed conf_renamed[];

// By enum conf_section_kind.
extern const struct conf_section conf_sections[CONF_SECTIONS];

// What the key takes, for messages and for documentation: "1024 to 65535 bytes (k or M may follow)".
void conf_key_expect(const struct conf_key *key, char text[CONF_EXPECT_MAX]);

// The same for one element of a list.
void conf_element_expect(const struct conf_key *key, char text[CONF_EXPECT_MAX]);

#endif
