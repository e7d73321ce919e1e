import helper

from vasculum import Pixels, processor


@processor(Pixels(128, fit="crop"), gives={"darkness": int})
def pure_python(pixels):
    return {"darkness": [helper.darkness(picture) for picture in pixels]}
