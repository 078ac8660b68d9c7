"""The compiled loops; each has a twin of the same name and arguments in `fastgrad.reference`."""
