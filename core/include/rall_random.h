/* rall_random.h - random numbers that are a function of where they are used, not of a hidden state.

   A number is fixed by (seed, stream, step, element, draw): `stream` tells objects apart, `element` is the index
   in the user's order, `draw` counts the calls in one evaluation.  Layout, threads, ranks and devices therefore
   do not matter.  The generator is Philox4x32-10 (Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy
   as 1, 2, 3", SC'11): ten rounds of multiply and xor scramble a 128-bit counter under a 64-bit key.

       key      seed and stream, mixed once                   (rall_random_key)
       counter  element | draw | step, low 32 bits | step, next 16 bits and the attempt of a rejection method

   Different streams of one seed have different keys, different uses within a stream different counters.
   Steps count modulo 2^48, elements and draws modulo 2^32.  Uniforms are the same bits on every target, normals
   agree to rounding.  uniform and normal are branch-free and vectorise; poisson and binomial loop. */
#ifndef RALL_RANDOM_H
#define RALL_RANDOM_H

#include "rall_math.h"

/* 32-bit words, each in 64 bits, so that SIMD code can multiply them. */
typedef struct {
    unsigned long long a, b, c, d;
} rall_words;

/* Stafford's variant 13 of the 64-bit finaliser (as in SplitMix64): a bijection that spreads every bit. */
RALL_FN unsigned long long rall_mix(unsigned long long x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

/* The key of one object's numbers. */
RALL_FN unsigned long long rall_random_key(unsigned long long seed, unsigned long long stream)
{
    return rall_mix(seed ^ rall_mix(stream * 0x9e3779b97f4a7c15ULL + 0x9e3779b97f4a7c15ULL));
}

RALL_FN rall_words rall_philox_round(rall_words x, unsigned long long key0, unsigned long long key1)
{
    unsigned long long p = x.a * 0xd2511f53ULL, q = x.c * 0xcd9e8d57ULL;
    rall_words y;
    y.a = (q >> 32) ^ x.b ^ key0;
    y.b = q & 0xffffffffULL;
    y.c = (p >> 32) ^ x.d ^ key1;
    y.d = p & 0xffffffffULL;
    return y;
}

/* Philox4x32-10 of four 32-bit words. */
RALL_FN rall_words rall_philox(rall_words x, unsigned long long key)
{
    unsigned long long k = key & 0xffffffffULL, l = key >> 32;
#define RALL_ROUND(i)                                                                                       \
    x = rall_philox_round(x, (k + i##ULL * 0x9e3779b9ULL) & 0xffffffffULL, (l + i##ULL * 0xbb67ae85ULL) & 0xffffffffULL)
    RALL_ROUND(0); /* written out: an inner loop would keep the loop around it from being vectorised */
    RALL_ROUND(1);
    RALL_ROUND(2);
    RALL_ROUND(3);
    RALL_ROUND(4);
    RALL_ROUND(5);
    RALL_ROUND(6);
    RALL_ROUND(7);
    RALL_ROUND(8);
    RALL_ROUND(9);
#undef RALL_ROUND
    return x;
}

RALL_FN rall_words rall_random_block(unsigned long long key, long long step, unsigned long long element,
                                     unsigned long long draw, unsigned long long attempt)
{
    rall_words x;
    x.a = element & 0xffffffffULL;
    x.b = draw & 0xffffffffULL;
    x.c = (unsigned long long)step & 0xffffffffULL;
    x.d = (((unsigned long long)step >> 32) & 0xffffULL) | ((attempt & 0xffffULL) << 16);
    return rall_philox(x, key);
}

/* k < 2^52 as a double, without a conversion that only some SIMD units have. */
RALL_FN double rall_small_to_double(unsigned long long k)
{
    return rall_from_bits(k | 0x4330000000000000ULL) - 4503599627370496.0;
}

/* 53 bits of two words as a number in [0, 1). */
RALL_FN double rall_words_to_unit(unsigned long long high, unsigned long long low)
{
    double h = rall_small_to_double(high >> 5), l = rall_small_to_double(low >> 6);
    return (h * 67108864.0 + l) * 1.1102230246251565e-16;
}

/* Uniform in [0, 1), a multiple of 2^-53. */
RALL_FN double rall_uniform(unsigned long long key, long long step, unsigned long long element, unsigned long long draw)
{
    rall_words x = rall_random_block(key, step, element, draw, 0);
    return rall_words_to_unit(x.a, x.b);
}

/* Standard normal by Box & Muller (Ann. Math. Stat. 29, 1958) from the two uniforms of one block: the quarter
   turn is split off exactly, so no range reduction is needed.  |z| is at most 8.6. */
RALL_FN double rall_normal(unsigned long long key, long long step, unsigned long long element, unsigned long long draw)
{
    rall_words x = rall_random_block(key, step, element, draw, 0);
    double radius = RALL_SQRT(-2.0 * rall_log(1.0 - rall_words_to_unit(x.a, x.b)));
    double turns = 4.0 * rall_words_to_unit(x.c, x.d), angle, s, c, y;
    rall_bits quarter;
    quarter.d = turns + RALL_MAGIC; /* the nearest whole number, in the low bits */
    angle = (turns - (quarter.d - RALL_MAGIC)) * RALL_PIO2_HIGH;
    s = rall_sin_kernel(angle, 0.0);
    c = rall_cos_kernel(angle, 0.0);
    y = quarter.i & 1 ? s : c;
    return radius * ((quarter.i + 1) & 2 ? -y : y);
}

/* log(k!) for whole k >= 0: Stirling's series from k + 1 >= 10 on, lifted there by a product below. */
RALL_FN double rall_log_factorial(double k)
{
    double x = k + 1.0, lift = 1.0, z;
    while (x < 10.0) {
        lift *= x;
        x += 1.0;
    }
    z = 1.0 / (x * x);
    z = (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z * (1.0 / 1680 - z * (1.0 / 1188))))) / x;
    return (x - 0.5) * rall_log(x) - x + 0.9189385332046727 + z - rall_log(lift);
}

/* Poisson with mean `mean`: inversion by sequential search below 10, else the transformed rejection PTRS of
   Hormann (Insur. Math. Econ. 12, 1993).  0 for a mean <= 0, NaN for NaN. */
RALL_FN double rall_poisson(unsigned long long key, long long step, unsigned long long element,
                            unsigned long long draw, double mean)
{
    unsigned long long attempt;
    double a, b, inverse_alpha, fit, log_mean, k = 0.0;
    if (!(mean > 0.0))
        return mean != mean ? mean : 0.0;
    if (mean < 10.0) {
        double u = rall_uniform(key, step, element, draw), p = rall_exp(-mean);
        while (u >= p && k < 128.0) {
            u -= p;
            k += 1.0;
            p *= mean / k;
        }
        return k;
    }
    b = 0.931 + 2.53 * RALL_SQRT(mean);
    a = -0.059 + 0.02483 * b;
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    fit = 0.9277 - 3.6224 / (b - 2.0);
    log_mean = rall_log(mean);
    for (attempt = 0; attempt < 65536; attempt++) {
        rall_words x = rall_random_block(key, step, element, draw, attempt);
        double u = rall_words_to_unit(x.a, x.b) - 0.5, v = 1.0 - rall_words_to_unit(x.c, x.d);
        double us = 0.5 - RALL_FABS(u) + 1e-300;
        k = rall_floor((2.0 * a / us + b) * u + mean + 0.43);
        if (us >= 0.07 && v <= fit)
            break;
        if (k < 0.0 || (us < 0.013 && v > us))
            continue;
        if (rall_log(v * inverse_alpha / (a / (us * us) + b)) <= k * log_mean - mean - rall_log_factorial(k))
            break;
    }
    return k;
}

/* Binomial, p <= 1/2 and n p < 10: inversion by sequential search. */
RALL_FN double rall_binomial_search(double u, double n, double p)
{
    double q = 1.0 - p, f = rall_exp(n * rall_log1p(-p)), k = 0.0;
    while (u >= f && k < n && k < 160.0) {
        u -= f;
        k += 1.0;
        f *= (n - k + 1.0) / k * (p / q);
    }
    return k;
}

/* Binomial, p <= 1/2 and n p >= 10: the transformed rejection BTRS of Hormann (J. Stat. Comput. Simul. 46, 1993). */
RALL_FN double rall_binomial_reject(unsigned long long key, long long step, unsigned long long element,
                                    unsigned long long draw, double n, double p)
{
    double q = 1.0 - p, width = RALL_SQRT(n * p * q), b = 1.15 + 2.53 * width;
    double a = -0.0873 + 0.0248 * b + 0.01 * p, fit = 0.92 - 4.2 / b;
    double alpha = (2.83 + 5.1 / b) * width, log_odds = rall_log(p / q), mode = rall_floor((n + 1.0) * p);
    double top = rall_log_factorial(mode) + rall_log_factorial(n - mode), k = mode;
    unsigned long long attempt;
    for (attempt = 0; attempt < 65536; attempt++) {
        rall_words x = rall_random_block(key, step, element, draw, attempt);
        double u = rall_words_to_unit(x.a, x.b) - 0.5, v = 1.0 - rall_words_to_unit(x.c, x.d);
        double us = 0.5 - RALL_FABS(u) + 1e-300;
        k = rall_floor((2.0 * a / us + b) * u + n * p + 0.5);
        if (us >= 0.07 && v <= fit)
            break;
        if (k < 0.0 || k > n)
            continue;
        if (rall_log(v * alpha / (a / (us * us) + b))
            <= top - rall_log_factorial(k) - rall_log_factorial(n - k) + (k - mode) * log_odds)
            break;
    }
    return k;
}

/* Successes in n independent trials of probability p (n is rounded down; p is clipped to [0, 1]). */
RALL_FN double rall_binomial(unsigned long long key, long long step, unsigned long long element,
                             unsigned long long draw, double n, double p)
{
    double trials = rall_floor(n), rare = p > 0.5 ? 1.0 - p : p, k;
    if (n != n || p != p)
        return RALL_NAN;
    if (trials < 1.0 || rare <= 0.0)
        return trials >= 1.0 && p > 0.5 ? trials : 0.0;
    if (trials * rare < 10.0)
        k = rall_binomial_search(rall_uniform(key, step, element, draw), trials, rare);
    else
        k = rall_binomial_reject(key, step, element, draw, trials, rare);
    return p > 0.5 ? trials - k : k;
}

/* As equations call them: what is drawn from, then the place of the draw. */
RALL_FN double rall_draw_rand(long long seed, long long stream, long long step, long long element, double draw)
{
    return rall_uniform(rall_random_key((unsigned long long)seed, (unsigned long long)stream), step,
                        (unsigned long long)element, (unsigned long long)draw);
}

RALL_FN double rall_draw_randn(long long seed, long long stream, long long step, long long element, double draw)
{
    return rall_normal(rall_random_key((unsigned long long)seed, (unsigned long long)stream), step,
                       (unsigned long long)element, (unsigned long long)draw);
}

RALL_FN double rall_draw_poisson(double mean, long long seed, long long stream, long long step, long long element,
                                 double draw)
{
    return rall_poisson(rall_random_key((unsigned long long)seed, (unsigned long long)stream), step,
                        (unsigned long long)element, (unsigned long long)draw, mean);
}

RALL_FN double rall_draw_normal(double mean, double sd, long long seed, long long stream, long long step,
                                long long element, double draw)
{
    return mean + sd * rall_draw_randn(seed, stream, step, element, draw);
}

/* One of several whole numbers, by Walker's aliases (ACM Trans. Math. Softw. 3, 1977): each of 2^k equally likely
   places holds at most two numbers, so that a draw is one uniform and one comparison, whatever the probabilities.
   table: 32 - k, 2^k, the first number; then for each place the share of its own number (the first + the place), and
   the other number.  The upper k bits of the uniform choose the place, k <= 27, the rest compares with the share. */
RALL_FN double rall_draw_among(const double *table, long long seed, long long stream, long long step, long long element,
                               double draw)
{
    rall_words x = rall_random_block(rall_random_key((unsigned long long)seed, (unsigned long long)stream), step,
                                     (unsigned long long)element, (unsigned long long)draw, 0);
    unsigned long long k = x.a >> (unsigned long long)table[0];
    double place = rall_small_to_double(k), share = rall_words_to_unit(x.a, x.b) * table[1] - place;
    double own = table[2] + place, other = table[4 + 2 * k]; /* read both: a branch would keep the loop from SIMD */
    return share < table[3 + 2 * k] ? own : other;
}

#endif
