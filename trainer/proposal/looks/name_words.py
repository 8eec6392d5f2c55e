"""The words in the names of tables and columns, in English, German, Dutch and Polish."""

import re
import unicodedata
from functools import cache


def word_set(words: str) -> frozenset[str]:
    """The words of a text, for a list of words."""
    return frozenset(words.split())


USER = word_set(
    "customer user client buyer member shopper consumer cust patron kunde kunden kd account "
    "subscriber guest donor klant klanten klient klienta klienci nabywca uzytkownik"
)
ORDER = word_set(
    "order invoice transaction trans txn bill receipt sale purchase basket ticket booking box bestell "
    "bestellung bestellungen best rechnung rechnungs rg auftrag auftrags beleg kauf bestel bestelling "
    "bestellingen factuur facturen verkoop zamowienie zamowienia zamowien faktura faktury paragon sprzedaz"
)
PRODUCT = word_set(
    "product item stock sku article artikel art asin produkt produkte material upc ean isbn artikelen "
    "producten produktu produkty towar towary towaru"
)
ID = word_set("id key no nr num number nummer code uid uuid guid ref numer kod entity")
TIME = word_set(
    "date datum dat time timestamp datetime zeit created placed day at on when zeitpunkt registered joined "
    "since birthday birthdate dob data czas tijd"
)
LINE = word_set("item line detail position row regel regels pozycja pozycje")
BIRTH = word_set(
    "birth birthday birthdate dob born geb geburts geburtstag geburtsdatum geboorte geboortedatum urodzenia"
)
_OTHERS = word_set(
    "price preis quantity qty menge anzahl anz unit name mail phone status state country land brand marke "
    "category kategorie gender geschl geschlecht age alter birth geb geburts geburtstag source traffic "
    "channel total amount betrag umsatz stueck email address adresse zip plz street strasse city ort "
    "first last vor nach unique cost list sold ship shipping warengruppe hersteller waren gruppe einzel "
    "einzelpreis gesamt ip haus user web prijs stuk stukprijs aantal merk categorie geslacht leeftijd bedrag "
    "totaal cena ilosc marka kategoria kraj plec wiek kwota"
)
KNOWN = USER | ORDER | PRODUCT | ID | TIME | LINE | _OTHERS
_PARTS = re.compile(r"[A-ZÄÖÜ]+(?![a-zäöüß])|[A-ZÄÖÜ]?[a-zäöüß]+|[^\W\d_]+")
FOLDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_UMLAUTS = frozenset("äöüßÄÖÜ")
_STROKES = str.maketrans("łŁ", "lL")


@cache
def words_of(name: str) -> frozenset[str]:
    """The words of a name, in small letters and in the singular.

    >>> sorted(words_of("CustomerID")), sorted(words_of("order_purchase_timestamp"))
    (['customer', 'id'], ['order', 'purchase', 'timestamp'])
    >>> sorted(words_of("Bestelldatum")), sorted(words_of("Orders")), sorted(words_of("userid"))
    (['bestell', 'datum'], ['order'], ['id', 'user'])
    >>> sorted(words_of("KdNr")), sorted(words_of("BESTDAT"))
    (['kd', 'nr'], ['best', 'dat'])
    >>> sorted(words_of("Numer zamówienia")), sorted(words_of("factuurnr"))
    (['numer', 'zamowienia'], ['factuur', 'nr'])
    """
    parts = [part.lower().translate(FOLDED) for part in _PARTS.findall(_without_accents(name))]
    return frozenset(_singular(word) for part in parts for word in _split(part))


def _without_accents(name: str) -> str:
    """The name with ASCII letters for letters with accents; umlauts stay."""
    letters = unicodedata.normalize("NFC", name).translate(_STROKES)
    bases = ((letter, unicodedata.normalize("NFD", letter)[0]) for letter in letters)
    return "".join(base if base.isascii() and letter not in _UMLAUTS else letter for letter, base in bases)


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and word[:-1] in KNOWN and word not in KNOWN else word


def _split(word: str) -> tuple[str, ...]:
    if word in KNOWN:
        return (word,)
    for place in range(2, len(word) - 1):
        if word[:place] in KNOWN and word[place:] in KNOWN:
            return word[:place], word[place:]
    return (word,)
