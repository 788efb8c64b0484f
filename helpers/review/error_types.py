"""What a paper's or a sheet's words call a number: SD, SEM, interval, range; mean or median."""

import re
import unicodedata

# Words without a blank in them, for whoever looks for such a column.
ERRORS = {
    "SD": "sd s.d. std stdev standarddeviation",
    "SEM": "sem s.e.m. se s.e. stderr standarderror standarderrorofthemean",
    "CI": "ci 95%ci ci95 95ci confidenceinterval 95%confidenceinterval",
    "IQR": "iqr quartiles q1-q3 interquartilerange",
    "RANGE": "range min-max minmax",
}
AVERAGES = {"MEAN": "mean average m", "MEDIAN": "median"}

_OF_MEAN = r"( ?(of|des?|der|da|du|della|de la) ?(the ?)?(means?|mittelwert\w*|moyenne|media))?"
_TO = r" ?(?:-|–|to|and|,|;|/|:|bis|a)? ?"
_CI = (
    r"(ci|confidence ?(interval|limit)s?|konfidenzintervalle?|vertrauensbereich|ki|ic|"
    r"intervalle de confiance|intervalo de confianza|intervallo di confidenza)"
)
# Tried in this order; a word that none of them takes makes the whole text unknown. Accents are
# gone, letters are small, points between letters are gone.
_WORDS = {
    "IQR": r"inter[ -]?quartile?(s|n)?([ -]?(range|interval|distance))?|interquartils?abstand|iqr|"
    rf"ecart interquartile|rango intercuartilico|q1{_TO}q3|quartil(e|s|es|en)?|"
    rf"p?25(th)?{_TO}p?75(th)? ?%?( ?percentiles?)?",
    "SEM": rf"(standard ?error|std ?err(or)?|standard ?fehler|erreur ?(standard|type)|stderr|"
    rf"error(e)? ?(estandar|tipico|standard)|erro padrao|sems?|ses?|esm|eem){_OF_MEAN}|"
    "стандартная ошибка( среднего)?|标准误差?|標準誤差?|표준오차",
    "SD": rf"(standard ?deviations?|std ?dev(iation)?|standard ?abweichung(en)?|ecarts?[ -]?types?|"
    rf"deviazione standard|desviacion (estandar|tipica)|desvio padrao|standaarddeviatie|stdev|"
    rf"stdabw|std|sds?|ds){_OF_MEAN}|стандартное отклонение|标准差|標準偏差|표준편차",
    "CI": rf"(95 ?% ?-?)?{_CI} ?\(?(95 ?%?)?\)?|95 ?{_CI}",
    "RANGE": rf"range|min(imum)?{_TO}max(imum)?|spannweite|etendue|rango",
    "VARIANCE": "variances?|varianz|varianza",
    "MEDIAN": "medians?|mediane?|mediana|медиана|中位数|中央値",
    "MEAN": "means?|averages?|avg|mittelwerte?|moyennes?|media|среднее|平均值?",
    "": r"and|und|et|y|of|the|with|mit|in|as|by|from|errors?|bars?|values?|data|type|shown|"
    r"reported|presented|expressed|given|[-+±/(),;:&\[\]=]|\+/-|m",
}
_FORMS = {kind: re.compile(rf"(?<!\w)(?:{form})(?!\w)") for kind, form in _WORDS.items()}
# Asian words stand without blanks, punctuation between letters.
_FORMS[""] = re.compile(rf"(?<!\w)(?:{_WORDS['']})(?!\w)|[-+±/(),;:&\[\]=]")
_ARMS = (
    r"(?=(?:t|c|e|i|exp|con|cont|ctr|ctrl|trt|treat(?:ed|ment)?|control|veh|vehicle|drug|[12])$)"
)


def _plain(text):
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.sub(r"(?<!\d)\.|\.(?!\d)", "", " ".join(text.casefold().split()))


def _read(text):
    """The kinds that a text names, and what of it is left unread."""
    text, kinds = _plain(text), set()
    for kind, form in _FORMS.items():
        text, hits = form.subn(" ", text)
        if kind and hits:
            kinds.add(kind)
    return kinds, text.strip()


def error_kind(text):
    """The kind of error that a cell names: a key of `ERRORS`, None where that is not clear.

    Other words than those of errors, averages and the like make a cell unclear: "SEM?", "2 SEM",
    "90% CI", "SD or SEM" could each mean another number.
    """
    kinds, left = _read(text)
    kinds -= set(AVERAGES)
    return kinds.pop() if len(kinds) == 1 and not left and kinds <= set(ERRORS) else None


def average_kind(text):
    """The average that a cell names beside its error: MEAN, MEDIAN, or None."""
    if _plain(text) == "m":
        return "MEAN"
    kinds, left = _read(text)
    kinds &= set(AVERAGES)
    return kinds.pop() if len(kinds) == 1 and not left else None


def heading_kinds(heading):
    """All kinds that a heading names, whatever else stands in it.

    Words are taken apart at capitals and underscores ("Drug_SEM", "semTreated"), and from the name
    of a group ("sdexp").
    """
    words = re.findall(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+|\d+|%|-", heading.replace(".", ""))
    text = " ".join(re.sub(rf"^(sem|sd|se){_ARMS}", r"\1 ", word.casefold()) for word in words)
    whole = heading.replace("_", " ")
    return _read(text)[0] | _read(whole)[0]
