from __future__ import annotations

import pytest

from vasculum.rights import License, credit_line, license_words, read_license


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://creativecommons.org/licenses/by/4.0/legalcode", "CC-BY-4.0"),
        (" HTTPS://CREATIVECOMMONS.ORG/PUBLICDOMAIN/ZERO/1.0 ", "CC0-1.0"),
        ("http://creativecommons.org/licenses/by-nc-sa/4.0/deed.de", "CC-BY-NC-SA-4.0"),
        ("http://creativecommons.org/licenses/by-nd-nc/1.0/", "CC-BY-NC-ND-1.0"),
        ("https://creativecommons.org/licenses/by/3.0/de/", "CC-BY-3.0-DE"),
        ("http://creativecommons.org/licenses/by-sa/2.0/fr/", "LicenseRef-CC-BY-SA-2.0-FR"),
        ("http://creativecommons.org/licenses/by/", "LicenseRef-CC-BY-unversioned"),
        ("http://creativecommons.org/publicdomain/mark/1.0/", "CC-PDM-1.0"),
        ("http://i.creativecommons.org/l/by-nc-sa/3.0/88x31.png", "CC-BY-NC-SA-3.0"),
        ('<a rel="license" href="http://creativecommons.org/licenses/by-nc/3.0/">x</a>', "CC-BY-NC-3.0"),
        ("&lt;a href=&quot;http://creativecommons.org/licenses/by/4.0/&quot;&gt;", "CC-BY-4.0"),
        ("CC BY‑NC 4.0", "CC-BY-NC-4.0"),
        ("CC_BY_NC_4_0", "CC-BY-NC-4.0"),
        ("CC3 BY-NC-SA", "CC-BY-NC-SA-3.0"),
        ("cc-by-sa-2.5", "CC-BY-SA-2.5"),
        ("CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", "CC0-1.0"),
        ("(c) Some Museum - CC BY-NC", "LicenseRef-CC-BY-NC-unversioned"),
        ("CC BY (Attribution)", "LicenseRef-CC-BY-unversioned"),
        ("Namensnennung - Nicht kommerziell 4.0 International", "CC-BY-NC-4.0"),
        ("Attribution - Pas d'Utilisation Commerciale 4.0 International", "CC-BY-NC-4.0"),
        ("署名-非商业性使用 4.0 国际", "CC-BY-NC-4.0"),
        ("Open Government Licence v3.0", "OGL-UK-3.0"),
        ("GNU Free Documentation License, Version 1.2 or any later version", "GFDL-1.2-or-later"),
        ("Alle Rechte vorbehalten", "restricted"),
        ("© A. Person", "restricted"),
        ("for personal use only", "restricted"),
        ("http://rightsstatements.org/vocab/InC/1.0/", "restricted"),
        ("public domain", "unknown"),
        ("No known copyright restrictions", "unknown"),
        ("Some rights reserved", "unknown"),
        ("Photographed by Nancy Cole", "unknown"),
        ("standby-nd-file 4.0", "unknown"),
        ("Not CC0", "unknown"),
        ("", "unknown"),
        ("http://creativecommons.org.evil.example/licenses/by/4.0/", "unknown"),
        ("http://example.org/?x=http://creativecommons.org/licenses/by/4.0/", "unknown"),
        ("http://creativecommons.org/licenses/by/5.0/", "unknown"),
        ("x" * 30_000 + " CC0", "unknown"),
    ],
)
def test_a_rights_text_becomes_its_licence(text: str, expected: str) -> None:
    assert read_license({"dcterms:rights": text}).id == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"dcterms:license": "CC BY 4.0", "xmpRights:UsageTerms": "CC BY-NC"},
            "LicenseRef-CC-BY-NC-unversioned",
        ),
        ({"license": "CC0", "rights": "© 2014 Museum. All rights reserved."}, "restricted"),
        ({"license": "CC0", "rights": "© 2014 Museum"}, "restricted"),
        ({"license": "CC BY 4.0", "accessRights": "not-for-profit use only"}, "restricted"),
        (
            {"rights": "Creative Commons Attribution 3.0: http://creativecommons.org/licenses/by-nc/3.0/"},
            "CC-BY-NC-3.0",
        ),
    ],
)
def test_of_two_statements_the_stricter_counts_and_it_is_said(fields: dict[str, str], expected: str) -> None:
    found = read_license(fields)
    assert (found.id, found.contradicted) == (expected, True)


def test_statements_that_agree_give_the_most_exact_one() -> None:
    fields = {
        "UsageTerms": "CC BY-NC-SA (x)",
        "WebStatement": "http://creativecommons.org/licenses/by-nc-sa/3.0/",
    }
    assert read_license(fields) == License("CC-BY-NC-SA-3.0", "WebStatement", False)


def test_a_notice_beside_a_licence_that_keeps_copyright_changes_nothing() -> None:
    assert read_license({"license": "CC BY 4.0", "rights": "© Museum"}) == License("CC-BY-4.0", "license", False)


def test_only_fields_about_the_image_speak_for_it() -> None:
    assert read_license({"dcterms:rightsHolder": "CC0", "data set licence": "CC0"}) == License("unknown", None, False)


def test_in_a_cell_about_data_and_media_the_media_part_counts() -> None:
    text = "License for specimen data: Public Domain (CC0). License for media: CC BY-NC-SA 3.0"
    assert read_license({"rights": text}).id == "CC-BY-NC-SA-3.0"


@pytest.mark.parametrize("hostile", ["by-" * 6000, "attribution " * 1600, "cc by " * 3000, "(" * 19_000, "a:" * 9_000])
@pytest.mark.timeout(5)
def test_a_hostile_text_takes_no_time(hostile: str) -> None:
    assert read_license({"rights": hostile}).source_field in (None, "rights")


def test_the_credit_line_names_who_what_and_the_licence() -> None:
    line = credit_line("A. Person", "A Museum", "BM", "BM0001", "CC-BY-NC-4.0")
    assert line == "A. Person; A Museum; BM0001; CC BY-NC 4.0"
    assert credit_line(None, None, "BR", "12", "unknown") == "BR 12; licence unknown"
    assert credit_line("A. Person", None, None, None, "CC0-1.0", wanted="Photo:\nMuseum") == "Photo: Museum; CC0 1.0"


def test_licences_are_printed_as_people_write_them() -> None:
    ids = ("CC-BY-3.0-DE", "LicenseRef-CC-BY-unversioned", "restricted", "OGL-UK-3.0", "CC-PDM-1.0")
    said = ["CC BY 3.0 DE", "CC BY", "rights reserved", "OGL-UK-3.0", "Public Domain Mark 1.0"]
    assert [license_words(i) for i in ids] == said
