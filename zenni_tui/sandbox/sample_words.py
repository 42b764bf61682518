"""The words of the sample application: names, services, notes, with the letters and signs that migrations break."""

_FIRST = """
    Aino Aada Aarne Akseli Aleksi Anneli Antero Arvo Äijö Eeva Eino Elina Ella Emmi Erkki Essi Hannele Heikki
    Helmi Hilkka Iida Ilona Inkeri Jalmari Jenni Johanna Jörn Juhani Kaarina Kaisa Kalevi Katri Kyösti Lauri
    Leena Liisa Lumi Maija Marjatta Martti Matti Minna Niilo Noora Olavi Oona Orvokki Otso Päivi Pentti Pirkko
    Päivö Raili Reijo Ritva Saara Sampo Satu Seppo Siiri Sirkka-Liisa Sisko Sulo Suvi Taavi Taina Tapio Tuomas
    Tuulikki Tyyne Ulla Urho Vappu Veikko Venla Vilho Väinö Yrjö Åke Östen
"""

_LAST = """
    Aalto Ahonen Åkerblom Anttila Björkqvist Eerikäinen Eskola Grönroos Haapala Hakkarainen Hämäläinen Harju
    Heikkinen Hietanen Hyvönen Ihalainen Jääskeläinen Järvinen Jokela Kääriäinen Kallio Karjalainen Kettunen
    Kinnunen Kivelä Koivisto Korhonen Koskenkylä Kuusela Laaksonen Lähteenmäki Laine Lehtimäki Lindqvist Luoma
    Mäkelä Mäkinen Malmström Mattila Miettinen Mustonen Myllylä Nieminen Niskanen Nygård Öhman Ojala Palmroth
    Peltola Pitkänen Pöysti Räsänen Rautio Rönkkö Saarinen Salonen Sillanpää Sjöberg Söderholm Suominen Tähkäpää
    Tervo Tuominen Uusitalo Väisänen Vänskä Vesterinen Virtanen Wäänänen Westerlund Ylönen Yrjölä
"""

FIRST_NAMES = tuple(_FIRST.split())
LAST_NAMES = tuple(_LAST.split())

ODD_CUSTOMERS = (
    "Siobhán O'Brien",
    'Anna "Anni" Ström',
    "Ke\u0301vin A\u030aberg",  # the accents are characters of their own
    "Łucja Żółć-Šimůnek",
    "Мария Иванова",
    "山田 花子",
    "🧖\u200d♀️ Sauna-Sirkka",
    "  Väli Lyönti  ",
    "NULL",
    'Robert\'); DROP TABLE "Booking";--',
    "Back\\slash \\N",
    "Tab\tTapani",
)

ODD_NOTES = (
    "",
    "rivi 1\nrivi 2\r\nrivi 3",
    "sarkain\tja \\ kenoviiva \\N \\. \\t",
    "\\.",
    "lainaus \"kaksois\" ja 'yksin' ja `taka`",
    "💆‍♀️ hemmottelu 🌿 👩‍👩‍👧‍👦",
    "100 % tyytyväinen; €-hinta, ½ päivää \u2013 ok…",
    "<script>alert('ei')</script> & <b>lihava</b>",
    '{"allergia": ["pähkinä", null], "määrä": 1.50}',
    " johtava ja perässä oleva väli ",
    "\u00a0\u200b\ufeffnäkymättömiä",
    "\x01\x1f\x7f ohjausmerkkejä",
    "2024-02-30",
    "0x1F",
    "null",
    "pitkä " * 400,
)

PLAIN_NOTES = (
    "Ensikertalainen",
    "Selkävaivoja, kevyt ote",
    "Raskaana, viikko 24",
    "Tuo oman pyyhkeen",
    "Saapuu 5 min myöhässä",
    "Lahjakortti nro 1174",
    "Allergia: pähkinäöljy",
    "Please speak English",
    "Ring på dörren",
)

STATUSES = ("confirmed", "pending", "confirmed", "confirmed", "completed", "completed", "cancelled", "no-show")
"""Of the past; those still to come have one of the first two."""

LANGUAGES = ("fi", "fi", "fi", "fi", "fi", "en", "en", "sv")

SERVICES = (
    ("Klassinen hieronta", "Classic massage", 60, 66.6, True, 0),
    ("Urheiluhieronta", "Sports massage", 45, 55.5, True, 1),
    ("Intialainen päähieronta", "Indian head massage", 30, 39.9, True, 2),
    ("Kuumakivihieronta", "Hot stone massage", 90, 99.99, True, -1),
    ("Jalkahoito", "Foot care", 50, 0.1, False, 4),
    ("Äänimaljahoito", "Singing bowls", 75, 0.0, True, 5),
    ("Lahjakortti “Hemmottelu”", "Gift card", 15, 1234.56, True, 6),
    ("Kasvohoito ½ h & tee ☕", 'Facial "express"', 30, 29.95, True, 7),
)
"""Name, name in English, minutes, price in EUR, active, order."""

TAGS = (
    (1, "hieronta"),
    (2, "kasvohoito"),
    (3, "jalkahoito"),
    (4, "äänimaljat"),
    (6, "💆 rentoutus"),
    (7, "lapset & nuoret"),
)
"""A number is missing, as after a deletion."""

HOURS = (("", ""), *[("09:00", "17:30")] * 5, ("09:00", "15:30"))
"""Opening hours, Sunday first."""

HOLIDAYS = (
    ("2026-12-06", "Itsenäisyyspäivä"),
    ("2026-12-24", "Jouluaatto 🎄"),
    ("2027-01-06", "Loppiainen"),
    ("2026-03-29", None),
    ("2026-10-25", "Kellot siirtyvät\ntalviaikaan"),
    ("2027-06-25", "Juhannus"),
    ("2028-02-29", ""),
)
