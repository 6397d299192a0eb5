"""Start the stylizer from a checkout: `python main.py --help`."""

import sys

from stylizer.app.cli import main

if __name__ == "__main__":
    sys.exit(main())
