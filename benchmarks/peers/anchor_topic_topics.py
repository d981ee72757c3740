"""Topics of anchor-topic: `python anchor_topic_topics.py COUNTS TOPICS SEED OUT`.

Runs in the environment of old versions that `compare.old_python` makes.
"""

import sys

import numpy as np
import scipy.sparse as sp
from anchor_topic.topics import model_topics

counts, n_topics, seed, out = sys.argv[1:]
X = sp.csc_matrix(sp.load_npz(counts).T, dtype=np.float64)
A, _, _ = model_topics(X, int(n_topics), 0.01, int(seed))
np.save(out, np.asarray(A).T)
