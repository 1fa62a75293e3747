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

import datetime as dt
import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import re2

from headcount.model.schema import STATUSES, EventType, Field, FieldType
from headcount.query import tree
from headcount.query.lexicon import is_bare_word
from headcount.query.tree import (
    AggregateOp,
    ArithmeticOp,
    CompareOp,
    Duration,
    Edge,
    EventPick,
    Moment,
    SetMode,
    TextOp,
    TimesOp,
    Unit,
)
from support import oracle, oracle_text
from support.dice import Choices, some
from support.oracle_values import (
    MIRRORED,
    Contact,
    Occurrence,
    Query,
    SpokenInstant,
    Text,
    TextSet,
    Value,
)
from support.random_worlds import EXACT, STRINGS, Scene
from support.worlds import World

# What an engine may do without for a time; all of it is drawn unless it is left out.
FEATURES = frozenset({"arithmetic", "functions", "aggregates", "regularity", "sequences", "fields"})

ORDER = (CompareOp.LT, CompareOp.GT, CompareOp.LE, CompareOp.GE)
EQUALITY = (CompareOp.EQ, CompareOp.NE)
DAY_UNITS = (Unit.DAY, Unit.WEEK, Unit.MONTH, Unit.QUARTER, Unit.YEAR)
EXACT_UNITS = (Unit.MINUTE, Unit.HOUR, Unit.DAY, Unit.WEEK)


@dataclass(frozen=True, slots=True)
class Operand:
    """What a condition is about. `in_days` is a number of days, which a duration compares with."""

    node: tree.Value
    type: FieldType
    field: Field | None = None
    in_days: bool = False


def random_segment(
    dice: Choices, world: World, scene: Scene, features: frozenset[str] = FEATURES
) -> tree.Segment:
    """Return a valid segment about *world* of one to about a dozen conditions."""
    writer = Writer(dice, world, scene, features)
    return writer.segment(dice.pick((0, 0, 0, 0, 1, 1, 2, 3)))


class Writer:
    """Makes segments about one world; inside `where`, about the events of `types`."""

    def __init__(
        self,
        dice: Choices,
        world: World,
        scene: Scene,
        features: frozenset[str],
        types: tuple[EventType, ...] = (),
    ) -> None:
        self.dice = dice
        self.world = world
        self.scene = scene
        self.features = features
        self.types = types
        self.query = Query(world, scene.as_of, scene.zone)
        self.subjects: Sequence[Contact | Occurrence] = oracle.contacts_of(world)
        if types:
            names = {t.name for t in types}
            self.subjects = [Occurrence(e, types) for e in world.events if e.type in names]
        self.labels = self.seen("label", world.schema.labels)
        self.lists = sorted({*self.seen("list", world.schema.lists), *self.seen("opted_out", ())})
        self.fields = self._fields()

    def seen(self, field: str, declared: Sequence[str]) -> list[str]:
        """Return the values of a multi-valued field that the workspace knows."""
        held = (contact.get(field) or () for contact in self.world.contacts.values())
        return sorted({*declared, *(name for names in held for name in names)})  # type: ignore[attr-defined]

    def _fields(self) -> list[Operand]:
        """Return what a name may stand for; `label` only if there is a label to ask for."""
        if self.types:
            first, *others = self.types
            named = [(p.name, p) for p in first.properties if all(_same(p, t) for t in others)]
        else:
            stored = self.world.schema.all_fields.values()
            named = [(f.name, f) for f in stored if self.labels or f.name != "label"]
            named += [
                (name, Field(name, FieldType.DATETIME))
                for name in sorted(oracle.ENGAGEMENT_NAMES)
                if oracle.engagement_types(self.world, name) and not self.world.schema.field(name)
            ]
        return [Operand(self.name(name), f.type, f) for name, f in named]

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

    # --- names and samples --------------------------------------------------------------------

    def name(self, name: str) -> tree.Name:
        """Return a name in some case, in backticks where it must be and sometimes where not."""
        spelled = self.spelled(name)
        return tree.Name(spelled, not is_bare_word(spelled) or self.dice.chance(5))

    def spelled(self, name: str) -> str:
        """Return a name in some case."""
        return self.dice.pick((name, name, name, name.upper(), name.title()))

    def sample(self, node: tree.Value) -> Value:
        """Return the value of an expression for some contact; None if a few have none."""
        for _ in range(3):
            if not self.subjects:
                break
            held = oracle.value(self.query, self.dice.pick(self.subjects), node)
            if held is not None:
                return held
        return None

    def duration(self, units: Sequence[Unit] = tuple(Unit)) -> Duration:
        """Return one of the durations that the edges of the scene were made with."""
        fitting = [d for d in self.scene.durations if d.unit in units]
        return self.dice.pick(fitting or [Duration(30, Unit.DAY)])

    # --- operands -----------------------------------------------------------------------------

    def operand(self, *types: FieldType) -> Operand:
        """Return a field or property, of one of *types* if any are named; else a derived value."""
        there = sorted({o.type for o in self.fields if not types or o.type in types})
        if there and (types or self.dice.chance(90)):
            type_ = self.dice.pick(there)
            return self.dice.pick([o for o in self.fields if o.type is type_])
        return self.derived(*types)

    def derived(self, *types: FieldType) -> Operand:
        """Return a value that is computed, of one of *types* if any are named."""
        makers: dict[FieldType, list[Callable[[], Operand]]] = {
            FieldType.NUMBER: [self.calendar_part],
            FieldType.DATE: [self.anniversary] * 2,
            FieldType.DATETIME: [],
        }
        if not self.types:
            makers[FieldType.NUMBER] += [self.event_count]
            makers[FieldType.DATETIME] += [self.event_time]
            if "aggregates" in self.features:
                makers[FieldType.NUMBER] += [self.aggregate] * 4
        if "arithmetic" in self.features:
            makers[FieldType.NUMBER] += [self.arithmetic, self.days_between]
            makers[FieldType.DATE] += [lambda: self.shifted(FieldType.DATE)]
            makers[FieldType.DATETIME] += [lambda: self.shifted(FieldType.DATETIME)]
        if "functions" in self.features:
            makers[FieldType.NUMBER] += [self.numeric_function, self.length]
        fitting = [m for t, ms in makers.items() if not types or t in types for m in ms]
        if not fitting:
            return self.calendar_part()
        return self.dice.pick(fitting)()

    def any_time(self) -> Operand:
        """Return a date or datetime that is held, or today where none is."""
        held = [o for o in self.fields if o.type in (FieldType.DATE, FieldType.DATETIME)]
        if not held:
            return Operand(tree.TimeWord(Moment.TODAY), FieldType.DATE)
        return self.dice.pick(held)

    def number(self) -> Operand:
        """Return a number that is held, or a literal where none is."""
        held = [o for o in self.fields if o.type is FieldType.NUMBER]
        if not self.types and self.dice.chance(30):
            return self.event_count()
        if not held:
            return Operand(tree.Number(self.dice.pick(EXACT)), FieldType.NUMBER)
        return self.dice.pick(held)

    def calendar_part(self) -> Operand:
        """Return `month(d)` and its kin; `hour` only of an instant."""
        time = self.any_time()
        parts = ["month", "day", "weekday", "year"]
        if time.type is FieldType.DATETIME:
            parts.append("hour")
        return Operand(tree.Call(self.dice.pick(parts), (time.node,)), FieldType.NUMBER)

    def anniversary(self) -> Operand:
        """Return `anniversary(d)`, mostly of a date."""
        dates = [o for o in self.fields if o.type is FieldType.DATE]
        time = self.dice.pick(dates) if dates and self.dice.chance(80) else self.any_time()
        return Operand(tree.Call("anniversary", (time.node,)), FieldType.DATE)

    def event_count(self) -> Operand:
        """Return `count(E ...)`."""
        event, _ = self.selector()
        return Operand(tree.EventValue(EventPick.COUNT, event, self.window()), FieldType.NUMBER)

    def event_time(self) -> Operand:
        """Return `first(E ...)` or `last(E ...)`."""
        event, _ = self.selector()
        pick = self.dice.pick((EventPick.LAST, EventPick.FIRST))
        return Operand(tree.EventValue(pick, event, self.window()), FieldType.DATETIME)

    def aggregate(self) -> Operand:
        """Return `sum(E.p ...)` and its kin, where the types allow and adding is exact."""
        event, types = self.selector()
        properties = Writer(self.dice, self.world, self.scene, self.features, types).fields
        if not properties:
            return self.event_count()
        numbers = [p for p in properties if p.type is FieldType.NUMBER]
        chosen = self.dice.pick(numbers if numbers and self.dice.chance(50) else properties)
        ops = [AggregateOp.DISTINCT] * 2
        if chosen.type in (FieldType.NUMBER, FieldType.DATE, FieldType.DATETIME):
            ops += [AggregateOp.MIN, AggregateOp.MAX]
        if chosen.type is FieldType.NUMBER and self.adds_exactly(types, chosen):
            ops += [AggregateOp.SUM] * 3 + [AggregateOp.AVG]
        op = self.dice.pick(ops)
        assert chosen.field is not None
        node = tree.Aggregate(op, event, self.spelled(chosen.field.name), self.window())
        type_ = chosen.type if op in (AggregateOp.MIN, AggregateOp.MAX) else FieldType.NUMBER
        return Operand(node, type_)

    def adds_exactly(self, types: Sequence[EventType], chosen: Operand) -> bool:
        """Return whether the property's values give the same sum in any order."""
        assert chosen.field is not None
        names = {t.name for t in types}
        held = [e.properties.get(chosen.field.name) for e in self.world.events if e.type in names]
        numbers = [abs(one) for one in held if isinstance(one, float)]
        return sum(numbers) < 2**40 and all((one * 1024).is_integer() for one in numbers)

    def arithmetic(self) -> Operand:
        """Return `a op b` of numbers, sometimes nested."""
        left = self.number().node
        if self.dice.chance(25):
            left = self.arithmetic().node
        right = self.number().node
        if self.dice.chance(40):
            right = tree.Number(self.dice.pick((2.0, 5.0, 10.0, 0.5, 0.0, 3.0)))
        op = self.dice.pick(tuple(ArithmeticOp))
        return Operand(tree.Arithmetic(op, left, right), FieldType.NUMBER)

    def days_between(self) -> Operand:
        """Return a number of days: `today - d`, `now - t`, or of two fields."""
        time = self.any_time()
        same = [o for o in self.fields if o.type is time.type]
        moment = Moment.TODAY if time.type is FieldType.DATE else Moment.NOW
        later: tree.Value = tree.TimeWord(moment)
        if same and self.dice.chance(30):
            later = self.dice.pick(same).node
        node = tree.Arithmetic(ArithmeticOp.SUBTRACT, later, time.node)
        return Operand(node, FieldType.NUMBER, in_days=True)

    def shifted(self, type_: FieldType) -> Operand:
        """Return a date or datetime field ± a duration."""
        held = [o for o in self.fields if o.type is type_]
        if not held:
            return self.anniversary()
        op = self.dice.pick((ArithmeticOp.ADD, ArithmeticOp.SUBTRACT))
        units = DAY_UNITS if type_ is FieldType.DATE else tuple(Unit)
        by = tree.DurationValue(self.duration(units))
        return Operand(tree.Arithmetic(op, self.dice.pick(held).node, by), type_)

    def numeric_function(self) -> Operand:
        """Return `abs`, `min`, `max`, `coalesce`, a sign, or `round` where no half is rounded."""
        one = self.number().node
        match self.dice.integer(0, 5):
            case 0:
                node: tree.Value = tree.Call("abs", (one,))
            case 1:
                node = tree.Call(self.dice.pick(("min", "max")), (one, self.number().node))
            case 2 | 3:
                other = self.dice.pick((self.number().node, tree.Number(0.0)))
                node = tree.Call("coalesce", (one, other))
            case 4 if not isinstance(one, tree.Number):
                node = tree.Negative(one)
            case _:
                held = [oracle.value(self.query, subject, one) for subject in self.subjects]
                halves = [n for n in held if isinstance(n, float) and n % 1 == 0.5]
                node = tree.Call("abs" if halves else "round", (one,))
        return Operand(node, FieldType.NUMBER)

    def length(self) -> Operand:
        """Return `length(s)` of a string field."""
        held = [o for o in self.fields if o.type in (FieldType.KEYWORD, FieldType.TEXT)]
        if not held:
            return self.numeric_function()
        return Operand(tree.Call("length", (self.dice.pick(held).node,)), FieldType.NUMBER)

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

    def names_something(self, word: str) -> bool:
        """Return whether a bare word would not be a string."""
        subject = (
            Occurrence(self.world.events[0], self.types) if self.types else Contact("", {}, {})
        )
        return oracle.names_field(self.query, subject, word)

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
                low, high = self.time(operand), self.time(operand)
                return tree.Between(node, low, high, self.negated())
            case 6:
                op = self.dice.pick((CompareOp.BEFORE, CompareOp.AFTER))
                return tree.Compare(node, op, self.time(operand))
            case 7:
                if self.dice.chance(50):
                    return tree.Compare(node, CompareOp.ON, self.day(operand))
                options = (self.time(operand), self.time(operand))
                return tree.In(node, options, self.negated())
            case 8 if "fields" in self.features:
                other = self.any_time().node
                return tree.Compare(node, self.dice.pick(ORDER + EQUALITY), other)
        op = self.dice.pick(ORDER + EQUALITY)
        right = self.time(operand)
        if isinstance(right, tree.Ago) and op in ORDER:  # that is how an age is written
            return tree.Age(node, op, right.duration)
        return tree.Compare(node, op, right)

    def time(self, operand: Operand | None) -> tree.Value:
        """
        Return a time to compare *operand* with, or for the edge of a window.

        Beside a date, clock times and hours are errors.
        """
        if operand is not None and operand.type is FieldType.DATE:
            match self.dice.integer(0, 5):
                case 0 | 1:
                    return tree.Ago(self.duration(DAY_UNITS))
                case 2:
                    return self.moved(tree.TimeWord(Moment.NOW), DAY_UNITS)
            return self.day(operand)
        match self.dice.integer(0, 7):
            case 0:
                return tree.Ago(self.duration())
            case 1:
                return self.moved(tree.TimeWord(Moment.NOW), tuple(Unit))
            case 2:
                return self.moved(self.day(operand), (Unit.HOUR, Unit.MINUTE))
            case 3 | 4:
                return self.clock_time(operand)
        return self.day(operand)

    def moved(self, time: tree.Value, units: Sequence[Unit]) -> tree.Value:
        """Return a time, mostly ± a duration."""
        if self.dice.chance(25):
            return time
        op = self.dice.pick((ArithmeticOp.SUBTRACT, ArithmeticOp.ADD))
        return tree.Arithmetic(op, time, tree.DurationValue(self.duration(units)))

    def day(self, operand: Operand | None) -> tree.Value:
        """Return a calendar day, in one of the ways to write one."""
        words = (Moment.TODAY, Moment.YESTERDAY, Moment.TOMORROW)
        match self.dice.integer(0, 5):
            case 0 | 1:
                return tree.TimeWord(self.dice.pick(words))
            case 2:
                return self.moved(tree.TimeWord(Moment.TODAY), DAY_UNITS)
        literal: tree.Value = tree.Date(self.some_day(operand))
        return self.moved(literal, DAY_UNITS) if self.dice.chance(10) else literal

    def some_day(self, operand: Operand | None) -> dt.date:
        """Return a day that some contact has, or an edge."""
        held = self.sample(operand.node) if operand and self.dice.chance(60) else None
        if isinstance(held, SpokenInstant):
            held = held.instant
        if isinstance(held, dt.datetime):
            return held.astimezone(self.scene.zone).date()
        return held if isinstance(held, dt.date) else self.dice.pick(self.scene.days)

    def clock_time(self, operand: Operand | None) -> tree.DateTime:
        """Return a clock time that some contact has, or an edge; with an offset or without."""
        held = self.sample(operand.node) if operand and self.dice.chance(60) else None
        if isinstance(held, SpokenInstant):
            held = held.instant
        instant = held if isinstance(held, dt.datetime) else self.dice.pick(self.scene.instants)
        match self.dice.integer(0, 3):
            case 0:
                return tree.DateTime(instant)
            case 1:
                return tree.DateTime(instant.astimezone(dt.timezone(dt.timedelta(hours=5.5))))
            case 2:  # the same clock time, which on some days occurs twice or not at all
                day = self.dice.pick(self.scene.days)
                return tree.DateTime(dt.datetime.combine(day, dt.time(2, 30)))
        wall = instant.astimezone(self.scene.zone).replace(tzinfo=None, fold=0)
        return tree.DateTime(wall)

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

    def selector(self) -> tuple[tree.EventSelector, tuple[EventType, ...]]:
        """Return a type, alias or group of events, sometimes with a `where`, and its types."""
        name = self.dice.pick(self.world.schema.event_names())
        types = self.world.schema.event(name)
        where = None
        if self.dice.chance(30):
            inner = Writer(self.dice, self.world, self.scene, self.features, types)
            if inner.fields and inner.subjects:
                where = inner.segment(self.dice.pick((0, 0, 0, 1, 2)))
        return tree.EventSelector(self.spelled(name), where), types

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

    def window(self) -> tree.Window | None:
        """Return a window, or none."""
        match self.dice.integer(0, 9):
            case 0 | 1:
                return None
            case 2 | 3 | 4:
                return tree.LastWindow(self.duration())
            case 5:
                return tree.BetweenWindow(self.time(None), self.time(None))
            case 6 | 7:
                edge = self.dice.pick(tuple(Edge))
                time = self.day(None) if edge is Edge.ON else self.time(None)
                return tree.EdgeWindow(edge, time)
            case 8:
                return tree.CalendarWindow(self.dice.pick(self.scene.periods))
        return tree.Ever()

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


def _same(property_: Field, event_type: EventType) -> bool:
    """Return whether a type has a property of this name and type."""
    other = event_type.property(property_.name)
    return other is not None and other.type is property_.type


def _alike(a: Field, b: Field) -> bool:
    """Return whether two fields compare strings in the same way."""
    if oracle_text.is_id(a) or oracle_text.is_id(b) or a.values or b.values:
        return False
    strings = (FieldType.KEYWORD, FieldType.TEXT)
    options = (a.case_sensitive, a.fold_accents) == (b.case_sensitive, b.fold_accents)
    return options and a.type in strings and b.type in strings
