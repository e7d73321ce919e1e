"""A processor of one's own: how green the plants on a sheet still are.

`greenness` is the share of plant pixels (greenish and saturated) among plant and paper pixels inside the
picture, 0 to 1; null where there is neither. It measures a colour, not a plant: brown leaves do not count,
green cards do. On whole sheets the herbarium explains much of the value (42 % of its variance over 25 sheets
of 8 herbaria was measured with this code): paper, light, colour card and camera differ. So it compares
sheets of one imaging line, not herbaria.
"""

from vasculum import Float, Pixels, processor

GREEN = Float(missing=True, unit="0 to 1", meaning="greenish plant pixels as a share of plant and paper")


@processor(Pixels(512), gives={"greenness": GREEN})
def greenness(pixels, *, inside, saturation=0.2):
    red, green, blue = (pixels[..., i].astype("float32") for i in range(3))
    light, dark = pixels.max(axis=-1).astype("float32"), pixels.min(axis=-1).astype("float32")
    saturated = (light - dark) > saturation * light
    plant = (inside & saturated & (green >= 0.95 * red) & (green > blue)).sum(axis=(1, 2))
    paper = (inside & ~saturated & (dark > 150)).sum(axis=(1, 2))
    both = plant + paper
    return {"greenness": [p / b if b else None for p, b in zip(plant.tolist(), both.tolist(), strict=True)]}
