"""The plain NumPy twins: slow, obvious, public; the oracle of the tests and the baseline of the benchmark."""
