#include "sip/date.h"

#include <string.h>

static void put_two(char *at, unsigned number)
{
    at[0] = (char)('0' + number / 10);
    at[1] = (char)('0' + number % 10);
}

void sip_date_write(uint64_t unix_s, char text[SIP_DATE_LEN])
{
    static const char weekdays[] = "SunMonTueWedThuFriSat";
    static const char months[] = "MarAprMayJunJulAugSepOctNovDecJanFeb";
    unsigned second = (unsigned)(unix_s % 86400);
    uint32_t days = (uint32_t)(unix_s / 86400);

    // The calendar from 1 March of the year 0 on: then a leap day is the last day of its year, and the months'
    // lengths follow a straight line (153 days in five months).
    uint32_t since = days + 719468;
    uint32_t era = since / 146097; // of 400 years
    uint32_t in_era = since % 146097;
    uint32_t year_in_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    uint32_t in_year = in_era - (365 * year_in_era + year_in_era / 4 - year_in_era / 100);
    uint32_t month = (5 * in_year + 2) / 153; // 0 is March
    uint32_t day = in_year - (153 * month + 2) / 5 + 1;
    uint32_t year = era * 400 + year_in_era + (month >= 10 ? 1 : 0);

    memcpy(text, "Sun, 00 Jan 0000 00:00:00 GMT", SIP_DATE_LEN);
    memcpy(text, weekdays + 3 * ((days + 4) % 7), 3); // 1970-01-01 was a Thursday
    put_two(text + 5, day);
    memcpy(text + 8, months + 3 * month, 3);
    put_two(text + 12, year / 100 % 100);
    put_two(text + 14, year % 100);
    put_two(text + 17, second / 3600);
    put_two(text + 20, second / 60 % 60);
    put_two(text + 23, second % 60);
}
