"""What asv times; asv.conf.json stands beside this folder.

asv imports every module below its folder, as a package of that name: so nothing else stands here,
and what the benchmarks share is found by the path of the repository.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
