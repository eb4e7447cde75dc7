# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
# cython: show_performance_hints=False
"""Compiled helpers of the NumPy device; `rall.solvers` has the same in Python and chooses."""

cdef extern from "rall_random.h" nogil:
    unsigned long long rall_random_key(unsigned long long seed, unsigned long long stream)
    double rall_uniform(unsigned long long key, long long step, unsigned long long element, unsigned long long draw)
    double rall_normal(unsigned long long key, long long step, unsigned long long element, unsigned long long draw)


def tree_factor(const int[::1] order, const int[::1] parent, const double[::1] g, double[::1] d,
                double[::1] w, double[::1] iv):
    """Eliminate from the leaves to the root; see `rall.solvers.TreeSolver.factor`."""
    cdef Py_ssize_t k
    cdef int i, p
    with nogil:
        for k in range(order.shape[0]):
            i = order[k]
            p = parent[i]
            iv[i] = 1.0 / d[i]
            if p >= 0:
                w[i] = g[i] * iv[i]
                d[p] -= w[i] * g[i]
            else:
                w[i] = 0.0


def tree_solve(const int[::1] order, const int[::1] parent, const double[::1] w, const double[::1] iv,
               double[::1] r, double[::1] x):
    """Right-hand side down the tree and solution back up; see `rall.solvers.TreeSolver.solve`."""
    cdef Py_ssize_t k
    cdef int i, p
    with nogil:
        for k in range(order.shape[0]):
            i = order[k]
            p = parent[i]
            if p >= 0:
                r[p] += w[i] * r[i]
        for k in range(order.shape[0] - 1, -1, -1):
            i = order[k]
            p = parent[i]
            if p >= 0:
                x[i] = r[i] * iv[i] + w[i] * x[p]
            else:
                x[i] = r[i] * iv[i]


def uniforms(unsigned long long seed, unsigned long long stream, long long step, const long long[::1] elements,
             unsigned long long draw, double[::1] out):
    """Fill `out` with uniform numbers; see `rall.solvers.uniforms`."""
    cdef Py_ssize_t k
    cdef unsigned long long key = rall_random_key(seed, stream)
    with nogil:
        for k in range(elements.shape[0]):
            out[k] = rall_uniform(key, step, <unsigned long long>elements[k], draw)


def normals(unsigned long long seed, unsigned long long stream, long long step, const long long[::1] elements,
            unsigned long long draw, double[::1] out):
    """Fill `out` with standard normal numbers; see `rall.solvers.normals`."""
    cdef Py_ssize_t k
    cdef unsigned long long key = rall_random_key(seed, stream)
    with nogil:
        for k in range(elements.shape[0]):
            out[k] = rall_normal(key, step, <unsigned long long>elements[k], draw)
