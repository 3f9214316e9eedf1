/* test_undo_db.c - overrides, the ends of listed changes, and what an undo reads, on a real PostgreSQL. */
#include "check.h"
#include "fresh.h"

#include "db_override.h"
#include "db_proposal.h"
#include "db_revert.h"
#include "db_run.h"
#include "jspec.h"
#include "str.h"

#define CLIENT "client-undo"
#define OTHER "client-other"
#define SHOP "7494049642642441621"

static struct fresh F;
static struct db_pool *P;

static struct db_tx *begin(const char *tenant)
{
    struct db_tx *tx = NULL;
    struct err e = { 0 };

    CHECK(db_tx_begin(P, "test", tenant, &tx, &e) == RC_OK, "%s", e.text);
    return tx;
}

static void commit(struct db_tx *tx)
{
    struct err e = { 0 };

    CHECK(db_tx_commit(tx, &e) == RC_OK, "%s", e.text);
    db_tx_free(tx);
}

static void put(const char *sku, const char *field, const char *value, const char *source)
{
    struct db_tx *tx = begin(CLIENT);
    struct product_override o = { .reason = "revert", .run_id = "run-2", .set_by = "token:a" };
    struct err e = { 0 };

    (void)str_copy(o.seller_sku, sizeof o.seller_sku, sku);
    (void)str_copy(o.field, sizeof o.field, field);
    o.value = json_string(value);
    o.source_value = json_string(source);
    CHECK(db_override_put(tx, CLIENT, SHOP, "301", &o, &e) == RC_OK, "%s", e.text);
    json_decref(o.value);
    json_decref(o.source_value);
    commit(tx);
}

static void one_override_for_each_field(void)
{
    struct db_tx *tx;
    struct product_override *list = NULL;
    struct err e = { 0 };
    char shop_id[72], source_id[256];
    int n = 0;

    put("", "title", "A", "B");
    put("1201", "price", "10.00", "12.00");
    put("", "title", "A2", "B2");
    tx = begin(CLIENT);
    CHECK(db_overrides_get(tx, SHOP, "301", &list, &n, &e) == RC_OK, "%s", e.text);
    CHECK_INT(n, 2);
    CHECK_STR(list[0].field, "title");
    CHECK_STR(json_string_value(list[0].value), "A2");
    CHECK_STR(json_string_value(list[0].source_value), "B2");
    CHECK_STR(list[1].seller_sku, "1201");
    CHECK_STR(list[1].run_id, "run-2");
    CHECK_INT(list[1].proposal_id, 0);
    CHECK_INT(db_override_delete(tx, OTHER, list[0].id, NULL, NULL, &e), RC_NOT_FOUND);
    CHECK(db_override_delete(tx, CLIENT, list[0].id, shop_id, source_id, &e) == RC_OK, "%s",
          e.text);
    CHECK_STR(shop_id, SHOP);
    CHECK_STR(source_id, "301");
    CHECK_INT(db_override_delete(tx, CLIENT, list[0].id, NULL, NULL, &e), RC_NOT_FOUND);
    db_overrides_free(list, n);
    commit(tx);
    tx = begin(OTHER); /* another tenant sees nothing */
    CHECK(db_overrides_get(tx, SHOP, "301", &list, &n, &e) == RC_OK, "%s", e.text);
    CHECK_INT(n, 0);
    db_overrides_free(list, n);
    commit(tx);
    CHECK_STR(db_override_member("images"), "main_images");
    CHECK(db_override_member("price") == NULL, "a price is no member of the body");
}

static void change(const char *run_id, const char *field, const char *outcome)
{
    struct db_tx *tx = begin(CLIENT);
    const struct run_change c = { .client_id = CLIENT,
                                  .run_id = run_id,
                                  .source_id = "301",
                                  .field = field,
                                  .old_value = "a",
                                  .new_value = "b",
                                  .action = "update",
                                  .outcome = outcome };
    struct err e = { 0 };

    CHECK(db_run_change_add(tx, &c, &e) == RC_OK, "%s", e.text);
    commit(tx);
}

static void what_was_sent_ends_the_line(void)
{
    struct db_tx *tx;
    OWN_ROWS struct db_rows *rows = NULL;
    struct err e = { 0 };
    struct run_change c = { .client_id = CLIENT,
                            .run_id = "run-7",
                            .source_id = "301",
                            .field = "title",
                            .old_value = "x",
                            .new_value = "y",
                            .action = "update",
                            .outcome = "published",
                            .rule = "feed",
                            .request_id = "req-1" };

    change("run-7", "title", "queued");
    change("run-7", "brand", "queued");
    change("run-7", "link", "planned");
    tx = begin(CLIENT);
    CHECK(db_run_change_sent(tx, &c, &e) == RC_OK, "%s", e.text);
    c.field = "price";
    c.seller_sku = "1201";
    CHECK(db_run_change_sent(tx, &c, &e) == RC_OK, "%s", e.text); /* nobody listed it before */
    CHECK(db_run_changes_open(tx, CLIENT, "301", &rows, &e) == RC_OK, "%s", e.text);
    CHECK_INT(db_rows_count(rows), 1);
    CHECK_STR(db_text(rows, 0, "field"), "brand");
    CHECK(db_run_change_settle(tx, CLIENT, "run-7", db_i64(rows, 0, "id"), "refused", NULL, "why",
                               &e) == RC_OK,
          "%s", e.text);
    commit(tx);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM sync_run_changes WHERE field = 'title'"
                             " AND old = 'x' AND outcome = 'published' AND rule = 'feed'"
                             " AND request_id = 'req-1'"),
              1);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM sync_run_changes WHERE field = 'brand'"
                             " AND outcome = 'refused' AND reason = 'why'"),
              1);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM sync_run_changes WHERE field = 'link'"
                             " AND outcome = 'planned'"),
              1);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM sync_run_changes WHERE entity = 'sku'"
                             " AND seller_sku = '1201' AND outcome = 'published'"),
              1);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM sync_run_changes"), 4);
}

static void log_edit(const char *run_id, const char *outcome, const json_t *changes)
{
    struct db_tx *tx = begin(CLIENT);
    const struct log_row row = { .client_id = CLIENT,
                                 .shop_id = SHOP,
                                 .entity = "301",
                                 .outcome = outcome,
                                 .run_id = run_id,
                                 .changes = changes };
    struct err e = { 0 };

    CHECK(db_log(tx, LOG_TABLE_PRODUCT, &row, &e) == RC_OK, "%s", e.text);
    commit(tx);
}

static bool any_of(const char *run_id)
{
    struct db_tx *tx = begin(CLIENT);
    struct err e = { 0 };
    bool any = false;

    CHECK(db_revert_any(tx, CLIENT, run_id, &any, &e) == RC_OK, "%s", e.text);
    commit(tx);
    return any;
}

static void an_undo_reads_what_was_taken(void)
{
    json_auto_t *changes = json_pack("[{s:s, s:s, s:s, s:s}]", "field", "title", "old", "a", "new",
                                     "b", "rule", "feed");
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_tx *tx;
    struct err e = { 0 };

    log_edit("run-created", "created", NULL);
    log_edit("run-refused", "refused", changes);
    log_edit("run-edited", "updated", changes);
    CHECK(!any_of("run-created"), "a create is not put back");
    CHECK(!any_of("run-refused"), "what was refused is not put back");
    CHECK(any_of("run-edited"), "an edit is");
    tx = begin(CLIENT);
    CHECK(db_revert_products(tx, CLIENT, "run-edited", SHOP, "", 10, &rows, &e) == RC_OK, "%s",
          e.text);
    CHECK_INT(db_rows_count(rows), 1);
    CHECK_STR(db_text(rows, 0, "source_id"), "301");
    commit(tx);
}

static void new_run(const char *kind, const char *of, const char *status, char id[40])
{
    struct db_tx *tx = begin(CLIENT);
    json_auto_t *params = json_pack("{s:s}", "run_id", of);
    struct err e = { 0 };

    CHECK(db_run_new(tx, CLIENT, SHOP, kind, false, "live", params, "token:a", id, &e) == RC_OK,
          "%s", e.text);
    if (status != NULL)
        CHECK(db_run_end(tx, CLIENT, id, status, NULL, NULL, &e) == RC_OK, "%s", e.text);
    commit(tx);
}

static void standing_is(const char *of, const char *want)
{
    struct db_tx *tx = begin(CLIENT);
    char id[40] = "?";
    struct err e = { 0 };

    CHECK(db_revert_standing(tx, CLIENT, of, id, &e) == RC_OK, "%s", e.text);
    CHECK_STR(id, want);
    commit(tx);
}

static void a_revert_stands_until_it_is_reverted(void)
{
    char of[40], failed[40], first[40], back[40];

    new_run("products", "", "succeeded", of);
    standing_is(of, "");
    new_run("revert", of, "failed", failed);
    standing_is(of, "");
    new_run("revert", of, NULL, first);
    standing_is(of, first);
    new_run("revert", first, "succeeded", back);
    standing_is(of, "");
    standing_is(first, back);
}

static void propose(const char *field, const char *current, const char *text)
{
    struct db_tx *tx = begin(CLIENT);
    json_auto_t *was = json_string(current);
    json_auto_t *is = json_string(text);
    const struct proposal_new p = { .client_id = CLIENT,
                                    .shop_id = SHOP,
                                    .source_id = "301",
                                    .field = field,
                                    .kind = "recommendation",
                                    .operation = "op",
                                    .current = was,
                                    .proposed = is,
                                    .asked_by = "token:a" };
    struct err e = { 0 };

    CHECK(db_proposal_add(tx, &p, &e) == RC_OK, "%s", e.text);
    commit(tx);
}

static int64_t in_state(const char *state)
{
    char sql[160];

    (void)str_fmt(sql, sizeof sql, "SELECT count(*) AS n FROM product_proposals WHERE state = '%s'",
                  state);
    return fresh_count(P, sql);
}

static void a_proposal_is_decided_once_and_ends(void)
{
    static const char *const TITLES[] = { "title" };
    OWN_PROPOSAL struct proposal p = { 0 };
    struct db_tx *tx;
    struct err e = { 0 };
    bool was = false;
    int64_t id;

    propose("title", "a", "b");
    propose("title", "a", "b"); /* the same once more: once is enough */
    propose("description", "c", "d");
    CHECK_INT(in_state("proposed"), 2);
    id = fresh_count(P, "SELECT id AS n FROM product_proposals WHERE field = 'title'");
    tx = begin(OTHER);
    CHECK_INT(db_proposal_lock(tx, OTHER, id, &p, &e), RC_NOT_FOUND);
    commit(tx);
    tx = begin(CLIENT);
    CHECK(db_proposal_lock(tx, CLIENT, id, &p, &e) == RC_OK, "%s", e.text);
    CHECK_STR(p.state, "proposed");
    CHECK_STR(json_string_value(p.current), "a");
    CHECK(p.published == NULL, "no such product is published");
    /* one that nobody approved cannot be sent */
    CHECK(db_proposal_close(tx, CLIENT, id, "sent", "r", "q", NULL, &was, &e) == RC_OK, "%s",
          e.text);
    CHECK(!was, "it was not approved");
    CHECK(db_proposal_decide(tx, CLIENT, id, "approved", p.proposed, "r", "token:b", &e) == RC_OK,
          "%s", e.text);
    CHECK(db_proposals_outdate(tx, SHOP, "301", TITLES, 1, &e) == RC_OK, "%s", e.text);
    CHECK(db_proposal_close(tx, CLIENT, id, "sent", "r", "q", NULL, &was, &e) == RC_OK, "%s",
          e.text);
    CHECK(was, "it was approved");
    commit(tx);
    CHECK_INT(in_state("sent"), 1);
    CHECK_INT(in_state("proposed"), 1); /* another field is none of its business */
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM product_proposals WHERE decided_by ="
                             " 'token:b' AND sent_request_id = 'q' AND sent_at IS NOT NULL"
                             " AND value = '\"b\"'"),
              1);
    tx = begin(CLIENT);
    CHECK(db_proposals_outdate(tx, SHOP, "301", NULL, 0, &e) == RC_OK, "%s", e.text);
    commit(tx);
    CHECK_INT(in_state("outdated"), 1);
}

int main(void)
{
    struct err e = { 0 };

    fresh_open(&F, "undo", true);
    if (db_pool_new(F.url, 3, 10000, F.ring, &P, &e) != RC_OK) {
        printf("%s\n", e.text);
        return 1;
    }
    fresh_sql(P, "INSERT INTO clients (client_id, name) VALUES ('" CLIENT "', 'Loja'), ('" OTHER
                 "', 'Outra')");
    CASE(one_override_for_each_field);
    CASE(what_was_sent_ends_the_line);
    CASE(an_undo_reads_what_was_taken);
    CASE(a_revert_stands_until_it_is_reverted);
    CASE(a_proposal_is_decided_once_and_ends);
    db_pool_free(P);
    fresh_close(&F);
    return CHECK_END();
}
