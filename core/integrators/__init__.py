"""Integrators: differential equations to assignments."""

from rall.integrators.base import AbstractIntegrator, NotIntegrable, Propagator, Step, System

__all__ = ["AbstractIntegrator", "NotIntegrable", "Propagator", "Step", "System"]
