from vasculum import Boolean, Bytes, Integer, ListOf, processor


@processor(Bytes(), gives={"size": int, "is_jpeg": Boolean(), "first": ListOf(Integer())})
def file_facts(images, media_id, width, height):
    assert len(media_id) == len(width) == len(height) == len(images)
    return {
        "size": [len(data) for data in images],
        "is_jpeg": [data[:2] == b"\xff\xd8" for data in images],
        "first": [list(data[:4]) for data in images],
    }
