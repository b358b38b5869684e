#!/usr/bin/env python3
"""Which sequences of Unicode's emoji-test.txt are exactly one colour glyph, by the version that they came with.

    tests/browser/emoji.py emoji-test.txt [target/release/remix]

The file is https://unicode.org/Public/emoji/latest/emoji-test.txt. Prints a table; ends with 1 if a sequence is
neither one colour glyph, nor a single character that is text by default, nor reported as missing.
"""

import collections
import json
import re
import subprocess
import sys
import tempfile

BATCH = 400
STYLE = json.dumps({"fontSize": {"min": 8, "max": 72}})
LINE = re.compile(r"^([0-9A-F ]+?)\s*;\s*(\S+)\s*#\s*(\S+) E(\d+\.\d+) (.*)$")


def sequences(path):
    for line in open(path, encoding="utf-8"):
        found = LINE.match(line)
        if found:
            text = "".join(chr(int(point, 16)) for point in found[1].split())
            yield text, found[2], tuple(map(int, found[4].split(".")))


def ask(remix, texts):
    """The texts, with spaces between, as one layout; what no font has is left out."""
    whole = " ".join(texts)
    with tempfile.NamedTemporaryFile(suffix=".png") as out:
        done = subprocess.run(
            [remix, "text", whole, "--style", STYLE, "--missing", "drop", "--json", "--out", out.name],
            capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    path = sys.argv[1]
    remix = sys.argv[2] if len(sys.argv) > 2 else "target/release/remix"
    all_of, right, missing, letters = (collections.Counter() for _ in range(4))
    lacking_texts, wrong = [], []
    found = list(sequences(path))
    for start in range(0, len(found), BATCH):
        batch = found[start:start + BATCH]
        layout = ask(remix, [text for text, _, _ in batch])
        clusters = {cluster["range"]["start"]: cluster for cluster in layout["clusters"]}
        lacking = [(lack["range"]["start"], lack["range"]["end"]) for lack in layout["missing"]]
        at = 0
        for text, status, version in batch:
            end = at + len(text.encode())
            all_of[version] += 1
            cluster = clusters.get(at)
            if any(first < end and at < last for first, last in lacking):
                missing[version] += 1
                lacking_texts.append(text)
            elif (cluster and cluster["range"]["end"] == end and len(cluster["glyphs"]) == 1
                    and cluster["font"] == "Noto Color Emoji"):
                right[version] += 1
            elif cluster and cluster["range"]["end"] == end and len(text) == 1 and status == "unqualified":
                # Text by default (UTS #51, 4): a letter font has it, and U+FE0F would make it an emoji.
                letters[version] += 1
            else:
                wrong.append((text, status, version, cluster))
            at = end + 1
    print("| version | sequences | one colour glyph | a letter, without U+FE0F | reported as missing |")
    print("|---|---|---|---|---|")
    for version in sorted(all_of):
        name = ".".join(map(str, version))
        print(f"| {name} | {all_of[version]} | {right[version]} | {letters[version]} | {missing[version]} |")
    print("| all | " + " | ".join(str(sum(of.values())) for of in (all_of, right, letters, missing)) + " |")
    for text in lacking_texts:
        print("missing:", " ".join(f"{ord(c):04X}" for c in text))
    for text, status, version, cluster in wrong:
        print("not one colour glyph:", text, " ".join(f"{ord(c):04X}" for c in text), status, version, cluster)
    sys.exit(1 if wrong else 0)


main()
