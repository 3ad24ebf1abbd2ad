// backend: what each kind of store brings. Internal to the room.
#ifndef STORE_BACKEND_H
#define STORE_BACKEND_H

#include "store/store.h"

struct store_backend {
    void (*close)(struct store *store);
    int (*apply)(struct store *store, const struct store_change *changes, unsigned n, bool sync);
    int (*each)(struct store *store, enum store_kind kind, struct slice after,
                bool (*each)(void *owner, struct slice key, struct slice value), void *owner);
    int (*get)(struct store *store, enum store_kind kind, struct slice key, void *value, size_t room);
    int (*usage)(struct store *store, struct store_usage *usage);
};

// The first member of what a backend keeps.
struct store {
    const struct store_backend *backend;
};

// Orders changes by kind, key and then position, so that what lies together is written together and of several changes
// of one key the last one follows the others. Fills `order` with n indices.
void store_order(const struct store_change *changes, unsigned n, uint32_t *order);
bool store_same_key(const struct store_change *a, const struct store_change *b);

#endif
