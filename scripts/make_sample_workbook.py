"""Write samples/export.xlsx from samples/records.csv: the same records as a collection's database exports them to Excel.

Run it after records.csv has changed: `python scripts/make_sample_workbook.py`. Equal input gives equal bytes.
"""

from __future__ import annotations

import csv
import datetime
from pathlib import Path

import xlsxwriter

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
HEADINGS = {
    "Catalog Number": "dwc:catalogNumber",
    "Institution Code": "dwc:institutionCode",
    "Family": "dwc:family",
    "Genus": "dwc:genus",
    "Scientific Name": "dwc:scientificName",
    "Type Status": "dwc:typeStatus",
    "Country": "dwc:country",
    "Locality": "dwc:locality",
    "Year": "dwc:year",
    "Recorded By": "dwc:recordedBy",
    "License": "dcterms:license",
    "Rights Holder": "xmpRights:Owner",
}


def main() -> None:
    """Write the workbook."""
    with (SAMPLES / "records.csv").open(encoding="utf-8", newline="") as file:
        records = list(csv.DictReader(file))
    with xlsxwriter.Workbook(SAMPLES / "export.xlsx") as book:
        book.set_properties({"created": datetime.datetime(2026, 11, 24)})
        sheet = book.add_worksheet("Specimens")
        bold = book.add_format({"bold": True})
        for column, heading in enumerate(HEADINGS):
            sheet.write_string(0, column, heading, bold)
        for row, record in enumerate(records, 1):
            for column, (heading, term) in enumerate(HEADINGS.items()):
                value = record[term]
                if heading == "Year" and value:
                    sheet.write_number(row, column, int(value))
                else:
                    sheet.write_string(row, column, value)
        sheet.freeze_panes(1, 0)
        sheet.autofit()


if __name__ == "__main__":
    main()
