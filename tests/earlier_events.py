"""The table of events as the first version of the web app made it, before roles were kept."""

_COLUMNS = (
    "id", "time_ms", "tag", "client", "model_name", "model_version", "run_id", "cutoff", "date",
    "step", "long_range", "store_nbr", "item_nbr", "family", "class", "perishable", "onpromotion",
    "promotion_assumed", "prediction", "quantile_0.1", "quantile_0.5", "quantile_0.9",
    "contributions", "features", "latency_ms",
)  # fmt: skip

TABLE = """
CREATE TABLE prediction_events (
    seq INTEGER NOT NULL PRIMARY KEY, id VARCHAR(32) NOT NULL, time_ms BIGINT NOT NULL,
    tag VARCHAR(120) NOT NULL, client VARCHAR(80) NOT NULL, model_name VARCHAR(120) NOT NULL,
    model_version INTEGER NOT NULL, run_id VARCHAR(64), cutoff VARCHAR(10) NOT NULL,
    date VARCHAR(10) NOT NULL, step INTEGER NOT NULL, long_range BOOLEAN NOT NULL,
    store_nbr INTEGER NOT NULL, item_nbr BIGINT NOT NULL, family VARCHAR(80) NOT NULL,
    class INTEGER NOT NULL, perishable BOOLEAN NOT NULL, onpromotion BOOLEAN NOT NULL,
    promotion_assumed BOOLEAN NOT NULL, prediction FLOAT NOT NULL, "quantile_0.1" FLOAT NOT NULL,
    "quantile_0.5" FLOAT NOT NULL, "quantile_0.9" FLOAT NOT NULL, contributions TEXT NOT NULL,
    features TEXT NOT NULL, latency_ms FLOAT NOT NULL
)
"""

TABLE_ON_POSTGRES = TABLE.replace("seq INTEGER NOT NULL PRIMARY KEY", "seq BIGSERIAL PRIMARY KEY")

VALUES = (
    "e1", 1_780_000_000_000, "user1.prediction", "buyer", "grocery-demand", 3, "run3",
    "2017-05-31", "2017-06-14", 14, False, 47, 99197, "GROCERY I", 1067, False, True, False,
    4.5, 1.0, 4.0, 9.0, "[]", "{}", 2.5,
)  # fmt: skip

_NAMES = ", ".join(f'"{name}"' for name in _COLUMNS)
_MARKS = ", ".join("?" for _ in _COLUMNS)
INSERT = f"INSERT INTO prediction_events ({_NAMES}) VALUES ({_MARKS})"
