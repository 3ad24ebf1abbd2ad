// The commands: their names, what their help says, and those that are one request to control.
#include <stdio.h>
#include <string.h>

#include "ctl.h"

#define REQUEST_MAX 4096

static bool print_reply(void *owner, const json_t *reply)
{
    const struct ctl *ctl = owner;

    if (ctl->json)
        ctl_print_json(reply);
    return true;
}

// A request whose answer is that it was done, which `said` says to people.
static enum ctl_status tell(struct ctl *ctl, const char *request, const char *said)
{
    enum ctl_status status = ctl_ask(ctl, request, print_reply, ctl);

    if (status == CTL_DONE && !ctl->json)
        puts(said);
    return status;
}

static bool print_contacts(void *owner, const json_t *reply)
{
    const struct ctl *ctl = owner;
    const json_t *contacts = json_object_get(reply, "contacts"), *contact;
    size_t i;

    if (ctl->json) {
        ctl_print_json(reply);
        return true;
    }
    printf("%zu binding%s now\n", json_array_size(contacts), json_array_size(contacts) == 1 ? "" : "s");
    json_array_foreach(contacts, i, contact) printf("  %s\n", json_string_value(contact));
    return true;
}

static enum ctl_status binding_add(struct ctl *ctl)
{
    char request[REQUEST_MAX];

    snprintf(request, sizeof(request), "binding add %s %s %s", ctl->words[0], ctl->words[1],
             ctl->expires != NULL ? ctl->expires : "");
    return ctl_ask(ctl, request, print_contacts, ctl);
}

static enum ctl_status binding_del(struct ctl *ctl)
{
    char request[REQUEST_MAX];

    snprintf(request, sizeof(request), "binding del %s %s", ctl->words[0],
             ctl->words_n > 1 ? ctl->words[1] : "");
    return ctl_ask(ctl, request, print_contacts, ctl);
}

static enum ctl_status reload(struct ctl *ctl)
{
    return tell(ctl, "reload", "reloaded");
}

static enum ctl_status drain(struct ctl *ctl)
{
    char request[REQUEST_MAX];

    snprintf(request, sizeof(request), "drain %s%s %s%s", ctl->deadline != NULL ? "deadline=" : "",
             ctl->deadline != NULL ? ctl->deadline : "", ctl->redirect != NULL ? "redirect=" : "",
             ctl->redirect != NULL ? ctl->redirect : "");
    return tell(ctl, request, "draining; \"strowgerctl show status\" says what is still in progress");
}

static enum ctl_status undrain(struct ctl *ctl)
{
    return tell(ctl, "undrain", "serving");
}

static enum ctl_status log_level(struct ctl *ctl)
{
    char request[REQUEST_MAX];

    snprintf(request, sizeof(request), "log %s", ctl->words[0]);
    return tell(ctl, request, "done");
}

#define WATCHERS                                                                                             \
    "PRESENTITY is a user of ours, WATCHER anybody (carol@example.org), a whole domain (*@example.org) or\n" \
    "everybody (*); of several the nearest counts. Who watches already is told at once."

const struct ctl_command ctl_commands[] = {
    {{"show", "status"},
     "show status",
     "whether it serves or drains, and how much of what it carries",
     "Busy is the share of time since start in which workers had something to do.",
     0,
     0,
     0,
     ctl_show_status},
    {{"show", "ports"},
     "show ports",
     "frames and bytes of each port, what was lost there, its twin",
     "Missed: the workers came too late for the NIC's ring. Punted and injected: to and from the twin.",
     0,
     0,
     0,
     ctl_show_ports},
    {{"show", "workers"},
     "show workers",
     "how busy each worker is, and how full its rings ever were",
     NULL,
     0,
     0,
     0,
     ctl_show_workers},
    {{"show", "registrations"},
     "show registrations [AOR]",
     "bindings of all users, or of one",
     "AOR is USER@DOMAIN by any name of the domain. All of them come in no order, and while they come others "
     "may\n"
     "register and leave; --json prints an array of objects.",
     0,
     0,
     1,
     ctl_show_registrations},
    {{"show", "subscriptions"},
     "show subscriptions [AOR]",
     "who watches whom, or who watches one user, and until when",
     "AOR is USER@DOMAIN by any name of the domain. All of them come in no order.",
     0,
     0,
     1,
     ctl_show_subscriptions},
    {{"show", "presentity"},
     "show presentity [AOR]",
     "who is watched or published something, or one user with what is told of him",
     NULL,
     0,
     0,
     1,
     ctl_show_presentity},
    {{"show", "connections"},
     "show connections",
     "connections of TCP, TLS and WebSocket, each with its peer and what went over it",
     "Made: in by the peer, out by this server. Received and sent: messages. Held: bytes of what is not\n"
     "whole, or not taken yet. Proved to be: the name in its certificate.",
     0,
     0,
     0,
     ctl_show_connections},
    {{"show", "gateways"},
     "show gateways",
     "health, share and calls of each gateway",
     "For: how long its health has been so. Share: per cent of its weight that it takes, while it eases in.\n"
     "Good and bad: requests that it answered, and those it failed.",
     0,
     0,
     0,
     ctl_show_gateways},
    {{"show", "drops"},
     "show drops",
     "what was dropped, how often and why, most of it first",
     "--json prints those that are 0, too.",
     0,
     0,
     0,
     ctl_show_drops},
    {{"show", "transactions"},
     "show transactions",
     "transactions of each worker, and the messages they keep",
     "Refused: new calls answered 503 since no record or buffer was free. Lingering: they only absorb\n"
     "retransmissions any more.",
     0,
     0,
     0,
     ctl_show_transactions},
    {{"show", "calls"},
     "show calls",
     "calls that are followed, and accounting lines",
     NULL,
     0,
     0,
     0,
     ctl_show_calls},
    {{"show", "names"},
     "show names",
     "names that the DNS is asked for, and messages that wait for one",
     NULL,
     0,
     0,
     0,
     ctl_show_names},
    {{"show", "numbers"}, "show numbers", "the table of number prefixes", NULL, 0, 0, 0, ctl_show_numbers},
    {{"show", "policy"},
     "show policy [routes]",
     "the configuration in force, or its rules in the order they are tried",
     NULL,
     0,
     0,
     1,
     ctl_show_policy},
    {{"binding", "add"},
     "binding add AOR CONTACT [--expires SECONDS]",
     "bind a contact, as a registration would",
     "For good where --expires is not given. CONTACT is a URI: sip:bob@192.0.2.9:5060. The user may "
     "register\n"
     "beside it, and a REGISTER that removes all bindings removes this one, too.",
     CTL_OPTION_EXPIRES,
     2,
     2,
     binding_add},
    {{"binding", "del"},
     "binding del AOR [CONTACT]",
     "remove one binding, or all of them",
     NULL,
     0,
     1,
     2,
     binding_del},
    {{"user", "add"},
     "user add USER DOMAIN [--password-stdin]",
     "let a user in, or change his password",
     "Asks for the password on the terminal, or takes the first line of stdin. DOMAIN is a name of a "
     "[domain] or the\n"
     "realm of an [auth]. The server keeps hashes of it and nothing else, and uses them at once.",
     CTL_OPTION_PASSWORD,
     2,
     2,
     ctl_user_add},
    {{"user", "del"},
     "user del USER DOMAIN",
     "let a user in no more",
     "What he has registered stays until it expires: see binding del.",
     0,
     2,
     2,
     ctl_user_del},
    {{"user", "list"},
     "user list [DOMAIN]",
     "users and the algorithms that they can prove themselves with",
     NULL,
     0,
     0,
     1,
     ctl_user_list},
    {{"user", "import"},
     "user import FILE.csv",
     "let many in, all or none",
     "A line each: USER,DOMAIN,PASSWORD or USER,DOMAIN,md5:HEX,sha256:HEX,sha512-256:HEX with one hash at "
     "least; empty\n"
     "lines and those that begin with # are passed over. A file with a mistake changes nothing.",
     0,
     1,
     1,
     ctl_user_import},
    {{"presence", "allow"},
     "presence allow PRESENTITY WATCHER",
     "let somebody see whether a user is available",
     WATCHERS,
     0,
     2,
     2,
     ctl_presence_allow},
    {{"presence", "block"},
     "presence block PRESENTITY WATCHER",
     "refuse somebody who wants to see whether a user is available",
     WATCHERS,
     0,
     2,
     2,
     ctl_presence_block},
    {{"presence", "polite"},
     "presence polite PRESENTITY WATCHER",
     "tell somebody that a user is away, whatever he is",
     WATCHERS,
     0,
     2,
     2,
     ctl_presence_polite},
    {{"presence", "confirm"},
     "presence confirm PRESENTITY WATCHER",
     "let somebody wait until the user decides",
     WATCHERS,
     0,
     2,
     2,
     ctl_presence_confirm},
    {{"presence", "forget"},
     "presence forget PRESENTITY WATCHER",
     "take such a rule back, so that the next one counts, or [presence] policy",
     NULL,
     0,
     2,
     2,
     ctl_presence_forget},
    {{"presence", "list"},
     "presence list [PRESENTITY]",
     "rules that say who may watch whom",
     NULL,
     0,
     0,
     1,
     ctl_presence_list},
    {{"list", "add"},
     "list add LIST MEMBER...",
     "put users into a list that is watched as one",
     "LIST is an address of ours that no user has (friends@example.com), each MEMBER anybody's address. A "
     "list\n"
     "is made by its first member. Up to 13 at a time; list import takes more, and names for people.",
     0,
     2,
     14,
     ctl_list_add},
    {{"list", "del"},
     "list del LIST [MEMBER...]",
     "take users out of a list, or the list away",
     NULL,
     0,
     1,
     14,
     ctl_list_del},
    {{"list", "show"}, "list show [LIST]", "all lists, or the members of one", NULL, 0, 0, 1, ctl_list_show},
    {{"list", "import"},
     "list import FILE.csv",
     "make lists what a file says, all or none",
     "A line each: LIST,MEMBER or LIST,MEMBER,NAME with the name to its end; empty lines and those that "
     "begin\n"
     "with # are passed over. A list of which there are lines becomes what they say, in their order; others\n"
     "stay. A file with a mistake changes nothing.",
     0,
     1,
     1,
     ctl_list_import},
    {{"reload", NULL},
     "reload",
     "read the configuration again, and take it whole or say why not",
     "The same as SIGHUP, but it waits for the outcome and prints each mistake.",
     0,
     0,
     0,
     reload},
    {{"drain", NULL},
     "drain [--deadline SECONDS] [--redirect HOST[:PORT]]",
     "take nothing new, and end when nothing is in progress",
     "New calls, registrations and other requests outside of dialogs get 503 with Retry-After ([server]\n"
     "retry_after), or 302 to the same user at HOST. Known calls go on. The server ends with exit status 0 "
     "when no\n"
     "transaction and no followed call is left, at the deadline at the latest. Where calls are not followed "
     "([cdr]\n"
     "file), it cannot know of calls between their requests: give a deadline. May be said again to change "
     "either.",
     CTL_OPTION_DEADLINE | CTL_OPTION_REDIRECT,
     0,
     0,
     drain},
    {{"undrain", NULL}, "undrain", "serve again", NULL, 0, 0, 0, undrain},
    {{"log", NULL},
     "log LEVEL",
     "log no more than this until the next start",
     "LEVEL: emergency, alert, critical, error, warning, notice, info (at start), debug.",
     0,
     1,
     1,
     log_level},
};

const unsigned ctl_commands_n = sizeof(ctl_commands) / sizeof(*ctl_commands);
