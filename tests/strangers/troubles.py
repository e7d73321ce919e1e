"""Each of these goes wrong on the darkest sheets only, so that their neighbours can be seen to be well."""

import ctypes
import os
import time

import numpy as np

from vasculum import Pixels, processor


def unlucky(media_id):
    return [int(one, 16) % 6 == 0 for one in media_id]


@processor(Pixels(16), gives={"value": float})
def raises(pixels, media_id):
    if any(unlucky(media_id)):
        raise ValueError("no such plant")
    return {"value": pixels.mean((1, 2, 3))}


@processor(Pixels(16), gives={"value": float})
def nan(pixels, media_id):
    return {"value": np.where(unlucky(media_id), np.nan, pixels.mean((1, 2, 3)))}


@processor(Pixels(16), gives={"value": float})
def wrong_count(pixels, media_id):
    return {"value": [1.0] * (len(pixels) + any(unlucky(media_id)))}


@processor(Pixels(16), gives={"value": float}, seconds=1.5)
def hangs(pixels, media_id):
    if any(unlucky(media_id)):
        time.sleep(3600)
    return {"value": pixels.mean((1, 2, 3))}


@processor(Pixels(16), gives={"value": float})
def segfaults(pixels, media_id):
    if any(unlucky(media_id)):
        ctypes.string_at(0)
    return {"value": pixels.mean((1, 2, 3))}


@processor(Pixels(16), gives={"value": float})
def exits(pixels, media_id):
    if any(unlucky(media_id)):
        os._exit(0)
    return {"value": pixels.mean((1, 2, 3))}


@processor(Pixels(16), gives={"value": float})
def allocates(pixels, media_id):
    if any(unlucky(media_id)):
        held = [np.ones(2**28, np.uint8) for _ in range(80)]  # 20 GiB
        return {"value": [float(len(held))] * len(pixels)}
    return {"value": pixels.mean((1, 2, 3))}
