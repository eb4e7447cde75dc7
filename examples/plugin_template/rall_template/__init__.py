"""An example of a plugin of rall: an integrator, a channel family, a flag and a function that uses it."""
