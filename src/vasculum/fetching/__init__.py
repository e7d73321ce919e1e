"""Getting the bytes of media, with an outcome for each."""
