"""Start the stylizer from a checkout: `python main.py --help`."""

import sys

from stylizer.app.start import main

if __name__ == "__main__":
    sys.exit(main())
