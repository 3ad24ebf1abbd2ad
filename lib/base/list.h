// list: records by number, one behind the other.
//
// Numbers count from 1, and 0 is none, so zeroed memory is an empty list. The links stand apart from the records, in an
// array by number that the caller owns: to take one out of a list touches its neighbours' links, eight of which share a
// cache line, and not the neighbours. A number stands on at most one list of an array at a time; that of 0 is never
// written. No memory is taken, nothing fails, all is O(1). Whoever owns the array, alone.
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdint.h>

struct list_link {
    uint32_t next, previous; // 0: none
};

struct list {
    uint32_t first, last; // 0: it is empty
};

// Puts a number that is on no list behind all others.
static inline void list_append(struct list *list, struct list_link *links, uint32_t number)
{
    links[number] = (struct list_link){.previous = list->last};
    if (list->last != 0)
        links[list->last].next = number;
    else
        list->first = number;
    list->last = number;
}

// Takes out a number that is on this list. Its own link stays as it is.
static inline void list_remove(struct list *list, struct list_link *links, uint32_t number)
{
    struct list_link link = links[number];

    if (link.previous != 0)
        links[link.previous].next = link.next;
    else
        list->first = link.next;
    if (link.next != 0)
        links[link.next].previous = link.previous;
    else
        list->last = link.previous;
}

#endif
