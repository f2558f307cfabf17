"""Ask questions about scientific papers; every sentence of the answer is cited to its source."""

import os

__version__ = "0.1.0"

# Our matrices are small. Threads for them only wait for each other, and where other work wants the
# cores they wait by spinning. It counts if numpy is not loaded yet; what the user has set stands.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
