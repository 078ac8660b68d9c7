"""The noise of f, measured, and the steps that suit it."""
