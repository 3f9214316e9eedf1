/* db/conn.c - one database connection: opening, waiting with a deadline, prepared statements, outcome classes.
 *
 * Statements are sent asynchronously and awaited with poll, so that a server that hangs (or is stopped) costs a
 * bounded wait and a closed connection, never a thread. */
#include "conn.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "clock.h"
#include "str.h"

#define STMTS_FIRST 64

static void quiet(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

uint64_t conn_hash(const char *text)
{
    uint64_t h = UINT64_C(1469598103934665603);

    for (const unsigned char *p = (const unsigned char *)text; *p != 0; p++)
        h = (h ^ *p) * UINT64_C(1099511628211);
    return h;
}

static unsigned slot_of(const struct conn *c, const char *sql, uint64_t hash)
{
    unsigned mask = c->cap_stmts - 1;
    unsigned i = (unsigned)hash & mask;

    while (c->stmts[i].sql != NULL &&
           (c->stmts[i].hash != hash || strcmp(c->stmts[i].sql, sql) != 0))
        i = (i + 1) & mask;
    return i;
}

const struct conn_stmt *conn_stmt_find(const struct conn *c, const char *sql, uint64_t hash)
{
    unsigned i = 0;

    if (c->cap_stmts == 0)
        return NULL;
    i = slot_of(c, sql, hash);
    return c->stmts[i].sql == NULL ? NULL : &c->stmts[i];
}

static bool stmts_grow(struct conn *c)
{
    unsigned cap = c->cap_stmts == 0 ? STMTS_FIRST : c->cap_stmts * 2;
    struct conn_stmt *old = c->stmts;
    unsigned n = c->cap_stmts;
    struct conn_stmt *fresh = calloc(cap, sizeof *fresh);

    if (fresh == NULL)
        return false;
    c->stmts = fresh;
    c->cap_stmts = cap;
    for (unsigned i = 0; i < n; i++)
        if (old[i].sql != NULL)
            c->stmts[slot_of(c, old[i].sql, old[i].hash)] = old[i];
    free(old);
    return true;
}

bool conn_stmt_add(struct conn *c, const char *sql, uint64_t hash, unsigned number)
{
    if (c->n_stmts >= LIMIT_CONN_STATEMENTS)
        return false;
    if (c->n_stmts * 2 >= c->cap_stmts && !stmts_grow(c))
        return false;
    c->stmts[slot_of(c, sql, hash)] = (struct conn_stmt){ sql, hash, number };
    c->n_stmts++;
    return true;
}

void conn_close(struct conn *c)
{
    if (c->pg != NULL)
        PQfinish(c->pg);
    free(c->stmts);
    *c = (struct conn){ .statement_ms = c->statement_ms };
}

bool conn_alive(struct conn *c)
{
    struct pollfd p = { .fd = PQsocket(c->pg), .events = POLLIN };

    if (c->broken || PQstatus(c->pg) != CONNECTION_OK || p.fd < 0)
        return false;
    if (poll(&p, 1, 0) == 0)
        return true;
    /* Nothing was asked, so input is the server's farewell or a notice. */
    return PQconsumeInput(c->pg) == 1 && PQstatus(c->pg) == CONNECTION_OK;
}

static bool state_in(const char *state, const char *const *prefixes)
{
    for (int i = 0; prefixes[i] != NULL; i++)
        if (str_starts(state, prefixes[i]))
            return true;
    return false;
}

static enum rc state_rc(const char *state)
{
    /* 0A000 and 26000: a plan or statement that outlived a schema change; a new connection helps. */
    static const char *const DOWN[] = { "08",    "40",    "53",    "55P03", "57", "58",
                                        "25006", "25P03", "0A000", "26000", NULL };
    static const char *const INVALID[] = { "22", "23", NULL };

    if (strcmp(state, "23505") == 0)
        return RC_DUPLICATE;
    if (state_in(state, DOWN))
        return RC_DOWN;
    return state_in(state, INVALID) ? RC_INVALID : RC_BUG;
}

enum rc conn_fail(struct conn *c, const PGresult *res, const char *what, struct err *e)
{
    const char *state = res == NULL ? NULL : PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *text = res == NULL ? NULL : PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    enum rc rc = RC_DOWN;

    if (state == NULL || PQstatus(c->pg) != CONNECTION_OK) {
        c->broken = true;
        return err_code(e, RC_DOWN, "database_away",
                        "%s: the connection to the database was lost%s%s", what,
                        text == NULL ? "" : ": ", text == NULL ? "" : text);
    }
    rc = state_rc(state);
    if (strcmp(state, "0A000") == 0 || strcmp(state, "26000") == 0 || strcmp(state, "25006") == 0)
        c->broken = true;
    if (rc == RC_DUPLICATE || rc == RC_INVALID) {
        /* The server's own words would quote the data; names of constraints do not. */
        const char *table = PQresultErrorField(res, PG_DIAG_TABLE_NAME);
        const char *rule = PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME);
        const char *column = PQresultErrorField(res, PG_DIAG_COLUMN_NAME);

        return err_set(e, rc, "%s: the database refused the data (%s %s %s)", what, state,
                       table == NULL ? "" : table,
                       rule != NULL     ? rule
                       : column == NULL ? ""
                                        : column);
    }
    return err_set(e, rc, "%s: %s (%s)", what, text == NULL ? "failed" : text, state);
}

enum rc conn_check(struct conn *c, const PGresult *res, const char *what, struct err *e)
{
    ExecStatusType status = PQresultStatus(res);

    if (res != NULL && (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK))
        return RC_OK;
    if (res != NULL && status != PGRES_FATAL_ERROR && status != PGRES_BAD_RESPONSE) {
        c->broken = true;
        return err_set(e, RC_BUG, "%s: unexpected answer of the database: %s", what,
                       PQresStatus(status));
    }
    return conn_fail(c, res, what, e);
}

enum rc conn_result(struct conn *c, int wait_ms, PGresult **out, struct err *e)
{
    int64_t deadline = clock_mono_us() + wait_ms * US_PER_MS;

    while (PQisBusy(c->pg)) {
        struct pollfd p = { .fd = PQsocket(c->pg), .events = POLLIN };
        int64_t left_ms = (deadline - clock_mono_us() + US_PER_MS - 1) / US_PER_MS;
        int n = left_ms <= 0 ? 0 : poll(&p, 1, (int)left_ms);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            c->broken = true;
            return err_code(e, RC_DOWN, "database_away", "the database did not answer within %d ms",
                            wait_ms);
        }
        if (PQconsumeInput(c->pg) == 0)
            break;
    }
    *out = PQgetResult(c->pg);
    if (PQstatus(c->pg) != CONNECTION_OK)
        c->broken = true;
    return RC_OK;
}

enum rc conn_pipeline_results(struct conn *c, PGresult **results, int n, struct err *e)
{
    int wait_ms = c->statement_ms + CONN_GRACE_MS;
    enum rc rc = RC_OK;
    int i = 0;

    for (;;) {
        PGresult *res = NULL;
        bool sync = false;

        rc = conn_result(c, wait_ms, &res, e);
        if (rc != RC_OK)
            return rc;
        if (res == NULL) {
            i++;
        } else {
            sync = PQresultStatus(res) == PGRES_PIPELINE_SYNC;
            if (!sync && i < n && results[i] == NULL)
                results[i] = res;
            else
                PQclear(res);
        }
        if (sync)
            break;
        if (c->broken || i > n)
            return conn_fail(c, NULL, "pipeline", e);
    }
    if (PQexitPipelineMode(c->pg) != 1)
        return conn_fail(c, NULL, "pipeline", e);
    return RC_OK;
}

/* Collects all results of one non-pipelined statement; the last one counts, but an error is never covered. */
static enum rc collect(struct conn *c, int wait_ms, PGresult **out, struct err *e)
{
    OWN_RESULT PGresult *last = NULL;

    for (;;) {
        PGresult *res = NULL;
        enum rc rc = conn_result(c, wait_ms, &res, e);

        if (rc != RC_OK)
            return rc;
        if (res == NULL)
            break;
        PQclear(last);
        last = res;
        if (PQresultStatus(res) == PGRES_COPY_IN || PQresultStatus(res) == PGRES_COPY_OUT)
            break;
    }
    *out = last;
    last = NULL;
    return RC_OK;
}

enum rc conn_simple(struct conn *c, const char *sql, int wait_ms, PGresult **out, struct err *e)
{
    OWN_RESULT PGresult *res = NULL;
    enum rc rc = RC_OK;

    if (PQsendQuery(c->pg, sql) != 1)
        return conn_fail(c, NULL, "statement", e);
    rc = collect(c, wait_ms, &res, e);
    if (rc != RC_OK)
        return rc;
    if (PQresultStatus(res) != PGRES_COPY_IN) {
        rc = conn_check(c, res, "statement", e);
        if (rc != RC_OK)
            return rc;
    }
    if (out != NULL) {
        *out = res;
        res = NULL;
    }
    return RC_OK;
}

enum rc conn_params(struct conn *c, const char *sql, int n, const char *const *values,
                    PGresult **out, struct err *e)
{
    OWN_RESULT PGresult *res = NULL;
    enum rc rc = RC_OK;

    if (PQsendQueryParams(c->pg, sql, n, NULL, values, NULL, NULL, 0) != 1)
        return conn_fail(c, NULL, "statement", e);
    rc = collect(c, c->statement_ms + CONN_GRACE_MS, &res, e);
    if (rc == RC_OK)
        rc = conn_check(c, res, "statement", e);
    if (rc == RC_OK && out != NULL) {
        *out = res;
        res = NULL;
    }
    return rc;
}

/* Session settings, and what must be known of the server before it is trusted. */
static enum rc set_up(struct conn *c, struct err *e)
{
    static const char SQL[] =
        "SELECT set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false),"
        " set_config('idle_in_transaction_session_timeout', $3, false), set_config('timezone', 'UTC', false),"
        " set_config('datestyle', 'ISO', false), set_config('bytea_output', 'hex', false),"
        " set_config('jit', 'off', false), current_setting('fsync') AS fsync,"
        " (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS bypass";
    char statement[24], lock[24], idle[24];
    const char *values[] = { statement, lock, idle };
    OWN_RESULT PGresult *res = NULL;
    enum rc rc = RC_OK;

    (void)str_fmt(statement, sizeof statement, "%d", c->statement_ms);
    (void)str_fmt(lock, sizeof lock, "%d", c->statement_ms < 10000 ? c->statement_ms : 10000);
    (void)str_fmt(idle, sizeof idle, "%d", c->statement_ms + 30000);
    if (PQserverVersion(c->pg) < CONN_SERVER_MIN)
        return err_code(e, RC_INVALID, "database_too_old",
                        "PostgreSQL %d is too old: 14 or newer is needed",
                        PQserverVersion(c->pg) / 10000);
    rc = conn_params(c, SQL, 3, values, &res, e);
    if (rc != RC_OK)
        return rc;
    if (!str_eq(PQgetvalue(res, 0, PQfnumber(res, "fsync")), "on"))
        return err_code(e, RC_INVALID, "database_fsync_off",
                        "the database runs with fsync off: what it confirms can be lost");
    c->bypasses_rls = str_eq(PQgetvalue(res, 0, PQfnumber(res, "bypass")), "t");
    return RC_OK;
}

/* A password with an unescaped '@' or '/' is cut there, and its rest would stand as host or port in every message.
 * A first '@' names an abstract socket. */
static bool option_well_formed(const PQconninfoOption *o)
{
    if (o->val == NULL)
        return true;
    if (str_eq(o->keyword, "host"))
        return *o->val == '\0' || strchr(o->val + 1, '@') == NULL;
    if (str_eq(o->keyword, "port"))
        return strspn(o->val, "0123456789,") == strlen(o->val);
    return true;
}

enum rc db_url_check(const char *url, struct err *e)
{
    char *ignored = NULL; /* it may repeat the password */
    PQconninfoOption *options = PQconninfoParse(url, &ignored);
    bool good = options != NULL;

    for (const PQconninfoOption *o = options; good && o->keyword != NULL; o++)
        good = option_well_formed(o);
    PQfreemem(ignored);
    PQconninfoFree(options);
    if (good)
        return RC_OK;
    return err_field(e, "DATABASE_URL",
                     "DATABASE_URL is not a connection that libpq understands: "
                     "postgresql://user:password@host:port/database, with %% escapes");
}

enum rc conn_open(struct conn *c, const char *url, int statement_ms, struct err *e)
{
    char timeout[16], user_timeout[24];
    /* Before dbname: defaults that DATABASE_URL may override. */
    const char *keys[] = { "fallback_application_name", "connect_timeout",  "keepalives_idle",
                           "keepalives_interval",       "keepalives_count", "tcp_user_timeout",
                           "client_encoding",           "dbname",           NULL };
    const char *values[] = {
        "tiktok-shop-connector", timeout, "15", "5", "3", user_timeout, "UTF8", url, NULL
    };
    enum rc rc = RC_OK;

    conn_close(c);
    rc = db_url_check(url, e);
    if (rc != RC_OK)
        return rc;
    c->statement_ms = statement_ms;
    (void)str_fmt(timeout, sizeof timeout, "%d", CONN_CONNECT_S);
    (void)str_fmt(user_timeout, sizeof user_timeout, "%d", statement_ms + 5000);
    c->pg = PQconnectdbParams(keys, values, 1);
    if (c->pg == NULL)
        return err_set(e, RC_DOWN, "out of memory for a database connection");
    if (PQstatus(c->pg) != CONNECTION_OK) {
        char text[400];

        str_copy_cut(text, sizeof text, PQerrorMessage(c->pg));
        conn_close(c);
        return err_code(e, RC_DOWN, "database_away", "%s", str_trim(text));
    }
    (void)PQsetNoticeProcessor(c->pg, quiet, NULL);
    rc = set_up(c, e);
    if (rc != RC_OK)
        conn_close(c);
    return rc;
}
