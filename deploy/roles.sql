-- The two roles and the database, once, as a superuser, before the first migration:
--
--     psql -v owner_password=… -v app_password=… -f deploy/roles.sql
--
-- tenure_owner owns everything and migrates; tenure_app serves and owns nothing. The migrations grant the rest.

CREATE ROLE tenure_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE tenure_app LOGIN PASSWORD :'app_password';

CREATE DATABASE tenure OWNER tenure_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE tenure FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE tenure TO tenure_app;

-- The server's own limits: a migration waits for a lock rather than queueing everybody behind it.
ALTER ROLE tenure_owner IN DATABASE tenure SET lock_timeout = '10s';
ALTER ROLE tenure_app IN DATABASE tenure SET idle_in_transaction_session_timeout = '60s';
