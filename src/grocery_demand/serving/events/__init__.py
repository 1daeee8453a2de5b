"""The log of predictions: a table in a database, searched by people, forwarded to Fluentd."""
