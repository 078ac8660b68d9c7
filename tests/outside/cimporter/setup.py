"""Builds one Cython extension, which knows nothing of fastgrad but what is installed."""

from Cython.Build import cythonize
from setuptools import Extension, setup

setup(ext_modules=cythonize([Extension("cimporter", ["cimporter.pyx"])]))
