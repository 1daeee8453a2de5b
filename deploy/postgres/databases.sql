-- Run once by the image, on an empty volume, with psql: a database and its owner for MLflow, and
-- another pair for the events. Passwords come from the environment.
\set ON_ERROR_STOP on
\getenv mlflow_password MLFLOW_DB_PASSWORD
\getenv events_password EVENTS_DB_PASSWORD

CREATE ROLE mlflow LOGIN PASSWORD :'mlflow_password';
CREATE DATABASE mlflow OWNER mlflow;
REVOKE CONNECT ON DATABASE mlflow FROM PUBLIC;

CREATE ROLE events LOGIN PASSWORD :'events_password';
CREATE DATABASE events OWNER events;
REVOKE CONNECT ON DATABASE events FROM PUBLIC;
