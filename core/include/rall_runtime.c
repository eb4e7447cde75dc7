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
typedef struct { long long *count, limit, each; } rall_buffer; /* each: most that a step adds */

typedef struct {
    rall_op *ops; long long n_ops;
    rall_clock *clocks; long long n_clocks;
    rall_buffer *buffers; long long n_buffers;
    long long *status;   /* set by checks: index of the operation that failed, plus one */
    long long next_op;   /* where to go on inside a step, after a call of Python */
    long long due;       /* clocks of the present step, as bits */
    long long threads;
    struct rall_epochs *epochs; /* or 0 */
} rall_program;

enum { RALL_DONE, RALL_PAUSED, RALL_FULL, RALL_STOPPED, RALL_CALL, RALL_FAILED, RALL_STEP };

/* Clocks whose next times agree to this part of a step fire together. */
#define RALL_SAME_TIME 1e-4

static double rall_time(const rall_clock *k)
{
    return k->times ? k->times[k->step] : (double)k->step * k->dt;
}

static long long rall_due(rall_clock *clocks, long long n)
{
    double first = RALL_INF;
    long long due = 0;
    for (long long c = 0; c < n; c++) {
        const rall_clock *k = clocks + c;
        if (k->step >= k->end) continue;
        const double t = rall_time(k);
        if (t < first - RALL_SAME_TIME * k->dt) first = t;
    }
    for (long long c = 0; c < n; c++) {
        rall_clock *k = clocks + c;
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

static void rall_next(rall_clock *clocks, long long n, long long due)
{
    for (long long c = 0; c < n; c++)
        if (due >> c & 1) clocks[c].step++;
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
    else if (!(p->due = rall_due(p->clocks, p->n_clocks))) *why = RALL_DONE;
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
    rall_next(p->clocks, p->n_clocks, p->due);
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

/* Events on their way (`EventQueue` in rall/events.py). */
typedef struct {
    const int *first_run; const long long *run_delay; const int *run_start;
    long long *due; int *run, *last; long long *under_way; int *batch_first, *batch_last;
} rall_waiting;

/* x: first_run, run_delay, run_start, due, run, last, active, batch_first, batch_last. */
static rall_waiting rall_waiting_from(void **x)
{
    rall_waiting q = {x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8]};
    return q;
}

static void rall_push(const rall_waiting *q, const int *event, long long count, long long step)
{
    long long active = q->under_way[0];
    for (long long e = 0; e < count; e++) {
        const int first = q->first_run[event[e]], end = q->first_run[event[e] + 1];
        if (first == end) continue;
        q->due[active] = step + q->run_delay[first];
        q->run[active] = first;
        q->last[active++] = end;
    }
    q->under_way[0] = active;
}

/* If it has stood still for some steps, what is under way is moved. */
static void rall_settle(const rall_waiting *q, long long step)
{
    long long *due = q->due;
    if (q->under_way[2] != step)
        for (long long k = 0; k < q->under_way[0]; k++)
            if (due[k] >= 0) due[k] += step - q->under_way[2];
    q->under_way[2] = step + 1;
}

/* The runs that are due: their borders in batch_first and batch_last from `at` on, where there is room for all that is
   under way.  Returns how many. */
static long long rall_pop(const rall_waiting *q, long long step, long long at)
{
    long long *due = q->due, active = q->under_way[0], gone = q->under_way[1], hits = 0;
    int *run = q->run, *last = q->last, *batch_first = q->batch_first + at, *batch_last = q->batch_last + at;
    /* Without a branch, which could not be foretold. */
    for (long long k = 0; k < active; k++) {
        batch_first[hits] = (int)k;
        hits += due[k] == step;
    }
    for (long long h = 0; h < hits; h++) {
        const int k = batch_first[h], r = run[k];
        batch_first[h] = q->run_start[r];
        batch_last[h] = q->run_start[r + 1];
        if (r + 1 < last[k]) {
            due[k] += q->run_delay[r + 1] - q->run_delay[r];
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
    q->under_way[0] = active;
    q->under_way[1] = gone;
    return hits;
}

/* x: as `rall_waiting_from`, then batch, events, their count, step. */
RALL_EXPORT void rall_queue(void **x, long long n)
{
    const rall_waiting q = rall_waiting_from(x);
    const long long step = *(const long long *)x[12];
    (void)n;
    rall_settle(&q, step);
    rall_push(&q, x[10], *(const long long *)x[11], step);
    *(long long *)x[9] = rall_pop(&q, step, 0);
}

/* --- epochs ------------------------------------------------------------------------------------------------

   Components interact through delayed events only, so that each of them can do several steps, an epoch, before the
   next one begins: its arrays stay in the cache, and threads meet once an epoch.  What arrives in an epoch is known at
   its beginning (`mail`); what happened in it is put together at its end, in the order of steps and elements, recorded
   and sent (`after`).  Every component has clocks and lists of events of its own. */

typedef struct { rall_op *ops; long long n_ops; rall_clock *clocks; long long *status, *iteration, thread; } rall_component;
/* What happened in one component: pairs of iteration and rank, and how far they were read. */
typedef struct { long long *count; const int *pairs; long long read; } rall_notes;
/* Events of one kind: their logs, the element of each rank, the list of a step. */
typedef struct { rall_notes *logs; long long n_logs; const int *reported; int *event; long long *count; } rall_channel;
/* A queue (`rall_waiting_from`), the clock of its steps, room for runs, and where those of each iteration begin. */
typedef struct { void **queue; long long clock, room; long long *start; } rall_mail;
/* Events that arrive in the step in which they happen, from components that nothing reaches and that go first: their
   channel, the runs of the targets, and these sorted by iteration. */
typedef struct { long long channel; const int *first_run, *run_start; int *first, *last; long long *start; } rall_early;
/* A shared value and the copy of a component, which has it from the beginning of a run; the first ones are given back. */
typedef struct { char *master, *own; long long bytes; } rall_copy;

typedef struct rall_epochs {
    rall_component *components; long long n_components;
    rall_channel *channels; long long n_channels;
    rall_mail *mails; long long n_mails;
    rall_early *early; long long n_early, first; /* first: how many components go first */
    rall_op *after; long long n_after;
    rall_copy *copies; long long n_copies, n_back;
    long long most, length;    /* iterations of an epoch, at most and of this one */
    long long rare;            /* clocks, as bits: an iteration in which one of these is due is done as a step */
    long long always;          /* whether `after` is to be done where nothing has happened, too */
} rall_epochs;

static void rall_copy_bytes(char *to, const char *from, long long bytes)
{
    for (long long k = 0; k < bytes; k++) to[k] = from[k];
}

static void rall_run_component(const rall_program *p, const rall_component *c)
{
    for (*c->iteration = 0; *c->iteration < p->epochs->length && !*c->status; ++*c->iteration) {
        const long long due = rall_due(c->clocks, p->n_clocks);
        for (long long k = 0; k < c->n_ops; k++)
            if (due >> c->ops[k].clock & 1) c->ops[k].run(c->ops[k].x, c->ops[k].n);
        rall_next(c->clocks, p->n_clocks, due);
    }
}

/* The events of one iteration, by rank: as one component would have found them. */
static void rall_gather(const rall_channel *k, long long iteration)
{
    long long n = 0;
    for (long long l = 0; l < k->n_logs; l++) {
        rall_notes *log = k->logs + l;
        for (; log->read < *log->count && log->pairs[2 * log->read] == iteration; log->read++) {
            const int rank = log->pairs[2 * log->read + 1];
            long long at = n++;
            for (; at > 0 && k->event[at - 1] > rank; at--) k->event[at] = k->event[at - 1];
            k->event[at] = rank;
        }
    }
    for (long long i = 0; i < n; i++) k->event[i] = k->reported[k->event[i]];
    *k->count = n;
}

/* Run what goes first, and sort its events for those who get them at once. */
static void rall_go_first(const rall_program *p)
{
    rall_epochs *e = p->epochs;
    for (long long c = 0; c < e->first; c++) rall_run_component(p, e->components + c);
    for (long long m = 0; m < e->n_early; m++) {
        const rall_early *k = e->early + m;
        const rall_channel *from = e->channels + k->channel;
        long long hits = 0;
        for (long long l = 0; l < from->n_logs; l++) from->logs[l].read = 0;
        for (long long it = 0; it < e->length; it++) {
            k->start[it] = hits;
            rall_gather(from, it);
            for (long long n = 0; n < *from->count; n++)
                for (int r = k->first_run[from->event[n]]; r < k->first_run[from->event[n] + 1]; r++) {
                    k->first[hits] = k->run_start[r];
                    k->last[hits++] = k->run_start[r + 1];
                }
        }
        k->start[e->length] = hits;
    }
}

/* Find out how long the epoch is and what arrives in it; if it has no length, why. */
static int rall_begin_epoch(rall_program *p, long long *iterations, volatile int *stop, int *why)
{
    rall_epochs *e = p->epochs;
    long long length = e->most < *iterations ? e->most : *iterations, due = 0;
    if (*stop) *why = RALL_STOPPED;
    else if (*iterations <= 0) *why = RALL_PAUSED;
    else if (!rall_room(p)) *why = RALL_FULL;
    else due = 1;
    if (!due) return 0;
    for (long long b = 0; b < p->n_buffers; b++) {
        const rall_buffer *k = p->buffers + b;
        const long long room = k->each ? (k->limit - *k->count) / k->each + 1 : length;
        if (room < length) length = room;
    }
    for (long long m = 0; m < e->n_mails; m++) e->mails[m].start[0] = 0;
    e->length = 0;
    while (e->length < length && (due = rall_due(p->clocks, p->n_clocks)) && !(due & e->rare)) {
        int fits = 1;
        for (long long m = 0; m < e->n_mails; m++) {
            const rall_mail *k = e->mails + m;
            const rall_waiting q = rall_waiting_from(k->queue);
            if (k->start[e->length] + q.under_way[0] > k->room) fits = 0;
        }
        if (!fits) break;
        for (long long m = 0; m < e->n_mails; m++) {
            const rall_mail *k = e->mails + m;
            const rall_waiting q = rall_waiting_from(k->queue);
            long long hits = 0;
            if (due >> k->clock & 1) {
                rall_settle(&q, p->clocks[k->clock].step);
                hits = rall_pop(&q, p->clocks[k->clock].step, k->start[e->length]);
            }
            k->start[e->length + 1] = k->start[e->length] + hits;
        }
        rall_next(p->clocks, p->n_clocks, due);
        e->length++;
    }
    *iterations -= e->length;
    if (e->length && e->first) rall_go_first(p);
    if (!e->length) *why = due ? RALL_STEP : RALL_DONE;
    return e->length > 0;
}

/* Go through the epoch once more with what happened in it; clocks begin where they were. */
static int rall_end_epoch(rall_program *p, int *why)
{
    rall_epochs *e = p->epochs;
    long long happened = 0, last = e->length;
    for (long long c = 0; c < e->n_components; c++) {
        const rall_component *k = e->components + c;
        if (!*k->status) continue;
        if (*k->iteration < last) {
            last = *k->iteration;
            *p->status = *k->status;
        }
        *k->status = 0;
    }
    for (long long k = 0; k < e->n_channels; k++)
        for (long long l = 0; l < e->channels[k].n_logs; l++) {
            happened += *e->channels[k].logs[l].count;
            e->channels[k].logs[l].read = 0;
        }
    for (long long it = 0; it < last; it++) {
        const long long due = rall_due(p->clocks, p->n_clocks);
        if (happened || e->always) {
            for (long long k = 0; k < e->n_channels; k++) rall_gather(e->channels + k, it);
            for (long long k = 0; k < e->n_after; k++)
                if (due >> e->after[k].clock & 1) e->after[k].run(e->after[k].x, e->after[k].n);
        }
        rall_next(p->clocks, p->n_clocks, due);
    }
    for (long long k = 0; k < e->n_channels; k++) {
        for (long long l = 0; l < e->channels[k].n_logs; l++) *e->channels[k].logs[l].count = 0;
        if (!happened) *e->channels[k].count = 0; /* Python and steps look at what happened last */
    }
    for (long long k = 0; k < e->n_back; k++)
        rall_copy_bytes(e->copies[k].master, e->copies[k].own, e->copies[k].bytes);
    if (*p->status) *why = RALL_FAILED;
    return !*p->status;
}

/* `rall_begin_epoch` with clocks as they were. */
static int rall_open_epoch(rall_program *p, long long *iterations, volatile int *stop, int *why)
{
    long long step[64];
    for (long long c = 0; c < p->n_clocks; c++) step[c] = p->clocks[c].step;
    const int open = rall_begin_epoch(p, iterations, stop, why);
    for (long long c = 0; c < p->n_clocks; c++) p->clocks[c].step = step[c];
    return open;
}

/* Epochs one after the other, until a step is due; `iterations` are counted down. */
static int rall_run_parts(rall_program *p, long long *iterations, volatile int *stop)
{
    rall_epochs *e = p->epochs;
    int why = RALL_DONE;
    for (long long k = 0; k < e->n_copies; k++)
        rall_copy_bytes(e->copies[k].own, e->copies[k].master, e->copies[k].bytes);
    for (long long c = 0; c < e->n_components; c++)
        for (long long k = 0; k < p->n_clocks; k++) {
            e->components[c].clocks[k].step = p->clocks[k].step;
            e->components[c].clocks[k].end = p->clocks[k].end;
        }
    int go = rall_open_epoch(p, iterations, stop, &why);
#if defined(RALL_THREADS)
    if (p->threads > 1 && go) {
        rall_meeting meeting = {0, 0};
        #pragma omp parallel num_threads((int)p->threads) shared(why, go, meeting)
        {
            const long long me = omp_get_thread_num(), all = omp_get_num_threads();
            int on = 1;
            while (on) {
                for (long long c = e->first; c < e->n_components; c++)
                    if (e->components[c].thread % all == me) rall_run_component(p, e->components + c);
                rall_meet(&meeting, all);
                if (me == 0) go = rall_end_epoch(p, &why) && rall_open_epoch(p, iterations, stop, &why);
                rall_meet(&meeting, all);
                on = go;
            }
        }
    }
#endif
    while (go) {
        for (long long c = e->first; c < e->n_components; c++) rall_run_component(p, e->components + c);
        go = rall_end_epoch(p, &why) && rall_open_epoch(p, iterations, stop, &why);
    }
    return why;
}

/* As `rall_run`, by epochs; only iterations with clocks that are rarely due are done step by step. */
RALL_EXPORT int rall_run_epochs(rall_program *p, long long iterations, volatile int *stop)
{
    int why = RALL_PAUSED;
    if (p->next_op >= 0) why = rall_run(p, 0, stop); /* the rest of a step */
    while (why == RALL_PAUSED) {
        why = rall_run_parts(p, &iterations, stop);
        if (why != RALL_STEP) return why;
        why = rall_run(p, 1, stop);
        iterations--;
    }
    return why;
}

/* Note what happened in this iteration.  x: events, their count, iteration, pairs, how many of those. */
RALL_EXPORT void rall_note(void **x, long long n)
{
    const int *event = x[0];
    const long long count = *(const long long *)x[1], iteration = *(const long long *)x[2];
    int *pairs = x[3];
    long long *used = x[4];
    (void)n;
    for (long long e = 0; e < count; e++) {
        pairs[2 * *used] = (int)iteration;
        pairs[2 * (*used)++ + 1] = event[e];
    }
}

/* Events as ranks, and as what they stand for.  x: ranks, count, reported, events. */
RALL_EXPORT void rall_report(void **x, long long n)
{
    const int *rank = x[0], *reported = x[2];
    int *event = x[3];
    (void)n;
    for (long long e = 0; e < *(const long long *)x[1]; e++) event[e] = reported[rank[e]];
}

/* Put events under way.  x: as `rall_waiting_from`, then batch, events, their count, step. */
RALL_EXPORT void rall_send(void **x, long long n)
{
    const rall_waiting q = rall_waiting_from(x);
    (void)n;
    rall_push(&q, x[10], *(const long long *)x[11], *(const long long *)x[12]);
}

/* The first of labels[from .. to) that is not below `label`. */
static long long rall_first_of(const int *labels, long long from, long long to, int label)
{
    while (from < to) {
        const long long middle = (from + to) / 2;
        if (labels[middle] < label) from = middle + 1;
        else to = middle;
    }
    return from;
}

/* What of the runs of this iteration is a component's own.  x: start of each iteration, runs first and last, iteration,
   labels of what they consist of (or 0, all are its own), own first and last, their number; n: its label. */
RALL_EXPORT void rall_deal(void **x, long long n)
{
    const long long *start = (const long long *)x[0] + *(const long long *)x[3];
    const int *first = x[1], *last = x[2], *labels = x[4];
    int *own_first = x[5], *own_last = x[6];
    long long hits = 0;
    for (long long k = start[0]; k < start[1]; k++) {
        long long from = first[k], to = last[k];
        if (labels) {
            from = rall_first_of(labels, from, to, (int)n);
            to = rall_first_of(labels, from, to, (int)n + 1);
        }
        own_first[hits] = (int)from;
        own_last[hits] = (int)to;
        hits += from < to;
    }
    *(long long *)x[7] = hits;
}

/* The runs of events that arrive at once.  x: events, count, first_run, run_start, first, last, their number. */
RALL_EXPORT void rall_at_once(void **x, long long n)
{
    const int *event = x[0], *first_run = x[2], *run_start = x[3];
    int *first = x[4], *last = x[5];
    long long hits = 0;
    (void)n;
    for (long long e = 0; e < *(const long long *)x[1]; e++)
        for (int r = first_run[event[e]]; r < first_run[event[e] + 1]; r++) {
            first[hits] = run_start[r];
            last[hits++] = run_start[r + 1];
        }
    *(long long *)x[6] = hits;
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

/* x: values, table, count, elements, weights, borders, columns, position (row width, last part of the row).
   One column is a weighted sum of elements borders[i] .. borders[i + 1]. */
RALL_EXPORT void rall_record(void **x, long long n)
{
    const double *value = x[0], *weight = x[4];
    const long long *element = x[3], *border = x[5], *column = x[6], *position = x[7];
    long long *count = x[2];
    double *row = (double *)x[1] + *count * position[0];
    for (long long i = 0; i < n; i++) {
        double sum = 0.0;
        for (long long k = border[i]; k < border[i + 1]; k++) sum += weight[k] * value[element[k]];
        row[column[i]] = sum;
    }
    *count += position[1];
}

/* The same without borders: every column is a sum over all n elements, with weights[element][column].  x: values, table,
   count, elements, weights, position (row width, last part of the row, first column, number of columns).  Sums of eight columns stay in registers, each in the order of the elements. */
RALL_EXPORT void rall_record_dense(void **x, long long n)
{
    const double *value = x[0], *weight = x[4];
    const long long *element = x[3], *position = x[5], columns = position[3];
    long long *count = x[2];
    double *row = (double *)x[1] + *count * position[0] + position[2];
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
    *count += position[1];
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
