/* db/migrate.c - applies the built-in migrations in order, once, one replica at a time. */
#include "pool.h"

#include <string.h>

#include "assets.h"
#include "clock.h"
#include "log.h"
#include "own.h"
#include "str.h"

#define MIGRATE_PREFIX "db/migrations/"
#define MIGRATE_LOCK \
    "7231904481" /* advisory lock of everybody who migrates this service's schema */
#define MIGRATE_LOCK_WAIT_MS 120000 /* another replica migrates meanwhile */
#define MIGRATE_LOCK_STEP_MS 200
#define MIGRATE_RUN_MS 1800000

struct migration {
    int64_t version;
    const struct asset *asset;
    char checksum[SIGN_HEX_BYTES];
};

/* The number in "db/migrations/0001_accounts.sql"; false for any other asset. */
static bool migration_read(const struct asset *asset, struct migration *out)
{
    const char *name = asset->name + strlen(MIGRATE_PREFIX);
    unsigned char digest[SIGN_SHA256_BYTES];
    int64_t version = 0;

    if (!str_starts(asset->name, MIGRATE_PREFIX) || !str_ends(asset->name, ".sql"))
        return false;
    for (int i = 0; i < 4; i++) {
        if (name[i] < '0' || name[i] > '9')
            return false;
        version = version * 10 + (name[i] - '0');
    }
    sign_sha256(asset->data, asset->size, digest);
    out->version = version;
    out->asset = asset;
    str_hex(out->checksum, digest, sizeof digest);
    return true;
}

static const char *applied_checksum(const PGresult *res, int64_t version)
{
    for (int i = 0; i < PQntuples(res); i++) {
        int64_t v = 0;

        if (str_to_i64(PQgetvalue(res, i, 0), 0, INT32_MAX, &v) && v == version)
            return PQgetvalue(res, i, 1);
    }
    return NULL;
}

/* What is applied, or an empty result when the database is new; *known says whether the table exists. */
static enum rc applied_list(struct conn *c, PGresult **out, bool *known, struct err *e)
{
    OWN_RESULT PGresult *there = NULL;
    enum rc rc = conn_simple(c, "SELECT to_regclass('schema_migrations') IS NOT NULL",
                             c->statement_ms, &there, e);

    if (rc != RC_OK)
        return rc;
    *known = str_eq(PQgetvalue(there, 0, 0), "t");
    if (!*known)
        return RC_OK;
    return conn_simple(c, "SELECT version, checksum FROM schema_migrations ORDER BY version",
                       c->statement_ms, out, e);
}

/* Compares the applied ones with ours; *missing counts ours that are not applied. */
static enum rc compare(const PGresult *applied, int *missing, struct err *e)
{
    int matched = 0;

    *missing = 0;
    for (int i = 0; i < ASSETS_COUNT; i++) {
        struct migration m = { 0 };
        const char *checksum = NULL;

        if (!migration_read(&ASSETS[i], &m))
            continue;
        checksum = applied == NULL ? NULL : applied_checksum(applied, m.version);
        if (checksum == NULL) {
            (*missing)++;
            continue;
        }
        matched++;
        if (!str_eq(checksum, m.checksum))
            return err_code(e, RC_INVALID, "schema_changed",
                            "migration %s was changed after it was applied", m.asset->name);
    }
    if (applied != NULL && matched < PQntuples(applied))
        return err_code(e, RC_INVALID, "schema_newer",
                        "the schema of the database is newer than this program");
    return RC_OK;
}

static enum rc apply(struct conn *c, const struct migration *m, struct err *e)
{
    static const char NOTE[] =
        "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)";
    char version[16];
    const char *values[] = { version, m->asset->name + strlen(MIGRATE_PREFIX), m->checksum };
    OWN_STR char *sql = str_ndup((const char *)m->asset->data, m->asset->size);
    OWN_RESULT PGresult *done = NULL;
    struct err cause = { 0 };
    enum rc rc = RC_OK;

    if (sql == NULL)
        return err_set(e, RC_DOWN, "out of memory for a migration");
    (void)str_fmt(version, sizeof version, "%lld", (long long)m->version);
    rc = conn_simple(c, "BEGIN; SELECT set_config('connector.tenant', '*', true)", MIGRATE_RUN_MS,
                     NULL, e);
    if (rc != RC_OK)
        return rc;
    rc = conn_simple(c, sql, MIGRATE_RUN_MS, NULL, &cause);
    if (rc == RC_OK)
        rc = conn_params(c, NOTE, 3, values, NULL, &cause);
    if (rc == RC_OK)
        rc = conn_simple(c, "COMMIT", MIGRATE_RUN_MS, &done, &cause);
    if (rc == RC_OK && !str_eq(PQcmdStatus(done), "COMMIT"))
        rc = err_set(&cause, RC_DOWN, "the database rolled it back");
    if (rc != RC_OK) {
        if (!c->broken)
            (void)conn_simple(c, "ROLLBACK", c->statement_ms, NULL,
                              NULL); /* the first failure is the news */
        return err_set(e, rc, "migration %s: %s", m->asset->name, cause.text);
    }
    LOG(LOG_INFO, "db", "migration applied", LF_S("name", m->asset->name));
    return RC_OK;
}

static enum rc apply_missing(struct conn *c, int *applied, struct err *e)
{
    static const char TABLE[] =
        "CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, name text NOT NULL,"
        " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());"
        "COMMENT ON TABLE schema_migrations IS 'Which migrations were applied, with the SHA-256 of their text'";
    OWN_RESULT PGresult *list = NULL;
    bool known = false;
    int missing = 0;
    enum rc rc = applied_list(c, &list, &known, e);

    if (rc == RC_OK)
        rc = compare(list, &missing, e);
    if (rc == RC_OK && !known)
        rc = conn_simple(c, TABLE, c->statement_ms, NULL, e);
    for (int i = 0; rc == RC_OK && missing > 0 && i < ASSETS_COUNT; i++) {
        struct migration m = { 0 };

        if (!migration_read(&ASSETS[i], &m) ||
            (list != NULL && applied_checksum(list, m.version) != NULL))
            continue;
        rc = apply(c, &m, e);
        if (rc == RC_OK)
            (*applied)++;
    }
    return rc;
}

static bool never(void *user)
{
    (void)user;
    return false;
}

/* Asks again and again instead of waiting in the server, so that a stop is heard. */
static enum rc lock_take(struct conn *c, bool (*stop)(void *user), void *user, struct err *e)
{
    int64_t until = clock_mono_us() + MIGRATE_LOCK_WAIT_MS * US_PER_MS;
    bool told = false;

    for (;;) {
        OWN_RESULT PGresult *res = NULL;
        enum rc rc = conn_simple(c, "SELECT pg_try_advisory_lock(" MIGRATE_LOCK ")",
                                 c->statement_ms, &res, e);

        if (rc != RC_OK || str_eq(PQgetvalue(res, 0, 0), "t"))
            return rc;
        if (clock_mono_us() > until)
            return err_code(e, RC_DOWN, "migrating", "another process still migrates");
        if (!told)
            LOG(LOG_INFO, "db", "another process migrates, waiting for it");
        told = true;
        if (stop(user))
            return err_set(e, RC_STOPPED, "stopped while another process migrates");
        clock_pause_ms(MIGRATE_LOCK_STEP_MS);
    }
}

enum rc db_migrate_until(struct db_pool *pool, bool (*stop)(void *user), void *user, int *applied,
                         struct err *e)
{
    struct conn *c = NULL;
    bool fresh = false;
    int n = 0;
    enum rc rc = pool_borrow(pool, &c, &fresh, e);

    if (rc != RC_OK)
        return rc;
    rc = conn_simple(c, "SET statement_timeout = 0; SET lock_timeout = '120s'", c->statement_ms,
                     NULL, e);
    if (rc == RC_OK)
        rc = lock_take(c, stop, user, e);
    if (rc == RC_OK)
        rc = apply_missing(c, &n, e);
    /* Closing the connection gives the lock back and forgets the settings. */
    c->broken = true;
    pool_return(pool, c);
    if (rc == RC_OK && applied != NULL)
        *applied = n;
    return rc;
}

enum rc db_migrate(struct db_pool *pool, int *applied, struct err *e)
{
    return db_migrate_until(pool, never, NULL, applied, e);
}

enum rc db_migrate_check(struct db_pool *pool, struct err *e)
{
    OWN_RESULT PGresult *list = NULL;
    struct conn *c = NULL;
    bool fresh = false, known = false;
    int missing = 0;
    enum rc rc = pool_borrow(pool, &c, &fresh, e);

    if (rc != RC_OK)
        return rc;
    rc = applied_list(c, &list, &known, e);
    pool_return(pool, c);
    if (rc == RC_OK)
        rc = compare(list, &missing, e);
    if (rc == RC_OK && missing > 0)
        rc = err_code(e, RC_INVALID, "schema_older", "%d migrations are not applied: run `migrate`",
                      missing);
    return rc;
}
