/* test_dash.c - pages: escaping, amounts and times as people read them, a Portuguese row for each word, rules of routes,
 * passwords. */
#include "check.h"

#include "../../core/cfg_users.h"
#include "../../handlers/dash.h"
#include "cfg.h"
#include "handlers.h"
#include "password.h"
#include "str.h"

#include <dirent.h>
#include <string.h>

static struct buf OUT;

static const char *put(bool english, void (*write)(struct html *h))
{
    struct html h = { .out = &OUT, .english = english };

    buf_done(&OUT);
    buf_init(&OUT, 10000);
    write(&h);
    return buf_text(&OUT);
}

static void write_hostile(struct html *h)
{
    html_put(h, "<p title=\"%s\">%s %d %lld %% {Orders}</p>", "\"><script>", "{Clients} %s & '", 7,
             8LL);
}

static void values_are_text(void)
{
    CHECK_STR(put(false, write_hostile), "<p title=\"&quot;&gt;&lt;script&gt;\">{Clients} %s &amp; "
                                         "&#39; 7 8 % Pedidos</p>");
    CHECK(strstr(put(true, write_hostile), "Orders</p>") != NULL);
}

static void write_amounts(struct html *h)
{
    html_money(h, "1234567.9");
    html_put(h, "|");
    html_money(h, "-12.50");
    html_put(h, "|");
    html_money(h, "x");
    html_put(h, "|");
    html_money(h, NULL);
    html_put(h, "|");
    html_count(h, 1000000);
    html_put(h, "|");
    html_count(h, -5);
}

static void amounts_are_brazilian(void)
{
    CHECK_STR(put(false, write_amounts), "R$ 1.234.567,9|-R$ 12,50|—|—|1.000.000|-5");
    CHECK_STR(put(true, write_amounts), "R$ 1,234,567.9|-R$ 12.50|—|—|1,000,000|-5");
}

static void write_times(struct html *h)
{
    html_time(h, "2026-06-01T03:04:05Z");
    html_time(h, "nonsense");
}

static void times_keep_the_moment(void)
{
    CHECK(strstr(put(false, write_times), "datetime=\"2026-06-01T03:04:05Z\"") != NULL);
    CHECK(strstr(buf_text(&OUT), "/06/2026") != NULL, "%s", buf_text(&OUT));
    CHECK(strstr(buf_text(&OUT), "</time>—") != NULL);
}

/* ---- words ------------------------------------------------------------------------------------------ */

static bool has_row(const char *english)
{
    for (int i = 0; WORDS_ALL[i] != NULL; i++) {
        for (const struct word *w = WORDS_ALL[i]; w->en != NULL; w++) {
            if (strcmp(w->en, english) == 0)
                return true;
        }
    }
    return false;
}

/* The {words} of one literal. */
static void check_literal(const char *file, const char *text)
{
    for (const char *at = strchr(text, '{'); at != NULL; at = strchr(at + 1, '{')) {
        size_t len = strcspn(at + 1, "}");
        char words[600];

        if (at[1 + len] != '}' || at[1] == 's' || (at > text && at[-1] == '/'))
            continue; /* JSON, or a parameter of an address */
        (void)snprintf(words, sizeof words, "%.*s", (int)len, at + 1);
        CHECK(strchr(words, '_') != NULL || has_row(words), "%s: {%s} has no Portuguese", file,
              words);
    }
}

/* Reads the literals of a source; neighbours belong together. */
static void check_source(const char *path)
{
    static char text[100000], literal[20000];
    FILE *f = fopen(path, "r");
    size_t n = f != NULL ? fread(text, 1, sizeof text - 1, f) : 0, len = 0;
    bool open = false;

    CHECK(n > 0 && n < sizeof text - 1, "%s", path);
    text[n] = '\0';
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\'' && p[1] != '\0' && p[2] == '\'') {
            p += 2;
        } else if (*p == '"') {
            open = !open;
        } else if (open) {
            if (*p == '\\')
                p++;
            if (len + 1 < sizeof literal)
                literal[len++] = *p;
        } else if (strchr(" \n\t\\", *p) == NULL && len > 0) {
            literal[len] = '\0';
            check_literal(path, literal);
            len = 0;
        }
    }
    if (f != NULL)
        (void)fclose(f);
}

static void every_word_of_the_pages_has_its_portuguese(void)
{
    DIR *dir = opendir("handlers");
    int sources = 0;

    CHECK(dir != NULL, "run from the root of the project");
    for (struct dirent *d = readdir(dir); d != NULL; d = readdir(dir)) {
        char path[400];

        if ((!str_starts(d->d_name, "dash") && !str_starts(d->d_name, "session")) ||
            !str_ends(d->d_name, ".c"))
            continue;
        (void)snprintf(path, sizeof path, "handlers/%s", d->d_name);
        check_source(path);
        sources++;
    }
    CHECK(sources > 8);
    (void)closedir(dir);
}

static void every_name_has_its_portuguese(void)
{
    static const struct dash_name *const TABLES[] = {
        NAMES_ORDER,    NAMES_PRODUCT, NAMES_RUN,   NAMES_JOB,    NAMES_KIND,
        NAMES_LANE,     NAMES_SHOP,    NAMES_EVENT, NAMES_ACTION, NAMES_INVOICE,
        NAMES_TIMELINE, NAMES_PROBLEM, NAMES_TOPIC, NAMES_TIKTOK,
    };

    for (size_t i = 0; i < sizeof TABLES / sizeof TABLES[0]; i++) {
        for (const struct dash_name *n = TABLES[i]; n->value != NULL; n++)
            CHECK(has_row(n->english), "%s", n->english);
    }
}

static void no_word_stands_twice(void)
{
    for (int i = 0; WORDS_ALL[i] != NULL; i++) {
        for (const struct word *w = WORDS_ALL[i]; w->en != NULL; w++) {
            int n = 0;

            CHECK(w->pt != NULL && w->pt[0] != '\0', "%s", w->en);
            for (int k = 0; WORDS_ALL[k] != NULL; k++) {
                for (const struct word *v = WORDS_ALL[k]; v->en != NULL; v++)
                    n += strcmp(v->en, w->en) == 0;
            }
            CHECK(n == 1, "%d times: %s", n, w->en);
        }
    }
}

static void write_sentences(struct html *h)
{
    html_sentence(h, "VTEX holds the order as TTK-<1> (ready)");
    html_put(h, "|");
    html_sentence(h, "warehouse 1_1");
    html_put(h, "|");
    html_sentence(h, "nobody wrote <this>");
    html_put(h, "|");
    html_sentence(h, "not paid yet");
    html_put(h, "|");
    html_sentence(h, NULL);
}

static void sentences_carry_their_names_over(void)
{
    CHECK_STR(put(false, write_sentences),
              "a VTEX tem o pedido como TTK-&lt;1&gt; (ready)|depósito "
              "1_1|nobody wrote &lt;this&gt;|ainda não pago|");
    CHECK(strstr(put(true, write_sentences), "warehouse 1_1|") != NULL);
    for (const struct word *w = WORDS_SENTENCES; w->en != NULL; w++) {
        int en = 0, pt = 0;

        for (const char *p = strstr(w->en, "%s"); p != NULL; p = strstr(p + 2, "%s"))
            en++;
        for (const char *p = strstr(w->pt, "%s"); p != NULL; p = strstr(p + 2, "%s"))
            pt++;
        CHECK(en == pt, "%s", w->en);
    }
}

/* ---- routes ----------------------------------------------------------------------------------------- */

static void every_page_has_a_row_and_a_rule(void)
{
    for (int i = 0; i < DASH_ROUTES_COUNT; i++) {
        const struct http_route *r = &DASH_ROUTES[i];

        if (r->handler == dash_page_get) {
            const struct dash_page *page = dash_page_find(r->operation);

            CHECK(page != NULL, "%s", r->operation);
            if (page != NULL)
                CHECK(has_row(page->title) && page->render != NULL, "%s", r->operation);
            CHECK(r->access >= HTTP_READ, "%s", r->pattern);
        }
        if (r->handler == dash_action_post) {
            const struct dash_action *action = dash_action_find(r->operation);

            CHECK(action != NULL && r->access >= HTTP_SYNC, "%s", r->operation);
            if (action != NULL)
                CHECK(has_row(action->done) && (action->act != NULL) != (action->rest != NULL),
                      "%s", r->operation);
        }
        if (r->access == HTTP_OPEN)
            CHECK(strcmp(r->pattern, "/login") == 0 || str_starts(r->pattern, "/static/") ||
                      str_starts(r->pattern, "/idioma/"),
                  "%s", r->pattern);
        for (int k = 0; k < i; k++)
            CHECK(strcmp(DASH_ROUTES[k].operation, r->operation) != 0, "%s", r->operation);
    }
}

static void only_paths_of_ours_are_gone_to(void)
{
    static const struct {
        const char *path;
        bool ok;
    } ROWS[] = { { "/", true },
                 { "/c/x?a=b", true },
                 { "//evil.example", false },
                 { "/\\evil", false },
                 { "https://e", false },
                 { "", false },
                 { "/a\nSet-Cookie", false },
                 { "/a b", false } };

    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        CHECK(session_path_ok(ROWS[i].path) == ROWS[i].ok, "%s", ROWS[i].path);
}

/* ---- users ------------------------------------------------------------------------------------------ */

static void passwords_are_told_apart(void)
{
    OWN_BUF struct buf a;
    OWN_BUF struct buf b;

    buf_init(&a, 1000);
    buf_init(&b, 1000);
    CHECK_INT(password_hash("cavalo-bateria", &a, NULL), RC_OK);
    CHECK_INT(password_hash("cavalo-bateria", &b, NULL), RC_OK);
    CHECK(strcmp(buf_text(&a), buf_text(&b)) != 0, "each has its own salt");
    CHECK(password_matches("cavalo-bateria", buf_text(&a)));
    CHECK(!password_matches("cavalo-baterio", buf_text(&a)));
    CHECK(!password_matches("", buf_text(&a)));
    CHECK_INT(password_hash("short", &b, NULL), RC_INVALID);
    CHECK(password_hash_valid(buf_text(&a)));
    CHECK(!password_hash_valid("scrypt$15$8$3$AAAA$AAAA"));
    CHECK(!password_hash_valid("scrypt$30$8$3$AAAAAAAAAAAAAAAAAAAAAA$"
                               "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
          "a cost that would take all memory");
    CHECK(!password_hash_valid("x"));
}

static void users_are_read_or_refused(void)
{
#define HASH "scrypt$15$8$3$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    static const struct {
        const char *text;
        int users; /* -1 = refused */
    } ROWS[] = { { "", 0 },
                 { "ana:admin:" HASH, 1 },
                 { "ana:admin:" HASH ", bia:viewer:" HASH ":loja-um1+loja-dois", 2 },
                 { "ana:admin:" HASH ",ana:viewer:" HASH, -1 },
                 { "ana:owner:" HASH, -1 },
                 { "ana:admin:plain", -1 },
                 { "ana:admin", -1 },
                 { "a b:admin:" HASH, -1 },
                 { "ana:admin:" HASH ":lo ja", -1 } };

    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        static struct cfg c;
        struct err e = { 0 };
        char text[1000];
        enum rc rc;

        memset(&c, 0, sizeof c);
        (void)str_copy(text, sizeof text, ROWS[i].text);
        rc = cfg_users_read(&c, text, &e);
        CHECK_INT(rc, ROWS[i].users < 0 ? RC_INVALID : RC_OK);
        if (rc == RC_OK)
            CHECK_INT(c.n_users, ROWS[i].users);
        CHECK(strstr(e.text, "AAAAAAAA") == NULL, "no hash in a message");
        if (c.n_users == 2) {
            CHECK(cfg_user_may(&c.users[0], "anything") && cfg_user_may(&c.users[1], "loja-um1"));
            CHECK(!cfg_user_may(&c.users[1], "loja-um") &&
                  !cfg_user_may(&c.users[1], "loja-um1+loja-dois"));
        }
        cfg_users_done(&c);
    }
}

int main(void)
{
    CASE(values_are_text);
    CASE(amounts_are_brazilian);
    CASE(times_keep_the_moment);
    CASE(every_word_of_the_pages_has_its_portuguese);
    CASE(every_name_has_its_portuguese);
    CASE(no_word_stands_twice);
    CASE(sentences_carry_their_names_over);
    CASE(every_page_has_a_row_and_a_rule);
    CASE(only_paths_of_ours_are_gone_to);
    CASE(passwords_are_told_apart);
    CASE(users_are_read_or_refused);
    buf_done(&OUT);
    return CHECK_END();
}
