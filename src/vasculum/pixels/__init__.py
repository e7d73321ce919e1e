"""Encoded bytes to uint8 sRGB pixels, under one written policy."""
