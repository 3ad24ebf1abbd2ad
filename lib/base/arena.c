#include "base/arena.h"

#define SMALL_MIN     64
#define SMALL_MAX     512
#define SMALL_CLASSES ((SMALL_MAX - SMALL_MIN) / ARENA_UNIT + 1)
#define VICTIMS       16 // pages looked at to find a sparse one

static unsigned class_of(size_t size)
{
    if (size <= SMALL_MIN)
        return 0;
    if (size <= SMALL_MAX)
        return (unsigned)((size + ARENA_UNIT - 1 - SMALL_MIN) / ARENA_UNIT);
    unsigned top = 31 - (unsigned)__builtin_clz((uint32_t)size - 1); // 9 for 513 to 1024
    unsigned quarter = (unsigned)((size - 1) >> (top - 2)) & 3;

    return SMALL_CLASSES + (top - 9) * 4 + quarter;
}

static uint32_t class_size(unsigned class)
{
    if (class < SMALL_CLASSES)
        return SMALL_MIN + class * ARENA_UNIT;
    unsigned top = 9 + (class - SMALL_CLASSES) / 4;

    return (1u << top) + ((class - SMALL_CLASSES) % 4 + 1) * (1u << (top - 2));
}

size_t arena_rounded(size_t size)
{
    return class_size(class_of(size));
}

static void list_push(struct arena *arena, uint32_t *head, uint32_t number)
{
    struct arena_page *page = &arena->pages[number];

    page->prev = 0;
    page->next = *head;
    if (*head != 0)
        arena->pages[*head - 1].prev = number + 1;
    *head = number + 1;
}

static void list_remove(struct arena *arena, uint32_t *head, uint32_t number)
{
    struct arena_page *page = &arena->pages[number];

    if (page->prev != 0)
        arena->pages[page->prev - 1].next = page->next;
    else
        *head = page->next;
    if (page->next != 0)
        arena->pages[page->next - 1].prev = page->prev;
}

unsigned arena_classes(size_t largest)
{
    return class_of(largest) + 1;
}

void arena_init(struct arena *arena, char *records, struct arena_page *pages, uint32_t n, size_t largest)
{
    *arena = (struct arena){
        .records = records, .pages = pages, .pages_n = n, .classes_n = arena_classes(largest), .pool_n = n};
    for (unsigned i = 0; i < arena->classes_n; i++) {
        arena->classes[i].size = class_size(i);
        arena->classes[i].a_page = (uint32_t)(ARENA_PAGE / class_size(i));
    }
    // Backwards, so that the first page is taken first.
    for (uint32_t i = n; i-- > 0;)
        list_push(arena, &arena->pool, i);
}

static bool page_open(struct arena *arena, struct arena_class *class)
{
    if (arena->pool == 0)
        return false;
    uint32_t number = arena->pool - 1;

    list_remove(arena, &arena->pool, number);
    arena->pool_n--;
    arena->pages[number].class = (uint8_t)(class - arena->classes);
    class->spare += class->a_page;
    list_push(arena, &class->room, number);
    return true;
}

static void page_close(struct arena *arena, uint32_t number)
{
    arena->pages[number] = (struct arena_page){0};
    list_push(arena, &arena->pool, number);
    arena->pool_n++;
}

uint32_t arena_take(struct arena *arena, size_t size, bool grow)
{
    struct arena_class *class = &arena->classes[class_of(size)];

    if (class->room == 0 && !(grow && page_open(arena, class)))
        return 0;
    uint32_t number = class->room - 1;
    struct arena_page *page = &arena->pages[number];
    uint32_t reference = page->given;

    if (reference != 0)
        page->given = *(uint32_t *)arena_at(arena->records, reference);
    else
        reference = (uint32_t)(number * ARENA_UNITS_A_PAGE + page->carved++ * (class->size / ARENA_UNIT) + 1);
    class->spare--;
    if (++page->used == class->a_page)
        list_remove(arena, &class->room, number);
    arena->bytes += class->size;
    return reference;
}

void arena_give(struct arena *arena, uint32_t reference)
{
    uint32_t number = arena_page(reference);
    struct arena_page *page = &arena->pages[number];
    struct arena_class *class = &arena->classes[page->class];

    *(uint32_t *)arena_at(arena->records, reference) = page->given;
    page->given = reference;
    arena->bytes -= class->size;
    if (page->leaving) {
        if (--page->used == 0) {
            arena->leaving_n--;
            page_close(arena, number);
        }
        return;
    }
    class->spare++;
    if (page->used-- == class->a_page)
        list_push(arena, &class->room, number);
    if (page->used == 0) {
        class->spare -= class->a_page;
        list_remove(arena, &class->room, number);
        page_close(arena, number);
    }
}

static uint32_t sparsest(const struct arena *arena, const struct arena_class *class)
{
    uint32_t best = class->room;
    uint32_t at = best;

    for (unsigned i = 0; i < VICTIMS && at != 0; i++, at = arena->pages[at - 1].next)
        if (arena->pages[at - 1].used < arena->pages[best - 1].used)
            best = at;
    return best;
}

uint32_t arena_leave(struct arena *arena)
{
    if (arena->pool_n + arena->leaving_n >= ARENA_PAGES_RESERVE)
        return 0;
    for (unsigned i = 0; i < arena->classes_n; i++) {
        struct arena_class *class = &arena->classes[i];

        // A page's worth to spare: without this page's own share there is still room for all that is used in it.
        if (class->spare < class->a_page)
            continue;
        uint32_t victim = sparsest(arena, class);
        struct arena_page *page = &arena->pages[victim - 1];

        list_remove(arena, &class->room, victim - 1);
        class->spare -= class->a_page - page->used;
        page->leaving = true;
        arena->leaving_n++;
        return victim;
    }
    return 0;
}

void arena_stay(struct arena *arena, uint32_t page_number)
{
    struct arena_page *page = &arena->pages[page_number];
    struct arena_class *class = &arena->classes[page->class];

    page->leaving = false;
    arena->leaving_n--;
    class->spare += class->a_page - page->used;
    list_push(arena, &class->room, page_number);
}
