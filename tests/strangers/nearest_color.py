import json
from pathlib import Path

import numpy as np

from vasculum import Pixels, Vector, processor


@processor(Pixels(32, fit="squash"), gives={"name": str, "distances": Vector(3)})
class NearestColor:
    """Opens its palette once a worker."""

    def __init__(self, palette="palette.json"):
        self.palette = palette

    def open(self):
        content = json.loads((Path(__file__).parent / self.palette).read_text())
        self.names, self.colors = list(content), np.array(list(content.values()), float)

    def __call__(self, pixels):
        means = pixels.mean((1, 2))
        distances = np.linalg.norm(means[:, None] - self.colors[None], axis=2)
        return {"name": [self.names[i] for i in distances.argmin(1)], "distances": distances}
