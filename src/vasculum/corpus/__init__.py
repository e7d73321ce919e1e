"""The corpus: images with their records; collect, fetch, subsets."""
