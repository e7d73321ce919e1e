"""Processors: the contract, the built-ins, model packages and the guarded child that runs them."""
