from vasculum import Pixels, processor


@processor(Pixels(64), gives={"red": float, "green": float, "blue": float})
def mean_color(pixels, inside):
    weights = inside[..., None]
    means = (pixels * weights).sum((1, 2)) / weights.sum((1, 2))
    return {"red": means[:, 0], "green": means[:, 1], "blue": means[:, 2]}
