#include "sip/set.h"

#include "sip/token.h"

// The grammar's own words (RFC 3261 25.1), as predicates that the compiler turns into the rows.
#define IS_DIGIT(c)    ((c) >= '0' && (c) <= '9')
#define IS_ALPHA(c)    (((c) | 0x20) >= 'a' && ((c) | 0x20) <= 'z')
#define IS_HEX(c)      (IS_DIGIT(c) || (((c) | 0x20) >= 'a' && ((c) | 0x20) <= 'f'))
#define IS_ALPHANUM(c) (IS_DIGIT(c) || IS_ALPHA(c))
#define IS_VISIBLE(c)  ((c) > ' ' && (c) <= '~')
#define IS_PARENS(c)   ((c) == '(' || (c) == ')')
#define IS_BRACKETS(c) ((c) == '[' || (c) == ']')
#define IS_ANGLE(c)    ((c) == '<' || (c) == '>')
#define IS_MARK(c)                                                                                      \
    ((c) == '-' || (c) == '_' || (c) == '.' || (c) == '!' || (c) == '~' || (c) == '*' || (c) == '\'' || \
     IS_PARENS(c))
#define IS_UNRESERVED(c) (IS_ALPHANUM(c) || IS_MARK(c))
#define IS_TOKEN(c)                                                                                        \
    (IS_ALPHANUM(c) || (c) == '-' || (c) == '.' || (c) == '!' || (c) == '%' || (c) == '*' || (c) == '_' || \
     (c) == '+' || (c) == '`' || (c) == '\'' || (c) == '~')
#define IS_WORD(c)                                                                                \
    (IS_TOKEN(c) || IS_PARENS(c) || IS_ANGLE(c) || IS_BRACKETS(c) || (c) == ':' || (c) == '\\' || \
     (c) == '"' || (c) == '/' || (c) == '?' || (c) == '{' || (c) == '}')

// gen-value is token, host or quoted string. Tags and branches of the field are base64 or have "@" and "/" in them,
// which nothing else can mean, so all is taken that separates nothing.
#define IS_VALUE(c)  (IS_VISIBLE(c) && !IS_ANGLE(c) && (c) != '"' && (c) != ',' && (c) != ';' && (c) != '\\')
#define IS_QUOTED(c) ((c) >= ' ' && (c) <= '~' && (c) != '"' && (c) != '\\')
// An underscore is no host's by the book, but is in many names of private zones.
#define IS_HOST(c)   (IS_ALPHANUM(c) || (c) == '-' || (c) == '.' || (c) == '_')
#define IS_IP6(c)    (IS_HEX(c) || (c) == ':' || (c) == '.')
#define IS_SCHEME(c) (IS_ALPHANUM(c) || (c) == '+' || (c) == '-' || (c) == '.')
// "#" ought to be escaped; telephones send it as it was dialled.
#define IS_BARE_USER(c) \
    (IS_UNRESERVED(c) || (c) == '&' || (c) == '=' || (c) == '+' || (c) == '$' || (c) == '/' || (c) == '#')
#define IS_USER(c) (IS_BARE_USER(c) || (c) == ',' || (c) == ';' || (c) == '?')
#define IS_PASSWORD(c) \
    (IS_UNRESERVED(c) || (c) == '&' || (c) == '=' || (c) == '+' || (c) == '$' || (c) == ',')
#define IS_URI_PARAM(c) \
    (IS_UNRESERVED(c) || IS_BRACKETS(c) || (c) == '/' || (c) == ':' || (c) == '&' || (c) == '+' || (c) == '$')
#define IS_URI_PARAMS(c) (IS_URI_PARAM(c) || (c) == ';' || (c) == '=')
#define IS_URI_HEADER(c) \
    (IS_UNRESERVED(c) || IS_BRACKETS(c) || (c) == '/' || (c) == '?' || (c) == ':' || (c) == '+' || (c) == '$')
#define IS_URI_HEADERS(c)   (IS_URI_HEADER(c) || (c) == '&' || (c) == '=')
#define IS_ABSOLUTE(c)      (IS_VISIBLE(c) && !IS_ANGLE(c) && (c) != '"')
#define IS_BARE_ABSOLUTE(c) (IS_ABSOLUTE(c) && (c) != ',' && (c) != ';' && (c) != '?')
#define IS_SEPARATOR(c)     ((c) == '-' || (c) == '.' || IS_PARENS(c)) // RFC 3966 3: visual-separator
#define IS_PHONE(c)         (IS_DIGIT(c) || IS_SEPARATOR(c))
#define IS_PHONE_LOCAL(c)   (IS_HEX(c) || (c) == '*' || (c) == '#' || IS_SEPARATOR(c))

#define ROW(in, low)                                                                                   \
    (uint8_t)((in(low) ? 1 : 0) | (in((low) + 0x10) ? 2 : 0) | (in((low) + 0x20) ? 4 : 0) |            \
              (in((low) + 0x30) ? 8 : 0) | (in((low) + 0x40) ? 16 : 0) | (in((low) + 0x50) ? 32 : 0) | \
              (in((low) + 0x60) ? 64 : 0) | (in((low) + 0x70) ? 128 : 0))
#define ROWS(in)                                                                                            \
    {                                                                                                       \
        {                                                                                                   \
            ROW(in, 0), ROW(in, 1), ROW(in, 2), ROW(in, 3), ROW(in, 4), ROW(in, 5), ROW(in, 6), ROW(in, 7), \
                ROW(in, 8), ROW(in, 9), ROW(in, 10), ROW(in, 11), ROW(in, 12), ROW(in, 13), ROW(in, 14),    \
                ROW(in, 15)                                                                                 \
        }                                                                                                   \
    }

const struct sip_set sip_set_token = ROWS(IS_TOKEN);
const struct sip_set sip_set_word = ROWS(IS_WORD);
const struct sip_set sip_set_value = ROWS(IS_VALUE);
const struct sip_set sip_set_quoted = ROWS(IS_QUOTED);
const struct sip_set sip_set_host = ROWS(IS_HOST);
const struct sip_set sip_set_ip6 = ROWS(IS_IP6);
const struct sip_set sip_set_scheme = ROWS(IS_SCHEME);
const struct sip_set sip_set_user = ROWS(IS_USER);
const struct sip_set sip_set_bare_user = ROWS(IS_BARE_USER);
const struct sip_set sip_set_password = ROWS(IS_PASSWORD);
const struct sip_set sip_set_uri_param = ROWS(IS_URI_PARAM);
const struct sip_set sip_set_uri_params = ROWS(IS_URI_PARAMS);
const struct sip_set sip_set_uri_header = ROWS(IS_URI_HEADER);
const struct sip_set sip_set_uri_headers = ROWS(IS_URI_HEADERS);
const struct sip_set sip_set_absolute = ROWS(IS_ABSOLUTE);
const struct sip_set sip_set_bare_absolute = ROWS(IS_BARE_ABSOLUTE);
const struct sip_set sip_set_phone = ROWS(IS_PHONE);
const struct sip_set sip_set_phone_local = ROWS(IS_PHONE_LOCAL);

#define CLASS(c)                                                                        \
    (uint8_t)((IS_TOKEN(c) ? SIP_CLASS_TOKEN : 0) | (IS_HOST(c) ? SIP_CLASS_HOST : 0) | \
              (IS_WORD(c) ? SIP_CLASS_WORD : 0) | (IS_DIGIT(c) ? SIP_CLASS_DIGIT : 0))
#define CLASS4(c)  CLASS(c), CLASS(c + 1), CLASS(c + 2), CLASS(c + 3)
#define CLASS16(c) CLASS4(c), CLASS4(c + 4), CLASS4(c + 8), CLASS4(c + 12)

const struct cursor_class sip_class = {{
    CLASS16(0x00),
    CLASS16(0x10),
    CLASS16(0x20),
    CLASS16(0x30),
    CLASS16(0x40),
    CLASS16(0x50),
    CLASS16(0x60),
    CLASS16(0x70),
}};

#ifdef __SSSE3__

uint64_t sip_window_stops_far(const struct sip_set *set, const char *from, const char *end)
{
    return sip_window_stops(set, from, end);
}

#endif
