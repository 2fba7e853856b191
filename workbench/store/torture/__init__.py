"""Trying to lose data on purpose: what a store must survive, and whether it did."""
