"""Set-up shared by the notebooks: assets, services, encoders, ingest, metrics and pictures.

Import what you need from its module, for example ``from helpers.connect import connect_milvus``.
Nothing heavy is loaded until it is used.
"""
