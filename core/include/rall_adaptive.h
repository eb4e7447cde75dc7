/* rall_adaptive.h - one element over one step, in sub-steps of an embedded Runge-Kutta pair.

   Included after RALL_EQUATIONS, rall_element and rall_rates, which are made from the equations.  The same algorithm
   for arrays of elements is in rall/devices/adaptive.py: a change here is a change there.
   Step size: Hairer, Norsett & Wanner, Solving Ordinary Differential Equations I (1993), section II.4. */
#ifndef RALL_ADAPTIVE_H
#define RALL_ADAPTIVE_H

#define RALL_STAGES 16       /* most stages of a method */
#define RALL_SAFETY 0.9      /* aim a little below the tolerance */
#define RALL_SHRINK 0.25     /* least and largest change from one sub-step to the next */
#define RALL_GROW 5.0
#define RALL_CALM 1e-3       /* part of the tolerance below which errors count as equal: they are close to rounding */
#define RALL_GRID 32.0       /* changes are multiples of 1/32, so that rounding hardly ever leads to other sub-steps */
#define RALL_STRETCH 1.01    /* a sub-step grows by so much if that reaches the end */
#define RALL_TINY 1e-12      /* parts of a step below which no sub-step goes */

enum { RALL_TOO_MANY = 1, RALL_TOO_SMALL = 2 };

typedef struct {
    const long long *element;                     /* storage index of each element in the user's order */
    const double *absolute, *a, *b, *error, *c;   /* tolerance of each variable, and the method */
    double relative, exponent, dt;
    long long stages, most, adaptive, number;     /* `number` is what the status becomes on failure */
    double *last;
    long long *rejected, *accepted;               /* any of these three may be 0 */
    long long *failure, *status;
} rall_integration;

RALL_FN rall_integration rall_integration_from(void **x)
{
    const double *numbers = (const double *)x[1];
    const long long *sizes = (const long long *)x[2];
    rall_integration g;
    g.element = (const long long *)x[0];
    g.stages = sizes[0], g.most = sizes[1], g.adaptive = sizes[2], g.number = sizes[3];
    g.relative = numbers[0], g.exponent = numbers[1];
    g.absolute = numbers + 2;
    g.a = g.absolute + RALL_EQUATIONS;
    g.b = g.a + g.stages * g.stages;
    g.error = g.b + g.stages;
    g.c = g.error + g.stages;
    g.last = (double *)x[3], g.rejected = (long long *)x[4], g.accepted = (long long *)x[5];
    g.failure = (long long *)x[6], g.status = (long long *)x[7];
    g.dt = *(const double *)x[8];
    return g;
}

/* sum of weights[j] f[j][q]; slopes of no weight are left out, as they may be infinite */
RALL_FN double rall_weighted(const double *weights, const double (*f)[RALL_EQUATIONS], long long stages, int q)
{
    double sum = 0.0;
    for (long long j = 0; j < stages; j++)
        if (weights[j] != 0.0) sum += weights[j] * f[j][q];
    return sum;
}

/* One sub-step from y to z, with the slopes at its beginning in f[0].  Gives its error in units of what is allowed. */
static double rall_attempt(const rall_integration *g, const rall_element *e, double t, double h, const double *y,
                           double (*f)[RALL_EQUATIONS], double *z)
{
    double worst = 0.0;
    for (long long s = 1; s < g->stages; s++) {
        for (int q = 0; q < RALL_EQUATIONS; q++)
            z[q] = y[q] + h * rall_weighted(g->a + s * g->stages, (const double (*)[RALL_EQUATIONS])f, s, q);
        rall_rates(e, t + g->c[s] * h, z, f[s]);
    }
    for (int q = 0; q < RALL_EQUATIONS; q++)
        z[q] = y[q] + h * rall_weighted(g->b, (const double (*)[RALL_EQUATIONS])f, g->stages, q);
    if (!g->adaptive) return 0.0;
    for (int q = 0; q < RALL_EQUATIONS; q++) {
        const double error = h * rall_weighted(g->error, (const double (*)[RALL_EQUATIONS])f, g->stages, q);
        const double before = RALL_FABS(y[q]), after = RALL_FABS(z[q]);
        const double part = RALL_FABS(error) / (g->absolute[q] + g->relative * (before > after ? before : after));
        if (part != part) return RALL_INF;
        if (part > worst) worst = part;
    }
    return worst;
}

/* By how much the next sub-step is longer. */
RALL_FN double rall_change(double error, double exponent)
{
    const double known = rall_clip(error, RALL_CALM, 1e10);
    const double change = rall_clip(RALL_SAFETY * rall_pow(known, -exponent), RALL_SHRINK, RALL_GROW);
    return rall_floor(RALL_GRID * change) / RALL_GRID;
}

/* y from t to t + dt; k is the element in the user's order, i in storage. */
static void rall_integrate(const rall_integration *g, const rall_element *e, double t, double *y, long long k,
                           long long i)
{
    double f[RALL_STAGES][RALL_EQUATIONS], z[RALL_EQUATIONS];
    const double dt = g->dt;
    double passed = 0.0, h = g->last && g->last[i] > 0.0 ? g->last[i] : dt;
    long long accepted = 0, rejected = 0, problem = 0;
    int end = 0;
    rall_rates(e, t, y, f[0]);
    while (!end && !problem) {
        const double rest = dt - passed;
        const int reaches = !g->adaptive || RALL_STRETCH * h >= rest;
        const double step = reaches ? rest : h;
        const double error = rall_attempt(g, e, t + passed, step, y, f, z), change = rall_change(error, g->exponent);
        if (error <= 1.0) {
            for (int q = 0; q < RALL_EQUATIONS; q++) y[q] = z[q];
            accepted++;
            passed += step;
            end = reaches;
            /* What was cut short at the end says little about the sub-step to begin with next time. */
            h = reaches && error <= RALL_CALM && change * step < h ? h : change * step;
            if (!end && g->most && accepted >= g->most) problem = RALL_TOO_MANY;
            else if (!end) rall_rates(e, t + passed, y, f[0]);
        } else {
            rejected++;
            h = change * step;
            if (h < RALL_TINY * dt) problem = RALL_TOO_SMALL;
        }
    }
    if (g->last) g->last[i] = h < dt ? h : dt;
    if (g->rejected) g->rejected[i] = rejected;
    if (g->accepted) g->accepted[i] = accepted;
    if (problem && !*g->status) {
        g->failure[0] = k;
        g->failure[1] = problem;
        *g->status = g->number;
    }
}

#endif
