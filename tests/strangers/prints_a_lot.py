import sys
import warnings

from vasculum import Pixels, Text, processor

print("hello from the import")


@processor(Pixels(8), gives={"note": Text(missing=True)})
def prints_a_lot(pixels):
    for number in range(1000):
        print("a line", number)
        print("another line", number, file=sys.stderr)
    warnings.warn("something looks odd", stacklevel=1)
    return {"note": [None if picture.mean() > 200 else "dark" for picture in pixels]}
