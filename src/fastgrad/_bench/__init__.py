"""The benchmark: what is timed, how, and how it is told. Nothing else of the package knows it."""
