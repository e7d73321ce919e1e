"""Engines run jobs and know nothing of images."""
