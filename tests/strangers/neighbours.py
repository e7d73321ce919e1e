from vasculum import Pixels, processor


@processor(Pixels(16), gives={"rank": float})
def neighbours(pixels):
    means = pixels.mean((1, 2, 3))
    return {"rank": means - means.mean()}
