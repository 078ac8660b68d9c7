"""The command ``python -m fastgrad``."""

import sys

from fastgrad._cli import main

if __name__ == "__main__":
    sys.exit(main())
