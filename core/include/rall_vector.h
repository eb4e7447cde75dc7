/* rall_vector.h - vectors of doubles as wide as the processor's, for the loops that are written by hand. */
#ifndef RALL_VECTOR_H
#define RALL_VECTOR_H

#if defined(__AVX512F__)
#define RALL_W 8
#elif defined(__AVX__)
#define RALL_W 4
#else
#define RALL_W 2
#endif
#define RALL_LANES 8

typedef double rall_v __attribute__((vector_size(8 * RALL_W)));

#endif
