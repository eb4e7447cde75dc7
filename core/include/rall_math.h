/* rall_math.h - the elementary functions of generated code, on double.

   Fixed text that every kernel of the C family includes: C99, C++, WebAssembly and CUDA.  It needs no system
   header and no libm, and every function is branch-free, so that gcc and clang turn a loop that calls them into
   SIMD code (flags: -O2 -fopenmp-simd -fno-math-errno -fno-trapping-math, `#pragma omp simd` at the loop).

   What holds for all: NaN in gives NaN out; an argument outside the domain gives NaN; results below
   2.2e-308 may be flushed to zero; what overflows is inf, for exp and its relatives from x = 709.43 on;
   expm1 and log1p of -0 are +0.
   Results do not rest on -ffp-contract (they differ in the last bit), but they do rest on the order of
   operations: -ffast-math makes them wrong and is refused.

   Largest errors found against 40-digit arithmetic (tests/devices/test_rall_math.py), in units of the last place:
       exp 1.1       expm1 1.1     exprel 1.8    xoexpm1 2.1   (|x| < 708)
       log 0.9       log1p 0.9     log2 1.0      log10 1.1     pow 1.3      sqrt 0.5
       sin 0.8       cos 0.8       tan 2.0       (|x| < 1e6, absolute error 1e-16 |x| beyond)
       sinh 1.8      cosh 1.2      tanh 2.1      arcsin 1.3    arccos 1.0   arctan 1.8   arctan2 2.0
   xoexpm1_shared: 1e-13 relative.  Rounding, abs, sign, clip, min, max, mod and // are exact (mod while x/y < 2^53).
   Methods: exp and expm1 by two-constant reduction and a polynomial (Tang, ACM TOMS 15, 1989), log by the series
   in s = f/(2+f), sin and cos by three-part Cody-Waite reduction (Cody & Waite, Software Manual for the
   Elementary Functions, 1980), pow through a logarithm in double-double (Dekker, Numer. Math. 18, 1971).
   Coefficients: own least-squares fits at Chebyshev density, rounded one after the other. */
#ifndef RALL_MATH_H
#define RALL_MATH_H

#if defined(__FAST_MATH__)
#error "rall_math.h: -ffast-math and -Ofast cancel the rounding steps below and give wrong numbers; leave them out"
#endif

#if defined(__CUDACC__)
#define RALL_FN static __host__ __device__ __forceinline__
#elif defined(__GNUC__) || defined(__clang__)
#define RALL_FN static inline __attribute__((always_inline, unused))
#else
#define RALL_FN static inline
#endif

#if defined(__CUDA_ARCH__)
#define RALL_FABS(x) fabs(x)
#define RALL_SQRT(x) sqrt(x)
#define RALL_FLOOR(x) floor(x)
#define RALL_FMA(a, b, c) fma(a, b, c)
#elif defined(__GNUC__) || defined(__clang__)
#define RALL_FABS(x) __builtin_fabs(x)
#define RALL_SQRT(x) __builtin_sqrt(x)
#if defined(__SSE4_1__) || defined(__aarch64__) || defined(__wasm__)
#define RALL_FLOOR(x) __builtin_floor(x) /* one instruction there, a call into libm elsewhere */
#endif
#if defined(__FMA__) || defined(__aarch64__)
#define RALL_FMA(a, b, c) __builtin_fma(a, b, c)
#endif
#else
#if defined(__cplusplus)
extern "C" double fabs(double);
extern "C" double sqrt(double);
#else
double fabs(double);
double sqrt(double);
#endif
#define RALL_FABS(x) fabs(x)
#define RALL_SQRT(x) sqrt(x)
#endif

typedef union {
    double d;
    long long i;
    unsigned long long u;
} rall_bits;

RALL_FN double rall_from_bits(unsigned long long u)
{
    rall_bits b;
    b.u = u;
    return b.d;
}

RALL_FN unsigned long long rall_to_bits(double x)
{
    rall_bits b;
    b.d = x;
    return b.u;
}

#define RALL_INF rall_from_bits(0x7ff0000000000000ULL)
#define RALL_NAN rall_from_bits(0x7ff8000000000000ULL)
#define RALL_BIG 1.7976931348623157e308 /* the largest double */
#define RALL_SIGN_BIT 0x8000000000000000ULL
/* 1.5 * 2^52: adding it leaves round(x) in the low bits of the sum. */
#define RALL_MAGIC 6755399441055744.0
#define RALL_MAGIC_BITS 0x4338000000000000LL
#define RALL_LN2_HIGH 0.6931471804855391 /* 33 bits, so that n * high is exact */
#define RALL_LN2_LOW 7.440617110012397e-11
#define RALL_PIO2_HIGH 1.5707963267948966
#define RALL_PIO2_LOW 6.123233995736766e-17

/* ---- sign, order, rounding -------------------------------------------------------------------------------- */

RALL_FN double rall_abs(double x) { return RALL_FABS(x); }

RALL_FN double rall_copysign(double x, double sign)
{
    return rall_from_bits((rall_to_bits(x) & ~RALL_SIGN_BIT) | (rall_to_bits(sign) & RALL_SIGN_BIT));
}

/* -1, 0 or 1. */
RALL_FN double rall_sign(double x) { return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x; }

RALL_FN double rall_min(double a, double b) { return (a < b) | (a != a) ? a : b; }

RALL_FN double rall_max(double a, double b) { return (a > b) | (a != a) ? a : b; }

RALL_FN double rall_clip(double x, double low, double high)
{
    double y = x < low ? low : x;
    return y > high ? high : y;
}

RALL_FN int rall_isfinite(double x) { return RALL_FABS(x) <= RALL_BIG; }

/* To the nearest integer, halves to the even one, as Python's round(). */
RALL_FN double rall_rint(double x)
{
    double a = RALL_FABS(x);
    double r = (a + 4503599627370496.0) - 4503599627370496.0;
    return a < 4503599627370496.0 ? rall_copysign(r, x) : x;
}

RALL_FN double rall_round(double x) { return rall_rint(x); }

RALL_FN double rall_floor(double x)
{
#if defined(RALL_FLOOR)
    return RALL_FLOOR(x);
#else
    double r = rall_rint(x);
    return r > x ? r - 1.0 : r;
#endif
}

RALL_FN double rall_ceil(double x) { return -rall_floor(-x); }

/* Towards zero. */
RALL_FN double rall_trunc(double x) { return rall_copysign(rall_floor(RALL_FABS(x)), x); }

RALL_FN double rall_sqrt(double x) { return RALL_SQRT(x); }

/* a * b as an unevaluated sum: the product rounded and, in *low, what the rounding lost. */
RALL_FN double rall_two_product(double a, double b, double *low)
{
    double p = a * b;
#if defined(RALL_FMA)
    *low = RALL_FMA(a, b, -p);
#else
    /* Dekker, with the halves cut out of the bits: a cut by arithmetic would depend on contraction. */
    double a1 = rall_from_bits((rall_to_bits(a) + 0x4000000ULL) & ~0x7ffffffULL), a2 = a - a1;
    double b1 = rall_from_bits((rall_to_bits(b) + 0x4000000ULL) & ~0x7ffffffULL), b2 = b - b1;
    *low = (((a1 * b1 - p) + a1 * b2) + a2 * b1) + a2 * b2;
#endif
    return p;
}

/* The integer below x / y and, in *rest, x minus that many y: exact for |x/y| < 2^53. */
RALL_FN double rall_floor_quotient(double x, double y, double *rest)
{
    double q = rall_floor(x / y), low, p = rall_two_product(q, y, &low);
    double r = q == 0.0 ? x : (x - p) - low;
    int over = ((r < 0.0) & (y > 0.0)) | ((r > 0.0) & (y < 0.0)); /* x / y was rounded up to an integer */
    *rest = over ? r + y : r;
    return over ? q - 1.0 : q;
}

/* x % y with the sign of y, as Python's; NaN for y = 0. */
RALL_FN double rall_mod(double x, double y)
{
    double r;
    (void)rall_floor_quotient(x, y, &r);
    r = r == 0.0 ? rall_copysign(0.0, y) : r;
    return (y == 0.0) | (y != y) | !rall_isfinite(x) ? RALL_NAN : r;
}

/* x // y as Python's; x // 0 is an infinity (NaN for x = 0). */
RALL_FN double rall_floordiv(double x, double y)
{
    double r, q = rall_floor_quotient(x, y, &r);
    q = rall_isfinite(x) ? q : RALL_NAN;
    return y == 0.0 ? x / y : q;
}

/* ---- exponentials ------------------------------------------------------------------------------------------ */

/* e^r - 1 - r for |r| <= 0.3468: r^2/2 + ..., to degree 11, in Estrin's order for short dependence chains. */
RALL_FN double rall_exp_kernel(double r)
{
    double r2 = r * r, r4 = r2 * r2;
    double q01 = 0.1666666666666667 * r + 0.5;
    double q23 = 0.008333333333325884 * r + 0.04166666666663537;
    double q45 = 0.00019841269875470243 * r + 0.0013888888913875306;
    double q67 = 2.7557254736602966e-06 * r + 2.4801524967507506e-05;
    double q89 = 2.5105450665496886e-08 * r + 2.76187425386896e-07;
    double q = (q23 * r2 + q01) + r4 * ((q67 * r2 + q45) + r4 * q89);
    return q * r2;
}

/* x = n ln 2 + r + *low: returns r, and 2^n in *scale with n clamped to [-1023, top] (2^-1023 counts as 0, 2^1024 is
   inf).  The clamp is on the integer and the scaling a multiplication, so NaN stays NaN. */
RALL_FN double rall_exp_reduce(double x, long long top, double *scale, double *low)
{
    rall_bits k;
    double n, a, r;
    long long e;
    k.d = x * 1.4426950408889634 + RALL_MAGIC;
    n = k.d - RALL_MAGIC;
    a = x - n * RALL_LN2_HIGH;
    r = a - n * RALL_LN2_LOW;
    *low = (a - r) - n * RALL_LN2_LOW;
    r = RALL_FABS(x) > 1000.0 ? 0.0 : r;
    *low = RALL_FABS(x) > 1000.0 ? 0.0 : *low;
    e = k.i - RALL_MAGIC_BITS;
    e = e < -1023 ? -1023 : e;
    e = e > top ? top : e;
    *scale = rall_from_bits((unsigned long long)(e + 1023) << 52);
    return r;
}

RALL_FN double rall_exp(double x)
{
    double scale, low, r = rall_exp_reduce(x, 1024, &scale, &low);
    return (1.0 + (rall_exp_kernel(r) + r)) * scale;
}

/* e^x - 1 while that is below 2^1023 and some number above 2^1022 beyond; to 2 ulp. */
RALL_FN double rall_expm1_fast(double x)
{
    double scale, low, r = rall_exp_reduce(x, 1023, &scale, &low);
    return scale * (rall_exp_kernel(r) + r) + (scale - 1.0);
}

/* The same to 1 ulp, the two large terms added exactly: for functions that add errors of their own. */
RALL_FN double rall_expm1_fine(double x)
{
    double scale, low, r = rall_exp_reduce(x, 1023, &scale, &low);
    double a = scale - 1.0, b = scale * r, sum = a + b;
    return sum + (((a - sum) + b) + scale * (rall_exp_kernel(r) + low));
}

RALL_FN double rall_expm1(double x)
{
    double y = rall_expm1_fine(x);
    return x > 709.43 ? RALL_INF : y;
}

/* (e^x - 1) / x, 1 at x = 0. */
RALL_FN double rall_exprel(double x)
{
    double y = rall_expm1_fast(x) / x;
    y = x == 0.0 ? 1.0 : y;
    return x > 709.43 ? RALL_INF : y;
}

/* x / (e^x - 1), 1 at x = 0: the form of many rate functions; 0 for x > 709.43. */
RALL_FN double rall_xoexpm1(double x)
{
    double y = x / rall_expm1_fast(x);
    y = x == 0.0 ? 1.0 : y;
    return x > 709.43 ? 0.0 : y;
}

/* The same with e^x given, as a product of shared exponentials: where e - 1 would cancel (|x| < 0.02) the
   Bernoulli series takes over, so an error of 10 eps in e costs at most 1e-13 in the result. */
RALL_FN double rall_xoexpm1_shared(double x, double e)
{
    double z = x * x;
    double series = (1.0 - 0.5 * x) + z * (1.0 / 12 + z * (-1.0 / 720));
    double y = x / (e - 1.0);
    return RALL_FABS(x) < 0.02 ? series : y;
}

/* ---- logarithms ---------------------------------------------------------------------------------------------- */

/* x = 2^n (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2), for 0 < x < inf: returns f, exactly. */
RALL_FN double rall_log_reduce(double x, double *n)
{
    int small = x < 2.2250738585072014e-308;
    double scaled = small ? x * 18014398509481984.0 : x;
    unsigned long long t = rall_to_bits(scaled) + (0x3ff0000000000000ULL - 0x3fe6a09e667f3bcdULL);
    double k = rall_from_bits((t >> 52) | 0x4330000000000000ULL); /* 2^52 + exponent: no conversion needed */
    *n = k - (small ? 4503599627370496.0 + 1077.0 : 4503599627370496.0 + 1023.0);
    return rall_from_bits((t & 0x000fffffffffffffULL) + 0x3fe6a09e667f3bcdULL) - 1.0;
}

/* f - log(1 + f), small and accurate to a fraction of an ulp of f. */
RALL_FN double rall_log_kernel(double f)
{
    double s = f / (2.0 + f), z = s * s, half = 0.5 * f * f;
    double r = z * (0.666666666666667 + z * (0.3999999999989958 + z * (0.2857142862606493
             + z * (0.22222211113085 + z * (0.1818289093015897
             + z * (0.15331658165977147 + z * 0.14617253152166632))))));
    return half - s * (half + r);
}

/* Puts right what the formulas do not know: 0, negative numbers, inf and NaN. */
RALL_FN double rall_log_edges(double x, double y)
{
    y = x <= RALL_BIG ? y : x;
    y = x < 0.0 ? RALL_NAN : y;
    return x == 0.0 ? -RALL_INF : y;
}

RALL_FN double rall_log(double x)
{
    double n, f = rall_log_reduce(x, &n);
    double y = n * RALL_LN2_HIGH - ((rall_log_kernel(f) - n * RALL_LN2_LOW) - f);
    return rall_log_edges(x, y);
}

/* log(1 + x): the rounding error of 1 + x, relative to it, is put back. */
RALL_FN double rall_log1p(double x)
{
    double u = 1.0 + x;
    double lost = x < 1.0 ? x - (u - 1.0) : 1.0 - (u - x);
    double n, f = rall_log_reduce(u, &n);
    double c = lost / u;
    double y = n * RALL_LN2_HIGH - ((rall_log_kernel(f) - (n * RALL_LN2_LOW + c)) - f);
    return rall_log_edges(u, y);
}

RALL_FN double rall_log2(double x)
{
    double n, f = rall_log_reduce(x, &n);
    double h = rall_from_bits(rall_to_bits(f) & ~0xffffffffULL); /* log(1+f) = h + low, h short */
    double low = (f - h) - rall_log_kernel(f);
    double y = h * 1.4426950216293335 + ((h + low) * 1.9259629911266175e-08 + low * 1.4426950216293335);
    return rall_log_edges(x, n + y);
}

RALL_FN double rall_log10(double x)
{
    double n, f = rall_log_reduce(x, &n);
    double h = rall_from_bits(rall_to_bits(f) & ~0xffffffffULL);
    double low = (f - h) - rall_log_kernel(f);
    double y = n * 5.630334806675098e-11 + ((h + low) * 4.798111141615973e-09 + low * 0.4342944771051407);
    return rall_log_edges(x, (n * 0.30102999560767785 + h * 0.4342944771051407) + y);
}

/* ---- powers -------------------------------------------------------------------------------------------------- */

/* log(x) for 0 < x < inf to about 2^-68 of itself: returned and *low. */
RALL_FN double rall_log_double(double x, double *low)
{
    double n, f = rall_log_reduce(x, &n);
    double d = 2.0 + f, d_low = f - (d - 2.0);
    double s = f / d, p_low, p = rall_two_product(s, d, &p_low);
    double s_low = (((f - p) - p_low) - s * d_low) / d;
    double z_low, z = rall_two_product(s, s, &z_low);
    double c_low, c = rall_two_product(z, s, &c_low); /* s^3 */
    double t_low, t = rall_two_product(c, 0.6666666666666666, &t_low);
    double w = 0.4 + z * (0.2857142857142632 + z * (0.2222222222277149 + z * (0.18181818155151308
             + z * (0.1538460991170658 + z * (0.13334140661878544
             + z * (0.11721257930844571 + z * 0.11587248101101126))))));
    double a, b, e;
    z_low += 2.0 * s * s_low;
    c_low += z_low * s + z * s_low;
    t_low += c_low * 0.6666666666666666 + c * 3.700743415417188e-17 + c * z * w;
    /* n ln2 + 2 s + t, largest first; n ln2_high is exact, and 0 or larger than the rest (Dekker) */
    a = n * RALL_LN2_HIGH;
    b = a + 2.0 * s;
    e = (a - b) + 2.0 * s;
    a = b + t;
    e += ((b - a) + t) + (n * RALL_LN2_LOW + (2.0 * s_low + t_low));
    b = a + e;
    *low = (a - b) + e;
    return b;
}

/* x ** y with the conventions of C and Python's floats: x ** 0 and 1 ** y are 1, a negative x takes integer y. */
RALL_FN double rall_pow(double x, double y)
{
    double a = RALL_FABS(x), bounded = y > 1e19 ? 1e19 : y < -1e19 ? -1e19 : y;
    double low, l = rall_log_double(a, &low);
    double p_low, p = rall_two_product(bounded, l, &p_low);
    double scale, tiny, r, v;
    int whole = rall_floor(y) == y;
    int odd = whole & (rall_floor(0.5 * y) != 0.5 * y);
    int vanishes = (a == 0.0) == (y > 0.0);
    p_low += bounded * low;
    p_low = RALL_FABS(p) > 1000.0 ? 0.0 : p_low;
    r = rall_exp_reduce(p, 1024, &scale, &tiny) + p_low;
    v = (1.0 + (rall_exp_kernel(r) + r)) * scale;
    v = (a == 0.0) | (a > RALL_BIG) ? (vanishes ? 0.0 : RALL_INF) : v;
    v = (rall_copysign(1.0, x) < 0.0) & odd ? -v : v; /* -0 too */
    v = (x < 0.0) & !whole & (a <= RALL_BIG) ? RALL_NAN : v;
    v = (x != x) | (y != y) ? RALL_NAN : v;
    return (y == 0.0) | (x == 1.0) ? 1.0 : v;
}

/* x ** n by multiplications, for a small constant n (|n| < 64). */
RALL_FN double rall_powi(double x, int n)
{
    int m = n < 0 ? -n : n;
    double x2 = x * x, x4 = x2 * x2, x8 = x4 * x4, x16 = x8 * x8, x32 = x16 * x16;
    double y = m & 1 ? x : 1.0;
    y = m & 2 ? y * x2 : y;
    y = m & 4 ? y * x4 : y;
    y = m & 8 ? y * x8 : y;
    y = m & 16 ? y * x16 : y;
    y = m & 32 ? y * x32 : y;
    return n < 0 ? 1.0 / y : y;
}

/* ---- circular functions -------------------------------------------------------------------------------------- */

/* x = n pi/2 + r + *low with |r| <= pi/4; n mod 4 in *quadrant.  Three parts of pi/2 (33 + 33 + 53 bits) serve
   |x| < 1e6 fully; beyond, an absolute error of about 1e-16 |x| comes in, and from 1e15 on the result is some
   finite number in [-1, 1]. */
RALL_FN double rall_trig_reduce(double x, double *low, long long *quadrant)
{
    rall_bits k;
    double n, a, w, b, t, l, r;
    k.d = x * 0.6366197723675814 + RALL_MAGIC;
    n = k.d - RALL_MAGIC;
    a = x - n * 1.5707963267341256;
    w = n * 6.077100506303966e-11;
    b = a - w;
    t = b - a;
    l = ((a - (b - t)) - (w + t)) - n * 2.0222662487959506e-21;
    r = b + l;
    l = (b - r) + l;
    *low = RALL_FABS(r) > 1.0 ? 0.0 : l;
    *quadrant = k.i & 3;
    return RALL_FABS(r) > 1.0 ? 0.0 : r;
}

RALL_FN double rall_sin_kernel(double r, double low)
{
    double z = r * r, v = z * r;
    double s = 0.008333333333331307 + z * (-0.00019841269837080582 + z * (2.7557316220552573e-06
             + z * (-2.5051150758619988e-08 + z * 1.5919231439305382e-10)));
    return r - ((z * (0.5 * low - v * s) - low) + v * 0.16666666666666666);
}

RALL_FN double rall_cos_kernel(double r, double low)
{
    double z = r * r, half = 0.5 * z, w = 1.0 - half;
    double c = 0.041666666666666664 + z * (-0.001388888888888706 + z * (2.4801587298456844e-05
             + z * (-2.7557317156537717e-07 + z * (2.087612747212101e-09 + z * -1.1381517154544424e-11))));
    return w + (((1.0 - w) - half) + (z * z * c - r * low));
}

RALL_FN double rall_sin(double x)
{
    long long q;
    double low, r = rall_trig_reduce(x, &low, &q);
    double s = rall_sin_kernel(r, low), c = rall_cos_kernel(r, low);
    double y = q & 1 ? c : s;
    return q & 2 ? -y : y;
}

RALL_FN double rall_cos(double x)
{
    long long q;
    double low, r = rall_trig_reduce(x, &low, &q);
    double s = rall_sin_kernel(r, low), c = rall_cos_kernel(r, low);
    double y = q & 1 ? s : c;
    return (q + 1) & 2 ? -y : y;
}

RALL_FN double rall_tan(double x)
{
    long long q;
    double low, r = rall_trig_reduce(x, &low, &q);
    double s = rall_sin_kernel(r, low), c = rall_cos_kernel(r, low);
    return (q & 1 ? -c : s) / (q & 1 ? s : c);
}

/* ---- hyperbolic functions, through expm1: no cancellation near 0 ------------------------------------------------ */

RALL_FN double rall_sinh(double x)
{
    double e = rall_expm1_fine(RALL_FABS(x));
    double y = 0.5 * (e + e / (e + 1.0));
    return rall_copysign(RALL_FABS(x) > 709.43 ? RALL_INF : y, x);
}

RALL_FN double rall_cosh(double x)
{
    double e = rall_exp(RALL_FABS(x));
    return 0.5 * e + 0.5 / e;
}

RALL_FN double rall_tanh(double x)
{
    double a = RALL_FABS(x);
    int near = a < 1.0;
    double e = rall_expm1_fine(2.0 * a);
    double q = (near ? e : 2.0) / (e + 2.0);
    return rall_copysign(near ? q : 1.0 - q, x);
}

/* ---- inverse circular functions --------------------------------------------------------------------------------- */

/* |x| and 1/|x| are brought below tan(pi/8) by the addition theorem. */
RALL_FN double rall_arctan(double x)
{
    double a = RALL_FABS(x);
    int large = a > 2.414213562373095, middle = a > 0.41421356237309503;
    double t = (large ? -1.0 : middle ? a - 1.0 : a) / (large ? a : middle ? a + 1.0 : 1.0);
    double base = large ? RALL_PIO2_HIGH : middle ? 0.5 * RALL_PIO2_HIGH : 0.0;
    double base_low = large ? RALL_PIO2_LOW : middle ? 0.5 * RALL_PIO2_LOW : 0.0;
    double z = t * t;
    double p = -0.3333333333333333 + z * (0.19999999999996157 + z * (-0.14285714284753645
             + z * (0.11111111020607632 + z * (-0.090909047562066 + z * (0.07692186715900072
             + z * (-0.06664554840464484 + z * (0.05858484170459985 + z * (-0.05087030302545412
             + z * (0.03927320384937053 + z * -0.019223543267118236)))))))));
    return rall_copysign(base + ((t * z * p + base_low) + t), x);
}

RALL_FN double rall_arctan2(double y, double x)
{
    double a = RALL_FABS(x), b = RALL_FABS(y);
    double ratio = a == b ? (a == 0.0 ? 0.0 : 1.0) : b / a;
    double t = rall_arctan(ratio);
    t = rall_copysign(1.0, x) < 0.0 ? 2.0 * RALL_PIO2_HIGH - (t - 2.0 * RALL_PIO2_LOW) : t;
    t = rall_copysign(t, y);
    return (x != x) | (y != y) ? RALL_NAN : t;
}

/* With z = x^2, or (1 - |x|)/2 for |x| > 1/2: the part (asin(sqrt z) - sqrt z) / sqrt z, and a square root
   corrected by *tail, its first 21 bits in *head. */
RALL_FN double rall_arcsin_kernel(double a, double *root, double *head, double *tail)
{
    int far = a > 0.5;
    double z = far ? 0.5 * (1.0 - a) : a * a;
    double s = far ? RALL_SQRT(z) : a;
    double h = rall_from_bits(rall_to_bits(s) & ~0xffffffffULL);
    *root = s;
    *head = h;
    *tail = (z - h * h) / (s + h + 1e-300);
    return z * (0.16666666666666646 + z * (0.0750000000002243 + z * (0.04464285710091673
         + z * (0.030381947520286834 + z * (0.022372042764746438 + z * (0.017355350709308496
         + z * (0.01392859470460216 + z * (0.011883431621997093 + z * (0.007764668419462667
         + z * (0.01615022266004572 + z * (-0.010943358218253187 + z * 0.02831138057902989)))))))))));
}

RALL_FN double rall_arcsin(double x)
{
    double a = RALL_FABS(x), s, h, t, p = rall_arcsin_kernel(a, &s, &h, &t);
    double quarter = 0.5 * RALL_PIO2_HIGH;
    double far = quarter - ((2.0 * s * p - (RALL_PIO2_LOW - 2.0 * t)) - (quarter - 2.0 * h));
    return rall_copysign(a > 0.5 ? far : a + a * p, x);
}

RALL_FN double rall_arccos(double x)
{
    double a = RALL_FABS(x), s, h, t, p = rall_arcsin_kernel(a, &s, &h, &t);
    double near = RALL_PIO2_HIGH - (x - (RALL_PIO2_LOW - x * p));
    double right = 2.0 * (h + (p * s + t));
    double left = 2.0 * RALL_PIO2_HIGH - 2.0 * (s + (p * s - RALL_PIO2_LOW));
    double far = x > 0.0 ? right : left;
    return a > 0.5 ? far : near;
}

/* The value of a table [rows, columns, dt, values...] at time t: the row holds from its time to the next, the first
   and the last for ever.  Times within 16 roundings below a multiple of dt count as that multiple.  A column that
   does not exist gives NaN. */
RALL_FN double rall_timed(const double *table, double t, double column)
{
    double last = table[0] - 1.0, row = rall_floor(t / table[2] * (1.0 + 0x1p-49));
    int known = (t == t) & (column > -1.0) & (column < table[1]);
    row = row > 0.0 ? row : 0.0;
    row = row < last ? row : last;
    long long place = known ? (long long)row * (long long)table[1] + (long long)column : 0;
    return known ? table[3 + place] : RALL_NAN;
}
#endif
