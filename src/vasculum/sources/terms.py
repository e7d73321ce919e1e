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
        "picture", "bild", "bilddatei", "dateiname", "bildpfad", "archivo", "imagen", "fichier"),
)  # fmt: skip
"""Columns that may hold the image's address, the surest first. Two of one group cannot be told apart."""

BEST_QUALITY, IDENTIFIER, ASSOCIATED, FILES = 1, 2, 3, 4
"""Places of the lesser groups in ADDRESSES."""

NAMES: dict[str, tuple[str, ...]] = {
    "local_path": ("localpath",),
    "record_keys": ("records", "gbifid", "coreid"),
    "institutionCode": ("institutioncode", "herbariumcode", "herbarium"),
    "collectionCode": ("collectioncode",),
    "catalogNumber": ("catalognumber", "catalogno", "barcode", "barcodevalue",
        "katalognummer", "katalognr", "inventarnummer", "inventarnr", "strichcode", "códigodebarras", "codigodebarras",
        "númerodecatálogo", "numerodecatalogo", "codebarres", "numérodecatalogue", "numérod'inventaire"),
    "occurrenceID": ("occurrenceid",),
    "scientificName": ("scientificname", "wissenschaftlichername", "nombrecientífico", "nombrecientifico", "nomscientifique"),
    "family": ("family", "familie", "familia", "famille"),
    "genus": ("genus", "gattung", "género", "genero"),
    "specificEpithet": ("specificepithet", "artepithet", "art", "especie", "espèce"),
    "country": ("country", "land", "país", "pais", "pays"),
    "countryCode": ("countrycode",),
    "stateProvince": ("stateprovince",),
    "locality": ("locality", "fundort", "localidad", "localité"),
    "year": ("year", "jahr", "sammeljahr", "año", "année"),
    "eventDate": ("eventdate", "datecollected"),
    "recordedBy": ("recordedby", "collector", "sammler", "colector", "collecteur", "récolteur"),
    "recordNumber": ("recordnumber", "sammelnummer"),
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

OF_MEDIA = ("accessURI", "local_path", "media_id", "variants", "published_hash", "format")
"""Manifest columns that tell of the image and not of the specimen: none of them is read where the images are files."""

NAMES_OF_ONE_WORD = ("art", "especie", "espèce")
"""'Species' in other languages: taken for the epithet only where the values are single words."""

VARIANT_SIZES = {
    "thumbnailaccessuri": "thumbnail",
    "goodqualityaccessuri": "good",
    "bestqualityaccessuri": "best",
}
NOT_IMAGES = ("sound", "movingimage", "video", "audio", "text")
"""Values of dc:type, bare, that are no pictures."""
