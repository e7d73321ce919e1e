from vasculum import Float, ListOf, Tiles, processor


@processor(Tiles(64, overlap=8, long_side=200), gives={"tiles": int, "lightest": float, "means": ListOf(Float())})
def tiled(tiles, tile_boxes):
    assert len(tiles) == len(tile_boxes)
    means = tiles.mean((1, 2, 3))
    return {"tiles": len(tiles), "lightest": means.max(), "means": means}
