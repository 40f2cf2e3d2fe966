"""The engines behind a store: Milvus Lite and Redis, the keeper of both, and a test server."""
