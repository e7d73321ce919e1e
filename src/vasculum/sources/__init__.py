"""Outside things to Arrow batches of manifest rows."""
