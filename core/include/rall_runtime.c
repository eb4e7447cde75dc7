/* The fixed part of every program: the time loop, events, recordings and the tree solver.

   A program is data: operations, each a function with a table of addresses, sorted by slot and order.  Kernels
   made from equations and the functions below have the same form, so that the loop knows nothing of models.
   No system header: the same text serves native code, WebAssembly and stand-alone programs. */

#include "rall_abi.h"

/* --- the time loop ---------------------------------------------------------------------------------------- */

typedef struct { void (*run)(void **x, long long n); void **x; long long n, clock; } rall_op;
typedef struct { double dt; long long step, end; double *t; long long *k; } rall_clock;
typedef struct { long long *count, limit; } rall_buffer;

typedef struct {
    rall_op *ops; long long n_ops;
    rall_clock *clocks; long long n_clocks;
    rall_buffer *buffers; long long n_buffers;
    long long *status;   /* set by checks: index of the operation that failed, plus one */
    long long next_op;   /* where to go on inside a step, after a call of Python */
    long long due;       /* clocks of the present step, as bits */
} rall_program;

enum { RALL_DONE, RALL_PAUSED, RALL_FULL, RALL_STOPPED, RALL_CALL, RALL_FAILED };

/* Clocks whose next times agree to this part of a step fire together. */
#define RALL_SAME_TIME 1e-4

static long long rall_due(rall_program *p)
{
    double first = RALL_INF;
    long long due = 0;
    for (long long c = 0; c < p->n_clocks; c++) {
        const rall_clock *k = p->clocks + c;
        const double t = (double)k->step * k->dt;
        if (k->step < k->end && t < first - RALL_SAME_TIME * k->dt) first = t;
    }
    for (long long c = 0; c < p->n_clocks; c++) {
        rall_clock *k = p->clocks + c;
        const double t = (double)k->step * k->dt;
        if (k->step < k->end && t <= first + RALL_SAME_TIME * k->dt) {
            due |= 1LL << c;
            *k->t = t;
            *k->k = k->step;
        }
    }
    return due;
}

static int rall_room(const rall_program *p)
{
    for (long long b = 0; b < p->n_buffers; b++)
        if (*p->buffers[b].count > p->buffers[b].limit) return 0;
    return 1;
}

/* Run at most `iterations` steps of whatever clock is due next.  Returns why it came back. */
RALL_EXPORT int rall_run(rall_program *p, long long iterations, volatile int *stop)
{
    for (;;) {
        if (p->next_op < 0) {
            if (*stop) return RALL_STOPPED;
            if (iterations-- <= 0) return RALL_PAUSED;
            if (!rall_room(p)) return RALL_FULL;
            p->due = rall_due(p);
            if (!p->due) return RALL_DONE;
            p->next_op = 0;
        }
        while (p->next_op < p->n_ops) {
            const rall_op *op = p->ops + p->next_op;
            if (p->due >> op->clock & 1) {
                if (!op->run) return RALL_CALL;
                op->run(op->x, op->n);
            }
            p->next_op++;
        }
        for (long long c = 0; c < p->n_clocks; c++)
            if (p->due >> c & 1) p->clocks[c].step++;
        p->next_op = -1;
        if (*p->status) return RALL_FAILED;
    }
}

/* --- small operations -------------------------------------------------------------------------------------- */

/* x: target, value */
RALL_EXPORT void rall_set(void **x, long long n)
{
    for (long long i = 0; i < n; i++) ((double *)x[0])[i] = *(const double *)x[1];
}

/* x: condition, elements, labels, events (label and step each), count, step */
RALL_EXPORT void rall_emit(void **x, long long n)
{
    const unsigned char *condition = x[0];
    const long long *element = x[1], *label = x[2], step = *(const long long *)x[5];
    long long *event = x[3], *count = x[4], k = *count;
    for (long long i = 0; i < n; i++)
        if (condition[element[i]]) {
            event[2 * k] = label[i];
            event[2 * k + 1] = step;
            k++;
        }
    *count = k;
}

/* x: values, table, count, elements, weights, borders, position (first column, row width, last part of the row).
   One column is a weighted sum of elements borders[i] .. borders[i + 1]. */
RALL_EXPORT void rall_record(void **x, long long n)
{
    const double *value = x[0], *weight = x[4];
    const long long *element = x[3], *border = x[5], *position = x[6];
    long long *count = x[2];
    double *row = (double *)x[1] + *count * position[1] + position[0];
    for (long long i = 0; i < n; i++) {
        double sum = 0.0;
        for (long long k = border[i]; k < border[i + 1]; k++) sum += weight[k] * value[element[k]];
        row[i] = sum;
    }
    *count += position[2];
}

/* x: values, status, number of this operation.  A sum of x * 0 is zero unless something is infinite or NaN. */
RALL_EXPORT void rall_check(void **x, long long n)
{
    const double *value = x[0];
    double sum = 0.0;
    #pragma omp simd reduction(+ : sum)
    for (long long i = 0; i < n; i++) sum += value[i] * 0.0;
    if (sum != 0.0) *(long long *)x[1] = *(const long long *)x[2];
}

/* --- the tree ------------------------------------------------------------------------------------------------

   A x = b on a tree: A symmetric, diagonal d, coupling -g[i] between node i and its parent (Hines 1984).  The order
   of elimination is chosen for short chains of dependence, because on one cell those cost the most:
   1. Long unbranched runs are cut into eight pieces, eliminated side by side in SIMD lanes (substructuring).
   2. Nodes between two neighbours, where the paths are long, are eliminated every other one first (cyclic
      reduction); like a piece, such a node leaves a coupling between the nodes above and below it.
   3. What is left is eliminated from the leaves in the order of depth.
   Tables: see `rall_tree`.  d comes as the diagonal and becomes 1/pivot, r is the right-hand side. */

#if defined(__AVX512F__)
#define RALL_W 8
#elif defined(__AVX__)
#define RALL_W 4
#else
#define RALL_W 2
#endif
#define RALL_LANES 8

typedef double rall_v __attribute__((vector_size(8 * RALL_W)));

typedef struct {
    long long leaves, middles, groups, compartments, stored; /* numbers of nodes, groups of pieces, storage */
    const int *order, *parent;                 /* nodes eliminated as leaves, and the node above each */
    const int *middle, *upper, *lower;         /* nodes eliminated between two others */
    const long long *first, *rows;             /* each group: first storage index, rows of eight */
    const int *above, *below;                  /* each lane: node above its last row, node below its first row */
    const double *to_below;                    /* each lane: coupling to the node below */
    const double *coupling, *diagonal;         /* of every node before elimination, without the membrane */
    double *restrict d, *restrict r, *restrict g, *restrict w, *restrict f;
} rall_tree;

static rall_tree rall_tree_from(void **x)
{
    const long long *n = x[0];
    rall_tree t = {n[0], n[1], n[2], n[3], n[4], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9], x[10],
                   x[11], x[12], x[13], x[14], x[15], x[16], x[17]};
    return t;
}

/* Kernels give d and r of compartments; junctions have no membrane.  Elimination changes couplings. */
static void rall_begin(const rall_tree *t)
{
    for (long long i = t->compartments; i < t->stored; i++) {
        t->d[i] = t->diagonal[i];
        t->r[i] = 0.0;
    }
    #pragma omp simd
    for (long long i = 0; i < t->stored; i++) t->g[i] = t->coupling[i];
}

static void rall_factor_pieces(const rall_tree *t)
{
    double *restrict d = t->d, *restrict r = t->r, *restrict g = t->g, *restrict w = t->w, *restrict f = t->f;
    for (long long q = 0; q < t->groups; q++)
        for (int lane = 0; lane < RALL_LANES; lane += RALL_W) {
            const long long first = t->first[q] + lane, last = first + RALL_LANES * (t->rows[q] - 1);
            const int *above = t->above + RALL_LANES * q + lane, *below = t->below + RALL_LANES * q + lane;
            rall_v D = *(rall_v *)(d + first), R = *(rall_v *)(r + first);
            rall_v F = *(const rall_v *)(t->to_below + RALL_LANES * q + lane), lost = F - F, gained = lost;
            rall_v G, W;
            for (long long i = first;; i += RALL_LANES) {
                const rall_v inverse = 1.0 / D, fill = F * inverse;
                G = *(const rall_v *)(g + i);
                W = G * inverse;
                *(rall_v *)(d + i) = inverse;
                *(rall_v *)(w + i) = W;
                *(rall_v *)(f + i) = fill;
                *(rall_v *)(r + i) = R;
                lost += fill * F;
                gained += fill * R;
                if (i == last) break;
                F = W * F;
                D = *(const rall_v *)(d + i + RALL_LANES) - W * G;
                R = *(const rall_v *)(r + i + RALL_LANES) + W * R;
            }
            G = W * G;
            R = W * R;
            F = W * F;
            for (int l = 0; l < RALL_W; l++) {
                d[above[l]] -= G[l];
                r[above[l]] += R[l];
                d[below[l]] -= lost[l];
                r[below[l]] += gained[l];
                g[below[l]] = F[l];
            }
        }
}

static void rall_forward_pieces(const rall_tree *t, double *restrict r)
{
    const double *restrict w = t->w, *restrict f = t->f;
    for (long long q = 0; q < t->groups; q++)
        for (int lane = 0; lane < RALL_LANES; lane += RALL_W) {
            const long long first = t->first[q] + lane, last = first + RALL_LANES * (t->rows[q] - 1);
            const int *above = t->above + RALL_LANES * q + lane, *below = t->below + RALL_LANES * q + lane;
            rall_v R = *(rall_v *)(r + first), gained = R - R;
            for (long long i = first;; i += RALL_LANES) {
                *(rall_v *)(r + i) = R;
                gained += *(const rall_v *)(f + i) * R;
                R = *(const rall_v *)(w + i) * R;
                if (i == last) break;
                R += *(const rall_v *)(r + i + RALL_LANES);
            }
            for (int l = 0; l < RALL_W; l++) {
                r[above[l]] += R[l];
                r[below[l]] += gained[l];
            }
        }
}

static void rall_backward_pieces(const rall_tree *t, const double *restrict r, double *restrict x)
{
    const double *restrict d = t->d, *restrict w = t->w, *restrict f = t->f;
    for (long long q = 0; q < t->groups; q++)
        for (int lane = 0; lane < RALL_LANES; lane += RALL_W) {
            const long long first = t->first[q] + lane;
            const int *above = t->above + RALL_LANES * q + lane, *below = t->below + RALL_LANES * q + lane;
            rall_v X, B;
            for (int l = 0; l < RALL_W; l++) {
                X[l] = x[above[l]];
                B[l] = x[below[l]];
            }
            for (long long i = first + RALL_LANES * (t->rows[q] - 1); i >= first; i -= RALL_LANES) {
                const rall_v known = *(const rall_v *)(r + i) * *(const rall_v *)(d + i)
                                     + *(const rall_v *)(f + i) * B;
                X = known + *(const rall_v *)(w + i) * X;
                *(rall_v *)(x + i) = X;
            }
        }
}

/* d, g and r to pivots, ratios w and f, and the right-hand side that a backward sweep takes. */
static void rall_factor(const rall_tree *t)
{
    double *restrict d = t->d, *restrict r = t->r, *restrict g = t->g, *restrict w = t->w, *restrict f = t->f;
    rall_factor_pieces(t);
    for (long long k = 0; k < t->middles; k++) {
        const int i = t->middle[k], up = t->upper[k], down = t->lower[k];
        const double inverse = 1.0 / d[i], G = g[i], H = g[down], W = G * inverse, F = H * inverse, R = r[i];
        d[i] = inverse;
        w[i] = W;
        f[i] = F;
        d[up] -= W * G;
        r[up] += W * R;
        d[down] -= F * H;
        r[down] += F * R;
        g[down] = F * G;
    }
    for (long long k = 0; k < t->leaves; k++) {
        const int i = t->order[k], up = t->parent[k];
        const double inverse = 1.0 / d[i], G = g[i], W = G * inverse, R = r[i];
        d[i] = inverse;
        w[i] = W;
        d[up] -= W * G;
        r[up] += W * R;
    }
}

static void rall_forward(const rall_tree *t, double *restrict r)
{
    const double *restrict w = t->w, *restrict f = t->f;
    rall_forward_pieces(t, r);
    for (long long k = 0; k < t->middles; k++) {
        const int i = t->middle[k];
        const double R = r[i];
        r[t->upper[k]] += w[i] * R;
        r[t->lower[k]] += f[i] * R;
    }
    for (long long k = 0; k < t->leaves; k++) {
        const int i = t->order[k];
        r[t->parent[k]] += w[i] * r[i];
    }
}

static void rall_backward(const rall_tree *t, const double *restrict r, double *restrict x)
{
    const double *restrict d = t->d, *restrict w = t->w, *restrict f = t->f;
    for (long long k = t->leaves - 1; k >= 0; k--) {
        const int i = t->order[k];
        x[i] = r[i] * d[i] + w[i] * x[t->parent[k]];
    }
    for (long long k = t->middles - 1; k >= 0; k--) {
        const int i = t->middle[k];
        x[i] = r[i] * d[i] + (w[i] * x[t->upper[k]] + f[i] * x[t->lower[k]]);
    }
    rall_backward_pieces(t, r, x);
}

/* One step of a three-stage L-stable method of order 2 with one factorisation: see `second_order` in
   rall/plugins/cable/steps.py and docs/numerics.md.  With c = C/(gamma dt), A = c + G and P = c/A, the step is
   v + (P - 1) u + RALL_B2 P (P - 1) u + RALL_B3 P^2 (P - 1) u for the deviation u from the steady state.
   x: tree (18), v, c, stage, rest, late (or 0).  `late` is by how much sources grow during the step. */
#define RALL_B2 (-0.72622217447687)
#define RALL_B3 5.266388379463018
#define RALL_K1 (-0.39073965875054584)
#define RALL_K2 0.24191588272814638
#define RALL_K3 0.20249633340840095

RALL_EXPORT void rall_tree_sdirk3(void **x, long long n)
{
    const rall_tree t = rall_tree_from(x);
    double *restrict v = x[18], *restrict stage = x[20], *restrict rest = x[21];
    const double *restrict c = x[19], *restrict late = x[22];
    rall_begin(&t);
    if (late) {
        #pragma omp simd
        for (long long i = 0; i < n; i++) t.r[i] += RALL_K1 * late[i];
    }
    rall_factor(&t);
    rall_backward(&t, t.r, stage);
    #pragma omp simd
    for (long long i = 0; i < n; i++) rest[i] = c[i] * (stage[i] - v[i]);
    if (late) {
        #pragma omp simd
        for (long long i = 0; i < n; i++) rest[i] += RALL_K2 * late[i];
    }
    rall_forward(&t, rest);
    rall_backward(&t, rest, t.r);
    #pragma omp simd
    for (long long i = 0; i < n; i++) {
        rest[i] = c[i] * t.r[i];
        stage[i] += RALL_B2 * t.r[i];
    }
    if (late) {
        #pragma omp simd
        for (long long i = 0; i < n; i++) rest[i] += RALL_K3 * late[i];
    }
    rall_forward(&t, rest);
    rall_backward(&t, rest, t.r);
    #pragma omp simd
    for (long long i = 0; i < n; i++) v[i] = stage[i] + RALL_B3 * t.r[i];
}

/* One backward Euler step: x as above, of which the tree and v are used. */
RALL_EXPORT void rall_tree_euler(void **x, long long n)
{
    const rall_tree t = rall_tree_from(x);
    (void)n;
    rall_begin(&t);
    rall_factor(&t);
    rall_backward(&t, t.r, x[18]);
}
