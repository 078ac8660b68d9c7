"""Derivatives found in the complex plane, and whether f is analytic there."""
