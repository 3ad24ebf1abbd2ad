#include "conf/check.h"
#include "conf/host.h"

bool conf_text_is_among(struct slice text, const struct conf_text *list, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (slice_equal(text, slice_of(list[i].text, list[i].len)))
            return true;
    }
    return false;
}

bool conf_methods_cover(const struct conf_text *wide, unsigned wide_n, const struct conf_text *narrow,
                        unsigned narrow_n)
{
    if (wide_n == 0)
        return true;
    for (unsigned i = 0; i < narrow_n; i++) {
        if (!conf_text_is_among(slice_of(narrow[i].text, narrow[i].len), wide, wide_n))
            return false;
    }
    return narrow_n > 0;
}

static bool network_is_covered(const struct conf_network *network, const struct conf_network *wide,
                               unsigned wide_n)
{
    for (unsigned i = 0; i < wide_n; i++) {
        if (conf_network_covers(&wide[i], network))
            return true;
    }
    return false;
}

bool conf_networks_cover(const struct conf_network *wide, unsigned wide_n, const struct conf_network *narrow,
                         unsigned narrow_n)
{
    if (wide_n == 0)
        return true;
    for (unsigned i = 0; i < narrow_n; i++) {
        if (!network_is_covered(&narrow[i], wide, wide_n))
            return false;
    }
    return narrow_n > 0;
}
