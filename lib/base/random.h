// random: numbers that look drawn, the same ones again for the same seed.
//
// splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014). It spreads what is to be
// spread, and decides nothing that anybody could gain from foreseeing. Any value of the state is a good seed. Pure: any
// thread, each with a state of its own.
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

// Another number for each one.
static inline uint64_t random_mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline uint64_t random_next(uint64_t *state)
{
    return random_mix(*state += 0x9e3779b97f4a7c15u);
}

#endif
