"""The second look at entries beyond tolerance, the witness of structured loops, and the verdict."""
