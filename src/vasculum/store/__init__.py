"""Files on disk: commit, list, read, truth, tidy."""
