"""Set-up shared by the notebooks: assets, services, encoders, ingest, metrics and pictures.

Import what you need from its module, for example ``from helpers.connect import connect_milvus``.
Nothing heavy is loaded until it is used.
"""

import os

# Threads that wait for work must not keep a core busy: where cores are few, somebody needs it.
# OpenMP reads this once, when torch, faiss or scikit-learn load it; your own setting stays.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
