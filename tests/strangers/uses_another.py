from vasculum import Pixels, processor


@processor(Pixels(16), gives={"greener": bool})
def uses_another(pixels, mean_color_green, mean_color_red):
    return {"greener": [green > red for green, red in zip(mean_color_green, mean_color_red, strict=True)]}
