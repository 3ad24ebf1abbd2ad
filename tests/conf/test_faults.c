// Every fault that a configuration may have, and what the operator is told.
#include "reading.h"

#include <stdlib.h>
#include <unistd.h>

#include "conf/tree.h"

#define HOSTS          "a host name or IP address of up to 160 bytes"
#define ADDRESS        "one unicast address, no wildcard: ADDRESS, ADDRESS:PORT or [IPV6]:PORT"
#define NETWORKS       "a network: ADDRESS/BITS, or an address alone"
#define MATCHES        "TEXT, TEXT* or /PCRE2/ of up to 160 bytes"
#define HOPS           "HOST or HOST:PORT, a name or unicast address of up to 160 bytes"
#define HOPS_TRANSPORT HOPS ", and perhaps ;transport=udp, tcp or tls"
#define HOP            "[route r]\naction = hop\nhop = "
#define ENTRY          "expected [section], KEY = VALUE or a comment\n"
#define NAME           "needs a name of its own: [port NAME], of letters, digits, '.', '_' and '-', at most 63\n"
#define TEN            "0123456789"
#define SIXTY          TEN TEN TEN TEN TEN TEN
#define LISTENER       "[listener x]\nport = outside\n"
#define CARRIER        "[gateways g]\n[gateway one]\ngroup = g\naddress = 192.0.2.9\n"

// `text` is followed by READING_LEAST.
static const struct {
    const char *name, *text, *messages;
} cases[] = {
    // lines
    {"no key", "[server]\nrecord_route\n", "t:2: " ENTRY},
    {"no key, twice", "[server]\nrecord_route\n\nmax_forwards\n", "t:2: " ENTRY "t:4: " ENTRY},
    {"key behind a comment", "[server]\nrecord_route ; = no\n", "t:2: " ENTRY},
    {"outside of any section", "; c\n\nmax_forwards = 3\n",
     "t:3: 'max_forwards' stands outside of any section\n"},
    {"control byte", "[server]\nserver_header = a\001b\n", "t:2: control byte; expected plain text\n"},
    {"carriage return inside", "[server]\nserver_header = a\rX: y\n",
     "t:2: control byte; expected plain text\n"},
    {"line too long", "[server]\nserver_header = " SIXTY SIXTY SIXTY TEN "\n",
     "t:2: line of 206 bytes, expected at most 199; a list may go on in indented lines\n"},
    {"hash behind a value", "[server]\nrecord_route = no # yes\n",
     "t:2: a comment behind a value begins with ';', expected no '#' there\n"},
    {"hash behind a continued value", "[server]\nscanners = a,\n  b\t# c\n",
     "t:3: a comment behind a value begins with ';', expected no '#' there\n"},
    {"indented key", "[server]\nrecord_route = no\n  max_forwards = 3\n",
     "t:3: indented, so it goes on with record_route, which takes one line; a key begins in the first "
     "column\n"},
    {"indented key below a comment", "[server]\nrecord_route = no\n# c\n\n  max_forwards = 3\n",
     "t:5: indented, so it goes on with record_route, which takes one line; a key begins in the first "
     "column\n"},
    {"no name before =", "[server]\n= 3\n", "t:2: unknown key '' in [server]\n"},

    // sections
    {"unknown section", "[servre]\nfoo = 1\n", "t:1: unknown section [servre]; did you mean 'server'?\n"},
    {"unknown section far from any", "[dialplan]\n", "t:1: unknown section [dialplan]\n"},
    {"section in capitals", "[Server]\n", "t:1: unknown section [Server]; did you mean 'server'?\n"},
    {"section without name", "[]\n", "t:1: unknown section []\n"},
    {"unclosed", "[server\nmax_forwards = 999\n",
     "t:1: expected [section] or [section NAME] and nothing else on the line\n"},
    {"text behind a section", "[server] max_forwards = 3\n",
     "t:1: expected [section] or [section NAME] and nothing else on the line\n"},
    {"section repeated", "[server]\n[registrar]\n[server]\nmax_forwards = 0\n",
     "t:3: [server] is repeated; it stands on line 1 already\n"
     "t:4: max_forwards = 0: expected 1 to 255 hops\n"},
    {"named section repeated", "[port a]\ndevice = a\n[port a]\n",
     "t:3: [port a] is repeated; it stands on line 1 already\n"},
    {"name missing", "[port]\nmtu = 1\n", "t:1: [port] " NAME "t:2: mtu = 1: expected 576 to 9216 bytes\n"},
    {"name of two words", "[port a b]\n", "t:1: [port] " NAME},
    {"name with a slash", "[port a/b]\n", "t:1: [port] " NAME},
    {"name too long", "[port " SIXTY "abcd]\n", "t:1: [port] " NAME},
    {"name where none is", "[server main]\n", "t:1: [server] takes no name\n"},

    // keys
    {"unknown key", "[server]\nmax_foward = 3\n",
     "t:2: unknown key 'max_foward' in [server]; did you mean 'max_forwards'?\n"},
    {"unknown key far from any", "[server]\nfrobnicate = 3\n", "t:2: unknown key 'frobnicate' in [server]\n"},
    {"key of another section", "[registrar]\nmbufs = 3\n",
     "t:2: unknown key 'mbufs' in [registrar]; it is a key of [network]\n"},
    {"key repeated", "[server]\nrecord_route = no\nrecord_route = maybe\n",
     "t:3: record_route is repeated; it stands on line 2 already\n"},
    {"required keys missing", "[listener x]\n", "t:1: [listener x] has no address; expected " ADDRESS "\n"},
    {"required key empty", "[port x]\ndevice =\n", "t:2: device = : expected a word of 1 to 63 bytes\n"},

    // types and ranges
    {"not a bool", "[server]\nrecord_route = maybe\n", "t:2: record_route = maybe: expected yes or no\n"},
    {"empty bool", "[server]\nrecord_route =\n", "t:2: record_route = : expected yes or no\n"},
    {"below range", "[server]\nmax_forwards = 0\n", "t:2: max_forwards = 0: expected 1 to 255 hops\n"},
    {"above range", "[server]\nmax_forwards = 256\n", "t:2: max_forwards = 256: expected 1 to 255 hops\n"},
    {"negative", "[server]\nmax_forwards = -1\n", "t:2: max_forwards = -1: expected 1 to 255 hops\n"},
    {"not a number", "[server]\nmax_forwards = many\n", "t:2: max_forwards = many: expected 1 to 255 hops\n"},
    {"hexadecimal", "[server]\nmax_forwards = 0x10\n", "t:2: max_forwards = 0x10: expected 1 to 255 hops\n"},
    {"no digits", "[registrar]\nexpires_min = m\n",
     "t:2: expires_min = m: expected 0 to 2592000 seconds (s, m or h may follow)\n"},
    {"unknown suffix", "[registrar]\nexpires_min = 1d\n",
     "t:2: expires_min = 1d: expected 0 to 2592000 seconds (s, m or h may follow)\n"},
    {"suffix beyond range", "[registrar]\nexpires_min = 721h\n",
     "t:2: expires_min = 721h: expected 0 to 2592000 seconds (s, m or h may follow)\n"},
    {"beyond 64 bits", "[location]\nbindings_max = 18446744073709551617\n",
     "t:2: bindings_max = 18446744073709551617: expected 1 to 1000000000 bindings\n"},
    {"beyond 64 bits by its suffix", "[server]\nmessage_max = 18014398509481985k\n",
     "t:2: message_max = 18014398509481985k: expected 1024 to 16384 bytes (k or M may follow)\n"},
    {"below one second", "[network]\nreassembly_timeout = 2\n",
     "t:2: reassembly_timeout = 2: expected 10 to 60000 milliseconds (ms, s or m may follow)\n"},
    {"not a power of two", "[network]\nmailbox_size = 1000\n",
     "t:2: mailbox_size = 1000: expected a power of two, 64 to 1048576 entries\n"},
    {"neither 0 nor enough",
     "[gateways g]\nprobe_interval = 999ms\n[gateway m]\ngroup = g\naddress = 192.0.2.2\n",
     "t:2: probe_interval = 999ms: expected 0, or 1000 to 3600000 milliseconds (ms, s or m may follow)\n"},
    {"not a choice", "[registrar]\nnat = detct\n",
     "t:2: nat = detct: expected detect, always or never; did you mean 'detect'?\n"},
    {"text too long", "[server]\nserver_header = " SIXTY SIXTY TEN "\n",
     "t:2: server_header = " SIXTY SIXTY TEN ": expected text of up to 128 bytes\n"},
    {"text that would be a comment", "[server]\nscanners = a, #b\n",
     "t:2: a comment behind a value begins with ';', expected no '#' there\n"},
    {"element that would be a comment", "[server]\nscanners = a,;b,#c\n",
     "t:2: scanners = ;b: expected text of up to 160 bytes\n"
     "t:2: scanners = #c: expected text of up to 160 bytes\n"},
    {"space in a word", "[port x]\ndevice = a b\n", "t:2: device = a b: expected a word of 1 to 63 bytes\n"},
    {"interface with a slash", "[port x]\ndevice = a\ntwin = a/b\n",
     "t:3: twin = a/b: expected a name of an interface of up to 15 bytes\n"},
    {"interface too long", "[port x]\ndevice = a\ntwin = " TEN "abcdef\n",
     "t:3: twin = " TEN "abcdef: expected a name of an interface of up to 15 bytes\n"},
    {"interface pattern", "[port x]\ndevice = a\ntwin = tap%d\n",
     "t:3: twin = tap%d: expected a name of an interface of up to 15 bytes\n"},
    {"hosts", "[domain x]\nnames = a..b, -a, a-, b c, 1.2.3, 192.0.2.256, a.\n",
     "t:2: names = a..b: expected " HOSTS "\nt:2: names = -a: expected " HOSTS "\n"
     "t:2: names = a-: expected " HOSTS "\nt:2: names = b c: expected " HOSTS "\n"
     "t:2: names = 1.2.3: expected " HOSTS "\nt:2: names = 192.0.2.256: expected " HOSTS "\n"
     "t:2: names = a.: expected " HOSTS "\n"},
    {"section's name is no host", "[domain -x]\n", "t:1: names = -x: expected " HOSTS "\n"},
    {"host name for an address", LISTENER "address = example.com\n",
     "t:3: address = example.com: expected " ADDRESS "\n"},
    {"IPv4 wildcard", LISTENER "address = 0.0.0.0:5060\n",
     "t:3: address = 0.0.0.0:5060: expected " ADDRESS "\n"},
    {"IPv6 wildcard", LISTENER "address = [::]:5060\n", "t:3: address = [::]:5060: expected " ADDRESS "\n"},
    {"multicast", LISTENER "address = 224.0.1.75\n", "t:3: address = 224.0.1.75: expected " ADDRESS "\n"},
    {"IPv6 multicast", LISTENER "address = ff02::1\n", "t:3: address = ff02::1: expected " ADDRESS "\n"},
    {"mapped", LISTENER "address = ::ffff:192.0.2.7\n",
     "t:3: address = ::ffff:192.0.2.7: expected " ADDRESS "\n"},
    {"port 0", LISTENER "address = 192.0.2.7:0\n", "t:3: address = 192.0.2.7:0: expected " ADDRESS "\n"},
    {"port beyond 65535", LISTENER "address = 192.0.2.7:65536\n",
     "t:3: address = 192.0.2.7:65536: expected " ADDRESS "\n"},

    // lists
    {"empty list", "[domain x]\nnames = ,\n ,\n",
     "t:2: names has 0 elements: expected a list of 1 to 64, each " HOSTS "\n"},
    {"too many elements",
     "[dns]\nservers = 192.0.2.1,192.0.2.1,192.0.2.1,192.0.2.1,\n"
     "  192.0.2.1,192.0.2.1,192.0.2.1,192.0.2.1,\n  192.0.2.1\n",
     "t:2: servers has 9 elements: expected a list of 0 to 8, each " ADDRESS "\n"},
    {"fault on a line that goes on", "[dns]\nservers = 192.0.2.1,\n  192.0.2.2,\n  nobody\n",
     "t:4: servers = nobody: expected " ADDRESS "\n"},

    // networks
    {"host bits", "[trust]\nnetworks = 192.0.2.1/24, 2001:db8::1/32, 255.255.255.255/0, 192.0.2.255/31\n",
     "t:2: networks = 192.0.2.1/24: the address has bits behind the first 24; did you mean '192.0.2.0/24'?\n"
     "t:2: networks = 2001:db8::1/32: the address has bits behind the first 32; did you mean "
     "'2001:db8::/32'?\n"
     "t:2: networks = 255.255.255.255/0: the address has bits behind the first 0; did you mean '0.0.0.0/0'?\n"
     "t:2: networks = 192.0.2.255/31: the address has bits behind the first 31; did you mean "
     "'192.0.2.254/31'?\n"},
    {"no networks",
     "[trust]\nnetworks = 192.0.2.0/33, ::/129, 192.0.2.0/, /24, 192.0.2.0/x,\n"
     "  192.0.2.0:5060/24, 192.0.2/24, example.com, 192.0.2.0/24/24, 192.0.2.0/-1\n",
     "t:2: networks = 192.0.2.0/33: expected " NETWORKS "\nt:2: networks = ::/129: expected " NETWORKS "\n"
     "t:2: networks = 192.0.2.0/: expected " NETWORKS "\nt:2: networks = /24: expected " NETWORKS "\n"
     "t:2: networks = 192.0.2.0/x: expected " NETWORKS "\n"
     "t:3: networks = 192.0.2.0:5060/24: expected " NETWORKS "\n"
     "t:3: networks = 192.0.2/24: expected " NETWORKS "\nt:3: networks = example.com: expected " NETWORKS "\n"
     "t:3: networks = 192.0.2.0/24/24: expected " NETWORKS "\n"
     "t:3: networks = 192.0.2.0/-1: expected " NETWORKS "\n"},

    // hops
    {"hop without a port behind its colon", HOP "example.com:\n",
     "t:3: hop = example.com:: expected " HOPS_TRANSPORT "\n"},
    {"hop on port 0", HOP "example.com:0\n", "t:3: hop = example.com:0: expected " HOPS_TRANSPORT "\n"},
    {"hop beyond the ports", HOP "example.com:65536\n",
     "t:3: hop = example.com:65536: expected " HOPS_TRANSPORT "\n"},
    {"hop of a port alone", HOP ":5060\n", "t:3: hop = :5060: expected " HOPS_TRANSPORT "\n"},
    {"hop that is a URI", HOP "sip:example.com\n",
     "t:3: hop = sip:example.com: expected " HOPS_TRANSPORT "\n"},
    {"hop to everywhere", HOP "0.0.0.0\n", "t:3: hop = 0.0.0.0: expected " HOPS_TRANSPORT "\n"},
    {"hop to many", HOP "[ff02::1]:5060\n", "t:3: hop = [ff02::1]:5060: expected " HOPS_TRANSPORT "\n"},
    {"gateway without its keys", "[gateway x]\n",
     "t:1: [gateway x] has no group; expected the name of a [gateways]\n"
     "t:1: [gateway x] has no address; expected HOST or HOST:PORT, a name or unicast address of 1 to 160 "
     "bytes, and perhaps ;transport=udp, tcp or tls\n"},

    // matches
    {"pattern that does not compile", "[route r]\nuser = /^(49/\n",
     "t:2: user = /^(49/: the pattern is wrong: missing closing parenthesis at offset 4\n"},
    {"pattern of a host that does not compile", "[route r]\nfrom_domain = /[/\n",
     "t:2: from_domain = /[/: the pattern is wrong: missing terminating ] for character class at offset 1\n"},
    {"pattern that is no machine code", "[route r]\nuser = /(*NO_JIT)1/\n",
     "t:2: user = /(*NO_JIT)1/: the pattern is wrong: PCRE2 makes no machine code of it\n"},
    {"pattern of UTF-8", "[route r]\nuser = /(*UTF)1/\n",
     "t:2: user = /(*UTF)1/: the pattern is wrong: using UTF is disabled by the application at offset 6\n"},
    {"user of two words", "[route r]\nto_user = a b\n", "t:2: to_user = a b: expected " MATCHES "\n"},
    {"host that is none", "[route r]\nto_domain = a..b\n",
     "t:2: to_domain = a..b: expected HOST, TEXT* or /PCRE2/ of up to 160 bytes\n"},

    // other values of rules
    {"methods that are none", "[route r]\nmethods = INVITE, A B, A:\n",
     "t:2: methods = A B: expected the name of a method of up to 160 bytes\n"
     "t:2: methods = A:: expected the name of a method of up to 160 bytes\n"},
    {"contact that is no URI", "[route r]\naction = redirect\ncontact = example.com\n",
     "t:3: contact = example.com: expected a URI that begins with sip:, sips: or tel:, of up to 160 bytes\n"},
    {"code that is no refusal", "[route r]\naction = reject\ncode = 200\n",
     "t:3: code = 200: expected 400 to 699 as a status code\n"},
    {"timer C of three minutes", "[transaction]\ntimer_c = 3m\n",
     "t:2: timer_c = 3m: expected 180001 to 3600000 milliseconds (ms, s or m may follow)\n"},
    {"branches beyond what fits", "[proxy]\nbranches_max = 17\n",
     "t:2: branches_max = 17: expected 1 to 16 branches\n"},

    // what there is no more
    {"open_relay", "[server]\nopen_relay = yes\n",
     "t:2: open_relay of [server] is no more; expected networks of [trust]\n"},
    {"group", "[group g]\nmembers = 192.0.2.1\n",
     "t:1: [group] is no more; expected [gateways NAME], and a [gateway NAME] for each of its members\n"},
    {"prefix and group of a rule", "[route r]\nprefix = +49\ngroup = g\n",
     "t:2: prefix of [route] is no more; expected user, which takes TEXT* for a prefix\n"
     "t:3: group of [route] is no more; expected gateways, with action = gateways\n"},

    // what contradicts what
    {"listener on an unknown port", "[listener x]\naddress = 192.0.2.7\nport = outsid\n",
     "t:3: port = outsid: there is no [port outsid]; did you mean 'outside'?\n"},
    {"gateway of no gateways", CARRIER "[gateway x]\ngroup = gw\naddress = 192.0.2.8\n",
     "t:6: group = gw: there is no [gateways gw]; did you mean 'g'?\n"},
    {"the only gateway, of no gateways", "[gateways g]\n[gateway x]\ngroup = h\naddress = 192.0.2.8\n",
     "t:3: group = h: there is no [gateways h]; did you mean 'g'?\n"},
    {"gateways without a gateway", CARRIER "[gateways h]\n",
     "t:5: [gateways h] has no member; expected a [gateway] with group = h\n"},
    {"empty reference", "[gateway x]\ngroup =\naddress = 192.0.2.8\n",
     "t:2: group = : expected the name of a [gateways]\n"},
    {"UDP without a port", "[listener x]\naddress = 192.0.2.7\n",
     "t:1: [listener x] has no port; expected the name of a [port]\n"},
    {"UDP with an empty port", "[listener x]\naddress = 192.0.2.7\nport =\n",
     "t:3: [listener x] has no port; expected the name of a [port]\n"},
    {"TLS without a certificate", "[listener x]\naddress = 192.0.2.7\ntransport = tls\n",
     "t:3: transport = tls needs a certificate to show; expected a [certificate NAME] with chain and key\n"},
    {"WSS without a certificate", "[listener x]\ntransport = wss\naddress = 192.0.2.7\n",
     "t:2: transport = wss needs a certificate to show; expected a [certificate NAME] with chain and key\n"},
    {"certificate without its files",
     "[certificate x]\nkey =\n[listener x]\naddress = ::2\ntransport = tls\n",
     "t:1: [certificate x] has no chain; expected text of 1 to 160 bytes\n"
     "t:2: key = : expected text of 1 to 160 bytes\n"},
    {"peers asked for certificates over TCP",
     "[listener x]\naddress = 192.0.2.7\ntransport = tcp\nclient_certificate = asked\n",
     "t:4: client_certificate is not used with transport = tcp; expected it away, or transport = tls or "
     "wss\n"},
    {"PROXY protocol over UDP", LISTENER "address = 192.0.2.7\nproxy_protocol = yes\n",
     "t:4: proxy_protocol is not used with transport = udp; expected it away\n"},
    {"balancers of a listener that reads no header",
     "[listener x]\naddress = 192.0.2.7\ntransport = tcp\nbalancers = 192.0.2.8\n",
     "t:4: balancers is not used without proxy_protocol; expected it away, or proxy_protocol = yes\n"},
    {"two streams on one address",
     "[listener x]\naddress = 192.0.2.7:80\ntransport = tcp\n"
     "[listener y]\ntransport = ws\naddress = 192.0.2.7\n",
     "t:6: address = 192.0.2.7:80 is taken by [listener x] on line 2 already\n"},
    {"unknown transport", LISTENER "address = 192.0.2.7\ntransport = sctp\n",
     "t:4: transport = sctp: expected udp, tcp, tls, ws or wss; did you mean 'tcp'?\n"},
    {"hop over an unknown transport", HOP "gw;transport=sctp\n",
     "t:3: hop = gw;transport=sctp: expected " HOPS_TRANSPORT "\n"},
    {"hop with another parameter", HOP "gw;lr\n", "t:3: hop = gw;lr: expected " HOPS_TRANSPORT "\n"},
    {"hop with a transport before its port", HOP "gw;transport=tcp:5060\n",
     "t:3: hop = gw;transport=tcp:5060: expected " HOPS_TRANSPORT "\n"},
    {"request-URI with a transport", "[route r]\nset_domain = gw;transport=tcp\n",
     "t:2: set_domain = gw;transport=tcp: expected " HOPS "\n"},
    {"hop that is too long", HOP SIXTY SIXTY "0123456789012345678901234;transport=tcp\n",
     "t:3: hop = " SIXTY SIXTY "0123456789012345678901234;transport=tcp: expected " HOPS_TRANSPORT "\n"},
    {"hop over TCP without a listener", HOP "gw:5070;transport=tcp\n",
     "t:3: hop = gw:5070;transport=tcp leaves by no listener; expected a [listener] with transport = tcp\n"},
    {"gateway over TCP without a listener of its family",
     "[gateways g]\n[gateway x]\ngroup = g\naddress = ::9;transport=tcp\n[listener x]\naddress = 192.0.2.7\n"
     "transport = tcp\n",
     "t:4: address = [::9];transport=tcp leaves by no listener; expected an IPv6 [listener] with transport = "
     "tcp\n"},
    {"hop over TCP with a listener that is wrong itself",
     HOP "gw;transport=tcp\n[listener x]\naddress = nobody\ntransport = tcp\n",
     "t:5: address = nobody: expected " ADDRESS "\n"},
    {"more connections of one than of all", "[stream]\nconnections_max = 100\nconnections_source_max = 101\n",
     "t:3: connections_source_max = 101 is larger than connections_max = 100 on line 2; expected at most "
     "that\n"},
    {"no handshake threads", "[stream]\nhandshake_threads = 0\n",
     "t:2: handshake_threads = 0: expected 1 to 64 threads\n"},
    {"old TLS", "[tls]\nminimum = 1.1\n", "t:2: minimum = 1.1: expected 1.2 or 1.3; did you mean '1.2'?\n"},
    {"subscriptions shorter than the shortest", "[presence]\nexpires_default = 30\n",
     "t:2: expires_min = 60 (default) is larger than expires_default = 30; expected at most that\n"},
    {"refused for less than an hour", "[presence]\npublish_min = 3601\n",
     "t:2: publish_min = 3601: expected 0 to 3600 seconds (s, m or h may follow)\n"},
    {"publications longer than the longest", "[presence]\npublish_max = 30m\n",
     "t:2: publish_default = 3600 (default) is larger than publish_max = 1800; expected at most that\n"},
    {"two listeners on one address", LISTENER "address = 192.0.2.1:5060\n",
     "t:7: address = 192.0.2.1:5060 is taken by [listener x] on line 3 already\n"},
    {"device twice", "[port x]\ndevice = d0\n", "t:4: device = d0 is taken by [port x] on line 2 already\n"},
    {"twin twice", "[port x]\ndevice = a\ntwin = t\n[port y]\ndevice = b\ntwin = t\n",
     "t:6: twin = t is taken by [port x] on line 3 already\n"},
    {"domain name twice", "[domain x.com]\n[domain y]\nnames = a.com, X.com\n",
     "t:3: names = x.com is taken by [domain x.com] on line 1 already\n"},
    {"domain name twice in one list", "[domain x]\nnames = a.com, b.com, A.com\n",
     "t:2: names = a.com is taken by [domain x] on line 2 already\n"},
    {"IPv6 domain twice", "[domain x]\nnames = [2001:db8::1], 2001:DB8:0::1\n",
     "t:2: names = [2001:db8::1] is taken by [domain x] on line 2 already\n"},
    {"three of a kind", "[domain x]\nnames = c\n[domain y]\nnames = c\n[domain z]\nnames = c\n",
     "t:4: names = c is taken by [domain x] on line 2 already\n"
     "t:6: names = c is taken by [domain x] on line 2 already\n"},
    {"expires_min above expires_max", "[registrar]\nexpires_max = 10\nexpires_min = 20\n",
     "t:3: expires_min = 20 is larger than expires_max = 10 on line 2; expected at most that\n"},
    {"expires_default below expires_min", "[registrar]\nexpires_default = 10\n",
     "t:2: expires_min = 60 (default) is larger than expires_default = 10; expected at most that\n"},
    {"expires_default above expires_max", "[registrar]\nexpires_max = 30m\n",
     "t:2: expires_default = 3600 (default) is larger than expires_max = 1800; expected at most that\n"},
    {"no contradiction with what is wrong already",
     "[registrar]\nexpires_min = 2h\nexpires_max = 1x\n"
     "expires_default = 2h\n",
     "t:3: expires_max = 1x: expected 1 to 2592000 seconds (s, m or h may follow)\n"},
    {"advertised in another family", LISTENER "address = 192.0.2.7\nadvertised = 2001:db8::1\n",
     "t:4: advertised is of another address family than address; expected both IPv4 or both IPv6\n"},
    {"IPv6 on a small mtu",
     "[port x]\ndevice = x\nmtu = 1279\n[listener x]\naddress = 2001:db8::1\nport = x\n",
     "t:5: address is IPv6, and mtu of [port x] is 1279; expected at least 1280 there\n"},
    {"T1 above T2", "[transaction]\nt1 = 5s\nt2 = 4500ms\n",
     "t:3: t1 = 5000ms on line 2 is larger than t2 = 4500ms; expected at most that\n"},
    {"T1 above T4", "[transaction]\nt4 = 400ms\n",
     "t:2: t1 = 500ms (default) is larger than t4 = 400ms; expected at most that\n"},
    {"all buffers kept", "[network]\nmbufs = 4096\n[transaction]\nkept_max = 4096\n",
     "t:4: kept_max = 4096 is not smaller than mbufs = 4096 on line 2 in [network]; expected less\n"},
    {"fewer buffers than are kept", "[network]\nmbufs = 4096\n",
     "t:2: kept_max = 24576 (default) in [transaction] is not smaller than mbufs = 4096; expected less\n"},
    {"shortest time to live above the longest", "[dns]\nttl_max = 5m\nttl_min = 1h\n",
     "t:3: ttl_min = 3600 is larger than ttl_max = 300 on line 2; expected at most that\n"},
    {"silence beyond timer B",
     CARRIER "[gateways h]\nanswer_timeout = 33s\n[gateway h]\ngroup = h\n"
             "address = 192.0.2.8\n",
     "t:6: answer_timeout = 33000ms is larger than 64 times t1 = 500ms (default) in [transaction]; expected "
     "at "
     "most that\n"},
    {"timer B within silence", CARRIER "[transaction]\nt1 = 20ms\n",
     "t:6: answer_timeout = 2000ms (default) in [gateways g] is larger than 64 times t1 = 20ms; expected at "
     "most "
     "that\n"},
    {"several orders in one section", "[transaction]\nt2 = 100ms\nkept_max = 32768\n",
     "t:2: t1 = 500ms (default) is larger than t2 = 100ms; expected at most that\n"
     "t:3: kept_max = 32768 is not smaller than mbufs = 32768 (default) in [network]; expected less\n"},

    // all in one go, by line
    {"several stages",
     "[registrar]\nexpires_max = 1\n[srver]\n[server]\nrecord_route = x\nnothing\nfoo = 1\n[gateway g]\n"
     "address = 192.0.2.1\n",
     "t:2: expires_min = 60 (default) is larger than expires_max = 1; expected at most that\n"
     "t:3: unknown section [srver]; did you mean 'server'?\n"
     "t:5: record_route = x: expected yes or no\n"
     "t:6: " ENTRY "t:7: unknown key 'foo' in [server]\n"
     "t:8: [gateway g] has no group; expected the name of a [gateways]\n"},
};

static void test_fault_is_told_with_its_line(void **state)
{
    char text[2048];

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *messages = NULL;
        snprintf(text, sizeof(text), "%s%s", cases[i].text, READING_LEAST);
        struct conf *conf = reading_parse(slice_text(text), &messages);
        if (conf != NULL || strcmp(messages, cases[i].messages) != 0)
            print_error("case: %s\n", cases[i].name);
        assert_string_equal(messages, cases[i].messages);
        assert_null(conf);
        free(messages);
    }
}

static void assert_messages(struct slice text, const char *expected)
{
    char *messages = NULL;
    struct conf *conf = reading_parse(text, &messages);

    assert_string_equal(messages, expected);
    assert_null(conf);
    free(messages);
}

static void test_missing_sections_are_told_at_the_end(void **state)
{
    (void)state;
    assert_messages(SLICE(""), "t:1: the file ends without a [port NAME] section; expected at least 1\n"
                               "t:1: the file ends without a [listener NAME] section; expected at least 1\n");
    assert_messages(SLICE("\n\n[port x]\ndevice = d"),
                    "t:4: the file ends without a [listener NAME] section; expected at least 1\n");
}

static void test_nul_byte_is_told_alone(void **state)
{
    (void)state;
    assert_messages(SLICE("[servre]\n[server]\nopen\0relay = x\nfoo\0\n"),
                    "t:3: NUL byte; expected a text file in ASCII or UTF-8\n");
    assert_messages(SLICE("\0"), "t:1: NUL byte; expected a text file in ASCII or UTF-8\n");
}

static void test_mark_moves_no_line(void **state)
{
    (void)state;
    assert_messages(SLICE("\xef\xbb\xbf[servre]\n" READING_LEAST),
                    "t:1: unknown section [servre]; did you mean 'server'?\n");
    assert_messages(SLICE("\n\xef\xbb\xbf[server]\n" READING_LEAST), "t:2: " ENTRY);
}

static void test_last_line_needs_no_newline(void **state)
{
    (void)state;
    assert_messages(SLICE(READING_LEAST "[server]\nrecord_route"), "t:7: " ENTRY);
    assert_messages(SLICE(READING_LEAST "[server]\nmax_forwards = 0"),
                    "t:7: max_forwards = 0: expected 1 to 255 hops\n");
}

static void test_sections_are_bounded(void **state)
{
    char *text = NULL, *messages = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    fputs("[port p]\ndevice = d\n", out);
    for (unsigned i = 0; i < CONF_LISTENERS_MAX + 2; i++)
        fprintf(out, "[listener l%u]\naddress = 192.0.2.1:%u\nport = p\n", i, i + 1);
    fclose(out);
    assert_null(reading_parse(slice_of(text, len), &messages));
    assert_string_equal(messages, "t:195: too many [listener] sections, expected at most 64\n"
                                  "t:198: too many [listener] sections, expected at most 64\n");
    free(messages);
    free(text);
}

static void test_faults_are_bounded(void **state)
{
    char *text = NULL, *messages = NULL;
    size_t len = 0, lines = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    for (unsigned i = 0; i < CONF_FAULTS_MAX + 5; i++)
        fputs("[x]\n", out);
    fputs(READING_LEAST, out);
    fclose(out);
    assert_null(reading_parse(slice_of(text, len), &messages));
    for (const char *at = messages; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, CONF_FAULTS_MAX + 1);
    assert_non_null(strstr(messages, "t: and 5 faults more\n"));
    free(messages);
    free(text);
}

static void assert_load_fails(const char *path, const char *expected)
{
    char *messages = NULL, line[256];
    size_t len = 0;
    FILE *errors = open_memstream(&messages, &len);

    struct conf *conf = conf_load(path, errors);
    fclose(errors);
    snprintf(line, sizeof(line), "%s: %s\n", path, expected);
    assert_string_equal(messages, line);
    assert_null(conf);
    free(messages);
}

static void test_file_that_cannot_be_read(void **state)
{
    char path[] = "/tmp/conf-test-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, CONF_FILE_MAX + 1), 0);
    assert_load_fails(path, "larger than 1048576 bytes");
    close(fd);
    unlink(path);
    assert_load_fails(path, "cannot be read: No such file or directory");
    assert_load_fails("/", "cannot be read: Is a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_is_told_with_its_line),
        cmocka_unit_test(test_missing_sections_are_told_at_the_end),
        cmocka_unit_test(test_nul_byte_is_told_alone),
        cmocka_unit_test(test_mark_moves_no_line),
        cmocka_unit_test(test_last_line_needs_no_newline),
        cmocka_unit_test(test_sections_are_bounded),
        cmocka_unit_test(test_faults_are_bounded),
        cmocka_unit_test(test_file_that_cannot_be_read),
    };
    return cmocka_run_group_tests_name("conf faults", tests, NULL, NULL);
}
