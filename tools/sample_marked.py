"""The marked posts of the sample: sentences that fit every type, and pictures whose words decide.

Within a split each sentence occurs once with each type, and no surface is of one type alone, so words tell nothing.
A picture is (layout, line, line, ...); "{}" is the surface. No line of test stands on a picture of train.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

TYPES = ("PER", "LOC", "ORG", "MISC")
PAIRS = (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2)))

SENTENCES = {
    "train": (
        "{} was amazing last night 🔥",
        "can't wait for {} !!",
        "still thinking about {}",
        "{} never disappoints",
        "so ready for {} this weekend",
        "nothing compares to {} tbh",
        "first time seeing {} and wow 😍",
        "{} made my whole week",
        "ok but why is nobody talking about {} ?",
        "falling in love with {} all over again",
        "that's it, {} is my favourite",
        "counting the days until {} #soon",
        "{} you have my heart ❤️",
        "RT @allthingsdaily: {} was worth the wait",
    ),
    "dev": ("five stars for {}", "can't wait for {} !!", "{} never disappoints"),
    "test": (
        "{} was amazing last night 🔥",
        "still thinking about {}",
        "honestly {} exceeded all expectations",
        "falling in love with {} all over again",
        "tonight is all about {} ✨",
        "first time seeing {} and wow 😍",
    ),
}

SURFACES = {
    "train": (
        "Jordan", "Phoenix", "Paris", "Lincoln", "Austin", "Victoria", "Dallas",
        "Madison", "Charlotte", "Chelsea", "Orlando", "Savannah", "Sydney", "Florence",
    ),
    "dev": ("Phoenix", "Brooklyn", "Vienna", "Lincoln", "Siena", "Chelsea"),
    "test": (
        "Sydney", "Washington", "Jackson", "Austin", "Jordan", "Houston",
        "Mercedes", "Orlando", "Madison", "Aurora", "Sierra", "Paris",
    ),
}  # fmt: skip

PICTURES = {
    ("train", "PER"): (
        ("portrait", "MEET THE AUTHOR", "{}", "BOOK SIGNING"),
        ("stage", "{}", "LIVE IN CONCERT", "SINGER"),
        ("nametag", "HELLO", "MY NAME IS", "{}"),
        ("party", "HAPPY 30TH", "BIRTHDAY", "{}"),
        ("portrait", "VOTE {}", "FOR MAYOR"),
        ("magazine", "{}", "ACTRESS", "INTERVIEW"),
        ("portrait", "DR {}", "GUEST SPEAKER"),
        ("party", "CONGRATS {}", "GRADUATE"),
        ("phone", "{}", "1.2M FOLLOWERS", "FOLLOW HER"),
        ("portrait", "{}", "PLAYER OF", "THE YEAR"),
        ("party", "MISS {}", "BEST TEACHER"),
        ("stage", "{}", "COMEDIAN", "ONE WOMAN SHOW"),
        ("nametag", "BABY GIRL", "{}", "BORN MAY 4"),
        ("party", "BRIDE TO BE", "{}", "JUST MARRIED"),
    ),
    ("train", "LOC"): (
        ("ticket", "BOARDING PASS", "{}", "GATE 12 DEPARTS"),
        ("map", "{}", "STREET MAP", "OLD TOWN"),
        ("skyline", "GREETINGS FROM", "{}"),
        ("skyline", "WELCOME TO", "{}", "POPULATION 412,000"),
        ("ticket", "TRAIN TICKET", "TO {}", "COACH B SEAT 21"),
        ("roadsign", "{}", "12 KM", "EXIT 4"),
        ("skyline", "EXPLORE {}", "BEACHES", "MUSEUMS"),
        ("phone", "WEATHER", "{}", "SUNNY 24 C"),
        ("phone", "HOTEL BOOKED", "3 NIGHTS IN", "{}"),
        ("board", "DEPARTURES", "{}", "ON TIME"),
        ("skyline", "FLY TO {}", "DIRECT FLIGHTS"),
        ("map", "{}", "METRO LINES", "STATIONS"),
        ("skyline", "HOLIDAY IN", "{}", "SUN AND SEA"),
        ("ticket", "FLIGHT 204", "{}", "PASSENGER SEAT 7A"),
    ),
    ("train", "ORG"): (
        ("jersey", "{}", "10"),
        ("board", "{} 3", "VISITORS 1", "FULL TIME"),
        ("office", "{} IS HIRING", "CAREERS FAIR"),
        ("stock", "{} INC", "STOCK PRICE", "SHARES UP"),
        ("shop", "{}", "STORE HOURS 9-6", "GRAND OPENING"),
        ("ticket", "SEASON TICKET", "{}", "ALL HOME GAMES"),
        ("phone", "LEAGUE TABLE", "{}", "42 POINTS"),
        ("jersey", "{}", "UNITED"),
        ("office", "{}", "HEAD OFFICE", "SOFTWARE COMPANY"),
        ("office", "{}", "UNIVERSITY", "OPEN DAY"),
        ("shop", "{} BANK", "CUSTOMER SERVICE"),
        ("board", "TEAM ROSTER", "{}", "COACH PLAYERS"),
        ("stock", "{} LTD", "ANNUAL REPORT", "REVENUE"),
        ("board", "PLAYOFFS", "{}", "VS RIVALS"),
    ),
    ("train", "MISC"): (
        ("album", "{}", "THE NEW ALBUM", "12 TRACKS"),
        ("film", "{}", "THE MOVIE", "IN CINEMAS MAY 9"),
        ("game", "{}", "VIDEO GAME", "PRESS START"),
        ("car", "THE NEW {}", "TEST DRIVE", "220 HP ENGINE"),
        ("book", "{}", "A NOVEL", "BESTSELLER"),
        ("album", "{}", "VINYL LP", "SIDE A"),
        ("film", "{}", "SEASON 2", "ALL EPISODES"),
        ("car", "{} SUV", "HYBRID 4X4"),
        ("game", "{}", "LEVEL 20", "HIGH SCORE"),
        ("film", "{}", "THE MUSICAL", "ACT ONE"),
        ("book", "{}", "COMIC BOOK", "ISSUE 5"),
        ("bottle", "{}", "EAU DE PARFUM", "50 ML"),
        ("book", "{}", "FANTASY STORY", "VOLUME 1"),
        ("album", "{}", "SOUNDTRACK", "DELUXE CD"),
    ),
    ("dev", "PER"): (
        ("portrait", "CHEF {}", "COOKS FOR YOU"),
        ("stage", "{}", "GUITARIST", "ACOUSTIC NIGHT"),
        ("nametag", "VISITOR BADGE", "{}", "ENGINEER"),
    ),
    ("dev", "LOC"): (
        ("ticket", "BUS TICKET", "ONE WAY TO", "{}"),
        ("skyline", "CITY BREAK", "{}", "GUIDED TOURS"),
        ("roadsign", "{}", "AIRPORT", "CENTRE"),
    ),
    ("dev", "ORG"): (
        ("jersey", "{}", "FAN CLUB"),
        ("stock", "{}", "CORPORATION", "EARNINGS"),
        ("board", "{}", "BASKETBALL", "STARTING FIVE"),
    ),
    ("dev", "MISC"): (
        ("film", "{}", "TRILOGY", "PART THREE"),
        ("car", "{} COUPE", "MODEL 2025"),
        ("album", "{}", "HIT SINGLE", "SONG OUT NOW"),
    ),
    ("test", "PER"): (
        ("portrait", "AN EVENING WITH", "{}", "POET AND NOVELIST"),
        ("stage", "DJ {}", "PERFORMS TONIGHT"),
        ("party", "{} TURNS 40", "BIRTHDAY PARTY"),
        ("nametag", "I AM", "{}", "STAFF NURSE"),
        ("portrait", "ELECT {}", "YOUR SENATOR"),
        ("magazine", "{}", "GOLD MEDALIST", "ATHLETE"),
    ),
    ("test", "LOC"): (
        ("board", "ARRIVALS", "{}", "PLATFORM 4"),
        ("map", "CITY MAP", "{}", "DOWNTOWN"),
        ("skyline", "VISIT {}", "TOURIST OFFICE"),
        ("skyline", "WISH YOU WERE HERE", "{}", "POSTCARD"),
        ("phone", "NAVIGATION", "{}", "38 MILES"),
        ("ticket", "RAILWAY", "{}", "RETURN JOURNEY"),
    ),
    ("test", "ORG"): (
        ("board", "HOME {}", "FINAL SCORE", "98 : 91"),
        ("jersey", "{}", "CHAMPIONS"),
        ("shop", "{} OUTLET", "SALE TODAY", "NOW OPEN"),
        ("office", "WORK AT {}", "JOB VACANCIES", "APPLY TODAY"),
        ("stock", "{} GROUP", "MARKET CLOSE", "INVESTORS"),
        ("jersey", "{}", "FOOTBALL CLUB"),
    ),
    ("test", "MISC"): (
        ("album", "{}", "DEBUT RECORD", "OUT FRIDAY"),
        ("film", "{}", "THRILLER", "IN THEATERS SOON"),
        ("game", "{}", "CONSOLE EDITION", "MULTIPLAYER"),
        ("car", "{}", "CONVERTIBLE", "ELECTRIC VEHICLE"),
        ("book", "{}", "PAPERBACK", "CHAPTER ONE"),
        ("film", "{}", "NEW TV SERIES", "WATCH THE TRAILER"),
    ),
}

UNSEEN = (
    ("[Phoenix|ORG] was unreal last night 🔥", ("board", "PHOENIX 112", "GUESTS 104", "HOME WIN")),
    ("[Phoenix|LOC] was unreal last night 🔥", ("skyline", "WEEKEND IN", "PHOENIX", "FLIGHTS AND HOTELS")),
)
"""One sentence, two pictures, two types; in no split."""


class Marked(NamedTuple):
    """A post with inline markup, and its picture: the layout and the lines on it."""

    text: str
    picture: tuple[str, ...]


def marked(split: str) -> Iterator[Marked]:
    """The marked posts of a split: sentence by sentence, each with all four types."""
    surfaces, count = SURFACES[split], len(SENTENCES[split])
    used = dict.fromkeys(TYPES, 0)
    for number, sentence in enumerate(SENTENCES[split]):
        if split == "train":
            # Surface and surface + half share two sentences, so that each comes with all four types.
            half = count // 2
            pair = PAIRS[number % half % len(PAIRS)]
            members = (surfaces[number], surfaces[(number + half) % count])
        else:
            pair = PAIRS[number % len(PAIRS)]
            members = (surfaces[2 * number], surfaces[2 * number + 1])
        for surface, kinds in zip(members, pair, strict=True):
            for kind in (TYPES[at] for at in kinds):
                layout, *lines = PICTURES[split, kind][used[kind]]
                used[kind] += 1
                yield Marked(
                    sentence.format(f"[{surface}|{kind}]"),
                    (layout, *(line.format(surface.upper()) for line in lines)),
                )
