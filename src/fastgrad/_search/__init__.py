"""Random projections of a gradient: calibrate, detect, decode, verify."""
