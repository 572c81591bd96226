"""`python -m discom …` is `discom …`."""

import sys

from discom.cli import main

sys.exit(main())
