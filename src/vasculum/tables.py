"""Every column of every file that vasculum writes: name, type, unit, meaning and standard term.

A column that carries a standard term has that term's bare name, spelled exactly (`catalogNumber`); a column that
vasculum derives is in snake_case. The IRI, unit and meaning travel in the Parquet field metadata.
Terms: Darwin Core (rs.tdwg.org/dwc/terms), Audiovisual Core (rs.tdwg.org/ac/terms), Dublin Core, XMP Rights.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pyarrow as pa

FORMAT = 1
"""Version of the layout on disk. A higher one is refused in one line."""

DWC = "http://rs.tdwg.org/dwc/terms/"
AC = "http://rs.tdwg.org/ac/terms/"
DCTERMS = "http://purl.org/dc/terms/"

TEXT = pa.string()
TEXTS = pa.list_(pa.field("element", pa.string()))
TIMESTAMP = pa.timestamp("us", tz="UTC")


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """One column of a file."""

    name: str
    type: pa.DataType
    meaning: str
    iri: str = ""
    unit: str = ""

    def field(self) -> pa.Field:
        """Return the Arrow field, with meaning, IRI and unit in its metadata."""
        metadata = {"meaning": self.meaning, "iri": self.iri, "unit": self.unit}
        return pa.field(self.name, self.type, metadata={k: v for k, v in metadata.items() if v})


def schema(columns: Sequence[Column]) -> pa.Schema:
    """Return the Arrow schema of a file with these columns; its footer carries the format version."""
    return pa.schema([c.field() for c in columns], metadata={"vasculum_format": str(FORMAT)})


def _dwc(name: str, meaning: str, type_: pa.DataType = TEXT) -> Column:
    return Column(name, type_, meaning, DWC + name)


IDENTITY = (
    Column("media_id", TEXT, "32 hex digits: a hash of the medium's identity, never of its content"),
    Column("source_name", TEXT, "label of the source it was collected from"),
    Column("source_key", TEXT, "where in that source: row number or path"),
    Column("record_keys", TEXTS, "occurrenceID, or the source's own key, of every specimen record shown"),
    Column("accessURI", TEXT, "where the bytes are, byte for byte as published", AC + "accessURI"),
    Column("local_path", TEXT, "path of a local file under the root of its source, '/' between folders"),
)

SPECIMEN = (
    _dwc("institutionCode", "acronym of the institution that holds the specimen"),
    _dwc("collectionCode", "acronym of the collection"),
    _dwc("catalogNumber", "number of the specimen within its collection; text, zeros kept"),
    _dwc("occurrenceID", "identifier of the occurrence"),
    _dwc("scientificName", "full name, with authorship where known"),
    _dwc("family", "family"),
    _dwc("genus", "genus"),
    _dwc("specificEpithet", "species epithet"),
    _dwc("country", "country where it was gathered, in words"),
    _dwc("countryCode", "ISO 3166-1 alpha-2 code of that country"),
    _dwc("stateProvince", "next smaller region"),
    _dwc("locality", "place, in words"),
    _dwc("year", "year of gathering; null where the text is no year", pa.int32()),
    _dwc("eventDate", "date of gathering as published, ISO 8601, may be an interval"),
    _dwc("recordedBy", "who gathered it"),
    _dwc("recordNumber", "the gatherer's own number"),
    _dwc("basisOfRecord", "nature of the record, such as PreservedSpecimen"),
    _dwc("typeStatus", "nomenclatural type information"),
)

RIGHTS = (
    Column("license_id", TEXT, "normalised licence: an SPDX-like id, 'restricted' or 'unknown'"),
    Column("license_from", TEXT, "name of the field that license_id was read from"),
    Column("record_license", TEXT, "the record's own licence, as published, where the medium has another"),
    Column("rights_raw", TEXT, "JSON object: every rights field as published"),
    Column("rightsHolder", TEXT, "who holds the rights", DCTERMS + "rightsHolder"),
    Column("creator", TEXT, "who made the image", DCTERMS + "creator"),
    Column("credit_line", TEXT, "the line to print beside the image"),
)

PROVENANCE = (
    Column("dataset_key", TEXT, "the aggregator's id of the data set"),
    Column("publisher_name", TEXT, "who published the data set"),
    Column("published_hash", TEXT, "hash of the bytes as published: 'md5:…' or 'sha256:…', lower-case hex"),
    Column("format", TEXT, "media type as declared, not trusted", DCTERMS + "format"),
    Column("record_page", TEXT, "page about the record for a person, http or https"),
)

VARIANT = pa.struct([("size", TEXT), ("uri", TEXT), ("format", TEXT)])
RECORD_TERMS = (
    "institutionCode",
    "collectionCode",
    "catalogNumber",
    "occurrenceID",
    "scientificName",
    "family",
)
RECORD = pa.struct([("record_key", TEXT), *((name, TEXT) for name in RECORD_TERMS)])

OTHER = (
    Column("label", TEXT, "a label that came with the image, such as its folder's name"),
    Column("variants", pa.list_(pa.field("element", VARIANT)), "other sizes or files of the same medium"),
    Column("records", pa.list_(pa.field("element", RECORD)), "all its records, where it has more than one"),
    Column("terms_json", TEXT, "JSON object: every other term of its first record, nothing lost"),
)

SOURCE_COLUMNS = (*IDENTITY, *SPECIMEN, *RIGHTS, *PROVENANCE, *OTHER)
"""What a source gives: one row a link between a medium and a record, in source order."""

MANIFEST_COLUMNS = (
    *SOURCE_COLUMNS[:1],
    Column("run", TEXT, "the run that wrote this row; of one media_id the newest run is true"),
    Column("state", TEXT, "'present', 'gone' from its source, or 'dropped'"),
    Column("row_hash", pa.int64(), "hash of all that follows the key: equal means nothing new to write"),
    *SOURCE_COLUMNS[1:],
)

IMAGES_COLUMNS = (
    Column("media_id", TEXT, "of the manifest"),
    Column("size", TEXT, "which size was got: 'original', 'webview', '1024' …"),
    Column("run", TEXT, "the run that wrote this row"),
    Column("status", TEXT, "what came of getting it (outcomes.py)"),
    Column("detail", TEXT, "what happened, in words"),
    Column("sha256", TEXT, "of the bytes as served"),
    Column("shard", TEXT, "file under bytes/ that holds them; null: read in place or not kept"),
    Column("shard_sha256", TEXT, "of the bytes in the shard"),
    Column("image_key", pa.int64(), "first 8 bytes of the hash of what apply will read"),
    Column("n_bytes", pa.int64(), "of the bytes as served", unit="byte"),
    Column("image_type", TEXT, "media type found in the bytes"),
    Column("width", pa.int32(), "as stored, before orientation", unit="pixel"),
    Column("height", pa.int32(), "as stored, before orientation", unit="pixel"),
    Column("orientation", pa.int32(), "EXIF orientation, 1 to 8"),
    Column("icc", TEXT, "description of the embedded colour profile"),
    Column("door", TEXT, "which road answered: 'copy' or 'in_place' for local files"),
    Column("final_uri", TEXT, "where the bytes really came from"),
    Column("http_code", pa.int32(), "of the last answer"),
    Column("attempts", pa.int32(), "how often it was tried"),
    Column("seconds", pa.float64(), "from first try to last byte", unit="second"),
    Column(
        "etag",
        TEXT,
        "the server's tag; of a local file, its size and time of change; of an image in a shard, also its place in it",
    ),
    Column("last_modified", TIMESTAMP, "as the server or file system says"),
    Column("at", TIMESTAMP, "when"),
)

BYTES_COLUMNS = (
    Column("media_id", TEXT, "of the manifest"),
    Column("sha256", TEXT, "of the bytes"),
    Column("bytes", pa.binary(), "the encoded image, untouched"),
)

RESULTS_COLUMNS = (
    Column("media_id", TEXT, "of the manifest"),
    Column("run", TEXT, "the run that wrote this row"),
    Column("image_key", pa.int64(), "of the image that was read; null: there was none"),
    Column("sha256", TEXT, "of the bytes that were read"),
    Column("status", TEXT, "the first status that is not ok, else ok (outcomes.py)"),
    Column("detail", TEXT, "what happened, in words"),
)
"""The columns that every results file begins with; the processors' own follow."""

BLOBS_COLUMNS = (
    Column("media_id", TEXT, "of the manifest"),
    Column("column", TEXT, "the results column that this image belongs to"),
    Column("sha256", TEXT, "of the bytes"),
    Column("bytes", pa.binary(), "the encoded image"),
)

REJECTS_COLUMNS = (
    Column("run", TEXT, "the run that met it"),
    Column("source_name", TEXT, "label of the source"),
    Column("file", TEXT, "the file it stands in"),
    Column("line", pa.int64(), "line where it begins, 1 for the first"),
    Column("reason", TEXT, "why it could not be taken"),
    Column("text", TEXT, "the row as it stands, cut at 2,000 characters"),
)

SOURCE_SCHEMA = schema(SOURCE_COLUMNS)
MANIFEST_SCHEMA = schema(MANIFEST_COLUMNS)
IMAGES_SCHEMA = schema(IMAGES_COLUMNS)
BYTES_SCHEMA = schema(BYTES_COLUMNS)
BLOBS_SCHEMA = schema(BLOBS_COLUMNS)
REJECTS_SCHEMA = schema(REJECTS_COLUMNS)
RESULTS_SCHEMA = schema(RESULTS_COLUMNS)
