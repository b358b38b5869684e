#!/usr/bin/env python3
"""The same texts set by `remix text` and by headless Chromium, with the same fonts, sizes and widths.

    tests/browser/text.py [target/release/remix]

Compares where lines break and the order of the letters on each line. `remix` balances lines: the browser is given the
width that came out of that, so that both fill the same lines. Needs `chromium` and the fonts of `.ci/setup`.
Prints what differs; ends with 1 if something does that is not in EXPLAINED.
"""

import html
import json
import os
import subprocess
import sys
import tempfile

# Width of the safe area, less the px that is kept for rounding.
AREAS = {"organic": 719, "reels": 949, "all": 695}
SIZES = [44, 60, 80]
# What sums of advances may differ by, px: far less than a letter.
SLACK = 0.5

TEXTS = {
    "en": [
        "wait for it... this simple habit changed everything about my mindset",
        "POV: you finally found an app that doesn't track you (and it's free!)",
        "Don't do this at 3:00 p.m. – it's state-of-the-art, well-known and/or overrated",
        "naïve façades cost $1,299.99 or 50% off: “really?” she asked; 24/7 support",
        "supercalifragilisticexpialidocious and pneumonoultramicroscopicsilicovolcanoconiosis words",
        "go to https://example.com/path/to/a/page?query=1 or mail me@example.com now",
    ],
    "de": ["Die Donaudampfschifffahrtsgesellschaft kündigt ihre größten Überraschungen an, nicht wahr?"],
    "fr": ["Qu’est-ce que c’est ? L’été dernier, j’ai tout changé : « incroyable », non ?"],
    "vi": ["Thói quen đơn giản này đã thay đổi mọi thứ về tư duy của tôi"],
    "ru": ["Эта простая привычка изменила всё в моём мышлении, и вот почему — смотрите"],
    "el": ["Αυτή η απλή συνήθεια άλλαξε τα πάντα στον τρόπο που σκέφτομαι"],
    "ar": [
        "هذه العادة البسيطة غيّرت كل شيء في طريقة تفكيري، جرّبها الآن",
        "انتظر لحظة... لن تصدّق ما سيحدث بعد ذلك!",
        "خصم ٥٠٪ على تطبيق Remix 2.0 حتى 31 ديسمبر",
        "قال: «السلام عليكم» (ثم ذهب) إلى المدرسة",
    ],
    "fa": ["این عادت ساده همه چیز را در طرز فکر من تغییر داد، می‌خواهم بگویم"],
    "ur": ["یہ سادہ عادت میری سوچ کے بارے میں سب کچھ بدل گئی ہے، آزما کر دیکھیں"],
    "he": [
        "ההרגל הפשוט הזה שינה הכול בצורת החשיבה שלי, תנסו עכשיו",
        "חכו לזה... אתם לא תאמינו מה קורה אחר כך!",
        "האפליקציה Remix 2.0 עולה 30 ש״ח (במקום 60) ב-2026",
        "אמרה: „שלום” והלכה לבית־הספר",
    ],
    "hi": [
        "इस साधारण आदत ने मेरी सोच के बारे में सब कुछ बदल दिया",
        "रुको ज़रा... तुम्हें यक़ीन नहीं होगा कि आगे क्या हुआ!",
        "क्षमा, ज्ञान, श्रद्धा और दृष्टि: ५०% की छूट केवल आज",
    ],
    "bn": ["এই সাধারণ অভ্যাস আমার চিন্তাভাবনার সবকিছু বদলে দিয়েছে"],
    "ta": ["இந்த எளிய பழக்கம் என் மனநிலையைப் பற்றிய அனைத்தையும் மாற்றியது"],
    "th": [
        "นิสัยง่ายๆนี้เปลี่ยนทุกอย่างเกี่ยวกับความคิดของฉันไปตลอดกาล",
        "รอก่อนนะคุณจะไม่เชื่อว่าเกิดอะไรขึ้นต่อไป",
        "แอปนี้ช่วยให้ฉันประหยัดเงินได้มากกว่า 5,000 บาทต่อเดือน",
    ],
    "ja": [
        "このシンプルな習慣が、私の「考え方」をすべて変えた。ちょっと待って！",
        "スマホを置いて、朝の五分だけ散歩してみてください。人生が変わります。",
        "アプリ『Remix 2.0』は無料（広告なし）で使えるって知ってた？",
        "ええーっ、マジで？きっと、ずっと、もっと速くなるんだよ……！",
    ],
    "zh-Hans": ["这个简单的习惯改变了我的一切思维方式，真的，你一定要试试看！"],
    "zh-Hant": ["這個簡單的習慣改變了我的一切思維方式，「真的」，你一定要試試看！"],
    "ko": ["이 단순한 습관이 내 사고방식에 관한 모든 것을 바꿔 놓았다"],
    "und-emoji": [
        "wait for it 🧠 this changed 👩🏽‍🚀 everything 👨‍👩‍👧‍👦 about my 🏳️‍🌈 mindset ✨✨✨",
        "🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥",
        "1️⃣ first 2️⃣ second 3️⃣ third 🇩🇪🇫🇷🇮🇹 flags and ❤️ hearts ❤️‍🔥 on fire",
    ],
}

# What differs, and why: (language, beginning of the text) -> reason.
ADDRESS = "lines may break after a solidus in an address (UAX #14, class SY); Blink's table for ASCII forbids it"
SPACED = "no line starts with a mark that follows a space in French (UAX #14, LB13); Blink allows it; Inter kerns over spaces"
KERNING = "cosmic-text shapes word by word, and every ideograph is a word: kerning between them is left out"
EDGE = "the widest line is as wide as the box but for half a px"
EXPLAINED = {
    ("en", "go to https"): ADDRESS,
    ("fr", "Qu"): SPACED,
    ("de", "Die Donaudampf"): EDGE,
    ("ja", "このシンプル"): KERNING,
    ("ja", "スマホを置いて"): KERNING,
}

FACES = {"ja": "Noto Sans CJK JP", "zh-Hans": "Noto Sans CJK SC", "zh-Hant": "Noto Sans CJK TC", "ko": "Noto Sans CJK KR"}

SCRIPT = """
const out = [];
for (const box of document.querySelectorAll("div")) {
  const node = box.firstChild, text = node.data, lines = [];
  const segments = new Intl.Segmenter(undefined, {granularity: "grapheme"}).segment(text);
  for (const {segment, index} of segments) {
    const range = document.createRange();
    range.setStart(node, index);
    range.setEnd(node, index + segment.length);
    const rects = [...range.getClientRects()].filter(r => r.width > 0);
    if (!rects.length || !segment.trim()) continue;
    const r = rects[0], middle = (r.top + r.bottom) / 2 - box.getBoundingClientRect().top;
    const line = Math.floor(middle / parseFloat(getComputedStyle(box).lineHeight));
    (lines[line] ||= []).push([r.left, segment, index]);
  }
  out.push(lines);
}
const pre = document.createElement("pre");
pre.textContent = JSON.stringify(out);
document.body.replaceChildren(pre);
"""


def fonts(remix):
    said = subprocess.run([remix, "check", "--json"], capture_output=True, text=True, check=True).stdout
    return [font["path"] for font in json.loads(said)["fonts"] if not font["path"].endswith(".ttc")]


def chromium(cases, paths):
    faces, families, used = [], [], []
    for number, path in enumerate(paths):
        name = os.path.basename(path)
        if "Inter" in name and "Bold" not in name.replace("SemiBold", "").replace("ExtraBold", ""):
            continue
        faces.append(f"@font-face{{font-family:f{number};font-weight:700;src:url('file://{path}')}}")
        families.append(f"f{number}")
        used.append(path)
    boxes = []
    for case in cases:
        mine = [family for family, path in zip(families, used) if ("Nastaliq" in path) <= (case["language"] == "ur")]
        if case["language"] == "ur":
            mine = [family for family, path in zip(families, used) if "NotoSansArabic" not in path]
        family = ",".join(mine + [f"'{FACES[case['language']]}'"] if case["language"] in FACES else mine)
        language = "en" if case["language"].startswith("und") else case["language"]
        direction = "rtl" if case["language"] in ("ar", "fa", "he", "ur") else "ltr"
        boxes.append(
            f"<div lang='{language}' style=\"width:{case['width']}px;font:700 {case['size']}px/1.5 {family};"
            f"direction:{direction}\">{html.escape(case['text'])}</div>")
    page = (
        "<!doctype html><meta charset=utf-8><style>" + "".join(faces)
        + "div{white-space:pre-wrap;overflow-wrap:anywhere;text-wrap:wrap;margin-bottom:9px;font-synthesis:none;"
        "line-break:strict;text-spacing-trim:space-all}div:lang(ko){word-break:keep-all}</style><body>" + "".join(boxes)
        + "<script>document.fonts.ready.then(() => {" + SCRIPT + "})</script>")
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "page.html")
        open(file, "w", encoding="utf-8").write(page)
        done = subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--font-render-hinting=none",
             "--allow-file-access-from-files", "--virtual-time-budget=30000", "--dump-dom", f"file://{file}"],
            capture_output=True, text=True, check=True)
    body = done.stdout
    start = body.index("<pre>") + 5
    return json.loads(html.unescape(body[start:body.index("</pre>", start)]))


def ours(remix, case):
    style = json.dumps({"stroke": None, "fontSize": case["size"], "lineHeight": 1.2})
    with tempfile.NamedTemporaryFile(suffix=".png") as out:
        command = [remix, "text", case["text"], "--style", style, "--safe-area", case["area"], "--json", "--out", out.name]
        if not case["language"].startswith("und"):
            command += ["--language", case["language"]]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command} failed: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def main():
    remix = sys.argv[1] if len(sys.argv) > 1 else "target/release/remix"
    cases = [
        {"language": language, "text": text, "area": area, "width": width, "size": size}
        for language, texts in TEXTS.items() for text in texts for area, width in AREAS.items() for size in SIZES
    ]
    layouts = [ours(remix, case) for case in cases]
    for case, layout in zip(cases, layouts):
        # Chromium rounds the advance of a bitmap emoji up to a whole px.
        emoji = max(sum(c["line"] == n and "Emoji" in c["font"] for c in layout["clusters"])
                    for n in range(len(layout["lines"])))
        case["width"] = max(line["width"] for line in layout["lines"]) + SLACK + emoji
    theirs = chromium(cases, fonts(remix))
    same, breaks, orders, unexplained = 0, 0, 0, 0
    for case, layout, lines in zip(cases, layouts, theirs):
        lines = [line for line in lines if line]
        our_lines = [bare(line["text"]) for line in layout["lines"] if bare(line["text"])]
        their_lines = ["".join(bare(segment) for _, segment, _ in line) for line in lines]
        fault, kind = None, "breaks"
        if our_lines != their_lines:
            fault = f"breaks\n    ours   {our_lines}\n    theirs {their_lines}"
            breaks += 1
        else:
            for number, line in enumerate(lines):
                mine = [(c["range"]["start"], c["range"]["end"]) for c in layout["clusters"] if c["line"] == number]
                visual = [byte_range(case["text"], index, segment) for _, segment, index in sorted(line)]
                if not same_order(mine, visual):
                    fault, kind = f"order on line {number}\n    ours   {mine}\n    theirs {visual}", "order"
                    orders += 1
                    break
        if fault is None:
            same += 1
            continue
        known = next((why for (language, start), why in EXPLAINED.items()
                      if kind == "breaks" and language == case["language"] and case["text"].startswith(start)), None)
        if known is None:
            unexplained += 1
        print(f"{case['language']} {case['area']} {case['size']} px: {fault}\n    {known or 'not explained'}")
    print(f"{len(cases)} settings: {same} the same, {breaks} break elsewhere, {orders} in another order")
    sys.exit(1 if unexplained else 0)


def byte_range(text, index, segment):
    """The bytes of a segment that begins at this UTF-16 unit of the text."""
    before = text.encode("utf-16-le")[:2 * index].decode("utf-16-le")
    start = len(before.encode())
    return start, start + len(segment.encode())


def same_order(mine, visual):
    """Whether two lists of byte ranges stand in the same order. What one of them has as a whole and the other in parts,
    such as a ligature, is compared as a whole."""
    bounds = {start for start, _ in mine} & {start for start, _ in visual}
    unit = lambda start: max((bound for bound in bounds if bound <= start), default=-1)

    def order(ranges):
        units = [unit(start) for start, _ in ranges]
        return [one for at, one in enumerate(units) if at == 0 or units[at - 1] != one]

    return order(mine) == order(visual)


assert same_order([(0, 1), (1, 2), (2, 4)], [(0, 1), (1, 2), (2, 3), (3, 4)])
assert not same_order([(0, 1), (1, 2), (2, 3)], [(2, 3), (1, 2), (0, 1)])


def bare(text):
    """Without spaces, and without what is not seen."""
    return "".join(c for c in text if not c.isspace() and c not in "\u200c\u200d\u200e\u200f\ufe0f\u2069\u2068")


main()
