"""Splits posts into sentences and ranks the sentences by what the posts share.

Method: weighed degree in the graph of LexRank (Erkan & Radev 2004, JAIR 22): similarity to the sentences of other
posts, with words weighed by their rarity among many posts. Sentences, stemmer and stop words are those of sumy.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain, groupby

import numpy as np
from scipy.sparse import csr_array
from sentencex import segment
from sumy.models.dom import Sentence
from sumy.nlp.stemmers import Stemmer
from sumy.summarizers._summarizer import SentenceInfo
from sumy.utils import get_stop_words

# Shorter sentences are greetings or thanks. Longer sentences (1 % of real sentences) are lists, logs and posts without
# a full stop.
MIN_WORDS = 5
MAX_CHARACTERS = 300

# Chinese and Japanese have no blanks between words, so each of their characters counts as a word.
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
# sentencex also splits "Use .NET", "Object.<anonymous>" and "1. First". A part is a complete sentence only if it ends
# with a blank or with a Chinese or Japanese full stop, and if it is more than a number.
COMPLETE = re.compile(r"(?!\d+[.)]\s*$).*[\s。！？]", re.DOTALL)
CLOSED = re.compile(r"[.!?…。！？][\"'”’»)\]」]*$")
BULLET = re.compile(r"^[-*+•–—]\s+")


class Words:
    """The tokenizer for sumy's sentences; sumy's own tokenizer would download nltk's punkt."""

    def to_words(self, sentence: str) -> tuple[str, ...]:
        """Split a sentence into its words of letters and digits."""
        return tuple(WORD.findall(sentence))


@cache
def stem() -> Callable[[str], str]:
    """Sumy's stemmer for English, with a cache, because it is slow pure Python."""
    return lru_cache(maxsize=100_000)(Stemmer("english"))


@cache
def stop_words() -> frozenset[str]:
    """Sumy's stop words for English."""
    return frozenset(get_stop_words("english"))


def terms(words: Iterable[str]) -> list[str]:
    """The stems of words, without stop words."""
    stem_of, stops = stem(), stop_words()
    return [stem_of(word) for word in map(str.lower, words) if word not in stops]


class Rarity:
    """How rare a term is among the texts of a day, or of more days.

    The words of a group must not weigh by the group: there, the words that its posts share would weigh least, and the
    sentence that shares no word would lead. That is what sumy's LexRank does.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = 0
        self.holding = Counter[str]()
        for text in texts:
            self.texts += 1
            self.holding.update(set(terms(WORD.findall(text))))

    def __call__(self, term: str) -> float:
        """The inverse document frequency of a term. It is above 0 even for a term of all texts."""
        return math.log(1 + self.texts / max(self.holding[term], 1))


def rank(indices: Mapping[Sentence, int], rarity: Rarity) -> list[SentenceInfo]:
    """Rank sentences, each with the index of its text, by their similarity to the sentences of the other texts.

    The rating is the sum of the cosines of term vectors (tf-idf): the weighed degree of a sentence in the graph of
    LexRank. A sentence of the same text does not count, so that a long text can not vote for itself. Of equal ratings,
    the first in the texts is first.
    """
    sentences = list(indices)
    counts = [Counter(terms(sentence.words)) for sentence in sentences]
    columns = {term: column for column, term in enumerate(dict.fromkeys(chain.from_iterable(counts)))}
    weights = np.array([rarity(term) for term in columns] or [0.0])
    terms_of_sentences = np.fromiter((columns[term] for each in counts for term in each), np.int64)
    times = np.fromiter(chain.from_iterable(each.values() for each in counts), np.int64)
    vectors = csr_array(
        (times * weights[terms_of_sentences], terms_of_sentences, np.cumsum([0, *map(len, counts)])),
        shape=(len(sentences), max(len(columns), 1)),
        dtype=np.float64,
    )
    norms = np.sqrt(vectors.multiply(vectors).sum(axis=1))
    vectors.data /= np.repeat(norms, np.diff(vectors.indptr))
    of_text = csr_array(
        (np.ones(len(sentences)), (list(indices.values()), range(len(sentences)))),
        shape=(max(indices.values(), default=0) + 1, len(sentences)),
    )
    # The sums of all texts less the sums of the own text. The sums of the texts stay sparse: a large group has
    # thousands of texts and words.
    sums = csr_array(of_text @ vectors)
    own = vectors.multiply(sums[list(indices.values())]).sum(axis=1)
    # The last digits depend on the order of a sum, and must not decide between equal ratings.
    ratings = np.round(vectors @ sums.sum(axis=0) - own, 9)
    infos = [SentenceInfo(*each) for each in zip(sentences, range(len(sentences)), ratings, strict=True)]
    return sorted(infos, key=lambda info: (-info.rating, info.order))


def split(text: str) -> Iterator[str]:
    """Yield the sentences of a text, verbatim, without blanks at both ends. A sentence ends with its line."""
    for line in text.splitlines():
        sentence = ""
        for part in segment("en", BULLET.sub("", line.strip())):
            sentence += part
            if COMPLETE.fullmatch(sentence):
                yield sentence.strip()
                sentence = ""
        if sentence.strip():
            yield sentence.strip()


def is_fit(sentence: Sentence, text: str) -> bool:
    """Whether a sentence is fit for a summary: neither too short nor too long, and not broken off."""
    wording = str(sentence)
    is_broken_off = text.endswith(f" {wording}") and not CLOSED.search(wording)
    is_whole = not is_broken_off and not wording.endswith((":", "："))
    return len(sentence.words) >= MIN_WORDS and len(wording) <= MAX_CHARACTERS and is_whole


def cut(sentence: str) -> str:
    """A sentence, cut to whole words within MAX_CHARACTERS."""
    return sentence if len(sentence) <= MAX_CHARACTERS else sentence[:MAX_CHARACTERS].rsplit(" ", 1)[0]


def fit_sentences(texts: Sequence[str]) -> dict[Sentence, int]:
    """The different sentences of texts that are fit for a summary, each with the index of its text.

    If no sentence is fit, the longest sentence of each text is cut and used.
    """
    found: dict[Sentence, int] = {}
    for index, text in enumerate(texts):
        for sentence in split(text):
            found.setdefault(Sentence(sentence, Words()), index)
    fit = {sentence: index for sentence, index in found.items() if is_fit(sentence, texts[index])}
    by_text = groupby(found, key=found.__getitem__)
    return fit or {Sentence(cut(max(map(str, each), key=len)), Words()): index for index, each in by_text}
