"""`python -m pyunlearn`: the command."""

import sys

from pyunlearn.cli import main

if __name__ == "__main__":
    sys.exit(main())
