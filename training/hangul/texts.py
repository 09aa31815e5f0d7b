"""What the lines say: running text of the corpora, and strings made up so that all is learned."""

import gzip
import hashlib
import json
import random
import string
from collections import Counter
from pathlib import Path

from alphabet import LATIN1, NUMERALS, PUNCTUATION, normal

# corpus -> share of the Korean (or English) running text
KOREAN = {
    "cpt/ko/law_ko.jsonl.gz": 0.26,
    "cpt/ko/nsmc_reviews_ko.jsonl.gz": 0.20,
    "cpt/ko/ud_sentences_ko.jsonl.gz": 0.18,
    "cpt/ko/literature_ko.jsonl.gz": 0.14,
    "cpt/ko/python_docs_ko.jsonl.gz": 0.06,
    "cpt/ko/docs_tensorflow_ko.jsonl.gz": 0.05,
    "cpt/ko/docs_rustbook_ko.jsonl.gz": 0.06,
    "cpt/ko/docs_vue_ko.jsonl.gz": 0.05,
}
ENGLISH = {"cpt/en/standardebooks.jsonl.gz": 0.7, "cpt/en/python_docs_en.jsonl.gz": 0.3}
# News in both languages: never trained on, measured on.
HELD_OUT = "cpt/parallel/ntrex_en_ko.jsonl.gz"

COUNTERS = [
    "원",
    "명",
    "개",
    "건",
    "년",
    "월",
    "일",
    "시",
    "분",
    "초",
    "회",
    "층",
    "호",
    "점",
    "위",
    "권",
    "쪽",
    "차",
    "세",
    "살",
    "배",
    "km",
    "kg",
    "cm",
    "mm",
    "%",
    "㎡",
    "℃",
    "만원",
    "억원",
    "조",
]
DOMAINS = ["com", "net", "org", "co.kr", "go.kr", "or.kr", "ac.kr", "io", "kr"]
ACCENTED = {
    "a": "àáâãäåą",
    "c": "çćč",
    "e": "èéêëę",
    "i": "ìíîï",
    "n": "ñń",
    "o": "òóôõöøő",
    "u": "ùúûü",
    "y": "ýÿ",
    "s": "šś",
    "z": "žż",
    "l": "ł",
    "g": "ğ",
    "A": "ÀÁÂÃÄÅ",
    "C": "Ç",
    "E": "ÈÉÊË",
    "O": "ÒÓÔÕÖØ",
    "U": "ÙÚÛÜ",
}


def paragraphs(path: Path) -> list[str]:
    """Non-empty lines of a corpus, brought to the alphabet's way of writing."""
    opener = gzip.open if path.suffix == ".gz" else open
    lines = []
    with opener(path, "rt", encoding="utf-8") as rows:
        for row in rows:
            for line in json.loads(row)["text"].splitlines():
                line = normal(line)
                if len(line) >= 8:
                    lines.append(line)
    return lines


STRAIGHT = str.maketrans("“”‘’", "\"\"''")
CURLY = str.maketrans("\"'", "”’")


class Texts:
    """Draws the text of lines. `alphabet` bounds what is written; `seed` makes it repeat."""

    def __init__(self, data: Path, alphabet: list[str], seed: int) -> None:
        self.random = random.Random(seed)
        self.alphabet = set(alphabet)
        self.syllables = [c for c in alphabet if "가" <= c <= "힣"]
        self.hanja = [c for c in alphabet if "\u4e00" <= c <= "\u9fff"]
        self.signs = [
            c
            for c in alphabet
            if not c.isascii()
            and c not in self.syllables
            and c not in self.hanja
            and c not in LATIN1
        ]
        # numerals and the punctuation of documents twice as often as shapes and Greek
        self.signs += [c for c in self.signs if c in NUMERALS or c in PUNCTUATION]
        self.korean = [(share, paragraphs(data / name)) for name, share in KOREAN.items()]
        counts = Counter(c for _, lines in self.korean for line in lines[::10] for c in line)
        self.rarity = {c: (counts[c] + 1) ** -0.5 for c in self.syllables}
        self.english = [(share, paragraphs(data / name)) for name, share in ENGLISH.items()]

    def running(self, sources: list[tuple[float, list[str]]], length: int) -> str:
        """About `length` characters from somewhere in a paragraph."""
        lines = self.random.choices([s[1] for s in sources], [s[0] for s in sources])[0]
        line = self.random.choice(lines)
        if len(line) > length:
            start = self.random.randrange(len(line) - length + 1)
            if start and self.random.random() < 0.85:
                start = line.find(" ", start - 1) + 1
            line = line[start : start + length]
            if self.random.random() < 0.85 and " " in line:
                line = line[: line.rindex(" ")]
        return line

    def number(self) -> str:
        """A number, date, telephone number, amount or the like."""
        r = self.random
        n = r.choice([r.randrange(10), r.randrange(100), r.randrange(10_000), r.randrange(10**8)])
        year, month, day = r.randrange(1900, 2040), r.randrange(1, 13), r.randrange(1, 32)
        return r.choice(
            [
                f"{n}",
                f"{n:,}",
                f"{n:,}{r.choice(COUNTERS)}",
                f"{n / 100:.2f}",
                f"{n % 1000 / 10}%",
                f"${n:,}.{n % 100:02d}",
                f"₩{n:,}",
                f"(₩{n:,})",
                f"-{n / 1000:.3f}",
                f"+{n % 100}",
                f"{year}년 {month}월 {day}일",
                f"{year}.{month:02d}.{day:02d}.",
                f"{year}-{month:02d}-{day:02d}",
                f"{year}/{month}/{day}",
                f"{day % 24}:{n % 60:02d}",
                f"{day % 24:02d}:{n % 60:02d}:{n % 59:02d}",
                f"0{r.choice(['10', '2', '31', '51'])}-{n % 10000:04d}-{r.randrange(10000):04d}",
                f"(0{r.choice(['2', '31'])}) {r.randrange(100, 1000)}-{r.randrange(10000):04d}",
                f"{n % 1000}×{n % 77}",
                f"{n % 90}±{n % 9}.{n % 7}",
                f"{n % 40}~{n % 40 + 7}",
                f"{n % 300}–{n % 300 + 9}",
                f"제{n % 120 + 1}조제{n % 9 + 1}항",
                f"[{n % 99 + 1}]",
                f"({n % 30})",
                f"{n % 9 + 1}.{n % 7 + 1}.{n % 5 + 1}",
                f"p. {n % 500}",
                f"No. {n % 1000}",
                f"{n % 50}/{n % 50 + 3}",
                f"제{n % 9999}호",
                f"{n % 100}.{n % 10}℃",
                f"{n % 500}㎡",
                f"{n % 13}:{n % 60:02d} PM",
                f"{r.randrange(256)}.{r.randrange(256)}.{r.randrange(256)}.{r.randrange(256)}",
            ]
        )

    def address(self) -> str:
        """A URL, e-mail address, path or identifier."""
        r = self.random
        word = lambda: "".join(r.choices(string.ascii_lowercase, k=r.randrange(2, 10)))  # noqa: E731
        return r.choice(
            [
                f"https://www.{word()}.{r.choice(DOMAINS)}/{word()}",
                f"www.{word()}.{r.choice(DOMAINS)}",
                f"{word()}@{word()}.{r.choice(DOMAINS)}",
                f"http://{word()}.{r.choice(DOMAINS)}/{word()}?{word()}={r.randrange(99)}",
                f"/{word()}/{word()}.{r.choice(['py', 'txt', 'pdf', 'hwp'])}",
                f"{word()}_{word()}({word()}={r.randrange(99)})",
                f"doi:10.{r.randrange(1000, 9999)}/{word()}.{r.randrange(9999)}",
                f"arXiv:{r.randrange(1000, 2600)}.{r.randrange(10000):05d}",
                f"{word().capitalize()}{word().capitalize()}",
                f"{word().upper()}-{r.randrange(999)}",
                f"<{word()}>",
                f"#{word()}",
                f"f(x) = {r.randrange(9)}{word()[0]}^{r.randrange(9)} + {r.randrange(99)}",
                "".join(r.choices(string.ascii_letters + string.digits, k=r.randrange(4, 14))),
            ]
        )

    def syllable_word(self) -> str:
        """Syllables drawn evenly, so that the rare ones are seen."""
        return "".join(self.random.choices(self.syllables, k=self.random.randrange(1, 6)))

    def latin_word(self) -> str:
        """Letters drawn evenly in one of the usual ways of capitals."""
        r = self.random
        word = "".join(r.choices(string.ascii_lowercase, k=r.randrange(1, 11)))
        return r.choice([word, word.capitalize(), word.upper()])

    def piece(self) -> str:
        """One made-up word."""
        r = self.random
        kind = r.random()
        if kind < 0.42:
            return self.syllable_word()
        if kind < 0.54:
            return self.number()
        if kind < 0.61:
            return self.address()
        if kind < 0.67:
            return self.latin_word()
        if kind < 0.84:
            return (
                r.choice(self.signs)
                + r.choice(["", "", " ", r.choice(self.signs)])
                + r.choice([self.syllable_word(), self.number(), self.latin_word(), ""])
            )
        if kind < 0.90:
            return "".join(r.choices(self.hanja, k=r.randrange(1, 5)))
        if kind < 0.94:
            return self.syllable_word() + "(" + "".join(r.choices(self.hanja, k=2)) + ")"
        return "".join(r.choices(string.punctuation, k=r.randrange(1, 4))) + self.latin_word()

    def made_up(self, length: int) -> str:
        """Made-up words up to about `length` characters."""
        parts: list[str] = []
        while sum(map(len, parts)) + len(parts) < length:
            parts.append(self.piece())
        return " ".join(parts)

    def dress(self, text: str) -> str:
        """Put bullets, numbers, brackets, quotes or a made-up word into running text."""
        r = self.random
        kind = r.random()
        if kind < 0.3:
            lead = r.choice(
                [
                    "•",
                    "·",
                    "-",
                    "※",
                    "○",
                    "▶",
                    "■",
                    "□",
                    "◦",
                    "*",
                    "–",
                    "→",
                    "☞",
                    "▪",
                    "◆",
                    "●",
                    f"{r.randrange(1, 30)}.",
                    f"({r.randrange(1, 30)})",
                    f"{r.randrange(1, 20)})",
                    r.choice("가나다라마바사아자차카타파하") + r.choice([".", ")"]),
                    chr(0x2460 + r.randrange(20)),
                    r.choice("ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ") + ".",
                    f"제{r.randrange(1, 99)}조",
                    f"[{r.randrange(1, 99)}]",
                    r.choice("abcdeABCDE") + ")",
                ]
            )
            return lead + r.choice([" ", " ", ""]) + text
        words = text.split(" ")
        at = r.randrange(len(words))
        if kind < 0.6:
            left, right = r.choice(
                [
                    "“”",
                    "‘’",
                    "「」",
                    "『』",
                    "《》",
                    "〈〉",
                    "()",
                    "[]",
                    '""',
                    "''",
                    "<>",
                    "【】",
                    "«»",
                ]
            )
            words[at] = left + words[at] + right
        elif kind < 0.9:
            words[at] = r.choice([self.number, self.address, self.syllable_word, self.piece])()
        else:
            words[at] += r.choice(
                ["…", "...", "!", "?", "·", "→", " –", " —", ";", ":", "~", "/", "™", "®"]
            )
        return " ".join(words)

    def accents(self, text: str) -> str:
        """Give some letters accents."""
        r = self.random
        return "".join(
            r.choice(ACCENTED[c]) if c in ACCENTED and r.random() < 0.12 else c for c in text
        )

    def rare(self, length: int) -> str:
        """Running Korean text, the one of three with the rarest syllables."""
        choices = [self.running(self.korean, length) for _ in range(3)]
        return max(choices, key=lambda t: sum(self.rarity.get(c, 0.0) for c in t) / (len(t) + 4))

    def sprinkle(self, text: str) -> str:
        """Put evenly drawn syllables in the place of some."""
        r = self.random
        return "".join(
            r.choice(self.syllables) if "가" <= c <= "힣" and r.random() < 0.25 else c for c in text
        )

    def english_line(self, length: int) -> str:
        """Running English text, sometimes with accents, capitals, straight quotes, numbers."""
        r = self.random
        text = self.running(self.english, length * 2)
        if r.random() < 0.5:
            text = text.translate(STRAIGHT)
        if r.random() < 0.06:
            text = self.accents(text)
        if r.random() < 0.08:
            text = r.choice([str.upper, str.title])(text)
        if r.random() < 0.15:
            text = self.dress(text)
        if r.random() < 0.3:
            words = text.split(" ")
            words.insert(r.randrange(len(words) + 1), self.number())
            text = " ".join(words)
        return text

    def korean_line(self, length: int) -> str:
        """Running Korean text, often with rare syllables, sometimes dressed."""
        r = self.random
        text = self.rare(length) if r.random() < 0.5 else self.running(self.korean, length)
        if r.random() < 0.25:
            text = self.sprinkle(text)
        if r.random() < 0.15:
            text = text.translate(r.choice((STRAIGHT, CURLY)))
        return self.dress(text) if r.random() < 0.25 else text

    def line(self, length: int) -> tuple[str, bool]:
        """Return a line of about `length` characters and whether it is English."""
        kind = self.random.random()
        if kind < 0.38:
            text, english = self.english_line(length), True
        elif kind < 0.74:
            text, english = self.korean_line(length), False
        elif kind < 0.79:
            text, english = self.number(), self.random.random() < 0.6
        elif kind < 0.82:
            text, english = self.piece()[: self.random.randrange(1, 4)], False
        else:
            text, english = self.made_up(length), False
        text = normal("".join(c for c in text if c in self.alphabet))
        return (text, english) if text else self.line(length)


def held_out(data: Path, language: str) -> list[str]:
    """Sentences that are never trained on ("en" or "ko")."""
    with gzip.open(data / HELD_OUT, "rt", encoding="utf-8") as rows:
        return [normal(json.loads(row)[language]) for row in rows]


def digest(alphabet: list[str]) -> str:
    """Short name of an alphabet, for caches."""
    return hashlib.sha256("".join(alphabet).encode()).hexdigest()[:12]
