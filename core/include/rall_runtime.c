/* The fixed part of every program: the time loop, events, recordings.

   A program is data: operations, each a function with a table of addresses, sorted by slot and order.  Kernels
   made from equations and the functions below have the same form, so that the loop knows nothing of models.
   No system header: the same text serves native code, WebAssembly and stand-alone programs. */

#include "rall_abi.h"
#include "rall_vector.h"

/* --- the time loop ---------------------------------------------------------------------------------------- */

/* With several threads, operations over many elements are there once for each, with tables that begin at its share;
   `meet` says that all threads must have come so far before this one begins. */
typedef struct { void (*run)(void **x, long long n); void **x; long long n, clock, thread, meet; } rall_op;
typedef struct { double dt; long long step, end; double *t; long long *k; const double *times; } rall_clock;
typedef struct { long long *count, limit; } rall_buffer;

typedef struct {
    rall_op *ops; long long n_ops;
    rall_clock *clocks; long long n_clocks;
    rall_buffer *buffers; long long n_buffers;
    long long *status;   /* set by checks: index of the operation that failed, plus one */
    long long next_op;   /* where to go on inside a step, after a call of Python */
    long long due;       /* clocks of the present step, as bits */
    long long threads;
} rall_program;

enum { RALL_DONE, RALL_PAUSED, RALL_FULL, RALL_STOPPED, RALL_CALL, RALL_FAILED };

/* Clocks whose next times agree to this part of a step fire together. */
#define RALL_SAME_TIME 1e-4

static double rall_time(const rall_clock *k)
{
    return k->times ? k->times[k->step] : (double)k->step * k->dt;
}

static long long rall_due(rall_program *p)
{
    double first = RALL_INF;
    long long due = 0;
    for (long long c = 0; c < p->n_clocks; c++) {
        const rall_clock *k = p->clocks + c;
        if (k->step >= k->end) continue;
        const double t = rall_time(k);
        if (t < first - RALL_SAME_TIME * k->dt) first = t;
    }
    for (long long c = 0; c < p->n_clocks; c++) {
        rall_clock *k = p->clocks + c;
        if (k->step >= k->end) continue;
        const double t = rall_time(k);
        if (t <= first + RALL_SAME_TIME * k->dt) {
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

/* Whether a step begins, which uses up one of the iterations; if not, why not. */
static int rall_begin_step(rall_program *p, long long *iterations, volatile int *stop, int *why)
{
    if (*stop) *why = RALL_STOPPED;
    else if ((*iterations)-- <= 0) *why = RALL_PAUSED;
    else if (!rall_room(p)) *why = RALL_FULL;
    else if (!(p->due = rall_due(p))) *why = RALL_DONE;
    else {
        p->next_op = 0;
        return 1;
    }
    return 0;
}

/* Whether the step is over; if not, Python is to be called. */
static int rall_end_step(rall_program *p, long long reached, int *why)
{
    if (reached < p->n_ops) {
        p->next_op = reached;
        *why = RALL_CALL;
        return 0;
    }
    for (long long c = 0; c < p->n_clocks; c++)
        if (p->due >> c & 1) p->clocks[c].step++;
    p->next_op = -1;
    if (*p->status) *why = RALL_FAILED;
    return !*p->status;
}

/* A counter that runs evenly; how long a tick takes is for the caller to find out. */
typedef unsigned long long rall_tick;

static rall_tick rall_now(void)
{
#if defined(__x86_64__) || defined(__i386__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    rall_tick t;
    __asm__ __volatile__("mrs %0, cntvct_el0" : "=r"(t));
    return t;
#else
    extern int clock_gettime(int, long *);
    long t[2] = {0, 0};
    clock_gettime(1, t); /* POSIX: seconds and nanoseconds since the start of the machine */
    return (rall_tick)t[0] * 1000000000ULL + (rall_tick)t[1];
#endif
}

/* Add what has gone by since `last`; the time now. */
static rall_tick rall_spent(rall_tick *sum, rall_tick last)
{
    const rall_tick now = rall_now();
    *sum += now - last;
    return now;
}

#if defined(_OPENMP) && (defined(__unix__) || defined(__APPLE__))
#define RALL_THREADS
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);
extern int sched_yield(void);

/* Where threads wait for each other.  They meet every few microseconds, so that they look for a while before they let
   another process in; OpenMP's own barrier looks for milliseconds, which stops everything on a busy machine. */
typedef struct { long long arrived, round; } rall_meeting;
#define RALL_LOOKS 2000

static void rall_meet(rall_meeting *m, long long all)
{
    const long long round = __atomic_load_n(&m->round, __ATOMIC_ACQUIRE);
    if (__atomic_add_fetch(&m->arrived, 1, __ATOMIC_ACQ_REL) == all) {
        __atomic_store_n(&m->arrived, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&m->round, round + 1, __ATOMIC_RELEASE);
        return;
    }
    for (long long looks = 0; __atomic_load_n(&m->round, __ATOMIC_ACQUIRE) == round; looks++) {
        if (looks > RALL_LOOKS) sched_yield();
#if defined(__x86_64__) || defined(__i386__)
        else __builtin_ia32_pause();
#endif
    }
}

/* All threads walk through the list and meet at the same places; the first of them decides what comes next. */
static int rall_run_threads(rall_program *p, long long iterations, volatile int *stop, rall_tick *ticks)
{
    rall_meeting meeting = {0, 0};
    int why = RALL_DONE, go = p->next_op >= 0 || rall_begin_step(p, &iterations, stop, &why);
    if (!go) return why;
    #pragma omp parallel num_threads((int)p->threads) shared(why, go, iterations, meeting)
    {
        const long long me = omp_get_thread_num(), all = omp_get_num_threads();
        int on = 1;
        rall_tick last = ticks ? rall_now() : 0;
        while (on) {
            long long k;
            for (k = p->next_op; k < p->n_ops; k++) {
                const rall_op *op = p->ops + k;
                if (op->meet) rall_meet(&meeting, all);
                if (!(p->due >> op->clock & 1)) continue;
                if (!op->run) break;
                if (op->thread % all == me) op->run(op->x, op->n);
                if (ticks && me == 0) last = rall_spent(ticks + k, last);
            }
            rall_meet(&meeting, all);
            if (me == 0) go = rall_end_step(p, k, &why) && rall_begin_step(p, &iterations, stop, &why);
            rall_meet(&meeting, all);
            on = go;
        }
    }
    return why;
}
#endif

/* Run at most `iterations` steps of whatever clock is due next.  Returns why it came back. */
RALL_EXPORT int rall_run(rall_program *p, long long iterations, volatile int *stop)
{
    int why = RALL_DONE;
#if defined(RALL_THREADS)
    if (p->threads > 1) return rall_run_threads(p, iterations, stop, 0);
#endif
    do {
        long long k;
        if (p->next_op < 0 && !rall_begin_step(p, &iterations, stop, &why)) return why;
        for (k = p->next_op; k < p->n_ops; k++) {
            const rall_op *op = p->ops + k;
            if (!(p->due >> op->clock & 1)) continue;
            if (!op->run) break;
            op->run(op->x, op->n);
        }
        if (!rall_end_step(p, k, &why)) return why;
    } while (1);
}

/* `rall_run` with a look at the counter after each operation, a loop of its own so that the other one pays nothing.
   ticks: one sum for each operation, and one for all that happens in here.  Of several threads the first is looked
   at, and its waiting for others counts for the operation that comes next. */
RALL_EXPORT int rall_run_timed(rall_program *p, long long iterations, volatile int *stop, rall_tick *ticks)
{
    int why = RALL_DONE;
    const rall_tick began = rall_now();
#if defined(RALL_THREADS)
    if (p->threads > 1) {
        why = rall_run_threads(p, iterations, stop, ticks);
        rall_spent(ticks + p->n_ops, began);
        return why;
    }
#endif
    while (p->next_op >= 0 || rall_begin_step(p, &iterations, stop, &why)) {
        long long k;
        rall_tick last = rall_now();
        for (k = p->next_op; k < p->n_ops; k++) {
            const rall_op *op = p->ops + k;
            if (!(p->due >> op->clock & 1)) continue;
            if (!op->run) break;
            op->run(op->x, op->n);
            last = rall_spent(ticks + k, last);
        }
        if (!rall_end_step(p, k, &why)) break;
    }
    rall_spent(ticks + p->n_ops, began);
    return why;
}

/* --- small operations -------------------------------------------------------------------------------------- */

/* x: condition (bytes, 8 readable at a time), elements (or 0 for all as they lie), events, count, reported (or 0).
   Most steps have few events: 32 elements are looked at together. */
RALL_EXPORT void rall_emit(void **x, long long n)
{
    const unsigned char *condition = x[0];
    const long long *element = x[1], *reported = x[4] ? x[4] : x[1];
    int *event = x[2];
    long long k = 0;
    if (element) {
        for (long long i = 0; i < n; i++)
            if (condition[element[i]]) event[k++] = (int)reported[i];
    } else {
        const unsigned long long *eight = x[0];
        const long long whole = n & ~31LL;
        for (long long i = 0; i < whole; i += 32) {
            const unsigned long long *q = eight + i / 8;
            if (!(q[0] | q[1] | q[2] | q[3])) continue;
            for (long long j = i; j < i + 32; j++)
                if (condition[j]) event[k++] = (int)j;
        }
        for (long long i = whole; i < n; i++)
            if (condition[i]) event[k++] = (int)i;
    }
    *(long long *)x[3] = k;
}

/* Events whose steps are known.  x: steps (ascending), elements, cursor, period (0: none), step, events, count. */
RALL_EXPORT void rall_play(void **x, long long n)
{
    const long long *steps = x[0], period = *(const long long *)x[3];
    const int *element = x[1];
    long long *cursor = x[2], step = *(const long long *)x[4], k = 0;
    int *event = x[5];
    if (period > 0) step %= period;
    if (*cursor > 0 && steps[*cursor - 1] >= step) *cursor = 0; /* a new period, or a clock that was set back */
    while (*cursor < n && steps[*cursor] < step) ++*cursor;
    while (*cursor < n && steps[*cursor] == step) event[k++] = element[(*cursor)++];
    *(long long *)x[6] = k;
}

/* Events on their way (`EventQueue` in rall/events.py).  x: events, their count, first_run, run_delay, run_start,
   due, run, last, active, batch_first, batch_last, batch, step. */
RALL_EXPORT void rall_queue(void **x, long long n)
{
    const int *event = x[0], *first_run = x[2], *run_start = x[4];
    const long long count = *(const long long *)x[1], *run_delay = x[3], step = *(const long long *)x[12];
    long long *due = x[5], *under_way = x[8], active = under_way[0], gone = under_way[1], hits = 0;
    int *run = x[6], *last = x[7], *batch_first = x[9], *batch_last = x[10];
    (void)n;
    if (under_way[2] != step) /* it has stood still for some steps */
        for (long long k = 0; k < active; k++)
            if (due[k] >= 0) due[k] += step - under_way[2];
    under_way[2] = step + 1;
    for (long long e = 0; e < count; e++) {
        const int first = first_run[event[e]], end = first_run[event[e] + 1];
        if (first == end) continue;
        due[active] = step + run_delay[first];
        run[active] = first;
        last[active++] = end;
    }
    /* Without a branch, which could not be foretold. */
    for (long long k = 0; k < active; k++) {
        batch_first[hits] = (int)k;
        hits += due[k] == step;
    }
    for (long long h = 0; h < hits; h++) {
        const int k = batch_first[h], r = run[k];
        batch_first[h] = run_start[r];
        batch_last[h] = run_start[r + 1];
        if (r + 1 < last[k]) {
            due[k] += run_delay[r + 1] - run_delay[r];
            run[k] = r + 1;
        } else {
            due[k] = -1;
            gone++;
        }
    }
    if (4 * gone > active) { /* what has arrived is taken out, now and then */
        long long left = 0;
        for (long long k = 0; k < active; k++) {
            if (due[k] < 0) continue;
            due[left] = due[k];
            run[left] = run[k];
            last[left++] = last[k];
        }
        active = left;
        gone = 0;
    }
    under_way[0] = active;
    under_way[1] = gone;
    *(long long *)x[11] = hits;
}

/* x: values, index, target, size of the target (all of its storage). */
RALL_EXPORT void rall_reduce(void **x, long long n)
{
    const double *restrict value = x[0];
    const int *restrict index = x[1];
    double *restrict target = x[2];
    const long long size = *(const long long *)x[3];
    for (long long i = 0; i < size; i++) target[i] = 0.0;
    for (long long i = 0; i < n; i++) target[index[i]] += value[i];
}

/* x: events, count, labels, log (label and step each) or 0, its count, step, counts or 0, total or 0, values of the
   log, then the variables that are kept (0 for none, three each: array, type, whether shared); n: how many of those. */
RALL_EXPORT void rall_record_events(void **x, long long n)
{
    const int *event = x[0];
    const long long count = *(const long long *)x[1], *label = x[2], step = *(const long long *)x[5];
    long long *log = x[3], *used = x[4], *counts = x[6], kept = 0;
    double *values = x[8];
    for (long long e = 0; e < count; e++) {
        const long long i = event[e], who = label[i];
        if (who < 0) continue;
        kept++;
        if (counts) counts[who]++;
        if (!log) continue;
        log[2 * *used] = who;
        log[2 * *used + 1] = step;
        for (long long v = 0; v < n; v++) {
            const long long kind = *(const long long *)x[10 + 3 * v], at = *(const long long *)x[11 + 3 * v] ? 0 : i;
            const void *array = x[9 + 3 * v];
            values[*used * n + v] = kind == 0 ? ((const double *)array)[at]
                                  : kind == 1 ? (double)((const long long *)array)[at]
                                  : kind == 2 ? (double)((const int *)array)[at]
                                              : (double)((const unsigned char *)array)[at];
        }
        ++*used;
    }
    if (x[7]) *(double *)x[7] = (double)kept;
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

/* The same without borders: every column is a sum over all n elements, with weights[element][column] and the number of
   columns behind the position.  Sums of eight columns stay in registers, each in the order of the elements. */
RALL_EXPORT void rall_record_dense(void **x, long long n)
{
    const double *value = x[0], *weight = x[4];
    const long long *element = x[3], *position = x[6], columns = position[3];
    long long *count = x[2];
    double *row = (double *)x[1] + *count * position[1] + position[0];
    for (long long c = 0; c < columns; c += 8) {
        const double *w = weight + c;
        const int some = columns - c < 8 ? (int)(columns - c) : 8;
        double sum[8] = {0.0};
        if (some == 8)
            for (long long k = 0; k < n; k++, w += columns)
                for (int j = 0; j < 8; j++) sum[j] += w[j] * value[element[k]];
        else
            for (long long k = 0; k < n; k++, w += columns)
                for (int j = 0; j < some; j++) sum[j] += w[j] * value[element[k]];
        for (int j = 0; j < some; j++) row[c + j] = sum[j];
    }
    *count += position[2];
}

/* --- checks --------------------------------------------------------------------------------------------------- */

/* x: values, status, number of this operation, step, how many steps there are from one look to the next.  A sum of
   x * 0 is zero unless something is infinite or NaN; the sums are many so that none waits for the last. */
RALL_EXPORT void rall_check(void **x, long long n)
{
    const double *value = x[0];
    rall_v sum[8 / RALL_W * 2];
    const int parts = 8 / RALL_W * 2;
    long long i = 0;
    double total = 0.0;
    if (*(const long long *)x[3] % *(const long long *)x[4]) return;
    for (int k = 0; k < parts; k++) sum[k] = (rall_v){0.0};
    for (; i + 16 <= n; i += 16)
        for (int k = 0; k < parts; k++) sum[k] += *(const rall_v *)(value + i + k * RALL_W) * 0.0;
    for (int k = 0; k < parts; k++)
        for (int l = 0; l < RALL_W; l++) total += sum[k][l];
    for (; i < n; i++) total += value[i] * 0.0;
    if (total != 0.0) *(long long *)x[1] = *(const long long *)x[2];
}
