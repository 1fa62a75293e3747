"""
Segments over the Complete Journey, each written once in our language and once in SQL.

The SQL gives household ids; `$now` is `AS_OF`. It is written the way an analyst would write it,
from the tables and not from the segment, so that the two share no reasoning.
"""

from __future__ import annotations

import datetime as dt

AS_OF = dt.datetime(2017, 12, 31, 12, tzinfo=dt.UTC)  # the data goes on for 16 hours after it

_H = "select household_id from households where "
_EVER = "select household_id from {} where t <= $now and "
_ALL_BUT = "select household_id from households except "


def _counted(table: str, condition: str, having: str) -> str:
    """Households whose number of rows in *table* under *condition* meets *having*, 0 included."""
    return f"""select household_id from households left join
        (select household_id, count(*) as n from {table} where {condition} group by 1)
        using (household_id) where coalesce(n, 0) {having}"""


SEGMENTS: dict[str, tuple[str, str]] = {
    # fields, with two thirds of the demographics missing
    "everyone": ("everyone", "select household_id from households"),
    "keyword": ('age = "35-44"', _H + "age = '35-44'"),
    "keyword in any case": ("marital_status = MARRIED", _H + "marital_status = 'Married'"),
    "not equal holds the missing": (
        'age != "35-44"',
        _H + "age is distinct from '35-44'",
    ),
    "not equal, but known": (
        'age != "35-44" and age is not empty',
        _H + "age <> '35-44'",
    ),
    "is empty": ("home_ownership is empty", _H + "home_ownership is null"),
    "in": (
        'income in ("35-49K", "50-74K", "75-99K")',
        _H + "income in ('35-49K', '50-74K', '75-99K')",
    ),
    "not in holds the missing": (
        'income not in ("35-49K", "50-74K")',
        _H + "coalesce(income not in ('35-49K', '50-74K'), true)",
    ),
    "contains": ('home_ownership contains "owner"', _H + "home_ownership ilike '%owner%'"),
    "not contains": (
        'home_ownership not contains "owner"',
        _H + "coalesce(not home_ownership ilike '%owner%', true)",
    ),
    "starts with": (
        'home_ownership starts with "Probable"',
        _H + "starts_with(home_ownership, 'Probable')",
    ),
    "ends with": ('household_comp ends with "No Kids"', _H + "household_comp like '%No Kids'"),
    "like": ('household_comp like "_ adult% kids"', _H + "household_comp ilike '_ adult% kids'"),
    "matches": (
        r'income matches "^\\d+-\\d+K$"',
        _H + r"regexp_matches(income, '^\d+-\d+K$')",
    ),
    "number": ("spent > 5000", _H + "spent > 5000"),
    "number between": ("spent between 1000 and 2000.5", _H + "spent between 1000 and 2000.5"),
    "number equal": ("baskets = 62", _H + "baskets = 62"),
    "number and not": ("not spent >= $500", _H + "not spent >= 500"),
    "field against field": ("spent > baskets", _H + "spent > baskets"),
    "multi-valued": ('departments contains "FUEL"', _H + "list_contains(departments, 'FUEL')"),
    "multi-valued any": (
        'departments contains any ("FLORAL", "SALAD BAR")',
        _H + "list_has_any(departments, ['FLORAL', 'SALAD BAR'])",
    ),
    "multi-valued all": (
        'departments contains all ("FLORAL", "SALAD BAR", "FUEL")',
        _H + "list_has_all(departments, ['FLORAL', 'SALAD BAR', 'FUEL'])",
    ),
    "multi-valued none": (
        'departments contains none ("FUEL", "COSMETICS")',
        _H + "not list_has_any(departments, ['FUEL', 'COSMETICS'])",
    ),
    "nested": (
        '(age in ("25-34", "35-44") and kids_count != "0") or (spent > 8000 and not age = "65+")',
        _H + "(age in ('25-34', '35-44') and kids_count is distinct from '0')"
        " or (spent > 8000 and age is distinct from '65+')",
    ),
    # dates and instants
    "date before": ("first_shopped before 2017-02-01", _H + "first_shopped < date '2017-02-01'"),
    "date month": ("month(first_shopped) in (3, 4)", _H + "month(first_shopped) in (3, 4)"),
    "date weekday": ("weekday(first_shopped) = 7", _H + "isodow(first_shopped) = 7"),
    "datetime on a day": (
        "last_shopped on 2017-12-30",
        _H + "cast(last_shopped as date) = date '2017-12-30'",
    ),
    "older than": (
        "last_shopped > 30 days ago",
        _H + "last_shopped < $now - interval 30 day",
    ),
    "within last": (
        "last_shopped within last 48 hours",
        _H + "last_shopped > $now - interval 48 hour and last_shopped <= $now",
    ),
    "hour of day": ("hour(last_shopped) < 6", _H + "hour(last_shopped) < 6"),
    "local day in New York": (
        "last_shopped between 2017-12-24 and 2017-12-25",
        _H + "last_shopped >= timestamp '2017-12-24 05:00' and"
        " last_shopped < timestamp '2017-12-26 05:00'",
    ),
    # events
    "bought in the last 7 days": (
        "bought in last 7 days",
        _EVER.format("purchases") + "t > $now - interval 7 day",
    ),
    "bought at least 20 times in 30 days": (
        "bought >= 20 items in last 30 days",
        _counted("purchases", "t > $now - interval 30 day and t <= $now", ">= 20"),
    ),
    "bought fewer than 10 times, none included": (
        "did purchase fewer than 10 times in last 60 days",
        _counted("purchases", "t > $now - interval 60 day and t <= $now", "< 10"),
    ),
    "between a and b times, ever": (
        "did purchase between 100 and 200 times",
        _counted("purchases", "t <= $now", "between 100 and 200"),
    ),
    "exactly n times in a past quarter": (
        "did purchase exactly 50 times between 2017-04-01 and 2017-06-30",
        _counted("purchases", "t >= '2017-04-01' and t < '2017-07-01'", "= 50"),
    ),
    "at least n in a past window between instants": (
        "did purchase at least 5 times between 2017-03-05T10:00:00Z and 2017-03-08T18:30:00Z",
        _counted("purchases", "t between '2017-03-05 10:00' and '2017-03-08 18:30'", ">= 5"),
    ),
    "not in a past month": (
        "did not purchase between 2017-08-01 and 2017-08-31",
        _ALL_BUT + "select household_id from purchases"
        " where t >= '2017-08-01' and t < '2017-09-01'",
    ),
    "lapsed": (
        "bought before 2017-10-01 and never did purchase since 2017-10-01",
        _EVER.format("purchases")
        + "t < '2017-10-01' except "
        + _EVER.format("purchases")
        + "t >= '2017-10-01'",
    ),
    "this month": (
        "bought >= 100 items this month",
        _counted("purchases", "t >= '2017-12-01' and t <= $now", ">= 100"),
    ),
    "previous calendar month": (
        "did purchase at most 3 times last month",
        _counted("purchases", "t >= '2017-11-01' and t < '2017-12-01'", "<= 3"),
    ),
    "rolling calendar months": (
        "bought > 500 items in last 3 months",
        _counted("purchases", "t > timestamp '2017-09-30 12:00' and t <= $now", "> 500"),
    ),
    # event properties
    "where number": (
        "did purchase where (amount > 50) in last 90 days",
        _EVER.format("purchases") + "amount > 50 and t > $now - interval 90 day",
    ),
    "where keyword, counted": (
        'did purchase where (department = "FLORAL") at least 3 times',
        _counted("purchases", "department = 'FLORAL' and t <= $now", ">= 3"),
    ),
    "where with a gap": (
        "did purchase where (department is empty) at least 2 times",
        _counted("purchases", "department is null and t <= $now", ">= 2"),
    ),
    "where not equal holds the missing": (
        'did purchase where (brand != "National" and amount >= 20) at least 2 times',
        _counted(
            "purchases",
            "brand is distinct from 'National' and amount >= 20 and t <= $now",
            ">= 2",
        ),
    ),
    "where nested": (
        'did purchase where ((department in ("MEAT", "DELI") or coupon > 0) and quantity >= 2)'
        " at least 5 times in last 180 days",
        _counted(
            "purchases",
            "(department in ('MEAT', 'DELI') or coupon > 0) and quantity >= 2"
            " and t > $now - interval 180 day and t <= $now",
            ">= 5",
        ),
    ),
    "redeemed a campaign": (
        'did redemption where (campaign = "18")',
        _EVER.format("redemptions") + "campaign = '18'",
    ),
    "mailed but did not redeem": (
        'received and did not redeemed and kids_count = "0"',
        _EVER.format("mailings")
        + "household_id in (select household_id from households where kids_count = '0') except "
        + _EVER.format("redemptions")
        + "true",
    ),
    "mailed one kind, in summer": (
        'did mailing where (kind = "Type A") between 2017-06-01 and 2017-08-31',
        _EVER.format("mailings") + "kind = 'Type A' and t >= '2017-06-01' and t < '2017-09-01'",
    ),
    "group": (
        "did reacted at least 1000 times",
        """select household_id from (
            select household_id from purchases where t <= $now
            union all select household_id from redemptions where t <= $now)
           group by 1 having count(*) >= 1000""",
    ),
    "count as a value": (
        "count(purchase in last 30 days) > count(purchase between 2017-01-01 and 2017-01-31)",
        """select household_id from (
            select household_id, count(*) filter (t > $now - interval 30 day and t <= $now) as late,
                   count(*) filter (t < '2017-02-01') as early from purchases group by 1)
           where late > early""",
    ),
    "last purchase before": (
        "last(purchase) before 2017-11-01",
        """select household_id from purchases where t <= $now group by 1
           having max(t) < '2017-11-01'""",
    ),
    "first with a condition": (
        'first(purchase where (department = "FUEL")) within last 90 days',
        """select household_id from purchases where department = 'FUEL' and t <= $now group by 1
           having min(t) > $now - interval 90 day""",
    ),
    "no such event has no last": (
        "last(redemption) is empty",
        _ALL_BUT + "select household_id from redemptions where t <= $now",
    ),
}
IN_NEW_YORK = {"local day in New York"}
