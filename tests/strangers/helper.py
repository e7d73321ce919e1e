def darkness(picture):
    total = 0
    for row in picture[::4, ::4].tolist():
        for red, green, blue in row:
            total += 765 - red - green - blue
    return total
