/* test_intake.c - notifications become events and jobs, each once. */
#include "intake_rig.h"

static void vectors(void)
{
    json_t *root = fixture("tests/fixtures/tiktok/vectors.json");
    json_t *list = json_object_get(json_object_get(root, "webhook_signature"), "vectors");
    size_t i = 0;
    json_t *v = NULL;

    CHECK(json_array_size(list) >= 10);
    json_array_foreach(list, i, v)
    {
        const char *name = json_string_value(json_object_get(v, "name"));
        json_t *body = json_object_get(v, "raw_body");
        bool want = json_is_true(json_object_get(v, "must_verify"));
        struct hook *h = hook_open(json_string_value(json_object_get(v, "app_key")),
                                   json_string_value(json_object_get(v, "app_secret")), NULL);
        int status = post(h, json_string_value(body), json_string_length(body),
                          json_string_value(json_object_get(v, "authorization_header")), NULL);

        if (strcmp(name, "upper_case_header") == 0)
            want = false; /* no sender does it, and one spelling is simpler to guard than two */
        CHECK(status == (want ? 200 : 401), "%s: %d", name, status);
        hook_close(h);
    }
    json_decref(root);
    CHECK_INT(count("events WHERE topic = 5 AND entity = '1729592969712207008'"), 1);
}

static void signatures(void)
{
    struct hook *h = hook_open("key", "secret", "older");
    const char *body = "{\"type\":1,\"shop_id\":\"sig\",\"data\":{\"order_id\":\"1\"}}";
    char good[65];
    char bad[100];
    bool empty = false;

    sign_as("key", "secret", body, strlen(body), good);
    CHECK_INT(post(h, body, strlen(body), NULL, &empty), 401);
    CHECK(empty, "401 has no body");
    (void)snprintf(bad, sizeof bad, "%.63s", good);
    CHECK_INT(post(h, body, strlen(body), bad, NULL), 401);
    (void)snprintf(bad, sizeof bad, "%s0", good);
    CHECK_INT(post(h, body, strlen(body), bad, NULL), 401);
    (void)snprintf(bad, sizeof bad, "Bearer %s", good);
    CHECK_INT(post(h, body, strlen(body), bad, NULL), 401);
    (void)snprintf(bad, sizeof bad, "%s", good);
    bad[0] = bad[0] == '0' ? '1' : '0';
    CHECK_INT(post(h, body, strlen(body), bad, NULL), 401);
    CHECK_INT(post(h, body, strlen(body), "", NULL), 401);
    CHECK_INT(post(h, "{\"type\":2}", 10, good, NULL), 401);
    CHECK_INT(count("events WHERE shop_id = 'sig'"), 0);
    sign_as("key", "older", body, strlen(body), good);
    CHECK_INT(post(h, body, strlen(body), good, &empty), 200);
    CHECK(empty, "200 has no body");
    CHECK_INT(count("events WHERE shop_id = 'sig'"), 1);
    hook_close(h);
}

/* Every sample of the contract: stored under its own id, and the job that its topic asks for. */
static void samples(void)
{
    struct hook *h = hook_open("key", "secret", NULL);
    json_t *root = fixture("tests/fixtures/tiktok/webhooks.json");
    json_t *w = NULL;
    size_t i = 0;
    int n = 0;

    json_array_foreach(json_object_get(root, "webhooks"), i, w)
    {
        json_t *sample = NULL;
        size_t k = 0;

        json_array_foreach(json_object_get(w, "samples"), k, sample)
        {
            char id[32];
            char *body = NULL;

            (void)snprintf(id, sizeof id, "sample-%d", n++);
            json_object_set_new(sample, "tts_notification_id", json_string(id));
            json_object_set_new(sample, "shop_id", json_string("shop-a"));
            body = json_dumps(sample, 0);
            CHECK_INT(post_signed(h, body), 200);
            free(body);
        }
    }
    json_decref(root);
    CHECK_INT(n, 15);
    CHECK_INT(count("events WHERE shop_id = 'shop-a' AND state = 'stored'"), n);
    CHECK_INT(
        count(
            "jobs WHERE shop_id = 'shop-a' AND kind = 'order_import' AND lane = 0 AND state = 'ready' AND client_id = 'client-1'"),
        3);
    CHECK_INT(
        count(
            "jobs WHERE shop_id = 'shop-a' AND kind = 'order_import' AND entity IN ('152523', '532123', '576486316948490001')"),
        3);
    CHECK_INT(
        count(
            "jobs WHERE shop_id = 'shop-a' AND kind = 'product_audit' AND lane = 3 AND entity <> ''"),
        3);
    CHECK_INT(
        count(
            "jobs WHERE shop_id = 'shop-a' AND kind = 'deauthorized' AND entity = '' AND lane = 0"),
        1);
    CHECK_INT(
        count("jobs WHERE shop_id = 'shop-a' AND kind = 'authorization_ends' AND entity = ''"), 1);
    CHECK_INT(count("jobs WHERE shop_id = 'shop-a' AND kind = 'product_stock' AND lane = 1 AND "
                    "entity = '732357708734418520388'"),
              1);
    CHECK_INT(count("jobs WHERE shop_id = 'shop-a' AND kind = 'aftersale_read' AND lane = 0 AND "
                    "entity = '576486316948490001'"),
              1);
    CHECK_INT(count("jobs WHERE shop_id = 'shop-a'"), 10);
    CHECK_INT(
        count(
            "shop_schedule WHERE shop_id = 'shop-a' AND due_at <= now() AND lane = 0 AND client_id = 'client-1'"),
        1);
    hook_close(h);
}

static void shops_without_jobs(void)
{
    struct hook *h = hook_open("key", "secret", NULL);

    CHECK_INT(post_signed(h, "{\"type\":1,\"shop_id\":\"nobody\",\"data\":{\"order_id\":\"1\"}}"),
              200);
    CHECK_INT(
        post_signed(h, "{\"type\":1,\"shop_id\":\"shop-gone\",\"data\":{\"order_id\":\"1\"}}"),
        200);
    CHECK_INT(post_signed(h, "{\"type\":999,\"shop_id\":\"shop-b\",\"data\":{\"order_id\":\"1\"}}"),
              200);
    CHECK_INT(
        post_signed(h, "{\"type\":1,\"shop_id\":\"shop-tired\",\"data\":{\"order_id\":\"1\"}}"),
        200);
    CHECK_INT(
        count(
            "events WHERE shop_id IN ('nobody', 'shop-gone', 'shop-b', 'shop-tired') AND state = 'stored'"),
        4);
    CHECK_INT(count("jobs WHERE shop_id IN ('nobody', 'shop-gone', 'shop-b')"), 0);
    CHECK_INT(count("shop_schedule WHERE shop_id IN ('nobody', 'shop-gone', 'shop-b')"), 0);
    CHECK_INT(count("jobs WHERE shop_id = 'shop-tired'"), 1);
    hook_close(h);
}

static void repeats_and_anomalies(void)
{
    struct hook *h = hook_open("key", "secret", NULL);
    const char *one =
        "{\"type\":1,\"shop_id\":\"shop-r\",\"tts_notification_id\":\"n1\",\"data\":{\"order_id\":\"1\"}}";
    const char *other =
        "{\"type\":1,\"shop_id\":\"shop-r\",\"tts_notification_id\":\"n1\",\"data\":{\"order_id\":\"2\"}}";

    for (int i = 0; i < 3; i++)
        CHECK_INT(post_signed(h, one), 200);
    CHECK_INT(count("events WHERE shop_id = 'shop-r'"), 1);
    CHECK_INT(count("jobs WHERE shop_id = 'shop-r' AND generation = 1"), 1);
    CHECK_INT(post_signed(h, other), 200);
    CHECK_INT(count("events WHERE shop_id = 'shop-r' AND state = 'anomaly'"), 1);
    CHECK_INT(count("jobs WHERE shop_id = 'shop-r'"), 1);
    /* the same id of another shop is another notification; without an id the digest counts */
    CHECK_INT(
        post_signed(
            h,
            "{\"type\":1,\"shop_id\":\"shop-r2\",\"tts_notification_id\":\"n1\",\"data\":{\"order_id\":\"1\"}}"),
        200);
    CHECK_INT(count("events WHERE key = 'n1' AND state = 'stored'"), 2);
    CHECK_INT(post_signed(h, "{\"type\":3,\"shop_id\":\"shop-r\",\"data\":{\"order_id\":\"1\"}}"),
              200);
    CHECK_INT(post_signed(h, "{\"type\":3,\"shop_id\":\"shop-r\",\"data\":{\"order_id\":\"1\"}}"),
              200);
    CHECK_INT(count("events WHERE shop_id = 'shop-r' AND key LIKE 'sha256:%'"), 1);
    /* a later notification about the same order asks again */
    CHECK_INT(count("jobs WHERE shop_id = 'shop-r' AND generation = 2"), 1);
    hook_close(h);
}

static void old_and_shuffled(void)
{
    struct hook *h = hook_open("key", "secret", NULL);
    int64_t now = clock_now_us() / US_PER_S;
    static const int AGES[] = { 57600, 0, 43200, 120, 57600 * 30, 1800 };

    for (size_t i = 0; i < sizeof AGES / sizeof AGES[0]; i++) {
        char body[200];

        (void)snprintf(
            body, sizeof body,
            "{\"type\":1,\"shop_id\":\"shop-o\",\"timestamp\":%lld,\"tts_notification_id\":\"o%zu\",\"data\":{\"order_id\":\"7\"}}",
            (long long)(now - AGES[i]), i);
        CHECK_INT(post_signed(h, body), 200);
    }
    CHECK_INT(
        count("events WHERE shop_id = 'shop-o' AND state = 'stored' AND event_at IS NOT NULL"), 6);
    CHECK_INT(count("jobs WHERE shop_id = 'shop-o' AND generation = 6"), 1);
    hook_close(h);
}

static void dead_letters(void)
{
    struct hook *h = hook_open("key", "secret", NULL);
    static const struct {
        const char *body;
        const char *reason;
    } ROWS[] = {
        { "not json", "no_json_object" },
        { "{\"type\":1,\"type\":1,\"shop_id\":\"shop-d\"}", "duplicate_key" },
        { "{\"type\":1,\"shop_id\":\"shop-d\",\"n\":1e999}", "number_out_of_range" },
        { "{\"type\":1,\"shop_id\":\"shop-d\",\"x\":\"\xff\"}", "bad_utf8" },
        { "{\"type\":1,\"shop_id\":\"shop-d\",\"data\":{}}", "no_order_id" },
        { "{\"type\":5,\"shop_id\":\"shop-d\",\"data\":{\"order_id\":\"1\"}}", "no_product_id" },
        { "{\"type\":1,\"data\":{\"order_id\":\"1\"}}", "no_shop_id" },
        { "{\"shop_id\":\"shop-d\",\"data\":{\"order_id\":\"1\"}}", "no_type" },
        { "", "no_json_object" },
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        char where[200];
        char hex[65];
        unsigned char digest[32];

        CHECK_INT(post_signed(h, ROWS[i].body), 200);
        CHECK_INT(post_signed(h, ROWS[i].body), 200);
        sign_sha256(ROWS[i].body, strlen(ROWS[i].body), digest);
        str_hex(hex, digest, sizeof digest);
        (void)snprintf(where, sizeof where,
                       "events WHERE key = 'sha256:%s' AND state = 'dead_letter' AND reason = '%s'",
                       hex, ROWS[i].reason);
        if (i + 1 <
            sizeof ROWS /
                sizeof ROWS[0]) /* the empty one came with the vectors already, under no shop too */
            CHECK(count(where) == 1, "%s", ROWS[i].reason);
    }
    CHECK_INT(count("events WHERE convert_from(body, 'LATIN1') = 'not json'"), 1);
    CHECK_INT(count("jobs WHERE shop_id = 'shop-d'"), 0);
    hook_close(h);
}

static void many_at_once(void)
{
    struct intake *in = intake_here();

    for (int i = 0; i < MANY; i++) {
        char key[32];
        char shop[32];

        (void)snprintf(key, sizeof key, "m%d", i % 500); /* the last hundred repeat the first */
        (void)snprintf(shop, sizeof shop, "shop-m%d", i % 3);
        CHECK_INT(put(in, i, i % 500 == 7 ? "shop-m1" : shop, key, i == 507 ? "9" : "5"), RC_OK);
    }
    CHECK(all_answered(MANY, 5000));
    CHECK_INT(with_status(MANY, 200), MANY);
    CHECK_INT(count("event_keys WHERE shop_id LIKE 'shop-m%' AND key = 'm7'"), 1);
    CHECK_INT(count("events WHERE shop_id LIKE 'shop-m%' AND state = 'anomaly' AND key = 'm7'"), 1);
    CHECK_INT(
        count(
            "(SELECT shop_id, key FROM events WHERE shop_id LIKE 'shop-m%' AND state = 'stored' GROUP BY 1, 2 HAVING count(*) > 1) x"),
        0);
    CHECK_INT(count("jobs WHERE shop_id = 'shop-m1' AND entity = '5'"), 1);
    intake_free(in);
}

static void jobs_are_asked_again(void)
{
    struct intake *in = NULL;

    fresh_sql(
        P,
        "INSERT INTO jobs (shop_id, kind, entity, client_id, lane, state, attempts, outcome, generation, due_at)"
        " VALUES ('shop-j', 'order_import', 'parked', 'client-1', 0, 'parked', 9, 'invalid', 4, now() + interval '1 day'),"
        " ('shop-j', 'order_import', 'later', 'client-1', 0, 'ready', 2, NULL, 4, now() + interval '1 day')");
    fresh_sql(
        P,
        "INSERT INTO jobs (shop_id, kind, entity, client_id, lane, state, generation, claimed_generation)"
        " VALUES ('shop-j', 'order_import', 'runs', 'client-1', 0, 'running', 4, 4)");
    in = intake_here();
    (void)put(in, 0, "shop-j", "j1", "parked");
    (void)put(in, 1, "shop-j", "j2", "later");
    (void)put(in, 2, "shop-j", "j3", "runs");
    CHECK(all_answered(3, 5000));
    CHECK_INT(with_status(3, 200), 3);
    CHECK_INT(
        count(
            "jobs WHERE shop_id = 'shop-j' AND entity = 'parked' AND state = 'ready' AND attempts = 0 AND outcome IS NULL AND generation = 5 AND due_at <= now()"),
        1);
    CHECK_INT(
        count(
            "jobs WHERE shop_id = 'shop-j' AND entity = 'later' AND state = 'ready' AND due_at <= now()"),
        1);
    CHECK_INT(
        count(
            "jobs WHERE shop_id = 'shop-j' AND entity = 'runs' AND state = 'running' AND generation = 5"),
        1);
    intake_free(in);
}

static void cases(void)
{
    CASE(vectors);
    CASE(signatures);
    CASE(samples);
    CASE(shops_without_jobs);
    CASE(repeats_and_anomalies);
    CASE(old_and_shuffled);
    CASE(dead_letters);
    CASE(many_at_once);
    CASE(jobs_are_asked_again);
}

int main(void)
{
    return rig_main(cases);
}
