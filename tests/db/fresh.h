/* fresh.h - a database of its own for one test program, owned by a role that row-level security binds. */
#ifndef FRESH_H
#define FRESH_H

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "assets.h"
#include "db.h"
#include "log.h"

#define FRESH_KEYS "k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

struct fresh {
    char admin_url[512];
    char url[512]; /* of the new database, as its owner */
    char name[64];
    struct keyring *ring;
};

/* Runs SQL as the administrator; exits with 77 when there is no server to test on. */
static inline void fresh_admin(const char *url, const char *sql, const char *sql2)
{
    PGconn *pg = PQconnectdb(url);
    const char *all[2] = { sql, sql2 };

    if (PQstatus(pg) != CONNECTION_OK) {
        printf("no database to test on: %s", PQerrorMessage(pg));
        exit(77);
    }
    for (int i = 0; i < 2; i++) {
        PGresult *res = all[i] == NULL ? NULL : PQexec(pg, all[i]);

        if (res != NULL && PQresultStatus(res) == PGRES_FATAL_ERROR)
            printf("%s: %s", all[i], PQerrorMessage(pg));
        PQclear(res);
    }
    PQfinish(pg);
}

/* The same server, another role and database: postgresql://user@host:port/name[?...]. */
static inline void fresh_url(char *out, size_t cap, const char *base, const char *role,
                             const char *name)
{
    const char *rest = strstr(base, "://");
    const char *host = rest == NULL ? NULL : strchr(rest + 3, '@');
    const char *slash = NULL, *query = strchr(base, '?');

    host = host != NULL ? host + 1 : rest == NULL ? base : rest + 3;
    slash = strchr(host, '/');
    (void)snprintf(out, cap, "postgresql://%s:%s@%.*s/%s%s", role, role,
                   (int)(slash == NULL ? strcspn(host, "?") : (size_t)(slash - host)), host, name,
                   query == NULL ? "" : query);
}

/* Makes the database; applies the migrations when asked to. */
static inline void fresh_open(struct fresh *f, const char *what, bool migrate)
{
    const char *base = getenv("TEST_DATABASE_URL");
    char role[256], database[256];
    struct db_pool *pool = NULL;
    struct err e = { 0 };
    struct timespec now;

    if (base == NULL) {
        printf("TEST_DATABASE_URL is not set\n");
        exit(77);
    }
    (void)clock_gettime(CLOCK_REALTIME, &now);
    log_setup(LOG_ERROR, true);
    (void)snprintf(f->admin_url, sizeof f->admin_url, "%s", base);
    (void)snprintf(f->name, sizeof f->name, "t_%s_%d_%ld", what, (int)getpid(), now.tv_nsec / 1000);
    (void)snprintf(role, sizeof role, "CREATE ROLE %s LOGIN PASSWORD '%s'", f->name, f->name);
    (void)snprintf(database, sizeof database, "CREATE DATABASE %s OWNER %s TEMPLATE template0",
                   f->name, f->name);
    fresh_admin(base, role, database);
    fresh_url(f->url, sizeof f->url, base, f->name, f->name);
    if (keyring_new(FRESH_KEYS, &f->ring, &e) != RC_OK) {
        printf("key ring: %s\n", e.text);
        exit(1);
    }
    if (!migrate)
        return;
    if (db_pool_new(f->url, 2, 30000, f->ring, &pool, &e) != RC_OK ||
        db_migrate(pool, NULL, &e) != RC_OK) {
        printf("migrate: %s\n", e.text);
        exit(1);
    }
    db_pool_free(pool);
}

static inline void fresh_close(struct fresh *f)
{
    char database[256], role[256];

    (void)snprintf(database, sizeof database, "DROP DATABASE IF EXISTS %s WITH (FORCE)", f->name);
    (void)snprintf(role, sizeof role, "DROP ROLE IF EXISTS %s", f->name);
    fresh_admin(f->admin_url, database, role);
    keyring_free(f->ring);
}

/* Runs one statement of a test as the system and commits; exits on failure. */
static inline void fresh_sql(struct db_pool *pool, const char *sql)
{
    struct db_tx *tx = NULL;
    struct err e = { 0 };
    enum rc rc = db_tx_begin(pool, "fresh_sql", DB_SYSTEM, &tx, &e);

    if (rc == RC_OK)
        rc = db_exec(tx, sql, NULL, NULL, &e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, &e);
    db_tx_free(tx);
    if (rc != RC_OK) {
        printf("%s: %s\n", sql, e.text);
        exit(1);
    }
}

/* The first column, named n, of the first row as a number. */
static inline int64_t fresh_count(struct db_pool *pool, const char *sql)
{
    struct db_tx *tx = NULL;
    struct db_rows *rows = NULL;
    struct err e = { 0 };
    int64_t n = -1;

    if (db_tx_begin(pool, "fresh_count", DB_SYSTEM, &tx, &e) == RC_OK &&
        db_exec(tx, sql, NULL, &rows, &e) == RC_OK && db_rows_count(rows) > 0)
        n = db_i64(rows, 0, "n");
    else
        printf("%s: %s\n", sql, e.text);
    db_rows_free(rows);
    db_tx_free(tx);
    return n;
}

#endif
