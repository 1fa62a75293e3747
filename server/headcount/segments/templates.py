"""
Templates: segments that most teams want, ready to use or to change.

Each is a text of the segment language over names that are common in such data, with the names it
needs, and what it is used for. `fits` holds them against a workspace: those that can be used as
they are come first, and for the others it says what is missing and what to do.

The texts are examples of the language as well, so each is written the way a person would.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from headcount.model.schema import FieldType
from headcount.segments.needs import Has, Need, NeedKind


@dataclass(frozen=True, slots=True)
class Template:
    """A ready segment: its name, whom it finds, its text, what it needs, what it is used for."""

    name: str
    finds: str
    text: str
    needs: tuple[Need, ...]
    uses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fit:
    """A template held against a workspace; `missing` has each unmet need with what to do."""

    template: Template
    missing: tuple[tuple[Need, str], ...]

    @property
    def usable(self) -> bool:
        """Return whether nothing is missing."""
        return not self.missing


def fits(has: Has) -> list[Fit]:
    """Return every template held against a workspace, those that can be used first."""
    found = [Fit(template, tuple(_missing(template, has))) for template in TEMPLATES]
    return sorted(found, key=lambda fit: not fit.usable)


def _missing(template: Template, has: Has) -> Iterator[tuple[Need, str]]:
    for need in template.needs:
        advice = has.missing(need)
        if advice is not None:
            yield need, advice


def _field(name: str, type_: str, *values: str) -> Need:
    return Need(NeedKind.FIELD, name, FieldType(type_), values)


def _event(name: str) -> Need:
    return Need(NeedKind.EVENT, name)


def _property(name: str, type_: str) -> Need:
    return Need(NeedKind.PROPERTY, name, FieldType(type_))


_SEND, _OPEN, _CLICK = map(_event, ("email_send", "email_open", "email_click"))
_PURCHASE, _CART, _PRODUCT = map(_event, ("purchase", "add_to_cart", "product_view"))
_PAGE = (_event("page_view"), _property("page_view.page", "keyword"))
_LAST_OPEN = _field("last_open", "datetime")
_LAST_ACTIVITY = _field("last_activity", "datetime")
_LAST_PURCHASE = _field("last_purchase", "datetime")
_SUBSCRIBED = _field("subscribed_at", "datetime")
_SIGNED_UP = _field("signed_up_at", "datetime")
_SPENT = _field("total_spent", "number")
_LIFETIME = _field("lifetime_value", "number")
_BIRTHDAY = _field("birthday", "date")
_COUNTRY = _field("country", "keyword")
_CITY = _field("city", "keyword")
_PLAN = _field("plan", "keyword")
_JOB = _field("job_title", "text")
_NEWSLETTER = Need(NeedKind.LIST, "newsletter")

_EU = (
    '"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE",'
    ' "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"'
)


def _stage(name: str) -> Need:
    return _field("stage", "stage", name)


TEMPLATES = (
    # --- new contacts -------------------------------------------------------------------------
    Template(
        "welcome",
        "Subscribed in the last week and not yet welcomed.",
        "subscribed_at < 7 days ago and welcome_email_sent = false",
        (_SUBSCRIBED, _field("welcome_email_sent", "boolean")),
        ("welcome series", "education"),
    ),
    # --- engagement ---------------------------------------------------------------------------
    Template(
        "highly engaged",
        "Opened at least five e-mails and clicked at least twice in the last 30 days.",
        "email_open >= 5 emails in last 30 days and email_click >= 2 links in last 30 days",
        (_OPEN, _CLICK),
        ("premium content", "special offers", "beta invitations"),
    ),
    Template(
        "engaged only",
        "Opened or clicked in the last 30 days: protects deliverability.",
        "email_open in last 30 days or email_click in last 30 days",
        (_OPEN, _CLICK),
        ("newsletters", "sender reputation"),
    ),
    Template(
        "regular readers",
        "Active, and opened at least three e-mails in the last 30 days.",
        'status = "Active" and email_open >= 3 emails in last 30 days',
        (_OPEN,),
        ("premium content", "newsletters"),
    ),
    Template(
        "read in the last month",
        "Opened at least one e-mail in the last month.",
        "did email_open at least 1 times in last month",
        (_OPEN,),
        ("newsletters",),
    ),
    Template(
        "active users",
        "Any activity in the last 30 days.",
        "last_activity > today - 30 days",
        (_LAST_ACTIVITY,),
        ("product news", "survey"),
    ),
    Template(
        "at risk",
        "Used to open, hardly opens any more, and has been subscribed for three months.",
        "email_open < 2 emails in last 60 days and email_open > 5 emails"
        " and subscribed_at > 90 days ago",
        (_OPEN, _SUBSCRIBED),
        ("re-engagement", "win-back", "survey"),
    ),
    Template(
        "never engaged",
        "Subscribed for a month without opening anything.",
        "email_open = 0 and subscribed_at > 30 days ago",
        (_OPEN, _SUBSCRIBED),
        ("content change", "preference centre", "sunset"),
    ),
    Template(
        "inactive",
        "Active subscribers whose last open is over 90 days ago.",
        'status = "Active" and last_open > 90 days ago',
        (_LAST_OPEN,),
        ("re-engagement", "list hygiene"),
    ),
    Template(
        "dormant",
        "No activity of any kind for half a year, or ever.",
        "last_activity > 180 days ago or last_activity is empty",
        (_LAST_ACTIVITY,),
        ("sunset", "list hygiene"),
    ),
    Template(
        "re-permission",
        "On the list, with no open or click for 90 days.",
        'in list "newsletter" and did not email_open in last 90 days'
        " and did not email_click in last 90 days",
        (_NEWSLETTER, _OPEN, _CLICK),
        ("re-permission flow", "sunset"),
    ),
    Template(
        "received but not opened",
        "Was sent at least one e-mail in the last quarter and opened none in it.",
        "did email_send last quarter and did not email_open last quarter",
        (_SEND, _OPEN),
        ("content change", "re-engagement"),
    ),
    Template(
        "regular by the week",
        "Opened something in at least three of the last four weeks.",
        "did email_open in at least 3 of the last 4 weeks",
        (_OPEN,),
        ("beta invitations", "premium content"),
    ),
    # --- labels, lists and places -------------------------------------------------------------
    Template(
        "newsletter readers by label",
        "Active contacts with the label newsletter.",
        'status = "Active" and label contains "newsletter"',
        (Need(NeedKind.LABEL, "newsletter"),),
        ("newsletters",),
    ),
    Template(
        "vip by label",
        "Active contacts with the label vip.",
        'status = "Active" and label contains "vip"',
        (Need(NeedKind.LABEL, "vip"),),
        ("loyalty", "exclusive access"),
    ),
    Template(
        "list members",
        "Everyone on a list.",
        'in list "newsletter"',
        (_NEWSLETTER,),
        ("newsletters",),
    ),
    Template(
        "active on a list",
        "On the list, and active in the last 30 days.",
        'in list "newsletter" and last_activity within last 30 days',
        (_NEWSLETTER, _LAST_ACTIVITY),
        ("special offers", "loyalty"),
    ),
    Template(
        "joined this week",
        "Joined the list in the last seven days.",
        'did list_joined where (list = "newsletter") in last 7 days',
        (),
        ("welcome series",),
    ),
    Template(
        "local actives",
        "Active contacts in one city.",
        'status = "Active" and city contains "Jakarta"',
        (_CITY,),
        ("local events",),
    ),
    Template(
        "local",
        "Contacts in three states of one country, in one time zone.",
        'country = "US" and state in ("CA", "NY", "TX") and timezone = "PST"',
        (_COUNTRY, _field("state", "keyword"), _field("timezone", "keyword")),
        ("local events", "regional offers", "time-zone sends"),
    ),
    Template(
        "staff",
        "Everyone with an address of the company.",
        'email contains "@company.com"',
        (_field("email", "text"),),
        ("internal news",),
    ),
    Template(
        "specialists who went quiet",
        "One job in one city, with one interest, and no visit for two weeks.",
        'job_title = "CTO" and city = "Tokyo" and interests contains "Python"'
        " and did not page_view in last 2 weeks",
        (_JOB, _CITY, _field("interests", "keywords"), _event("page_view")),
        ("re-engagement", "recommendations"),
    ),
    Template(
        "product fit",
        "The right job for the product they asked about, at a company of size or with a budget.",
        '((product_interest = "Software" and job_title contains "Developer")'
        ' or (product_interest = "Marketing" and job_title contains "Marketing"))'
        " and (company_size > 100 or budget > $10000)",
        (
            _field("product_interest", "keyword"),
            _JOB,
            _field("company_size", "number"),
            _field("budget", "number"),
        ),
        ("sales follow-up", "education"),
    ),
    # --- shopping -----------------------------------------------------------------------------
    Template(
        "recent purchasers",
        "Bought in the last seven days; used to leave out of promotions too.",
        "did purchase in last 7 days",
        (_PURCHASE,),
        ("thank-you", "review", "cross-sell"),
    ),
    Template(
        "subscribers who did not just buy",
        "Everyone on the list but those who bought this week.",
        'in list "newsletter" and did not purchase this week',
        (_NEWSLETTER, _PURCHASE),
        ("special offers", "discounts"),
    ),
    Template(
        "ordered lately",
        "Placed an order in the last two months.",
        "did purchase in last 2 months",
        (_PURCHASE,),
        ("cross-sell", "review"),
    ),
    Template(
        "shoppers on a list",
        "On the list, with an order in six months or a full cart in the last month.",
        'in list "newsletter" and (did purchase in last 6 months or did add_to_cart in last month)',
        (_NEWSLETTER, _PURCHASE, _CART),
        ("recommendations", "special offers"),
    ),
    Template(
        "repeat customers in the EU",
        "Bought at least twice, and live in the European Union.",
        f"did purchase at least 2 times and country in ({_EU})",
        (_PURCHASE, _COUNTRY),
        ("loyalty", "regional offers"),
    ),
    Template(
        "engaged buyers",
        "On the Pro plan, bought before, and opened in the last 30 days.",
        'email_open in last 30 days and plan = "Pro" and did purchase',
        (_OPEN, _PLAN, _PURCHASE),
        ("cross-sell", "review"),
    ),
    Template(
        "win-back",
        "Bought before, but not in the last 180 days.",
        "last_purchase > 180 days ago and previous_customer = true",
        (_LAST_PURCHASE, _field("previous_customer", "boolean")),
        ("win-back", "discounts"),
    ),
    Template(
        "quiet buyers",
        "Bought before, and no open in the last 60 days.",
        "did purchase and did not email_open in last 60 days",
        (_PURCHASE, _OPEN),
        ("win-back", "survey"),
    ),
    Template(
        "lapsed buyers",
        "Bought before, and no open or click in the last 60 days.",
        "did purchase and did not email_open in last 60 days"
        " and did not email_click in last 60 days",
        (_PURCHASE, _OPEN, _CLICK),
        ("win-back", "survey"),
    ),
    Template(
        "high-value at risk",
        "Customers whose last open is over two months ago.",
        'stage = "Customer" and last_open > 60 days ago',
        (_stage("Customer"), _LAST_OPEN),
        ("retention", "support"),
    ),
    Template(
        "churn risks",
        "Customers and better without any activity for a month.",
        'stage >= "Customer" and last_activity > 30 days ago',
        (_stage("Customer"), _LAST_ACTIVITY),
        ("retention", "win-back", "support"),
    ),
    Template(
        "big spenders gone quiet",
        "Spent over 500, read e-mails, and have not bought for a month, in two countries.",
        '(country = "US" or country = "CA") and last_purchase > 30 days ago'
        " and total_spent > $500 and email_open > 5 emails",
        (_COUNTRY, _LAST_PURCHASE, _SPENT, _OPEN),
        ("win-back", "special offers"),
    ),
    Template(
        "vip",
        "Worth over 500 a month and engaged in the last two weeks.",
        "mrr > 500 and (email_open in last 14 days or email_click in last 14 days)",
        (_field("mrr", "number"), _OPEN, _CLICK),
        ("loyalty", "exclusive access", "beta invitations"),
    ),
    Template(
        "high value active",
        "A lifetime value over 500, and active in the last 30 days.",
        "lifetime_value > 500 and last_activity within last 30 days",
        (_LIFETIME, _LAST_ACTIVITY),
        ("premium content", "exclusive access"),
    ),
    Template(
        "top tier",
        "A lifetime value over 1,000, or more than five purchases in a year.",
        "lifetime_value > $1000 or did purchase more than 5 times in last 1 year",
        (_LIFETIME, _PURCHASE),
        ("loyalty", "exclusive access"),
    ),
    Template(
        "big spenders of the quarter",
        "Spent over 500 in the last 90 days, summed over their purchases.",
        "sum(purchase.amount in last 90 days) > 500",
        (_PURCHASE, _property("purchase.amount", "number")),
        ("loyalty", "thank-you"),
    ),
    Template(
        "pricing page visitors",
        "Looked at the pricing page in the last 30 days.",
        'did page_view where (page contains "pricing") in last 30 days',
        _PAGE,
        ("sales follow-up",),
    ),
    Template(
        "hot prospects",
        "Looked at the pricing page, and never bought.",
        'did page_view where (page contains "pricing") in last 30 days and never did purchase',
        (*_PAGE, _PURCHASE),
        ("sales follow-up", "limited-time"),
    ),
    Template(
        "high-intent leads",
        "Leads and trials that looked at the pricing page at least twice in two weeks.",
        'stage in ("Lead", "Trial")'
        ' and did page_view where (page contains "pricing") at least 2 times in last 14 days',
        (_field("stage", "stage", "Lead", "Trial"), *_PAGE),
        ("sales follow-up", "limited-time"),
    ),
    Template(
        "upsell",
        "On the free plan, and looked at the pricing page.",
        'plan = "Free" and did page_view where (page contains "pricing") in last 30 days',
        (_PLAN, *_PAGE),
        ("upgrade offers",),
    ),
    Template(
        "cart abandoners",
        "Has something in the cart, never bought, and was here in the last day.",
        "cart_value > 0 and last_purchase = null and last_activity < 24 hours ago",
        (_field("cart_value", "number"), _LAST_PURCHASE, _LAST_ACTIVITY),
        ("reminder", "discount", "support"),
    ),
    Template(
        "cart abandoners by event",
        "Put something into the cart in the last week, and bought nothing within a day.",
        "did add_to_cart then did not purchase within 24 hours in last 7 days",
        (_CART, _PURCHASE),
        ("reminder", "discount", "support"),
    ),
    Template(
        "browse abandoners",
        "Looked at more than three products in two days and put none in the cart.",
        "product_view > 3 products in last 48 hours and did not add_to_cart in last 48 hours",
        (_PRODUCT, _CART),
        ("recommendations", "limited-time", "education"),
    ),
    # --- dates --------------------------------------------------------------------------------
    Template(
        "birthday month",
        "Has a birthday this month.",
        "month(birthday) = current_month()",
        (_BIRTHDAY,),
        ("birthday wishes", "discounts", "loyalty"),
    ),
    Template(
        "birthday this week",
        "Has a birthday in the next seven days, across the new year too.",
        "anniversary(birthday) between today and today + 7 days",
        (_BIRTHDAY,),
        ("birthday wishes",),
    ),
    Template(
        "signup anniversary",
        "Signed up on this day in an earlier year.",
        "anniversary(signed_up_at) = today and signed_up_at before today",
        (_SIGNED_UP,),
        ("thank-you", "loyalty"),
    ),
    Template(
        "loyal customers",
        "In the Gold tier, and with us for over a year.",
        'signed_up_at > 365 days ago and customer_tier = "Gold"',
        (_SIGNED_UP, _field("customer_tier", "keyword")),
        ("loyalty", "exclusive access", "retention"),
    ),
    Template(
        "holiday season",
        "Everyone active in November and December, nobody in the rest of the year.",
        'month(today) in (11, 12) and status = "Active"',
        (),
        ("seasonal campaigns", "special offers"),
    ),
    # --- the customer's journey: each contact is in one of these at most ------------------------
    Template(
        "journey: prospect",
        "First step: known, and nothing more.",
        'stage = "Prospect"',
        (_stage("Prospect"),),
        ("education",),
    ),
    Template(
        "journey: lead",
        "Second step: has shown interest.",
        'stage = "Lead"',
        (_stage("Lead"),),
        ("education", "sales follow-up"),
    ),
    Template(
        "journey: trial",
        "Third step: tries the product.",
        'stage = "Trial"',
        (_stage("Trial"),),
        ("education", "support"),
    ),
    Template(
        "journey: customer",
        "Fourth step: pays.",
        'stage = "Customer"',
        (_stage("Customer"),),
        ("cross-sell", "review"),
    ),
    Template(
        "journey: loyal",
        "Fifth step: stays, and has not yet brought anybody.",
        'stage = "Loyal" and never did referral',
        (_stage("Loyal"), _event("referral")),
        ("loyalty", "retention"),
    ),
    Template(
        "journey: advocate",
        "Last step: stays, and has brought somebody.",
        'stage = "Loyal" and did referral',
        (_stage("Loyal"), _event("referral")),
        ("exclusive access", "thank-you"),
    ),
)
