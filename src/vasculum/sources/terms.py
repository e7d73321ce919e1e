"""The names under which other people's tables hold what the manifest wants, as data.

Names are bare: no namespace, blanks, lines or capitals (`dwc:catalogNumber`, `Catalog No.` → `catalogno`).
Of several columns for one manifest column the name that stands first here is asked first.
"""

from __future__ import annotations

ADDRESSES: tuple[tuple[str, ...], ...] = (
    (
        "accessuri", "url", "imageurl", "imageuri", "imageurls", "mediaurl", "mediauri", "photourl",
        "pictureurl", "imagelink", "imageaddress", "downloadurl", "contenturl", "fileurl", "urls",
    ),
    ("bestqualityaccessuri",),
    ("identifier",),
    ("associatedmedia",),
    ("localpath", "file", "filename", "filepath", "path", "imagepath", "imagefile", "image", "photo",
        "picture"),
)  # fmt: skip
"""Columns that may hold the image's address, the surest first. Two of one group cannot be told apart."""

BEST_QUALITY, IDENTIFIER, ASSOCIATED, FILES = 1, 2, 3, 4
"""Places of the lesser groups in ADDRESSES."""

NAMES: dict[str, tuple[str, ...]] = {
    "local_path": ("localpath",),
    "record_keys": ("records", "gbifid", "coreid"),
    "institutionCode": ("institutioncode",),
    "collectionCode": ("collectioncode",),
    "catalogNumber": ("catalognumber", "catalogno", "barcode", "barcodevalue"),
    "occurrenceID": ("occurrenceid",),
    "scientificName": ("scientificname",),
    "family": ("family",),
    "genus": ("genus",),
    "specificEpithet": ("specificepithet",),
    "country": ("country",),
    "countryCode": ("countrycode",),
    "stateProvince": ("stateprovince",),
    "locality": ("locality",),
    "year": ("year",),
    "eventDate": ("eventdate", "datecollected"),
    "recordedBy": ("recordedby", "collector"),
    "recordNumber": ("recordnumber",),
    "basisOfRecord": ("basisofrecord",),
    "typeStatus": ("typestatus",),
    "record_license": (
        "occurrencelicense", "recordlicense", "datasetlicense", "occurrencelicence", "datasetlicence",
    ),
    "rightsHolder": ("rightsholder", "owner"),
    "creator": ("creator", "photographer"),
    "credit_line": ("credit",),
    "dataset_key": ("datasetkey", "recordset", "datasetid"),
    "publisher_name": ("publisher",),
    "published_hash": ("sha256", "md5", "hashvalue"),
    "format": ("format",),
    "record_page": ("references", "furtherinformationurl", "associatedspecimenreference"),
    "label": ("label",),
    "media_id": ("uuid", "mediaid", "providermanagedid", "identifier"),
    "variants": ("thumbnailaccessuri", "goodqualityaccessuri"),
}  # fmt: skip
"""Manifest column → bare names of the columns that fill it."""

SETTABLE = ("accessURI", "license_id", *(name for name in NAMES if name != "variants"))
"""The manifest columns that --map may name."""

VARIANT_SIZES = {
    "thumbnailaccessuri": "thumbnail",
    "goodqualityaccessuri": "good",
    "bestqualityaccessuri": "best",
}
NOT_IMAGES = ("sound", "movingimage", "video", "audio", "text")
"""Values of dc:type, bare, that are no pictures."""
