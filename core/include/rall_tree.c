/* The tree solver of cables, which programs without cables do without.

   One function of the form that the loop in rall_runtime.c calls: RALL_TREE_STEPS, which is defined in front of this
   text, says which step it takes.  No system header. */

#include "rall_abi.h"
#include "rall_vector.h"

#define RALL_EULER 0
#define RALL_SDIRK3 1
#define RALL_SDIRK3_GROWING 2

/* --- the tree ------------------------------------------------------------------------------------------------

   A x = b on a tree, or on several: A symmetric, diagonal d, coupling -g[i] between node i and its parent (Hines 1984).
   Unbranched runs are eliminated eight side by side in SIMD lanes, those of a population from the leaves up.  Long runs
   of one cell are cut into eight pieces for that, and a piece with nodes on both sides leaves a coupling `f` between
   these (substructuring).  What is left is eliminated from the leaves in the order of depth, so that the processor
   works on many branches at once.
   Tables: see `rall_tree`.  d comes as the diagonal and becomes 1/pivot, r is the right-hand side. */

/* Spelled out: through a loop, compilers go by way of memory and wait for it. */
#if RALL_W == 8
#define RALL_GATHER(x, i) ((rall_v){x[i[0]], x[i[1]], x[i[2]], x[i[3]], x[i[4]], x[i[5]], x[i[6]], x[i[7]]})
#elif RALL_W == 4
#define RALL_GATHER(x, i) ((rall_v){x[i[0]], x[i[1]], x[i[2]], x[i[3]]})
#else
#define RALL_GATHER(x, i) ((rall_v){x[i[0]], x[i[1]]})
#endif

typedef struct {
    long long nodes, groups, between;          /* nodes outside of groups; groups; the first of these have nodes below */
    long long compartments, stored;            /* storage of compartments, and all of it */
    const int *order, *parent;                 /* nodes outside of groups, children first, and the node above each */
    const long long *first, *rows;             /* each group: first storage index, rows of eight */
    const long long *deep;                     /* each group: a row elsewhere in storage that is under its first, or -1 */
    const int *above, *below;                  /* each lane: node above its last row, node below its first row */
    const double *to_below;                    /* each lane: coupling to the node below */
    const double *diagonal;                    /* of every node, without the membrane */
    double *restrict d, *restrict r, *restrict g, *restrict w, *restrict f;
} rall_tree;

static rall_tree rall_tree_from(void **x)
{
    const long long *n = x[0];
    rall_tree t = {n[0], n[1], n[2], n[3], n[4], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8],
                   x[9], x[10], x[11], x[12], x[13], x[14]};
    return t;
}

/* Kernels give d and r of compartments; junctions have no membrane. */
static void rall_begin(const rall_tree *t)
{
    double *restrict d = t->d, *restrict r = t->r;
    const double *restrict diagonal = t->diagonal;
    #pragma omp simd
    for (long long i = t->compartments; i < t->stored; i++) {
        d[i] = diagonal[i];
        r[i] = 0.0;
    }
}

/* A group's lanes are its SIMD vectors one after the other; `between` says whether nodes lie below its lanes. */
typedef struct { long long first, last, deep; const int *above, *below; const double *to_below; } rall_lanes;

static rall_lanes rall_lanes_of(const rall_tree *t, long long group, int lane)
{
    const long long first = t->first[group] + lane, k = RALL_LANES * group + lane;
    const long long deep = t->deep[group] < 0 ? -1 : t->deep[group] + lane;
    rall_lanes l = {first, first + RALL_LANES * (t->rows[group] - 1), deep, t->above + k, t->below + k, t->to_below + k};
    return l;
}

/* What a backward sweep leaves, beside the solution x: see `rall_tree_step`. */
enum { RALL_ONLY, RALL_FIRST, RALL_SECOND, RALL_THIRD };
typedef struct {
    const rall_tree *t;
    double *x, *v, *rest; /* x: the solution; rest may be what was solved for */
    const double *c, *late, *first, *second;
} rall_stage;

#define RALL_LEAVE(type, stage, growing)                                                                            \
    if (stage == RALL_FIRST) {                                                                                      \
        type rest = *(const type *)(s->c + i) * (X - *(const type *)(s->v + i));                                    \
        if (growing) rest += RALL_K2 * *(const type *)(s->late + i);                                                \
        *(type *)(s->rest + i) = rest;                                                                              \
    } else if (stage == RALL_SECOND) {                                                                              \
        type rest = *(const type *)(s->c + i) * X;                                                                  \
        if (growing) rest += RALL_K3 * *(const type *)(s->late + i);                                                \
        *(type *)(s->rest + i) = rest;                                                                              \
    } else if (stage == RALL_THIRD)                                                                                 \
        *(type *)(s->v + i) =                                                                                       \
            *(const type *)(s->first + i) + RALL_B2 * *(const type *)(s->second + i) + RALL_B3 * X;

#define RALL_B2 (-0.72622217447687)
#define RALL_B3 5.266388379463018
#define RALL_K2 0.24191588272814638
#define RALL_K3 0.20249633340840095

/* `once`: nothing else is solved with the same matrix, so that r becomes r/pivot and d is left as it is. */
RALL_FN void rall_factor_lanes(const rall_tree *t, const int once, rall_lanes p, const int between)
{
    double *restrict d = t->d, *restrict r = t->r, *restrict w = t->w, *restrict f = t->f;
    const double *restrict g = t->g;
    rall_v D = *(rall_v *)(d + p.first), R = *(rall_v *)(r + p.first), F = *(const rall_v *)p.to_below;
    rall_v lost = F - F, gained = lost, G, W;
    if (p.deep >= 0) {
        const rall_v inverse = 1.0 / *(rall_v *)(d + p.deep), under = *(rall_v *)(r + p.deep);
        G = *(const rall_v *)(g + p.deep);
        W = G * inverse;
        *(rall_v *)(w + p.deep) = W;
        if (once) *(rall_v *)(r + p.deep) = under * inverse;
        else *(rall_v *)(d + p.deep) = inverse;
        D -= W * G;
        R += W * under;
    }
    for (long long i = p.first;; i += RALL_LANES) {
        const rall_v inverse = 1.0 / D;
        G = *(const rall_v *)(g + i);
        W = G * inverse;
        *(rall_v *)(w + i) = W;
        if (once) *(rall_v *)(r + i) = R * inverse;
        else {
            *(rall_v *)(d + i) = inverse;
            *(rall_v *)(r + i) = R;
        }
        if (between) {
            const rall_v fill = F * inverse;
            *(rall_v *)(f + i) = fill;
            lost += fill * F;
            gained += fill * R;
            F = W * F;
        }
        if (i == p.last) break;
        D = *(const rall_v *)(d + i + RALL_LANES) - W * G;
        R = *(const rall_v *)(r + i + RALL_LANES) + W * R;
    }
    G = W * G;
    R = W * R;
    #pragma GCC unroll 8
    for (int l = 0; l < RALL_W; l++) {
        d[p.above[l]] -= G[l];
        r[p.above[l]] += R[l];
    }
    if (between) {
        #pragma GCC unroll 8
        for (int l = 0; l < RALL_W; l++) {
            d[p.below[l]] -= lost[l];
            r[p.below[l]] += gained[l];
            t->g[p.below[l]] = F[l];
        }
    }
}

RALL_FN void rall_forward_lanes(const rall_tree *t, double *restrict r, rall_lanes p, const int between)
{
    const double *restrict w = t->w, *restrict f = t->f;
    rall_v R = *(rall_v *)(r + p.first), gained = R - R;
    if (p.deep >= 0) R += *(const rall_v *)(w + p.deep) * *(const rall_v *)(r + p.deep);
    for (long long i = p.first;; i += RALL_LANES) {
        *(rall_v *)(r + i) = R;
        if (between) gained += *(const rall_v *)(f + i) * R;
        R = *(const rall_v *)(w + i) * R;
        if (i == p.last) break;
        R += *(const rall_v *)(r + i + RALL_LANES);
    }
    #pragma GCC unroll 8
    for (int l = 0; l < RALL_W; l++) r[p.above[l]] += R[l];
    if (between) {
        #pragma GCC unroll 8
        for (int l = 0; l < RALL_W; l++) r[p.below[l]] += gained[l];
    }
}

RALL_FN void rall_backward_lanes(const rall_stage *s, const double *r, const int stage, const int growing,
                                 rall_lanes p, const int between)
{
    const double *d = s->t->d, *w = s->t->w, *f = s->t->f;
    double *x = s->x;
    rall_v X = RALL_GATHER(x, p.above), B = X - X;
    if (between) B = RALL_GATHER(x, p.below);
    /* The row elsewhere comes last. */
    for (long long i = p.last;;) {
        rall_v right = *(const rall_v *)(r + i);
        if (stage != RALL_ONLY) right *= *(const rall_v *)(d + i);
        if (between) right += *(const rall_v *)(f + i) * B;
        X = right + *(const rall_v *)(w + i) * X;
        *(rall_v *)(x + i) = X;
        RALL_LEAVE(rall_v, stage, growing)
        if (i == p.deep || (i == p.first && p.deep < 0)) break;
        i = i == p.first ? p.deep : i - RALL_LANES;
    }
}

/* `loop` goes up through the groups for elimination, as what hangs on a group comes before it, and down afterwards. */
#define RALL_UP long long q = 0; q < t->groups; q++
#define RALL_DOWN long long q = t->groups - 1; q >= 0; q--
#define RALL_EACH_GROUP(loop, sweep, ...)                                                                           \
    for (loop)                                                                                                      \
        for (int lane = 0; lane < RALL_LANES; lane += RALL_W) {                                                     \
            const rall_lanes p = rall_lanes_of(t, q, lane);                                                         \
            if (q < t->between) sweep(__VA_ARGS__, p, 1);                                                           \
            else sweep(__VA_ARGS__, p, 0);                                                                          \
        }

/* d, g and r to pivots, ratios w and f, and the right-hand side that a backward sweep takes. */
RALL_FN void rall_factor(const rall_tree *t, const int once)
{
    double *restrict d = t->d, *restrict r = t->r, *restrict g = t->g, *restrict w = t->w;
    RALL_EACH_GROUP(RALL_UP, rall_factor_lanes, t, once)
    for (long long k = 0; k < t->nodes; k++) {
        const int i = t->order[k], up = t->parent[k];
        const double inverse = 1.0 / d[i], G = g[i], W = G * inverse, R = r[i];
        if (once) r[i] = R * inverse;
        else d[i] = inverse;
        w[i] = W;
        d[up] -= W * G;
        r[up] += W * R;
    }
}

static void rall_forward(const rall_tree *t, double *restrict r)
{
    const double *restrict w = t->w;
    RALL_EACH_GROUP(RALL_UP, rall_forward_lanes, t, r)
    for (long long k = 0; k < t->nodes; k++) {
        const int i = t->order[k];
        r[t->parent[k]] += w[i] * r[i];
    }
}

RALL_FN void rall_backward(const rall_stage *s, const double *r, const int stage, const int growing)
{
    const rall_tree *t = s->t;
    const double *d = t->d, *w = t->w;
    double *x = s->x;
    for (long long k = t->nodes - 1; k >= 0; k--) {
        const int i = t->order[k];
        const double X = (stage == RALL_ONLY ? r[i] : r[i] * d[i]) + w[i] * x[t->parent[k]];
        x[i] = X;
        RALL_LEAVE(double, stage, growing)
    }
    RALL_EACH_GROUP(RALL_DOWN, rall_backward_lanes, s, r, stage, growing)
}

#if RALL_TREE_STEPS == RALL_EULER
/* One backward Euler step.  x: tree (15), v; n: storage. */
RALL_EXPORT void rall_tree_step(void **x, long long n)
{
    const rall_tree t = rall_tree_from(x);
    const rall_stage s = {&t, x[15], 0, 0, 0, 0, 0, 0};
    (void)n;
    rall_begin(&t);
    rall_factor(&t, 1);
    rall_backward(&s, t.r, RALL_ONLY, 0);
}
#else
/* One step of a three-stage L-stable method of order 2 with one factorisation: see `second_order` in
   rall/plugins/cable/steps.py and docs/numerics.md.  With c = C/(gamma dt), A = c + G and P = c/A, the step is
   v + (P - 1) u + RALL_B2 P (P - 1) u + RALL_B3 P^2 (P - 1) u for the deviation u from the steady state.
   x: tree (15), v, c, first, second, rest, late (or 0).  `late` is by how much sources grow during the step, its part
   in the first stage being in r already; n: storage.  What the next stage begins with is left by the sweep before it. */
RALL_EXPORT void rall_tree_step(void **x, long long n)
{
    const int growing = RALL_TREE_STEPS == RALL_SDIRK3_GROWING;
    const rall_tree t = rall_tree_from(x);
    rall_stage s = {&t, x[17], x[15], x[19], x[16], x[20], x[17], x[18]};
    (void)n;
    rall_begin(&t);
    rall_factor(&t, 0);
    rall_backward(&s, t.r, RALL_FIRST, growing);
    rall_forward(&t, s.rest);
    s.x = x[18];
    rall_backward(&s, s.rest, RALL_SECOND, growing);
    rall_forward(&t, s.rest);
    s.x = t.r;
    rall_backward(&s, s.rest, RALL_THIRD, 0);
}
#endif
