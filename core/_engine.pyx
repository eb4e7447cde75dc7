# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
# cython: show_performance_hints=False
"""Compiled helpers of the NumPy device; `rall.solvers` has the same in Python and chooses."""

from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy

import numpy as np

cdef extern from "rall_random.h" nogil:
    unsigned long long rall_random_key(unsigned long long seed, unsigned long long stream)
    double rall_uniform(unsigned long long key, long long step, unsigned long long element, unsigned long long draw)
    double rall_normal(unsigned long long key, long long step, unsigned long long element, unsigned long long draw)


def tree_factor(const int[::1] order, const int[::1] parent, const double[::1] g, double[::1] d,
                double[::1] w, double[::1] iv):
    """Eliminate from the leaves to the root; see `rall.solvers.tree_factor`."""
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
    """Right-hand side down the tree and solution back up; see `rall.solvers.tree_solve`."""
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


cdef struct Slot:
    long long *entries
    Py_ssize_t length
    Py_ssize_t room


cdef int grow(Slot *slot, Py_ssize_t needed) except -1 nogil:
    """Room for `needed` entries; at least doubled, so that pushing costs constant time on average."""
    cdef Py_ssize_t room = slot.room
    cdef long long *entries
    if needed <= room:
        return 0
    room = needed if needed > 2 * room else 2 * room
    entries = <long long *>realloc(slot.entries, room * sizeof(long long))
    if entries == NULL:
        with gil:
            raise MemoryError()
    slot.entries = entries
    slot.room = room
    return 0


cdef class SpikeQueue:
    """Synapses that wait for their step; see `rall.solvers.SpikeQueue`."""

    cdef const long long[::1] offsets, synapses, delays
    cdef Slot *slots
    cdef long long size

    def __cinit__(self, offsets, synapses, delays):
        self.offsets = np.ascontiguousarray(offsets, dtype=np.int64)
        self.synapses = np.ascontiguousarray(synapses, dtype=np.int64)
        self.delays = np.ascontiguousarray(delays, dtype=np.int64)
        steps = np.asarray(self.delays)
        if len(steps) and steps.min() < 0:
            raise ValueError("a delay is negative")
        if self.delays.shape[0] != self.synapses.shape[0]:
            raise ValueError("synapses and delays differ in length")
        self.size = 1 + (int(steps.max()) if len(steps) else 0)
        self.slots = <Slot *>malloc(self.size * sizeof(Slot))
        if self.slots == NULL:
            raise MemoryError()
        for k in range(self.size):
            self.slots[k] = Slot(NULL, 0, 0)

    def __dealloc__(self):
        cdef long long k
        if self.slots != NULL:
            for k in range(self.size):
                free(self.slots[k].entries)
            free(self.slots)

    def push(self, long long step, const long long[::1] sources):
        """Put the synapses of the elements that spiked at `step` where they are due."""
        cdef Py_ssize_t k
        cdef long long j, s
        cdef Slot *slot
        if step < 0:
            raise ValueError("a step is negative")
        with nogil:
            for k in range(sources.shape[0]):
                s = sources[k]
                for j in range(self.offsets[s], self.offsets[s + 1]):
                    slot = &self.slots[(step + self.delays[j]) % self.size]
                    grow(slot, slot.length + 1)
                    slot.entries[slot.length] = self.synapses[j]
                    slot.length += 1

    cdef object look(self, long long step):
        cdef Slot *slot = &self.slots[step % self.size]
        cdef long long[::1] view
        result = np.empty(slot.length, dtype=np.int64)
        if slot.length:
            view = result
            memcpy(&view[0], slot.entries, slot.length * sizeof(long long))
        return result

    def pop(self, long long step):
        """The synapses that are due at `step`, taken out of the queue."""
        if step < 0:
            raise ValueError("a step is negative")
        result = self.look(step)
        self.slots[step % self.size].length = 0
        return result

    def pending(self, long long step):
        """What is due at `step`, at the next one and so on, left in the queue."""
        if step < 0:
            raise ValueError("a step is negative")
        return [self.look(step + k) for k in range(self.size)]

    def refill(self, long long step, waiting):
        """Put back what `pending` gave, in place of all that is there."""
        cdef long long k
        cdef long long[::1] view
        cdef Slot *slot
        if step < 0 or len(waiting) != self.size:
            raise ValueError(f"needs a step >= 0 and {self.size} arrays, got {step} and {len(waiting)}")
        for k in range(self.size):
            slot = &self.slots[(step + k) % self.size]
            view = np.array(waiting[k], dtype=np.int64)
            grow(slot, view.shape[0])
            if view.shape[0]:
                memcpy(slot.entries, &view[0], view.shape[0] * sizeof(long long))
            slot.length = view.shape[0]
