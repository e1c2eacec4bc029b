"""`python -m api` is `job-recovery`, for where the command is not on the path."""

import sys

from api.cli import main

sys.exit(main())
