import io

import numpy as np
from PIL import Image

from vasculum import Picture, Pixels, processor


@processor(Pixels(96), gives={"edges": Picture(), "strength": float})
def outline(pixels, *, gain=3.0):
    grey = pixels.mean(3)
    edges = np.abs(np.diff(grey, axis=1))
    return {"edges": [png(one * gain) for one in edges], "strength": edges.mean((1, 2))}


def png(values):
    file = io.BytesIO()
    Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()
