"""The spellings that rights.py looks for, as data: nothing but tables.

Words stand in lower case, without accents; a blank or hyphen between two of them may be left out.
Lines of a pattern are joined as they stand.
"""

from __future__ import annotations


def _joined(lines: str) -> str:
    return "".join(line.strip() for line in lines.splitlines())


FIELDS = (
    "license",
    "licence",
    "webstatement",
    "usageterms",
    "rights",
    "accessrights",
    "datarights",
    "lizenz",
    "nutzungsrechte",
    "nutzungsbedingungen",
    "licencia",
    "licenza",
    "licenselogourl",
    "licenselogouri",
)
"""Bare names of the fields that speak for the image, in the order in which they are asked."""

ZERO = r"creative ?commons?[ (]*(?:cc)?[ -]?(?:zero|cero|0)|cc[ _-]?(?:0|zero)(?![0-9a-z])|^cco(?: 1\.0)?$"
MARK = r"public domain mark|cc[ -]?pdm|^pdm(?: 1\.0)?$"
COMMONS = r"(?:cc|creative ?commons?(?: licen[cs]e)?)"
ATTRIBUTION = _joined("""
    attribution|namensnennung|reconocimiento|atribucion|atribuicao|attribuzione|attribuzion|naamsvermelding
    |paternite|erkannande|navngivelse|navngivning|nimea|uznanie autorstwa|reconeixement|署名|表示
""")
CONDITIONS = {
    "nc": _joined("""
        non[ -]?commercial|nicht[ -]?kommerziell|keine kommerzielle|no ?comercial|nao ?comercial
        |non commerciale|pas d'utilisation commerciale|niet[ -]?commercieel|icke ?kommersiell
        |ikke ?kommersiell|ikke ?kommerciel|ei ?kaupallinen|uzycie niekomercyjne|非商业|非营利|非営利
    """),
    "nd": _joined("""
        no[ -]?deriv|keine bearbeitung|sin ?obras? ?derivada|sin ?derivad|pas de modification
        |non opere derivate|geen ?afgeleide|sem ?deriv|inga bearbetningar|ingen bearbeidelse|bez utworow
        |禁止演绎|改変禁止
    """),
    "sa": _joined("""
        share[ -]?alike|gleichen bedingungen|compartir ?igual|partage dans les memes
        |partage a l'identique|stesso modo|gelijk ?delen|compartilha ?igual|dela ?lika|del pa samme
        |na tych samych|相同方式共享|継承
    """),
}
_ANY_CONDITION = "|".join(CONDITIONS.values())
VAGUE = rf"(?<![a-z]){COMMONS}[\s_:-]*(?:licen[cs]e )?(?:nc|nd|sa|{_ANY_CONDITION})(?![a-z]{{3}})"
"""A condition without the licence that it belongs to."""

COUNTRIES = {
    "AU": "australia",
    "AT": "austria|osterreich",
    "BR": "brazil|brasil",
    "CA": "canada",
    "CH": "switzerland|schweiz|suisse",
    "CO": "colombia",
    "DE": "germany|deutschland",
    "ES": "spain|espana",
    "FR": "france",
    "IGO": "igo",
    "IT": "italy|italia",
    "JP": "japan",
    "MX": "mexico",
    "NL": "netherlands|nederland",
    "NZ": "new zealand",
    "Scotland": "scotland",
    "UK": "england & wales",
    "US": "united states",
}
PORTS = {
    "CC-BY-2.5-AU",
    "CC-BY-3.0-AT",
    "CC-BY-3.0-AU",
    "CC-BY-3.0-DE",
    "CC-BY-3.0-IGO",
    "CC-BY-3.0-NL",
    "CC-BY-3.0-US",
    "CC-BY-NC-3.0-DE",
    "CC-BY-NC-ND-3.0-DE",
    "CC-BY-NC-ND-3.0-IGO",
    "CC-BY-NC-SA-2.0-DE",
    "CC-BY-NC-SA-2.0-FR",
    "CC-BY-NC-SA-2.0-UK",
    "CC-BY-NC-SA-3.0-DE",
    "CC-BY-NC-SA-3.0-IGO",
    "CC-BY-ND-3.0-DE",
    "CC-BY-SA-2.0-UK",
    "CC-BY-SA-2.1-JP",
    "CC-BY-SA-3.0-AT",
    "CC-BY-SA-3.0-DE",
    "CC-BY-SA-3.0-IGO",
}
"""The ported licences that have an SPDX id."""

VERSIONS = ("1.0", "2.0", "2.1", "2.5", "3.0", "4.0")
STRICTNESS = {
    family: place
    for place, families in enumerate(
        [
            "cc0",
            "pd",
            "gov odc",
            "by",
            "share sa",
            "by-sa",
            "nc",
            "by-nc",
            "nc-sa",
            "by-nc-sa",
            "nd",
            "by-nd",
            "nc-nd",
            "by-nc-nd",
            "noncommercial",
            "notice",
            "reserved",
            "unreadable",
        ]
    )
    for family in families.split()
}
"""From the most open family to the strictest."""

OTHERS = (
    (
        r"opendatacommons\.org/licenses/by|odc[ -]by\b|open data commons attribution",
        "ODC-By-{}",
        "odc",
        "1.0",
    ),
    (r"opendatacommons\.org/licenses/odbl|\bodbl\b|open database licen[cs]e", "ODbL-{}", "share", "1.0"),
    (
        r"opendatacommons\.org/licenses/pddl|\bpddl\b|public domain dedication and licen[cs]e",
        "PDDL-{}",
        "pd",
        "1.0",
    ),
    (r"\boglc\b|open[ -]government[ -]licence[ -]+canada", "OGL-Canada-{}", "gov", "2.0"),
    (r"open[ -]government[ -]licen[cs]e|\bogl\b", "OGL-UK-{}", "gov", "1.0 2.0 3.0"),
    (r"licence ouverte|etalab|open licence\b", "etalab-{}", "gov", "2.0"),
    (r"dl-de[/-]by|datenlizenz deutschland[ -]*namensnennung", "DL-DE-BY-{}", "gov", "2.0"),
    (r"dl-de[/-]zero|datenlizenz deutschland[ -]*zero", "DL-DE-ZERO-{}", "gov", "2.0"),
    (
        r"gnu free documentation|\bgfdl\b|gnu\.org/(?:licenses|copyleft)/fdl",
        "GFDL-{}-only",
        "share",
        "1.1 1.2 1.3",
    ),
)
"""Not Creative Commons: what it looks like, its id ({} is the version), family, versions with an SPDX id."""

NOTHING_CLAIMED = _joined(r"""
    no (?:known )?copyright\w*(?: restrictions?)?|copyright[ -]free|(?:free|out) of copyright
    |not (?:under|in|subject to) copyright
    |copyright (?:not evaluated|undetermined|unknown|has expired|expired)
    |without (?:known )?(?:copyright|restrictions?)|no restrictions?
    |no permissions? (?:is |are )?(?:needed|required)
    |without (?:prior |asking )?permission|(?:some|no) rights (?:are )?reserved|algunos derechos reservados
    |certains droits reserves|einige rechte vorbehalten|alcuni diritti riservati|alguns direitos reservados
""")
"""Taken out before the claims below are looked for."""

_FOR_WHAT = "(?:personal|academic|educational|private|research|scientific|teaching)"
NONCOMMERCIAL = _joined(rf"""
    not[ -]for[ -]profit|non[ -]?profit|{_FOR_WHAT}[^.]{{0,30}} use only|only for (?:{_FOR_WHAT}|non)
    |non[ -]?commercial[^.]{{0,20}}(?:use|purpose)
    |\b(?:no|contact)\b[^.]{{0,40}}commercial use
    |commercial (?:re)?use[^.]{{0,60}}(?:must|requires?|permission|cleared|prohibited|forbidden|contact)
    |commercial (?:re)?use[^.]{{0,60}}not (?:allowed|permitted)
    |rightsstatements\.org/(?:vocab|page)/(?:noc-nc|inc-nc)
""")
RESERVED = _joined(r"""
    rights (?:are )?reserved|derechos reservados|droits reserves|rechte vorbehalten|diritti riservati
    |direitos reservados|rechten voorbehouden|rattigheter (?:forbehallna|reserverade)|oikeudet pidatetaan
    |版权所有|保留所有权利|^in copyright|^restricted\.?$|copyright restricted|permission|permiso|autorisation
    |genehmigung|may not be|must not be|not (?:be )?(?:allowed|permitted)|prohibited
    |forbidden|moratorium|embargo
    |usage conditions apply|(?:pictures?|images?|photo\w*|media)[^.]{0,40}(?:under|protected by) copyright
    |copyright (?:for|of|in|on) (?:the |all )?(?:images|pictures|photo)
    |rightsstatements\.org/(?:vocab|page)/(?:inc|noc-cr|noc-oklr)|loc\.gov/duplicationservices/copyright
""")
NOTICE = r"©|(?<!\w)\(c\)(?!\w)|\bcopyright|℗|\bcopr\."
ELSEWHERE = _joined(r"""
    licen[cs]e[^.]{0,30}\b(?:each|individual)\b[^.]{0,30}\b(?:image|photo|media)
    |(?:see|stated on)[^.]{0,20}(?:each|individual) image
""")
"""The licence of the image stands somewhere else."""

LABEL = _joined(r"""
    (?:(?:licen[cs]e|licencing|rights|copyright|terms)\s+(?:for|of)\s+(?:the\s+)?)?(?<![\w/])
    ((?:specimen |occurrence |meta)?data|records?|text|images?|media|multimedia|photo\w*|pictures?)\b
    [^:.;=]{0,60}?\s*[:=](?!//)
""")
"""'Licence for media:', 'Images:': what the words after it are about."""

IMAGE_WORD = "image|media|photo|picture"
NEGATION = r"\b(?:not|no|nicht|kein\w*|never|except|other than)\b[^.,;:]{0,20}$"
