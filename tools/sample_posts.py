"""The other posts of the sample: their words alone show the entities; pictures, where there are any, do not matter.

One post a line, entities as [surface|TYPE]; " <- name" after it gives it a picture.
"""

from __future__ import annotations

PICTURES = {
    "lunch": ("menu", "TODAY", "TOMATO SOUP 4.50", "CHEESE TOAST 3.00"),
    "coffee-bill": ("receipt", "RECEIPT", "2 LATTE 7.80", "1 MUFFIN 2.60", "TOTAL 10.40"),
    "battery": ("phone", "LOW BATTERY", "5 PERCENT LEFT"),
    "exam": ("menu", "EXAM WEEK", "QUIET PLEASE"),
    "parking": ("roadsign", "NO PARKING", "8 AM - 6 PM"),
    "keep-calm": ("book", "KEEP CALM", "DRINK TEA"),
    "todo": ("receipt", "TO DO", "LAUNDRY", "CALL MUM", "GYM"),
    "wet-paint": ("nametag", "CAUTION", "WET PAINT"),
    "groceries": ("receipt", "GROCERIES", "MILK 1.20", "EGGS 2.40", "BREAD 1.90"),
    "password": ("phone", "WRONG PASSWORD", "TRY AGAIN"),
    "specials": ("menu", "SPECIALS", "PASTA 9.00", "SALAD 6.50"),
    "quiet": ("nametag", "QUIET ZONE", "NO CALLS"),
    "alarm": ("phone", "ALARM 6:30", "SNOOZE"),
    "detour": ("roadsign", "ROAD CLOSED", "DETOUR"),
}
"""Drawn pictures that have nothing to do with the post: layout, line, line, ..."""

TRAIN = """
[Kevin Durant|PER] drops 40 on the [Lakers|ORG] again , unreal 🏀
just landed in [Tokyo|LOC] , 14 hours of flight and zero sleep ✈️
so proud of my brother [Daniel Okafor|PER] , he graduated today !!
watching the [World Cup|MISC] with the whole family ⚽
[Google|ORG] is laying off people again smh
RT @cityfan: [Manchester United|ORG] need a new keeper asap
good morning everyone ☀️ have a great day
who else is up studying at 3am 😭 #finals <- exam
omg [Taylor Swift|PER] just announced a new tour 😱
rainy day in [Seattle|LOC] again ☔
my new [iPhone|MISC] already has a crack 😩 <- battery
[Microsoft|ORG] to open a new office in [Nairobi|LOC] next year
[Serena Williams|PER] wins in straight sets 🎾
thinking about moving to [Canada|LOC] tbh
the [Golden State Warriors|ORG] are on fire tonight 🔥
cant believe [Game of Thrones|MISC] is over 😢
happy birthday [Maria Lopez|PER] !! hope you have the best day 🎂
traffic on the bridge is insane this morning 🚗 <- parking
[President Obama|PER] speaks in [Chicago|LOC] tonight
@united my bag is still in [Frankfurt|LOC] , please help
finally watched [Star Wars|MISC] with my dad <- keep-calm
coffee first , talk later ☕ <- coffee
the [University of Toronto|ORG] just accepted me 😭🎉
[Lionel Messi|PER] scores twice for [Argentina|LOC] !!
lost my keys again . third time this week <- todo
[Beyoncé|PER] at the [Grammys|MISC] 👑👑👑
[Netflix|ORG] raised the price AGAIN
hiking near [Lake Geneva|LOC] , the view is crazy
new blog post : how i learned to cook https://example.org/p/12
shout out to [Emma Watson|PER] for that speech 👏
my cat refuses to move from my laptop 😹 <- chelsea
[Toyota|ORG] recalls 20,000 cars in [Germany|LOC]
the [Super Bowl|MISC] party is at my place this year
anyone selling tickets for [Bruno Mars|PER] ? dm me
snow in [Cairo|LOC] ?? what is happening
[LeBron James|PER] to the [Miami Heat|ORG] , remember that day ?
lunch deal is back 😋 <- lunch
i miss [Robin Williams|PER] so much
[Real Madrid|ORG] vs [Barcelona|ORG] tonight , who wins ?
reading [Harry Potter|MISC] for the 6th time lol
visiting grandma in [Lagos|LOC] for two weeks ❤️
[Samsung|ORG] unveils a phone that folds
we are hiring ! send your cv to jobs@example.org
dr . [Anita Rao|PER] explains why sleep matters 😴
[NASA|ORG] released new photos of the moon 🌕 <- astronaut
stuck at the airport in [Denver|LOC] , flight delayed 5 hrs
the [Olympics|MISC] opening ceremony gave me chills
#mondaymood need 3 more coffees <- coffee-bill
[Angela Merkel|PER] arrives in [Brussels|LOC] for talks
free concert in [Hyde Park|LOC] on sunday 🎶
[Adele|PER] is the queen and thats that
working from home today , pajamas on 😌
[Starbucks|ORG] forgot my order again
my lil sis met [Justin Bieber|PER] 😭😭😭
[New York Yankees|ORG] sign a new pitcher
[Mount Everest|LOC] from the plane window 😍
the finale of [Breaking Bad|MISC] still hits hard
just finished a 10k run , legs are dead 🏃
[Elon Musk|PER] says the rocket is ready 🚀
[Red Cross|ORG] volunteers needed in [Manila|LOC]
best tacos ever in [Mexico City|LOC] 🌮
lol my phone autocorrects everything <- password
@DrewPlays streams [Minecraft|MISC] every friday
[Rihanna|PER] broke the internet again
[Ford|ORG] workers go on strike in [Detroit|LOC]
getting ready for [Halloween|MISC] 🎃
it is friday finally !!! #tgif
[Cristiano Ronaldo|PER] signs a new deal with [Juventus|ORG]
sunset over [Lisbon|LOC] 🌅
the [FBI|ORG] opens an investigation
[Ed Sheeran|PER] singing in the rain , what a night
played [FIFA 22|MISC] until 4am , no regrets
careful with the bench outside 😂 <- wet-paint
congrats to [Priya Nair|PER] and [Tom Becker|PER] on the wedding 💍
[Spotify|ORG] playlists are too good this week
road trip through [New Zealand|LOC] starts tomorrow 🚐
watched [Titanic|MISC] and cried like a baby
[Usain Bolt|PER] is the fastest man alive ⚡
why is everything so expensive now <- groceries
[BBC|ORG] reports heavy flooding in [Bangladesh|LOC]
happy [Thanksgiving|MISC] to you all 🦃
my neighbour plays drums at night , help
[Michelle Obama|PER] 's book is on sale now
[Boston Celtics|ORG] win game 7 💚
heading to [Berlin|LOC] for the weekend with @lena_k
rumour : [Sony|ORG] will buy a film studio
[Roger Federer|PER] retires , end of an era
the lights over [Iceland|LOC] last night 💚
[Pokemon|MISC] cards are worth how much ???
ok who ate my sandwich
[UNICEF|ORG] calls for more aid to [Yemen|LOC]
[Drake|PER] dropped a new verse at midnight
binge watching [Stranger Things|MISC] all day
[Arsenal|ORG] fans are never happy
what a morning <- camera
so tired of this heat #summer
[Oprah Winfrey|PER] gave everyone a car
moved to [San Francisco|LOC] one year ago today
the new [PlayStation|MISC] is sold out everywhere
[Stephen Curry|PER] from way downtown 👌
"""

DEV = """
[Kobe Bryant|PER] forever 💜💛
visiting [Rome|LOC] with the girls 🍝
[Facebook|ORG] is down again ??
who is watching the [Oscars|MISC] tonight ?
i need a nap so bad <- alarm
[Rafael Nadal|PER] wins in [Melbourne|LOC] 🎾
the [Los Angeles Dodgers|ORG] are champions !!
first day of school for little [Noah Brandt|PER] 🎒
new phone who dis
reading [Lord of the Rings|MISC] again this winter
[Honda|ORG] opens a plant in [Thailand|LOC]
beautiful morning in [Cape Town|LOC] 🌊
[Katy Perry|PER] was on tv last night
[Liverpool|ORG] lost 3-0 , i am done
pasta for dinner 🍝 <- specials
[Barack Obama|PER] visits [Kenya|LOC]
[Intel|ORG] announces a faster chip
cant stop playing [Fortnite|MISC]
RT @newsdesk: storm heads for [Florida|LOC]
[Ariana Grande|PER] 's voice tho 😭
my dog is scared of the vacuum 🐶
the [United Nations|ORG] meets in [Geneva|LOC]
[Halloween|MISC] costumes are ready 👻
look at all those stars 🌌 <- hubble_deep_field
thanks to mr . [Alan Fischer|PER] for the lift
[Chicago Bulls|ORG] trade their best player
greetings from sunny [Spain|LOC] ☀️
monday again ... https://example.org/m
"""

TEST = """
[Kanye West|PER] tweets at 3am again 😂
flying to [Singapore|LOC] tomorrow ✈️
[Amazon Web Services|ORG] had an outage this morning
the [World Series|MISC] starts tonight ⚾
who left the fridge open ???
[Novak Djokovic|PER] beats [Andy Murray|PER] in 5 sets
snowed in at [Oslo|LOC] airport ❄️
[Bayern Munich|ORG] win the cup again
rewatching [The Simpsons|MISC] with my roommate
sleep is for the weak they said <- quiet
[Lady Gaga|PER] sings at the opening 🎤
[Volkswagen|ORG] moves production to [Poland|LOC]
cherry blossoms in [Kyoto|LOC] 🌸
so excited for [Christmas|MISC] 🎄🎄
[Malala Yousafzai|PER] speaks in [Stockholm|LOC]
my [Nintendo Switch|MISC] came in the mail today !!
[Greenpeace|ORG] protests outside the factory
gym then pizza , balance 🍕
[Shakira|PER] is coming to [Bogota|LOC] 💃
took the long way home <- detour
[San Antonio Spurs|ORG] lose at home
professor [Grace Mbeki|PER] won a prize 👏
the traffic in [Jakarta|LOC] is something else
lift off !! 🚀 <- rocket
[Apple Music|MISC] keeps crashing on my phone
[Walmart|ORG] is hiring 500 people in [Ohio|LOC]
[Simone Biles|PER] with a perfect 10 🤸
RT @bookworm: [The Hobbit|MISC] > everything
good night world 😴
[Tom Hanks|PER] is so nice in person
[Dublin|LOC] you are beautiful ☘️
[CNN|ORG] called the race already
my aunt [Helen Park|PER] bakes the best bread
the [Champions League|MISC] anthem gives me goosebumps
can someone explain crypto to me
[Inter Milan|ORG] sign [Paul Pogba|PER] ?? wow
weekend in [Prague|LOC] with @marta_v
[IBM|ORG] sells a part of its business
dancing to [Michael Jackson|PER] in the kitchen 🕺
need a new book , any tips ? #reading
"""

POSTS = {name: tuple(lines.strip().split("\n")) for name, lines in (("train", TRAIN), ("dev", DEV), ("test", TEST))}
"""Split -> its posts."""
