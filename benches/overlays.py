#!/usr/bin/env python3
"""Clips and slides with burnt-in text whose truth is known, and what `remix overlays` reads in them.

Usage: benches/overlays.py make DIR [--only NAME]
       benches/overlays.py judge DIR [--only NAME]
       benches/overlays.py remove DIR [--only NAME] [--how fill|crop|blur|cover|auto] [--sheets FOLDER]

`make` renders the set in DIR with tools other than the engine: ffmpeg's libass, and Chromium where the text has rounded boxes,
soft shadows or emoji. Without Chromium libass renders those too: with plain boxes, hard shadows and no emoji. A case that is
there, and unchanged here, is left alone. DIR/truth.json has the truth; NAME.clean.* is the same clip without the text.
OVERLAYS_FOOTAGE names a video without text, and adds cases over it.

`judge` runs `target/release/remix overlays FILE --json` (or the binary that REMIX names) on each case. `--only` keeps to cases
with NAME in their names. What is counted:

`remove` takes all texts out of each clip with `remix render` (`video-remix`), and compares what is there with NAME.clean.*: the PSNR
of luma in the true region of captions that were found, in frames that show them, and how much of them `remix overlays` still
reads there. FOLDER gets a picture of each: a frame of it, the same without its texts, and the truth.

match       region IoU and IoU of the frames both at least 0.5, and the same kind; greedy, the highest product first. A reported
            `scene` is never counted; neither is the truth's scene text.
recall      matches per true overlay, captions and watermarks alike. Precision: matches per reported caption or watermark.
text        1 - edits/length per matched overlay, NFC, case-sensitive, spaces and line ends alike (and none in Chinese and
            Japanese), without emoji. Sums are over characters, so each script weighs as much per character.
region      the bounding box of ink, outline and box, with emoji and without shadow.
colours     fills of matched overlays, and of coloured words that were read, within 40 per channel.
CPU         user and system seconds of the clips' runs, per 15 s of clip.
"""

import hashlib
import html
import json
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parent.parent
REMIX = os.environ.get("REMIX", ROOT / "target/release/remix")
REACTION = ROOT / "fixtures/ugc-remix/media/reaction.mp4"
FOOTAGE = os.environ.get("OVERLAYS_FOOTAGE")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDTH, HEIGHT, FPS = 1080, 1920, 30
PICTURE = 2000, 2400
BT709 = "-color_range tv -colorspace bt709 -color_primaries bt709 -color_trc bt709".split()
X264 = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-threads", "1", *BT709, "-movflags", "+faststart"]
TO_YUV = "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int,format=yuv420p"

# Line height per em: libass takes the height of a line for the font's size, and this set gives ems.
LINE = {"Inter": 1.21, "Inter Display": 1.21, "Liberation Sans": 1.15, "Liberation Sans Narrow": 1.15, "DejaVu Sans": 1.164,
        "DejaVu Serif": 1.164, "Noto Sans": 1.362, "Noto Serif": 1.362, "Noto Naskh Arabic": 1.7, "Noto Sans Arabic": 1.37,
        "Noto Kufi Arabic": 1.8, "Noto Sans Devanagari": 1.4, "Noto Sans CJK SC": 1.448, "Noto Sans CJK JP": 1.448,
        "Noto Sans CJK KR": 1.448}

# Widths of outlines, padding, radii and shadows are in ems.
STYLES = {
    "outline": {"fill": "#ffffff", "stroke": "#000000", "wide": 0.08},
    "thin": {"fill": "#ffffff", "stroke": "#000000", "wide": 0.04},
    "yellow": {"fill": "#ffe600", "stroke": "#000000", "wide": 0.07},
    "box": {"fill": "#ffffff", "box": "#000000"},
    "rounded": {"fill": "#ffffff", "box": "#000000", "radius": 0.25},
    "light": {"fill": "#000000", "box": "#ffffff"},
    "light-rounded": {"fill": "#111111", "box": "#ffffff", "radius": 0.3},
    "red-box": {"fill": "#ffffff", "box": "#ea1f3d", "radius": 0.2},
    "shadow": {"fill": "#ffffff", "shadow": 0.06},
    "watermark": {"fill": "#ffffff", "alpha": 0.5, "bold": False},
}


# The cases.

def say(text, style="outline", size=64, at="middle", frames=None, font="Inter", script="Latn", kind="caption", **change):
    """One overlay. `*word*` has the style's second colour; `frames` are first and last, or else the whole clip."""
    return {"text": text, "look": STYLES[style] | change, "style": style, "size": size, "at": at, "frames": frames, "font": font,
            "script": script, "kind": kind}


def mark(text, at, size=32, **more):
    return say(text, "watermark", size, at, kind="watermark", **more)


def karaoke(words, first, lengths, **how):
    """Single words one straight after the other."""
    said = []
    for index, word in enumerate(words.split()):
        length = lengths[index % len(lengths)]
        said.append(say(word, frames=(first, first + length - 1), **how))
        first += length
    return said


def cases():
    made = []

    def clip(name, background, *overlays, seconds=3, tool="ass", still=None):
        overlays = [one for item in overlays for one in (item if isinstance(item, list) else [item])]
        made.append({"name": name, "background": background, "overlays": overlays, "frames": 1 if still else seconds * FPS,
                     "tool": tool, "still": still})

    def slide(name, background, *overlays, tool="ass", still="png"):
        clip(name, background, *overlays, tool=tool, still=still)

    # White with a black outline, over every background.
    clip("outline-room", "static:room", say("POV: you finally\nfixed the bug", size=72))
    clip("outline-market", "static:market", say("3 things nobody\ntold me about rent", size=68, at="top"))
    clip("outline-clouds", "static:clouds", say("Wait for the end...", size=76, at="bottom"), tool="html")
    clip("outline-street-pan", "pan:street", say("Day 12 of walking\n10,000 steps", size=70, at="top"), seconds=4)
    clip("outline-leaves-handheld", "handheld:leaves", say("I can't believe\nthis place is real", size=66), tool="html")
    clip("outline-mandelbrot", "mandelbrot", say("How it started", size=84))
    clip("outline-life", "life", say("She said NO?!", size=96, at="bottom"), tool="html")
    clip("outline-testsrc", "testsrc", say("Is this even legal?", size=72, at="top", font="Noto Sans"))
    clip("outline-noise", "noise", say("Don't skip this part", size=64))
    clip("outline-reaction", "reaction", say("My face when the\ninvoice says $4,200", size=60, at="top"), tool="html")
    clip("outline-thin", "handheld:room", say("quiet morning routine,\nno phone until 9", "thin", 52, "bottom", font="Noto Sans"))
    clip("outline-serif", "slow:room", say("A letter to myself", "thin", 72, font="DejaVu Serif"))
    clip("outline-three-lines", "handheld:market", say("Things I would buy again\nif I lost everything\nin a house fire", size=58))
    clip("outline-left", "pan:leaves", say("1. Drink water\n2. Sleep early\n3. Log off", size=62, at="left"), seconds=4)
    clip("outline-small", "static:room", say("swipe up for the full recipe", size=44, at="bottom"))
    clip("outline-narrow", "slow:market", say("BREAKING: PRICES UP 18%", size=84, at="top", font="Liberation Sans Narrow"))

    # Boxes.
    clip("box-room", "handheld:room", say("Your sign to start today", "box", 60))
    clip("box-street-pan", "pan:street", say("Why is it so cheap\nin this town?", "rounded", 58, "top"), seconds=4, tool="html")
    clip("box-market", "static:market", say("I tried it for 30 days", "rounded", 64, "bottom"), tool="html")
    clip("box-mandelbrot", "mandelbrot", say("Storytime: the worst\ndate of my life", "box", 56, "top"))
    clip("box-left", "slow:street", say("Ingredients:\n2 eggs, 1 lemon\n250 g flour", "box", 54, "left"))
    clip("box-light", "pan:market", say("Read that again.", "light", 76), seconds=4)
    clip("box-light-rounded", "reaction", say("Reply to @jenny_04:\nplease do part 2!", "light-rounded", 54, "top"), tool="html")
    clip("box-light-noise", "noise", say("It was me all along", "light-rounded", 62, "bottom"), tool="html")
    clip("box-red", "handheld:leaves", say("SALE ENDS SUNDAY", "red-box", 80), tool="html")
    clip("box-translucent", "pan:street", say("We moved here with\ntwo suitcases", "rounded", 56, "bottom", veil=0.6), seconds=4,
         tool="html")

    # Yellow, coloured, shadows, coloured words, emoji.
    clip("yellow-street", "pan:street", say("You won't regret it", "yellow", 78, "bottom", font="Noto Sans"), seconds=4)
    clip("yellow-life", "life", say("WATCH UNTIL THE END", "yellow", 84))
    clip("yellow-clouds", "static:clouds", say("Save 20% with\ncode MAYA20", "yellow", 70, "top", font="Inter Display"))
    clip("shadow-room", "static:room", say("golden hour diary", "shadow", 84, font="Inter Display"), tool="html")
    clip("shadow-pink", "handheld:room", say("Just a girl\nand her plants", "shadow", 88, fill="#ff3d8b"), tool="html")
    clip("shadow-cyan", "slow:leaves", say("Into the forest", "shadow", 100, "top", fill="#30e5f0", font="Liberation Sans"))
    clip("shadow-mint", "reaction", say("no thoughts, just vibes", "shadow", 66, "bottom", fill="#7dffb0"), tool="html")
    clip("words-room", "handheld:room", say("This *changes* everything\nabout your mornings", size=62, second="#ffe600"))
    clip("words-street", "pan:street", say("Never pay *full* price", size=72, at="top", second="#00e5ff"), seconds=4, tool="html")
    clip("words-market", "static:market", say("The *secret* is butter", "rounded", 66, second="#ff5a5a"), tool="html")
    clip("emoji-room", "static:room", say("Best pasta ever 🍝", size=76, at="top"), tool="html")
    clip("emoji-handheld", "handheld:street", say("Send help 😭\nit's my third cup ☕", size=66), tool="html")
    clip("emoji-box", "testsrc", say("Link in bio 👇", "light-rounded", 70, "bottom"), tool="html")

    # Words that come and go, and two at once.
    clip("karaoke-room", "handheld:room", karaoke("Nobody talks about this one trick", 0, [15, 12, 18], size=110))
    clip("karaoke-market", "pan:market", karaoke("MAKE MONEY WHILE YOU SLEEP TONIGHT", 9, [12, 16, 14], style="yellow", size=110,
         font="Inter Display"), seconds=4)
    clip("karaoke-noise", "noise", karaoke("stop buying cheap shoes", 6, [18, 15], size=104, at="bottom", style="rounded"),
         tool="html")
    clip("karaoke-reaction", "reaction", karaoke("Honestly I was not ready for that", 0, [14, 13, 17], size=108, at="bottom"), seconds=4,
         tool="html")
    clip("turns-street", "pan:street", say("First we got lost", size=68, at="top", frames=(0, 44)),
         say("Then it rained", size=68, at="top", frames=(45, 91)), say("Still worth it!", size=68, at="top", frames=(92, 119)), seconds=4)
    clip("turns-gap", "handheld:leaves", say("Before", "box", 90, frames=(13, 58)), say("After", "box", 90, frames=(77, 133)), seconds=5)
    clip("turns-places", "static:market", say("Step 1: preheat\nto 180 degrees", size=60, at="top", frames=(7, 61)),
         say("Step 2: mix it all", size=60, at="bottom", frames=(52, 119)), seconds=4)
    clip("turns-late", "slow:room", say("Plot twist", "light-rounded", 96, frames=(68, 119)), seconds=4, tool="html")
    clip("turns-stands", "static:leaves", say("You think you\nknow plants?", size=76, frames=(0, 49)),
         say("Look closer", size=92, frames=(50, 80)))
    clip("turns-stands-box", "static:market", say("Hold on a second", "rounded", 68, "top", frames=(22, 75)), tool="html")
    clip("turns-pan-box", "pan:street", say("We almost moved here", "box", 60, "bottom", frames=(17, 88)), seconds=4)
    clip("two-places", "handheld:street", say("Rent in Lisbon", size=72, at="top"),
         say("(2020 vs 2024)", "box", 52, "bottom", frames=(24, 89)))
    clip("two-styles", "mandelbrot", say("Guess the movie", "yellow", 76, "top"), say("Answer at the end", "light", 52, "bottom"))

    # No text at all.
    clip("none-street", "pan:street")
    clip("none-market", "handheld:market")
    clip("none-mandelbrot", "mandelbrot")
    clip("none-reaction", "reaction", seconds=4)

    # Words in the scene.
    clip("scene-street", "pan:street+signs", seconds=4)
    clip("scene-shelf", "handheld:shelf+signs")
    clip("scene-slow", "slow:street+signs", seconds=4)
    clip("scene-street-caption", "pan:street+signs", say("Hidden gems in Porto", size=70, at="bottom"), seconds=4)
    clip("scene-shelf-caption", "slow:shelf+signs", say("What I eat in a week\nfor under $30", "rounded", 60, "top"), seconds=4,
         tool="html")
    clip("scene-shelf-karaoke", "handheld:shelf+signs", karaoke("these snacks are actually good", 0, [16, 20], size=106))

    # Watermarks.
    clip("watermark-alone", "handheld:leaves", mark("@someuser", (150, 120)), seconds=4)
    clip("watermark-caption", "pan:street", mark("@marta.cooks", (900, 1780), 34), say("Five minute lunch", size=74), seconds=4)
    clip("watermark-box", "static:room", mark("@daily_gains", (170, 1800), 36), say("Leg day, no excuses", "box", 62, "top"))

    # Other languages.
    clip("french", "handheld:street", say("Ça va être génial,\nje vous le promets !", size=64, at="top"))
    clip("german", "slow:market", say("Größter Fehler\nmeines Lebens", "rounded", 66), tool="html")
    clip("spanish", "pan:leaves", say("¿Quién más hace\nesto cada mañana?", "yellow", 64, "bottom"), seconds=4)
    clip("russian", "handheld:room", say("Три привычки, которые\nизменили мою жизнь", size=58, script="Cyrl"))
    clip("russian-box", "pan:street", say("Как я нашла работу", "light-rounded", 60, "top", script="Cyrl"), seconds=4, tool="html")
    clip("arabic", "handheld:leaves", say("أفضل مكان في المدينة", size=76, font="Noto Naskh Arabic", script="Arab"))
    clip("arabic-box", "static:room", say("جرب هذه الوصفة\nاليوم في بيتك", "rounded", 66, "bottom", font="Noto Sans Arabic", script="Arab"),
         tool="html")
    clip("chinese", "pan:street", say("三个步骤学会做饭", size=84, font="Noto Sans CJK SC", script="Hans"), seconds=4)
    clip("japanese", "handheld:market", say("朝のルーティンを\n公開します", size=76, at="top", font="Noto Sans CJK JP", script="Jpan"))
    clip("korean", "slow:room", say("오늘의 추천 맛집", "box", 78, "bottom", font="Noto Sans CJK KR", script="Kore"))
    clip("hindi", "handheld:street", say("यह तरीका सबसे\nआसान है", size=80, font="Noto Sans Devanagari", script="Deva"))

    # Slides.
    slide("slide-room", "static:room", say("5 books that made me\nquit my job", size=70))
    slide("slide-market", "static:market", say("Swipe for the results", "box", 62, "bottom"), still="jpg")
    slide("slide-clouds", "static:clouds", say("Rule number one:\nnever go to bed angry", "light-rounded", 58), tool="html")
    slide("slide-leaves", "static:leaves", say("Autumn in Kyoto", "shadow", 96, "top", font="Noto Serif"), tool="html", still="jpg")
    slide("slide-reaction", "reaction", say("Me at 3 AM 💀", size=90, at="bottom"), tool="html", still="jpg")
    slide("slide-list", "static:room", say("Packing list:\n- passport\n- charger\n- snacks", "thin", 60, "left", font="Noto Sans"))
    slide("slide-two", "static:street", say("Expectation", "yellow", 80, "top"), say("Reality", "yellow", 80, "bottom"), still="jpg")
    slide("slide-words", "static:leaves", say("You *deserve* better", size=78, second="#ff4f9a"), tool="html")
    slide("slide-watermark", "static:market", mark("@studio.nine", (890, 130), 36), say("Before & after", "light", 84))
    slide("slide-none", "static:leaves", still="jpg")
    slide("slide-spanish", "static:street", say("Mañana será\notro día", size=92), still="jpg")
    slide("slide-french", "static:room", say("Déjà vu à l'hôtel", "red-box", 72, "top"), tool="html")
    slide("slide-russian", "static:clouds", say("Ничего не бойся", "yellow", 84, script="Cyrl"), still="jpg")
    slide("slide-arabic", "static:market", say("صباح الخير", size=110, font="Noto Kufi Arabic", script="Arab"))
    slide("slide-chinese", "static:leaves", say("今天也要\n加油", "light", 100, font="Noto Sans CJK SC", script="Hans"), still="jpg")
    slide("slide-japanese", "static:room", say("おすすめカフェ", "rounded", 84, "top", font="Noto Sans CJK JP", script="Jpan"), tool="html")
    slide("slide-korean", "static:street", say("주말 여행 코스", "yellow", 88, font="Noto Sans CJK KR", script="Kore"), tool="html")
    slide("slide-hindi", "static:market", say("आज का विचार", "rounded", 84, "bottom", font="Noto Sans Devanagari", script="Deva"), tool="html",
          still="jpg")

    if FOOTAGE:
        clip("footage-outline", "footage", say("Come with me to\nthe market", size=68, at="top"))
        clip("footage-box", "footage", say("Is it worth the hype?", "rounded", 62, "bottom"), tool="html")
        clip("footage-karaoke", "footage", karaoke("This is the best view ever", 0, [15, 14], size=108), seconds=3)
        clip("footage-none", "footage")
        slide("footage-slide", "footage", say("Weekend dump", "shadow", 80), tool="html", still="jpg")
    return made


# Backgrounds.

def ffmpeg(*words):
    command = ["nice", "-n", "10", "ffmpeg", "-v", "error", "-y", "-nostdin", "-filter_threads", "1", "-filter_complex_threads", "1"]
    done = subprocess.run([*command, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode:
        sys.exit(f"ffmpeg {' '.join(map(str, words))}: {done.stderr.decode()}")
    return done.stdout


def ass_colour(colour, alpha=1.0):
    return f"&H{round(255 * (1 - alpha)):02X}{colour[5:7]}{colour[3:5]}{colour[1:3]}".upper()


def ass_time(frame):
    """The middle between the frame before and this one, so that hundredths of a second make no difference."""
    hundredths = max(0, round((frame - 0.5) / FPS * 100))
    return f"{hundredths // 360000}:{hundredths // 6000 % 60:02}:{hundredths // 100 % 60:02}.{hundredths % 100:02}"


def ass_file(to, size, styles, events):
    fields = ("Name, Fontname, Fontsize, PrimaryColour, OutlineColour, BackColour, Bold, BorderStyle, Outline, Shadow, Alignment, "
              "Encoding")
    lines = ["[Script Info]", "ScriptType: v4.00+", f"PlayResX: {size[0]}", f"PlayResY: {size[1]}", "WrapStyle: 2",
             "ScaledBorderAndShadow: yes", "YCbCr Matrix: None", "", "[V4+ Styles]", f"Format: {fields}", *styles, "", "[Events]",
             "Format: Layer, Start, End, Style, Text", *events]
    to.write_text("\n".join(lines) + "\n")


def polygon(*points):
    return "m " + " l ".join(f"{round(x)} {round(y)}" for x, y in points)


def rectangle(x, y, wide, high):
    return polygon((x, y), (x + wide, y), (x + wide, y + high), (x, y + high))


def ellipse(x, y, wide, high):
    c = 0.5523
    points = [(x - wide, y), (x - wide, y - c * high), (x - c * wide, y - high), (x, y - high), (x + c * wide, y - high),
              (x + wide, y - c * high), (x + wide, y), (x + wide, y + c * high), (x + c * wide, y + high), (x, y + high),
              (x - c * wide, y + high), (x - wide, y + c * high), (x - wide, y)]
    words = [f"{round(x)} {round(y)}" for x, y in points]
    return f"m {words[0]} b " + " ".join(words[1:])


def tint(chance, *ranges):
    return "#" + "".join(f"{chance.randint(*range):02x}" for range in ranges)


# Words that are printed in the scene: text, place, size, slant, colour of the word, colour of the board.
SIGNS = {
    "street": [("BAKERY", 520, 1010, 100, 0, "#fff3d0", "#7a2b1a"), ("HOTEL ROMA", 1120, 700, 84, 0, "#ffffff", "#174a7c"),
               ("Flowers", 1560, 1230, 96, 4, "#1d3b22", "#e9f2dc"), ("NO PARKING", 880, 1600, 60, 0, "#c01818", "#ffffff"),
               ("Café 24h", 1750, 900, 80, -3, "#ffd84a", "#202020"), ("Pharmacy", 260, 700, 78, 0, "#ffffff", "#0f7a43")],
    "shelf": [("OATS", 520, 480, 64, 0, "#4a2a10", "#f4e3c2"), ("Cola Zero", 900, 480, 54, 3, "#ffffff", "#b0101c"),
              ("Honey", 1280, 480, 66, 0, "#5a3a00", "#ffd45e"), ("GREEN TEA", 620, 1080, 54, 0, "#ffffff", "#25633a"),
              ("Soap", 1050, 1080, 70, -4, "#234a8a", "#eaf2ff"), ("RICE 1 kg", 1430, 1080, 56, 0, "#a01616", "#ffffff"),
              ("2 for 5.99", 760, 1310, 48, 0, "#000000", "#ffe24a"), ("Pasta", 560, 1680, 72, 0, "#ffffff", "#1c4f9c"),
              ("TOMATO SOUP", 1120, 1680, 50, 2, "#fff1d6", "#a8261c")],
}


def shapes(kind):
    """The drawing of a picture: shape, colour, blur, opacity."""
    chance, drawn = random.Random(kind), []
    wide, high = PICTURE
    add = lambda shape, colour, blur=1.5, alpha=1.0: drawn.append((shape, colour, blur, alpha))
    if kind == "room":
        add(rectangle(0, 1750, wide, 650), "#7d6248", 3)
        add(rectangle(420, 300, 520, 760), "#dff0ff", 5)
        add(rectangle(670, 300, 20, 760), "#f6f2ea", 3)
        for x in [380, 930]:
            add(polygon((x, 240), (x + 120, 240), (x + 70, 1250), (x - 30, 1250)), "#c9a58e", 6)
        for x, y in [(1130, 420), (1420, 360), (1400, 700)]:
            add(rectangle(x, y, 220, 260), "#3a3330", 2)
            add(rectangle(x + 18, y + 18, 184, 224), tint(chance, (90, 230), (90, 230), (90, 230)), 2)
        add(rectangle(560, 1420, 940, 420), "#49708a", 8)
        add(ellipse(780, 1450, 210, 120), "#e3b04c", 6)
        add(ellipse(1280, 1450, 210, 120), "#d4e1e6", 6)
        add(ellipse(1020, 900, 120, 110), "#ffe9b0", 12)
        for _ in range(26):
            x, y = chance.gauss(420, 110), chance.gauss(1350, 150)
            add(ellipse(x, y, chance.randint(20, 60), chance.randint(50, 120)), tint(chance, (20, 70), (80, 150), (40, 80)), 3)
    elif kind == "street":
        x = -40
        while x < wide:
            step, top = chance.randint(190, 340), chance.randint(300, 800)
            add(rectangle(x, top, step, high), tint(chance, (110, 210), (90, 180), (80, 170)), 1.5)
            for row in range(top + 60, 1350, 150):
                for column in range(x + 30, x + step - 70, 95):
                    add(rectangle(column, row, 56, 92), tint(chance, (30, 90), (50, 120), (80, 160)), 1.5)
                    add(rectangle(column, row + 92, 56, 8), "#e9e4da", 1)
            add(rectangle(x + 20, 1420, step - 40, 330), tint(chance, (20, 80), (20, 80), (30, 90)), 2)
            stripe = tint(chance, (140, 230), (40, 120), (40, 120))
            for at in range(x + 10, x + step - 20, 44):
                add(polygon((at, 1380), (at + 24, 1380), (at + 14, 1460), (at - 10, 1460)), stripe, 1.5)
            x += step
        add(rectangle(0, 1750, wide, 130), "#a8a29a", 2)
        add(rectangle(0, 1880, wide, 520), "#4c4d52", 2)
        for at in range(0, wide, 260):
            add(rectangle(at, 2090, 140, 22), "#e8e6de", 2)
        for _ in range(14):
            at = chance.randint(0, wide)
            add(rectangle(at, 1560, 60, 260), tint(chance, (20, 200), (20, 160), (20, 200)), 5)
            add(ellipse(at + 30, 1520, 32, 40), tint(chance, (150, 230), (110, 180), (90, 150)), 4)
    elif kind == "shelf":
        for top in [200, 800, 1400, 2000]:
            add(rectangle(0, top + 430, wide, 40), "#8a6a48", 2)
            at = 0
            while at < wide:
                step, tall = chance.randint(70, 150), chance.randint(230, 390)
                colour = tint(chance, (40, 240), (40, 230), (40, 220))
                add(rectangle(at, top + 430 - tall, step - 8, tall), colour, 2)
                add(rectangle(at + 10, top + 470 - tall, step - 28, tall // 3), tint(chance, (180, 255), (180, 255), (170, 250)), 2)
                if chance.random() < 0.5:
                    add(ellipse(at + step // 2, top + 430 - tall, step // 3, 30), colour, 2)
                at += step
    elif kind == "market":
        for _ in range(900):
            x, y, size = chance.randint(0, wide), chance.randint(0, high), chance.randint(18, 120)
            shape = chance.choice([ellipse(x, y, size, size * 0.8), rectangle(x, y, size, size * chance.uniform(0.3, 2)),
                                   polygon((x, y), (x + size, y + size // 3), (x + size // 4, y + size))])
            add(shape, tint(chance, (10, 250), (10, 240), (10, 230)), chance.choice([1, 1, 3, 8]))
    elif kind == "leaves":
        for index in range(1500):
            x, y, size, light = chance.randint(0, wide), chance.randint(0, high), chance.randint(20, 90), index / 1500
            lean = chance.uniform(-1, 1) * size
            shape = polygon((x, y), (x + size // 3, y + size // 2), (x + lean, y + size * 2), (x - size // 3, y + size // 2))
            add(shape, tint(chance, (10, 40 + int(130 * light)), (40, 80 + int(150 * light)), (10, 40 + int(50 * light))), 1.5)
    return drawn


GROUND = {"room": ("#e8d5bd", "#b99c86"), "street": ("#7fb4e6", "#f3dcc0"), "shelf": ("#5d4a3a", "#8d7459"),
          "market": ("#6a3f57", "#d09a4a"), "leaves": ("#0b2412", "#2d5a22")}


def picture(folder, name):
    """The large picture of a name such as `street` or `street+signs`, drawn once."""
    to = folder / f"picture-{name}.png"
    if to.exists():
        return to
    wide, high = PICTURE
    if name == "clouds":
        layers = []
        for index, (across, share) in enumerate([(5, 1), (16, 0.5), (60, 0.35), (400, 0.2)]):
            layers.append(f"color=gray:s={across}x{across * high // wide}:r=1:d=1,format=yuv444p,noise=alls=100:all_seed={index + 5},"
                          f"scale={wide}:{high}:flags=bicubic,format=gbrp[{index}]")
        mixed = "[0][1][2][3]mix=inputs=4:weights=1 0.5 0.35 0.2,eq=contrast=2.6:saturation=1.4,format=rgb24"
        ffmpeg("-filter_complex", ";".join(layers) + ";" + mixed, "-frames:v", "1", to)
        return to
    kind = name.split("+")[0]
    events = []
    draw = lambda tags, text: events.append(f"Dialogue: {len(events)},0:00:00.00,1:00:00.00,A,{{{tags}}}{text}")
    for shape, colour, blur, alpha in shapes(kind):
        draw(f"\\pos(0,0)\\blur{blur}\\c{ass_colour(colour)}&\\p1", shape)
    if name.endswith("+signs"):
        for word, x, y, size, slant, ink, board in SIGNS[kind]:
            across, down = len(word) * size * 0.36 + size * 0.4, size * 0.8
            tilt = f"\\org({x},{y})\\frz{slant}\\fry6"
            draw(f"\\pos(0,0)\\c{ass_colour(board)}&\\blur1.5{tilt}\\p1", rectangle(x - across, y - down, 2 * across, 2 * down))
            draw(f"\\an5\\pos({x},{y})\\c{ass_colour(ink)}&\\fs{size * 1.15}\\blur1.2{tilt}", word)
    style = "Style: A,Liberation Sans,60,&H00FFFFFF,&H00000000,&H00000000,-1,1,0,0,7,1"
    script = folder / f"picture-{name}.ass"
    ass_file(script, PICTURE, [style], events)
    top, bottom = GROUND[kind]
    ffmpeg("-f", "lavfi", "-i", f"gradients=s={wide}x{high}:c0={top}:c1={bottom}:x0=900:y0=0:x1=1100:y1={high}:n=2:seed=1:speed=0.00001",
           "-vf", f"format=rgb24,ass={script},noise=alls=9:all_seed=3", "-frames:v", "1", "-pix_fmt", "rgb24", to)
    script.unlink()
    return to


MOVES = {
    "static": ("400", "240"),
    "pan": ("30+165*t", "240"),
    "slow": ("300+30*t", "250-12*t"),
    "handheld": ("400+28*t+9*sin(7.3*t)+5*sin(23*t+1)+3*sin(51*t)", "230+12*t+8*sin(5.9*t+2)+5*sin(19*t)+3*sin(43*t+1)"),
}


def ground(folder, name):
    """Inputs and filters of a background: RGB at the clip's size and rate."""
    fill = f"scale={WIDTH}:{HEIGHT}:force_original_aspect_ratio=increase:in_color_matrix=bt709,crop={WIDTH}:{HEIGHT},setsar=1,format=rgb24"
    lavfi = lambda source: ["-f", "lavfi", "-i", source]
    if ":" in name:
        move, kind = name.split(":")
        x, y = MOVES[move]
        moved = f"[0:v]format=rgb24,loop=-1:1,setpts=N/{FPS}/TB,fps={FPS},crop={WIDTH}:{HEIGHT}:x='{x}':y='{y}':exact=1,setsar=1"
        grain = ",noise=alls=6:allf=t" if move == "handheld" else ""
        return ["-i", picture(folder, kind)], moved + grain
    if name == "mandelbrot":
        return lavfi(f"mandelbrot=s=540x960:r={FPS}:maxiter=600:end_scale=0.02:end_pts=150"), f"[0:v]{fill}"
    if name == "life":
        return lavfi(f"life=s=54x96:r={FPS}:mold=12:ratio=0.3:seed=5:life_color=#f2b134:death_color=#14406b:mold_color=#0a1c30"), \
            f"[0:v]scale={WIDTH}:{HEIGHT}:flags=neighbor,gblur=3,setsar=1,format=rgb24"
    if name == "testsrc":
        return lavfi(f"testsrc2=s=360x640:r={FPS}"), f"[0:v]crop=270:480:80:120,{fill}"
    if name == "noise":
        return lavfi(f"color=gray:s=108x192:r={FPS}"), \
            f"[0:v]format=yuv444p,noise=alls=100:allf=t:all_seed=4,gblur=2.5,tmix=frames=6,eq=contrast=6:saturation=4,{fill}"
    return ["-stream_loop", "-1", "-i", REACTION if name == "reaction" else FOOTAGE], f"[0:v]fps={FPS},{fill}"


# Text.

def is_emoji(letter):
    return ord(letter) >= 0x1F000 or 0x2600 <= ord(letter) <= 0x27BF or letter in "\ufe0f\u200d"


def plain(text):
    """The text that is to be read: without marks of colour and emoji."""
    kept = "".join(letter for letter in text if letter != "*" and not is_emoji(letter))
    return "\n".join(" ".join(line.split()) for line in kept.split("\n"))


def place(at):
    """Where the text's middle is, across and down, and its alignment."""
    if isinstance(at, tuple):
        return *at, "center"
    return {"top": (540, 330, "center"), "middle": (540, 960, "center"), "bottom": (540, 1500, "center"), "left": (90, 900, "left")}[at]


def ass_style(name, said, shadow):
    look, size = said["look"], said["size"]
    alpha = look.get("alpha", 1.0)
    box = look.get("box")
    edge = ass_colour(box, look.get("veil", 1.0)) if box else ass_colour(look.get("stroke", "#000000"), alpha)
    wide = 0.18 * size if box else look.get("wide", 0) * size
    drop = look.get("shadow", 0) * size if shadow else 0
    bold = -1 if look.get("bold", True) else 0
    return (f"Style: {name},{said['font']},{size * LINE[said['font']]:.1f},{ass_colour(look['fill'], alpha)},{edge},"
            f"{ass_colour('#000000', 0.65)},{bold},{3 if box else 1},{wide:.1f},{drop:.1f},5,-1")


def ass_event(name, said, first, last):
    x, y, align = place(said["at"])
    look, text = said["look"], said["text"]
    text = "".join(letter for letter in text if not is_emoji(letter))
    parts = text.split("*")
    for index in range(1, len(parts), 2):
        parts[index] = f"{{\\1c{ass_colour(look['second'])}&}}{parts[index]}{{\\1c{ass_colour(look['fill'])}&}}"
    body = "\\N".join(line.strip() for line in "".join(parts).split("\n"))
    return f"Dialogue: 0,{ass_time(first)},{ass_time(last + 1)},{name},{{\\an{4 if align == 'left' else 5}\\pos({x},{y})}}{body}"


def page(said, shadow):
    """The overlay as a transparent page."""
    look, size = said["look"], said["size"]
    x, y, align = place(said["at"])
    css = [f"color:{look['fill']}"]
    outer = [f"left:{x}px", f"top:{y}px", f"transform:translate({'0' if align == 'left' else '-50%'},-50%)", f"text-align:{align}",
             f"font:{800 if look.get('bold', True) else 400} {size}px/1.3 '{said['font']}','Noto Color Emoji'",
             f"opacity:{look.get('alpha', 1.0)}"]
    if "stroke" in look:
        css += [f"-webkit-text-stroke:{2 * look['wide'] * size}px {look['stroke']}", "paint-order:stroke fill", "stroke-linejoin:round"]
    if "shadow" in look and shadow:
        css.append(f"text-shadow:0 {look['shadow'] * size}px {2 * look['shadow'] * size}px rgba(0,0,0,.75)")
    if "box" in look:
        boxed = [f"padding:{0.14 * size}px {0.35 * size}px", f"border-radius:{look.get('radius', 0) * size}px"]
        red, green, blue = (int(look["box"][at : at + 2], 16) for at in [1, 3, 5])
        boxed.append(f"background:rgba({red},{green},{blue},{look.get('veil', 1.0)})")
        if "veil" in look:
            outer += boxed
        else:
            css += [*boxed, "-webkit-box-decoration-break:clone", "box-decoration-break:clone", "line-height:1.46"]
    parts = html.escape(said["text"], quote=False).split("*")
    for index in range(1, len(parts), 2):
        parts[index] = f"<span style=\"color:{look['second']}\">{parts[index]}</span>"
    return (f"<meta charset=utf-8><body style=\"margin:0;background:transparent\"><div dir=auto style=\"position:absolute;white-space:pre;"
            f"{';'.join(outer)}\"><span style=\"{';'.join(css)}\">{''.join(parts)}</span></div>")


def layer(work, said, tool, to, shadow=True):
    """The overlay alone, on a transparent canvas."""
    if tool == "html":
        source = work / "page.html"
        source.write_text(page(said, shadow))
        words = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1", "--lang=en",
                 "--default-background-color=00000000", f"--user-data-dir={work / 'chromium'}", f"--window-size={WIDTH},{HEIGHT}",
                 f"--screenshot={to}", source.as_uri()]
        subprocess.run(["nice", "-n", "10", CHROMIUM, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=120)
        if not to.exists():
            sys.exit(f"{CHROMIUM} made no picture of {said['text']!r}")
        return
    script = work / "layer.ass"
    ass_file(script, (WIDTH, HEIGHT), [ass_style("A", said, shadow)], [ass_event("A", said, 0, 30)])
    ffmpeg("-f", "lavfi", "-i", f"color=black@0:s={WIDTH}x{HEIGHT}:r={FPS},format=rgba", "-vf", f"ass={script}:alpha=1", "-frames:v", "1", to)


def ink(layer):
    """The bounding box of what is at least a quarter as opaque as the layer's most opaque."""
    raw = ffmpeg("-i", layer, "-vf", "alphaextract", "-f", "rawvideo", "-pix_fmt", "gray", "-")
    least = max(max(raw) // 4, 1)
    keep = bytes(int(value >= least) for value in range(256))
    raw = raw.translate(keep)
    rows = [y for y in range(HEIGHT) if 1 in raw[y * WIDTH : (y + 1) * WIDTH]]
    columns = [x for x in range(WIDTH) if 1 in raw[x::WIDTH]]
    return {"x": columns[0], "y": rows[0], "width": columns[-1] - columns[0] + 1, "height": rows[-1] - rows[0] + 1}


# Making.

def names(case):
    end = case["still"] or "mp4"
    return f"{case['name']}.{end}", f"{case['name']}.clean.{end}"


def make_case(folder, work, case, tool):
    for path in work.glob("*.png"):
        path.unlink()
    truth, layers = [], []
    for index, said in enumerate(case["overlays"]):
        first, last = said["frames"] or (0, case["frames"] - 1)
        shown, bare = work / f"{index}.png", work / f"{index}-bare.png"
        layer(work, said, tool, shown)
        if "shadow" in said["look"]:
            layer(work, said, tool, bare, shadow=False)
        region = ink(bare if bare.exists() else shown)
        if region["x"] < 20 or region["x"] + region["width"] > WIDTH - 20:
            sys.exit(f"{case['name']}: {said['text']!r} is too wide: {region}")
        layers.append((shown, first, last))
        one = {"text": plain(said["text"]), "firstFrame": first, "lastFrame": last, "region": region, "kind": said["kind"],
               "script": said["script"], "fill": said["look"]["fill"], "style": said["style"], "fontSize": said["size"],
               "font": said["font"], "align": place(said["at"])[2]}
        coloured = said["text"].split("*")[1::2]
        if coloured:
            one["words"] = [{"text": word, "fill": said["look"]["second"]} for word in coloured]
        emoji = "".join(letter for letter in said["text"] if is_emoji(letter))
        if emoji and tool == "html":
            one["emoji"] = emoji
        truth.append(one)
    inputs, background = ground(folder, case["background"])
    filters = [f"{background},split[clean][0]"]
    if tool == "ass":
        script = work / "case.ass"
        spans = [said["frames"] or (0, case["frames"] - 1) for said in case["overlays"]]
        ass_file(script, (WIDTH, HEIGHT), [ass_style(f"S{at}", said, True) for at, said in enumerate(case["overlays"])],
                 [ass_event(f"S{at}", said, *spans[at]) for at, said in enumerate(case["overlays"])])
        filters.append(f"[0]ass={script}[1]")
        end = 1
    else:
        for at, (shown, first, last) in enumerate(layers):
            inputs = [*inputs, "-i", shown]
            filters.append(f"[{at}][{at + 1}:v]overlay=format=rgb:enable='between(n,{first},{last})'[{at + 1}]")
        end = len(layers)
    if case["still"]:
        coder = ["-frames:v", "1"] + (["-q:v", "3", "-pix_fmt", "yuvj420p"] if case["still"] == "jpg" else ["-pix_fmt", "rgb24"])
        outputs = ["[clean]", f"[{end}]"]
    else:
        filters += [f"[clean]{TO_YUV}[c]", f"[{end}]{TO_YUV}[t]"]
        coder = ["-frames:v", case["frames"], *X264]
        outputs = ["[c]", "[t]"]
    file, clean = names(case)
    ffmpeg(*inputs, "-filter_complex", ";".join(filters), "-map", outputs[0], *coder, folder / clean, "-map", outputs[1], *coder, folder / file)
    signs = case["background"].partition(":")[2]
    scene = [sign[0] for sign in SIGNS[signs.split("+")[0]]] if signs.endswith("+signs") else []
    return {"name": case["name"], "file": file, "clean": clean, "background": case["background"],
            "style": case["overlays"][0]["style"] if case["overlays"] else "none", "tool": tool, "width": WIDTH, "height": HEIGHT,
            "frames": case["frames"], "overlays": truth, "sceneText": scene}


def make(folder, only):
    folder.mkdir(parents=True, exist_ok=True)
    work = folder / "work"
    work.mkdir(exist_ok=True)
    if not CHROMIUM:
        print("No Chromium: libass renders its cases, with plain boxes, hard shadows and no emoji.")
    if not FOOTAGE:
        print("No OVERLAYS_FOOTAGE: no cases over camera footage.")
    listing = folder / "truth.json"
    known = {entry["name"]: entry for entry in json.loads(listing.read_text())} if listing.exists() else {}
    wanted = [case for case in cases() if not only or only in case["name"]]
    truth = dict(known) if only else {}
    for case in wanted:
        tool = case["tool"] if CHROMIUM else "ass"
        recipe = hashlib.sha1(repr((case, tool, FOOTAGE if case["background"] == "footage" else None)).encode()).hexdigest()
        entry = known.get(case["name"])
        if not entry or entry["recipe"] != recipe or not all((folder / name).exists() for name in names(case)):
            entry = make_case(folder, work, case, tool) | {"recipe": recipe}
            print(f"{case['name']:<28}{tool:<6}{case['background']}", flush=True)
        truth[case["name"]] = entry
        listing.write_text(json.dumps([*(known | truth).values()], ensure_ascii=False, indent=1) + "\n")
    listing.write_text(json.dumps([*truth.values()], ensure_ascii=False, indent=1) + "\n")
    shutil.rmtree(work)
    overlays = [one for entry in truth.values() for one in entry["overlays"]]
    stills = sum(entry["frames"] == 1 for entry in truth.values())
    print(f"{len(truth)} cases: {len(truth) - stills} clips, {stills} slides; {len(overlays)} overlays, of which "
          f"{sum(one['kind'] == 'watermark' for one in overlays)} watermarks")


# Judging.

def overlap(a, b):
    """IoU of two regions."""
    across = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
    down = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
    both = max(across, 0) * max(down, 0)
    return both / max(a["width"] * a["height"] + b["width"] * b["height"] - both, 1)


def together(a, b):
    """IoU of two spans of frames."""
    both = max(min(a["lastFrame"], b["lastFrame"]) - max(a["firstFrame"], b["firstFrame"]) + 1, 0)
    length = lambda one: one["lastFrame"] - one["firstFrame"] + 1
    return both / max(length(a) + length(b) - both, 1)


def edits(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def reading(text, script):
    kept = "".join(letter for letter in unicodedata.normalize("NFC", text) if not is_emoji(letter))
    return ("" if script in ("Hans", "Jpan") else " ").join(kept.split())


def near(a, b):
    if not a or len(a) < 7 or not a.startswith("#"):
        return False
    return all(abs(int(a[at : at + 2], 16) - int(b[at : at + 2], 16)) <= 40 for at in [1, 3, 5])


def pair(truths, reported):
    """Greedy matches: indices of truth and report, and IoU of the regions."""
    scored = []
    for t, true in enumerate(truths):
        for r, said in enumerate(reported):
            space, time = overlap(true["region"], said["region"]), together(true, said)
            if true["kind"] == said["kind"] and space >= 0.5 and time >= 0.5:
                scored.append((space * time, t, r, space))
    matches, taken = [], (set(), set())
    for _, t, r, space in sorted(scored, key=lambda one: -one[0]):
        if t not in taken[0] and r not in taken[1]:
            taken[0].add(t), taken[1].add(r)
            matches.append((t, r, space))
    return matches


def ask(path):
    """What the engine reports of a file, its CPU seconds, and what went wrong."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(REMIX), "overlays", str(path), "--json"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if done.returncode:
        return None, cpu, (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[0]
    try:
        return json.loads(done.stdout), cpu, None
    except ValueError as wrong:
        return None, cpu, f"no JSON: {wrong}"


def share(part, whole):
    return part / whole if whole else None


def judge(folder, only):
    truth = [entry for entry in json.loads((folder / "truth.json").read_text()) if not only or only in entry["name"]]
    if not truth:
        sys.exit(f"no case in {folder} has {only!r} in its name")
    matched, missed, false, failed = [], [], [], []
    cpu = frames = 0
    kinds = {"caption": [0, 0, 0], "watermark": [0, 0, 0]}
    colours, per_style = [], {}
    print(f"{'case':<28}{'true':>5}{'found':>6}{'false':>6}{'IoU':>6}{'edges':>6}{'text':>7}{'CPU s':>7}")
    for entry in truth:
        name = entry["name"]
        report, seconds, wrong = ask(folder / entry["file"])
        if entry["frames"] > 1:
            cpu, frames = cpu + seconds, frames + entry["frames"]
        if wrong:
            failed.append((name, wrong))
        elif report["frames"] != entry["frames"]:
            failed.append((name, f"{report['frames']} frames, not {entry['frames']}"))
        reported = [one for one in report["overlays"] if one["kind"] in kinds] if report else []
        truths = entry["overlays"]
        mine = []
        matches = pair(truths, reported)
        for t, r, space in matches:
            true, said = truths[t], reported[r]
            want, got = reading(true["text"], true["script"]), reading(said["text"], true["script"])
            edge = max(abs(true["firstFrame"] - said["firstFrame"]), abs(true["lastFrame"] - said["lastFrame"]))
            whole = true["firstFrame"] == 0 and true["lastFrame"] == entry["frames"] - 1
            mine.append({"case": name, "script": true["script"], "space": space, "edge": edge, "whole": whole, "still": entry["frames"] == 1,
                         "wrong": min(edits(want, got), len(want)), "length": len(want), "want": want, "got": got})
            colours.append(near((said.get("style") or {}).get("color"), true["fill"]))
            words = {word["text"].strip(): word.get("color") for line in said.get("lines") or [] for word in line.get("words") or []}
            colours += [near(words[word["text"]], word["fill"]) for word in true.get("words", []) if word["text"] in words]
            kinds[true["kind"]][0] += 1
        for t, true in enumerate(truths):
            kinds[true["kind"]][1] += 1
            if t not in [match[0] for match in matches]:
                best = max(reported, key=lambda said: overlap(true["region"], said["region"]) * together(true, said), default=None)
                missed.append((name, true, best))
        wild = [said for r, said in enumerate(reported) if r not in [match[1] for match in matches]]
        for said in reported:
            kinds[said["kind"]][2] += 1
        false += [(name, said) for said in wild]
        matched += mine
        tally = per_style.setdefault(entry["style"], [0, 0, 0, 0, 0])
        for at, value in enumerate([len(truths), len(mine), len(wild), sum(m["wrong"] for m in mine), sum(m["length"] for m in mine)]):
            tally[at] += value
        mean = f"{sum(m['space'] for m in mine) / len(mine):.2f}" if mine else "-"
        edge = max((m["edge"] for m in mine), default=None)
        text = f"{1 - sum(m['wrong'] for m in mine) / sum(m['length'] for m in mine):.3f}" if mine else "-"
        print(f"{name:<28}{len(truths):>5}{len(mine):>6}{len(wild):>6}{mean:>6}{'-' if edge is None else edge:>6}{text:>7}{seconds:>7.2f}"
              + ("  failed" if wrong else ""), flush=True)

    accuracy = lambda part: share(sum(m["length"] - m["wrong"] for m in part), sum(m["length"] for m in part))
    moving = [m for m in matched if not m["still"]]
    turning = [m for m in moving if not m["whole"]]
    within = lambda part: share(sum(m["edge"] <= 2 for m in part), len(part))
    count = lambda column: sum(kind[column] for kind in kinds.values())
    rows = [("recall", share(count(0), count(1)), "0.95"), ("precision", share(count(0), count(2)), "0.95")]
    for kind, (right, true, said) in kinds.items():
        rows += [(f"  {kind} recall", share(right, true), ""), (f"  {kind} precision", share(right, said), "")]
    rows += [("mean IoU", share(sum(m["space"] for m in matched), len(matched)), "0.80"),
             ("edges within 2 frames", within(moving), "1.00"), ("  of those that come and go", within(turning), ""),
             ("text, Latin", accuracy([m for m in matched if m["script"] == "Latn"]), "0.97"), ("text, all scripts", accuracy(matched), "0.90")]
    rows += [(f"  {script}", accuracy([m for m in matched if m["script"] == script]), "")
             for script in sorted({one["script"] for entry in truth for one in entry["overlays"]} - {"Latn"})]
    rows += [("colours within 40", share(sum(colours), len(colours)), ""), ("CPU s per 15 s", share(cpu * 15 * FPS, frames), "8.00")]

    print("\nstyle                true found false   text")
    for style, (true, found, wild, wrong, length) in sorted(per_style.items()):
        print(f"  {style:<18}{true:>5}{found:>6}{wild:>6}{'' if not length else f'{1 - wrong / length:7.3f}'}")
    for title, found in [("Failed", [f"{name}: {why}" for name, why in failed]), ("Missed", [miss_line(*one) for one in missed]),
                         ("False", [f"{name}: {said['kind']} {said['text']!r}, {span(said)}" for name, said in false])]:
        if found:
            print(f"\n{title}: {len(found)}")
            print("\n".join(f"  {line}" for line in found[:30]))
    worst = sorted((m for m in matched if m["wrong"]), key=lambda m: -m["wrong"] / max(m["length"], 1))
    if worst:
        print("\nWorst texts")
        for m in worst[:15]:
            print(f"  {m['case']}: {m['wrong']} of {m['length']}\n    is   {m['want']}\n    read {m['got']}")
    late = sorted((m for m in moving if m["edge"] > 2), key=lambda m: -m["edge"])
    if late:
        print("\nWorst times\n" + "\n".join(f"  {m['case']}: {m['edge']} frames, {m['want']!r}" for m in late[:10]))
    loose = sorted((m for m in matched if m["space"] < 0.8), key=lambda m: m["space"])
    if loose:
        print("\nWorst regions\n" + "\n".join(f"  {m['case']}: {m['space']:.2f}, {m['want']!r}" for m in loose[:10]))
    print(f"\n{'':<32}{'found':>7}{'goal':>7}")
    for title, value, goal in rows:
        print(f"{title:<32}{'-' if value is None else format(value, '.3f'):>7}{goal:>7}")


def psnr(file, other, region, first, last):
    """The PSNR of luma, in dB, of a region in the frames first to last of two files, as ffmpeg measures it."""
    x, y, wide, high = (round(region[side]) for side in ("x", "y", "width", "height"))
    part = f"trim=start_frame={first}:end_frame={last + 1},setpts=N,crop={wide}:{high}:{x}:{y}:exact=1,format=gray"
    run = subprocess.run(["ffmpeg", "-nostdin", "-i", str(file), "-i", str(other), "-an", "-lavfi",
                          f"[0:v]{part}[a];[1:v]{part}[b];[a][b]psnr", "-f", "null", "-"], check=True, capture_output=True, text=True)
    return float(run.stderr.rsplit("PSNR y:", 1)[1].split()[0])


def sheet(pictures, frame, file):
    """A frame of each of these videos side by side, as one PNG."""
    inputs = [word for picture in pictures for word in ("-i", str(picture))]
    parts = "".join(f"[{n}:v]trim=start_frame={frame}:end_frame={frame + 1},scale=-2:900[p{n}];" for n in range(len(pictures)))
    names = "".join(f"[p{n}]" for n in range(len(pictures)))
    subprocess.run(["ffmpeg", "-nostdin", "-y", *inputs, "-lavfi", f"{parts}{names}hstack={len(pictures)}", "-frames:v", "1",
                    str(file)], check=True, capture_output=True)


def remove(folder, only, how, sheets):
    truth = [entry for entry in json.loads((folder / "truth.json").read_text())
             if (not only or only in entry["name"]) and entry["frames"] > 1 and entry["overlays"]]
    groups = {}
    print(f"{'case':<26}{'over':<20}{'how':<7}{'PSNR':>6}{'left':>6}{'seam':>6}  text")
    for entry in truth:
        report, _, wrong = ask(folder / entry["file"])
        if wrong:
            print(f"{entry['name']}: {wrong}")
            continue
        reported = [one for one in report["overlays"] if one["kind"] != "scene"]
        with tempfile.TemporaryDirectory() as work:
            work = pathlib.Path(work)
            shutil.copy(folder / entry["file"], work / "post.mp4")
            request = {"id": "cnt_removed", "format": "video-remix", "influencerId": "inf", "performer": "none", "removal": how,
                       "source": {"src": "post.mp4"}, "overlays": [{"id": one["id"], "newText": ""} for one in reported]}
            (work / "project.json").write_text(json.dumps(request))
            subprocess.run([REMIX, "render", work, "--out", work / "out", "--no-cache"], check=True, capture_output=True)
            video = work / "out/cnt_removed/video.mp4"
            told = {one["id"]: one for one in json.loads((video.parent / "container.json").read_text())["report"].get("overlays", [])}
            if sheets:
                sheets.mkdir(parents=True, exist_ok=True)
                first = entry["overlays"][0]
                sheet([folder / entry["file"], video, folder / entry["clean"]], (first["firstFrame"] + first["lastFrame"]) // 2,
                      sheets / f"{entry['name']}.png")
            left, _, _ = ask(video)
            for t, r, _ in pair(entry["overlays"], reported):
                true, said = entry["overlays"][t], told[reported[r]["id"]]
                if true["kind"] != "caption":
                    continue
                frames = true["firstFrame"], true["lastFrame"]
                value = psnr(video, folder / entry["clean"], true["region"], *frames)
                want = reading(true["text"], true["script"])
                still = [reading(one["text"], true["script"]) for one in left["overlays"]
                         if overlap(one["region"], true["region"]) > 0 and together(one, true) > 0]
                readable = max((1 - min(edits(want, got), len(want)) / len(want) for got in still), default=0.0)
                residual = said.get("residual") or {}
                print(f"{entry['name']:<26}{entry['background']:<20}{said['removal']:<7}{value:6.1f}{readable:6.2f}"
                      f"{residual.get('seam', 0):6.1f}  {want}", flush=True)
                whole = true["firstFrame"] == 0 and true["lastFrame"] == entry["frames"] - 1
                box = "box" if STYLES[true["style"]].get("box") else "letters"
                over = entry["background"].split(":")[0]
                when = "all the time" if whole else "for a while"
                groups.setdefault((over, box, when), []).append((value, readable * len(want), len(want)))
    print(f"\n{'over':<14}{'what':<9}{'when':<14}{'texts':>6}{'PSNR':>7}{'>=32':>6}{'left':>7}")
    total = []
    for (over, box, when), all_of in sorted(groups.items()):
        total += all_of
        values = [value for value, _, _ in all_of]
        print(f"{over:<14}{box:<9}{when:<14}{len(values):>6}{sum(values) / len(values):7.1f}{sum(v >= 32 for v in values):>6}"
              f"{share(sum(part for _, part, _ in all_of), sum(length for _, _, length in all_of)):7.3f}")
    values = [value for value, _, _ in total]
    if values:
        print(f"{'all':<37}{len(values):>6}{sum(values) / len(values):7.1f}{sum(v >= 32 for v in values):>6}"
              f"{share(sum(part for _, part, _ in total), sum(length for _, _, length in total)):7.3f}")


def span(one):
    region = one["region"]
    return (f"frames {one['firstFrame']} to {one['lastFrame']}, {round(region['width'])}x{round(region['height'])} at "
            f"{round(region['x'])},{round(region['y'])}")


def miss_line(name, true, best):
    line = f"{name}: {true['kind']} {true['text']!r}, {span(true)}"
    if best and overlap(true["region"], best["region"]):
        line += (f"; nearest {best['kind']} {best['text']!r}, IoU {overlap(true['region'], best['region']):.2f} in space, "
                 f"{together(true, best):.2f} in time")
    return line


def main():
    words = sys.argv[1:]
    only = None
    if "--only" in words[:-1]:
        at = words.index("--only")
        only = words[at + 1]
        del words[at : at + 2]
    how = "fill"
    if "--how" in words[:-1]:
        at = words.index("--how")
        how = words[at + 1]
        del words[at : at + 2]
    sheets = None
    if "--sheets" in words[:-1]:
        at = words.index("--sheets")
        sheets = pathlib.Path(words[at + 1])
        del words[at : at + 2]
    if len(words) != 2 or words[0] not in ("make", "judge", "remove"):
        sys.exit(__doc__)
    folder = pathlib.Path(words[1]).resolve()
    if words[0] == "make":
        make(folder, only)
    elif words[0] == "judge":
        judge(folder, only)
    else:
        remove(folder, only, how, sheets)


if __name__ == "__main__":
    main()
