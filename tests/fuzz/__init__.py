"""Fuzz of everything that reads what others wrote: only errors of our own may come out, soon, and in little memory.

Each test makes its examples from numbers: the same ones in every run of the suite. ``MLDATA_FUZZ=5 pytest tests/fuzz -n 0`` gives each test
five minutes of new ones instead; ``MLDATA_FUZZ_SEED=123`` repeats the one that a failure names.
"""
