"""
Random segments: valid, of every kind of node, and about the world at hand.

A condition is made from an *operand* (a field, a property, `count(...)`, `month(d)`, `a / b`), a
form that fits its type, and constants. The oracle evaluates the operand for some contact and the
constant is that value, or one beside it, so that conditions hold for some contacts and fail for
others, and equality happens. Instants and days are mostly the edges of the scene.

What the page leaves open is left out: sums that depend on the order of adding, halves that are
rounded, strings compared with a field of other options.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence

import re2

from headcount.model.schema import STATUSES, Field, FieldType
from headcount.query import tree
from headcount.query.format import format as canonical
from headcount.query.lexicon import is_bare_word
from headcount.query.tree import (
    CompareOp,
    Duration,
    Moment,
    SetMode,
    TextOp,
    TimesOp,
    Unit,
)
from support import oracle_text
from support.dice import Choices, some
from support.oracle_values import (
    MIRRORED,
    Text,
    TextSet,
)
from support.random_operands import Operands
from support.random_times import DAY_UNITS, Operand
from support.random_worlds import STRINGS, Scene
from support.worlds import World

# What an engine may do without for a time; all of it is drawn unless it is left out.
FEATURES = frozenset({"arithmetic", "functions", "aggregates", "regularity", "sequences", "fields"})

ORDER = (CompareOp.LT, CompareOp.GT, CompareOp.LE, CompareOp.GE)
EQUALITY = (CompareOp.EQ, CompareOp.NE)
EXACT_UNITS = (Unit.MINUTE, Unit.HOUR, Unit.DAY, Unit.WEEK)


def random_segment(
    dice: Choices, world: World, scene: Scene, features: frozenset[str] = FEATURES
) -> tree.Segment:
    """Return a valid segment about *world* of one to about a dozen conditions."""
    writer = Writer(dice, world, scene, features)
    return writer.segment(dice.pick((0, 0, 0, 0, 1, 1, 2, 3)))


class Writer(Operands):
    """Makes segments about one world; inside `where`, about the events of `types`."""

    # --- structure ----------------------------------------------------------------------------

    def segment(self, depth: int) -> tree.Segment:
        """Return a segment of at most *depth* levels of `and`, `or` and `not`."""
        if depth == 0:
            return self.condition()
        match self.dice.integer(0, 9):
            case 0 | 1:
                return self.condition()
            case 2:
                return tree.Not(self.segment(depth - 1))
            case n:
                most = self.dice.pick((2, 2, 3, 4))
                items = tuple(self.dice.many(2, most, lambda: self.segment(depth - 1)))
                return tree.And(items) if n < 6 else tree.Or(items)

    def condition(self) -> tree.Segment:
        """Return one condition."""
        if self.types:
            return self.about(self.operand())
        times = (FieldType.DATE, FieldType.DATETIME)
        makers: list[tuple[int, Callable[[], tree.Segment]]] = [
            (6, lambda: self.about(self.operand())),
            (2, lambda: self.about(self.operand(*times))),
            (2, lambda: self.about(self.derived())),
            (1, lambda: self.about(self.derived(*times))),
            (3, self.did),
            (1, self.event_name),
            (1, self.list_condition),
            (1, self.rare),
        ]
        if "sequences" in self.features:
            makers.append((1, self.sequence))
        if "regularity" in self.features:
            makers.append((1, self.regularly))
        return self.dice.pick([maker for weight, maker in makers for _ in range(weight)])()

    def rare(self) -> tree.Segment:
        """Return a condition of a kind that says little on its own."""
        dice = self.dice
        makers: list[Callable[[], tree.Segment]] = [
            lambda: tree.Everyone(),
            lambda: tree.Sample(dice.pick((50.0, 10.0, 0.0, 100.0, 33.3)), dice.pick((None, "é"))),
            lambda: tree.In(
                tree.Call("month", (tree.TimeWord(Moment.TODAY),)),
                tuple(tree.Number(float(m)) for m in some(dice, range(1, 13), 1, 6)),
                dice.chance(20),
            ),
        ]
        return dice.pick(makers)()

    # --- forms --------------------------------------------------------------------------------

    def about(self, operand: Operand) -> tree.Segment:
        """Return a condition on *operand* in a form that fits its type."""
        if self.dice.chance(8):
            return tree.IsEmpty(operand.node, self.dice.chance(50))
        match operand.type:
            case FieldType.NUMBER:
                return self.on_number(operand)
            case FieldType.KEYWORD | FieldType.TEXT:
                return self.on_string(operand)
            case FieldType.STAGE:
                return self.on_stage(operand)
            case FieldType.KEYWORDS:
                return self.on_keywords(operand)
            case FieldType.BOOLEAN:
                return self.on_boolean(operand)
            case FieldType.DATE | FieldType.DATETIME:
                return self.on_time(operand)

    def negated(self) -> bool:
        """Return whether a condition that can be negated is."""
        return self.dice.chance(25)

    def compare(self, left: tree.Value, op: CompareOp, right: tree.Value) -> tree.Compare:
        """Return a comparison, sometimes with its sides exchanged."""
        mirrored = MIRRORED.get(op)
        if mirrored is not None and isinstance(right, tree.Number) and self.dice.chance(5):
            return tree.Compare(right, mirrored, left)
        return tree.Compare(left, op, right)

    def on_number(self, operand: Operand) -> tree.Segment:
        """Return a condition on a number."""
        node = operand.node
        op = self.dice.pick(ORDER + EQUALITY)
        match self.dice.integer(0, 7):
            case 0 | 1:
                low, high = self.near(node), self.near(node)
                if low > high and not self.dice.chance(5):
                    low, high = high, low
                return tree.Between(node, tree.Number(low), tree.Number(high), self.negated())
            case 2:
                options = tuple(tree.Number(self.near(node)) for _ in range(3))
                return tree.In(node, options, self.negated())
            case 3 if "fields" in self.features:
                return tree.Compare(node, op, self.number().node)
            case 3 | 4 if operand.in_days:
                return tree.Compare(node, op, tree.DurationValue(self.duration(EXACT_UNITS)))
        return self.compare(node, op, tree.Number(self.near(node)))

    def near(self, node: tree.Value) -> float:
        """Return a number that some contact has, or one beside it, or a troublesome one."""
        held = self.sample(node)
        if not isinstance(held, int | float) or self.dice.chance(15):
            return self.dice.pick(self.scene.numbers)
        held = float(held)
        match self.dice.integer(0, 9):
            case 0:
                return held + 1
            case 1:
                return held - 1
            case 2:
                return math.nextafter(held, self.dice.pick((math.inf, -math.inf)))
        return held

    def on_boolean(self, operand: Operand) -> tree.Segment:
        """Return a condition on a boolean."""
        truth = tree.Boolean(self.dice.chance(50))
        if self.dice.chance(15):
            return tree.In(operand.node, (truth,), self.negated())
        same = [o for o in self.fields if o.type is FieldType.BOOLEAN]
        if "fields" in self.features and self.dice.chance(10):
            return tree.Compare(operand.node, self.dice.pick(EQUALITY), self.dice.pick(same).node)
        return tree.Compare(operand.node, self.dice.pick(EQUALITY), truth)

    def on_stage(self, operand: Operand) -> tree.Segment:
        """Return a condition on a stage: by its place, or among some."""
        node, field = operand.node, operand.field
        assert field is not None

        def stage() -> tree.Value:
            return self.word(self.recased(self.dice.pick(field.values), field))

        match self.dice.integer(0, 5):
            case 0:
                return tree.Between(node, stage(), stage(), self.negated())
            case 1:
                return tree.In(node, (stage(), stage()), self.negated())
        return self.compare(node, self.dice.pick(ORDER + EQUALITY), stage())

    # --- strings ------------------------------------------------------------------------------

    def on_string(self, operand: Operand) -> tree.Segment:
        """Return a condition on one string."""
        node, field = operand.node, operand.field
        assert field is not None
        match self.dice.integer(0, 9):
            case 0:
                return tree.Compare(node, self.dice.pick(EQUALITY), tree.String(""))
            case 1 | 2:
                options = tuple(self.word(self.string(operand)) for _ in range(3))
                return tree.In(node, options, self.negated())
            case 3 | 4 | 5 | 6 | 7:
                return self.text_match(operand)
            case 8 if "fields" in self.features:
                alike = [o for o in self.fields if o.field and _alike(o.field, field)]
                if alike:
                    op = self.dice.pick(EQUALITY)
                    return tree.Compare(node, op, self.dice.pick(alike).node)
        string = self.string(operand)
        right = self.word(string)
        if oracle_text.is_id(field) and string.isdigit() and string[0] != "0":
            right = tree.Number(float(string))
        return tree.Compare(node, self.dice.pick(EQUALITY), right)

    def on_keywords(self, operand: Operand) -> tree.Segment:
        """Return a condition on a multi-valued field."""
        node = operand.node
        match self.dice.integer(0, 5):
            case 0:
                op = self.dice.pick(EQUALITY)
                return tree.Compare(node, op, self.word(self.string(operand)))
            case 1:
                options = tuple(self.word(self.string(operand)) for _ in range(2))
                return tree.In(node, options, self.negated())
            case 2:
                return self.text_match(operand)
            case 3 | 4:
                mode = self.dice.pick(tuple(SetMode))
                strings = tuple(self.string(operand) for _ in range(self.dice.pick((1, 2, 3))))
                return tree.ContainsSet(node, mode, strings, self.negated())
        string = self.string(operand)
        if operand.field is not None and operand.field.name != "label" and self.dice.chance(30):
            string = string[: self.dice.integer(1, len(string))]  # which is not in the set
        return tree.TextMatch(node, TextOp.CONTAINS, string, self.negated())

    def held_string(self, operand: Operand) -> str | None:
        """Return a string that some contact has."""
        held = self.sample(operand.node)
        if isinstance(held, TextSet):
            held = self.dice.pick(held.texts)
        return held.value if isinstance(held, Text) else None

    def string(self, operand: Operand) -> str:
        """Return a string to look for: one that is held, in some spelling, or any; never empty."""
        field = operand.field
        assert field is not None
        if field.builtin and field.name in ("status", "label"):
            return self.recased(self.dice.pick(self.known(field)), field)
        held = self.held_string(operand)
        if held is None or self.dice.chance(30):
            held = self.dice.pick(self.scene.strings)
        return self.recased(held, field)

    def known(self, field: Field) -> Sequence[str]:
        """Return the statuses, or the labels that the world has seen; others are errors."""
        return STATUSES if field.name == "status" else self.labels

    def recased(self, string: str, field: Field) -> str:
        """Return a string in a spelling that may or may not be the same to the field."""
        if field.builtin and field.name in ("status", "label"):
            return self.dice.pick((string, string, string.upper()))
        if field.type is FieldType.STAGE:
            return self.dice.pick((string, string, string.upper()))
        spellings = (
            string, string, string, string.upper(), string.lower(),
            unicodedata.normalize("NFD", string), unicodedata.normalize("NFC", string),
        )  # fmt: skip
        return self.dice.pick(spellings)

    def word(self, string: str) -> tree.Value:
        """Return a string literal, sometimes as the bare word that it may be."""
        bare = string.isascii() and string.isalpha() and is_bare_word(string)
        if bare and self.dice.chance(30) and not self.names_something(string):
            return tree.Name(string)
        return tree.String(string)

    def text_match(self, operand: Operand) -> tree.Segment:
        """Return a pattern made from a string that is held."""
        field = operand.field
        assert field is not None
        ops = (*TextOp, TextOp.LIKE)
        if field.type is FieldType.KEYWORDS:
            ops = ops[1:]
        op = self.dice.pick(ops)
        whole = self.held_string(operand) or self.dice.pick(STRINGS)
        if self.dice.chance(20):
            whole = self.dice.pick(self.scene.strings)
        start = self.dice.integer(0, len(whole) - 1)
        end = self.dice.integer(start + 1, len(whole))
        match op:
            case TextOp.CONTAINS:
                pattern = self.recased(whole[start:end], field)
            case TextOp.STARTS_WITH:
                pattern = self.recased(whole[:end], field)
            case TextOp.ENDS_WITH:
                pattern = self.recased(whole[start:], field)
            case TextOp.LIKE:
                if self.dice.chance(20):
                    whole = whole[start:end]
                pattern = self.like_pattern(whole)
            case TextOp.MATCHES:
                pattern = self.regex(whole, start, end, field)
        return tree.TextMatch(operand.node, op, pattern, self.negated())

    def like_pattern(self, whole: str) -> str:
        r"""Return *whole* with some characters as `_` or `%`, and its own `%`, `_`, `\` escaped."""
        pieces = []
        for character in whole:
            if self.dice.chance(15):
                pieces.append(self.dice.pick(("_", "%")))
            else:
                pieces.append("\\" + character if character in "%_\\" else character)
        pattern = "".join(pieces)
        return self.dice.pick((pattern, pattern, f"%{pattern}", f"{pattern}%"))

    def regex(self, whole: str, start: int, end: int, field: Field) -> str:
        """Return a regular expression that is in NFC, without accents where the field has none."""
        part = unicodedata.normalize("NFC", whole[start:end])
        if field.fold_accents:
            part = oracle_text.without_marks(part)
        escaped = re2.escape(part)
        return str(
            self.dice.pick(
                (
                    escaped, f"^{escaped}", f"{escaped}$", f"^{escaped}.*$", f"({escaped}|pro)",
                    "^[a-f]", r"\d+", ".", f"(?:{escaped})+", "^.{3,5}$", r"\bpro\b", "(?i)PRO",
                )
            )
        )  # fmt: skip

    # --- times --------------------------------------------------------------------------------

    def on_time(self, operand: Operand) -> tree.Segment:
        """Return a condition on a date or datetime."""
        node, is_date = operand.node, operand.type is FieldType.DATE
        units = DAY_UNITS if is_date else tuple(Unit)
        match self.dice.integer(0, 9):
            case 0 | 1:
                direction = self.dice.pick(tuple(tree.Direction))
                return tree.Within(node, direction, self.duration(units), self.negated())
            case 2 | 3:
                return tree.Age(node, self.dice.pick(ORDER), self.duration())
            case 4 | 5:
                low, high = self.maybe_quoted(operand), self.maybe_quoted(operand)
                return tree.Between(node, low, high, self.negated())
            case 6:
                op = self.dice.pick((CompareOp.BEFORE, CompareOp.AFTER))
                return tree.Compare(node, op, self.maybe_quoted(operand))
            case 7:
                if self.dice.chance(50):
                    return tree.Compare(node, CompareOp.ON, self.day(operand))
                options = (self.maybe_quoted(operand), self.maybe_quoted(operand))
                return tree.In(node, options, self.negated())
            case 8 if "fields" in self.features:
                other = self.any_time().node
                return tree.Compare(node, self.dice.pick(ORDER + EQUALITY), other)
        op = self.dice.pick(ORDER + EQUALITY)
        right = self.maybe_quoted(operand)
        if isinstance(right, tree.Ago) and op in ORDER:  # that is how an age is written
            return tree.Age(node, op, right.duration)
        return tree.Compare(node, op, right)

    def maybe_quoted(self, operand: Operand) -> tree.Value:
        """Return a time beside *operand*; a literal sometimes as the text that JSON has for it."""
        time = self.time(operand)
        if isinstance(time, tree.Date | tree.DateTime) and self.dice.chance(25):
            return tree.String(canonical(time))
        return time

    # --- lists and events ---------------------------------------------------------------------

    def list_condition(self) -> tree.Segment:
        """Return a condition on lists; a list that the workspace has never seen is an error."""
        if not self.lists:
            return tree.Everyone()
        chosen = some(self.dice, self.lists, 1, 2)
        names = tuple(self.dice.pick((name, name, name.upper())) for name in chosen)
        if self.dice.chance(30):
            return tree.OptedOut(names[0], self.negated())
        return tree.InList(names, self.negated())

    def did(self) -> tree.Segment:
        """Return `did E ...`."""
        event, _ = self.selector()
        times = None if self.dice.chance(40) else self.times()
        return tree.Did(event, times, self.window(), self.negated())

    def times(self) -> tree.Times:
        """Return a number of times."""
        op = self.dice.pick(tuple(TimesOp))
        n = self.dice.pick((1, 2, 3, 0, 5))
        if op is TimesOp.BETWEEN:
            return tree.Times(op, n, n + self.dice.integer(0, 3))
        return tree.Times(op, n)

    def event_name(self) -> tree.Segment:
        """Return `opens > 3`, `opens between 2 and 4`, `opened before D` and so on."""
        names = [n for n in self.world.schema.event_names() if not self.names_something(n)]
        if not names:
            return self.did()
        node = self.name(self.dice.pick(names))
        count = self.sample(node)
        n = count if isinstance(count, int) else 1
        match self.dice.integer(0, 3):
            case 0:
                low = tree.Number(float(max(0, n - self.dice.integer(0, 2))))
                high = tree.Number(float(n + self.dice.integer(0, 2)))
                return tree.Between(node, low, high, self.negated())
            case 1:
                edge = self.dice.pick((CompareOp.BEFORE, CompareOp.AFTER, CompareOp.ON))
                time = self.day(None) if edge is CompareOp.ON else self.time(None)
                return tree.Compare(node, edge, time)
            case 2:
                return tree.Between(node, self.time(None), self.time(None), self.negated())
        op = self.dice.pick(ORDER + EQUALITY)
        return tree.Compare(node, op, tree.Number(float(max(0, n + self.dice.integer(-1, 1)))))

    def regularly(self) -> tree.Segment:
        """Return `did E in at least m of the last k periods`."""
        event, _ = self.selector()
        periods = self.dice.integer(1, 4)
        at_least = self.dice.integer(1, periods)
        period = self.duration()
        if period.amount == 0:
            period = Duration(1, period.unit)
        times = None if self.dice.chance(60) else self.times()
        return tree.Regularly(event, times, at_least, periods, period)

    def sequence(self) -> tree.Segment:
        """Return `did A then did B within d`."""
        first, _ = self.selector()
        then, _ = self.selector()
        negated = self.dice.chance(40)
        return tree.Sequence(first, then, self.duration(), negated, self.window())


def _alike(a: Field, b: Field) -> bool:
    """Return whether two fields compare strings in the same way."""
    if oracle_text.is_id(a) or oracle_text.is_id(b) or a.values or b.values:
        return False
    strings = (FieldType.KEYWORD, FieldType.TEXT)
    options = (a.case_sensitive, a.fold_accents) == (b.case_sensitive, b.fold_accents)
    return options and a.type in strings and b.type in strings
