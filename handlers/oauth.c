/* oauth.c - connecting a shop: the redirect to TikTok, the way back, the page that follows it. */
#include "rest.h"

#include "clock.h"
#include "db_account.h"
#include "db_oauth.h"
#include "page.h"
#include "str.h"

#include <string.h>

#define LIMIT_STATE_BYTES 128
#define LIMIT_CODE_BYTES 2048
#define STATE_RANDOM_BYTES 32
#define SLOW_EXCHANGE_US (5 * 60 * US_PER_S)

/* ---- to TikTok ------------------------------------------------------------------------------------ */

/* Open route with its own check: a bearer token that may trigger work, or a signed link. */
static bool bearer_ok(const struct app *app, const struct http_req *req)
{
    const char *value = http_header(req, "Authorization");
    unsigned char digest[SIGN_SHA256_BYTES];

    if (value == NULL || (!str_starts(value, "Bearer ") && !str_starts(value, "bearer ")))
        return false;
    sign_sha256(value + 7, strlen(value + 7), digest);
    for (int i = 0; i < app->cfg.n_tokens; i++) {
        if (sign_equal(digest, app->cfg.tokens[i].digest, sizeof digest) &&
            app->cfg.tokens[i].scope >= CFG_SCOPE_SYNC)
            return true;
    }
    return false;
}

static bool public_https(const struct app *app)
{
    return str_starts(app->cfg.public_url, "https://");
}

/* One cookie for each attempt, so that two tabs do not disturb each other. */
static void cookie_name(const struct app *app, const char *state, char out[48])
{
    unsigned char digest[SIGN_SHA256_BYTES];
    char hex[17];

    sign_sha256(state, strlen(state), digest);
    str_hex(hex, digest, 8);
    (void)str_fmt(out, 48, "%stts_oauth_%s", public_https(app) ? "__Host-" : "", hex);
}

static enum rc authorize_address(const struct app *app, const char *state, struct buf *out,
                                 struct err *e)
{
    const char *base = app->cfg.tiktok_authorize_url;

    buf_fmt(out, "%s%cservice_id=", base, strchr(base, '?') != NULL ? '&' : '?');
    str_url_encode(out, app->cfg.tiktok_service_id);
    buf_str(out, "&state=");
    str_url_encode(out, state);
    return buf_check(out, e);
}

static enum rc begin_flow(struct app *app, struct db_tx *tx, const char *client_id,
                          struct http_reply *reply, struct err *e)
{
    OWN_BUF struct buf state;
    OWN_BUF struct buf browser;
    OWN_BUF struct buf address;
    char name[48];
    enum rc rc;

    buf_init(&state, LIMIT_STATE_BYTES);
    buf_init(&browser, LIMIT_STATE_BYTES);
    buf_init(&address, 4000);
    sign_token(&state, STATE_RANDOM_BYTES);
    sign_token(&browser, STATE_RANDOM_BYTES);
    rc = authorize_address(app, buf_text(&state), &address, e);
    if (rc == RC_OK)
        rc = db_oauth_state_put(tx, client_id, buf_text(&state), buf_text(&browser), e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc != RC_OK)
        return rc;
    cookie_name(app, buf_text(&state), name);
    http_reply_header(reply, "Set-Cookie", "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s",
                      name, buf_text(&browser), DB_OAUTH_STATE_S,
                      public_https(app) ? "; Secure" : "");
    http_reply_header(reply, "Cache-Control", "no-store");
    return http_reply_redirect(reply, 302, buf_text(&address));
}

static enum rc bad_link(struct http_reply *reply, const struct http_req *req, struct err *e)
{
    static const struct page_text TITLE = { "Este link não vale mais", "This link is not valid" };
    static const struct page_text TEXT = {
        "O link expirou ou foi alterado. Peça um novo a quem o enviou.",
        "The link has expired or was changed. Ask whoever sent it for a new one.",
    };

    return page_message(reply, req, 403, PAGE_BAD, &TITLE, &TEXT, e);
}

enum rc oauth_authorize_get(void *user, struct http_req *req, struct http_reply *reply,
                            struct err *e)
{
    static const char *const QUERY[] = { "client_hash", "link", NULL };
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    OWN_CLIENT struct client client = { 0 };
    char hash[80] = "";
    char link[300] = "";
    bool has_link = http_query(req, "link", link, sizeof link);
    enum rc rc = http_query_check(req, QUERY, e);

    if (rc != RC_OK)
        return rc;
    if (!has_link && !bearer_ok(app, req))
        return err_http(e, 401, "not_authenticated",
                        "a bearer token of scope sync or admin, or a signed link, is needed");
    if (!http_query(req, "client_hash", hash, sizeof hash))
        return err_field(e, "client_hash", "is required");
    if (!str_only(hash, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"))
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such client");
    rc = db_tx_begin(app->web_db, "authorize", hash, &tx, e);
    if (rc == RC_OK)
        rc = db_client_get(tx, hash, &client, e);
    if (rc == RC_NOT_FOUND && has_link)
        return bad_link(reply, req, e);
    if (rc == RC_OK && has_link && db_oauth_link_check(tx, hash, link, e) != RC_OK)
        return bad_link(reply, req, e);
    if (rc == RC_OK && !client.active)
        return err_http(e, 409, "client_inactive", "the client is deactivated");
    return rc == RC_OK ? begin_flow(app, tx, client.client_id, reply, e) : rc;
}

enum rc authorization_link_post(void *user, struct http_req *req, struct http_reply *reply,
                                struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    OWN_BUF struct buf link;
    OWN_BUF struct buf url;
    const char *client_id = NULL;
    int64_t until_us = 0;
    char until[CLOCK_TEXT_BYTES];
    json_auto_t *answer = NULL;
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = rest_no_body(req, e);

    buf_init(&link, 512);
    buf_init(&url, 4000);
    if (rc == RC_OK)
        rc = rest_begin(app, req, "authorization_link", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_oauth_link_make(tx, client_id, &link, &until_us, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, client_id, "authorization_link", NULL, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc != RC_OK)
        return rc;
    buf_fmt(&url, "%s/tiktok/authorize?client_hash=%s&link=%s", app->cfg.public_url, client_id,
            buf_text(&link));
    clock_write(until_us, until);
    answer = json_pack("{s:s, s:s}", "url", buf_text(&url), "expires_at", until);
    if (answer == NULL)
        return err_set(e, RC_BUG, "no memory for a link");
    return http_reply_json(reply, 200, answer, e);
}

/* ---- and back ------------------------------------------------------------------------------------- */

static enum rc bad_state(struct http_reply *reply, const struct http_req *req, struct err *e)
{
    static const struct page_text TITLE = { "Não foi possível continuar", "This cannot go on" };
    static const struct page_text TEXT = {
        "Esta volta da TikTok não pertence a uma autorização em andamento neste navegador, ou demorou mais de 10 minutos. Comece de novo pelo link que você recebeu.",
        "This return from TikTok does not belong to an authorization under way in this browser, or took longer than 10 minutes. Start again from the link you were given.",
    };

    return page_message(reply, req, 400, PAGE_BAD, &TITLE, &TEXT, e);
}

static enum rc refused(struct http_reply *reply, const struct http_req *req, struct err *e)
{
    static const struct page_text TITLE = { "A loja não foi conectada",
                                            "The shop was not connected" };
    static const struct page_text TEXT = {
        "A autorização foi recusada na TikTok Shop. Nada mudou. Para conectar a loja, comece de novo e aceite as permissões.",
        "The authorization was refused at TikTok Shop. Nothing changed. To connect the shop, start again and accept the permissions.",
    };

    return page_message(reply, req, 200, PAGE_BAD, &TITLE, &TEXT, e);
}

/* The state in the query, without blanks round it. An answer that says anything twice was tampered with. */
static bool read_state(const struct http_req *req, char *state, size_t cap)
{
    if (http_query_count(req, "state") > 1 || http_query_count(req, "code") > 1 ||
        !http_query(req, "state", state, cap))
        return false;
    (void)str_trim(state);
    return state[0] != '\0';
}

static bool is_refusal(const struct http_req *req, char *code, size_t cap)
{
    char error[128];

    if (http_query(req, "error", error, sizeof error) && error[0] != '\0')
        return true;
    return !http_query(req, "code", code, cap) || code[0] == '\0' || str_eq(code, "null");
}

/* Uses the state up and, unless the seller refused, keeps the code with its job: one transaction. */
static enum rc accept_return(struct app *app, const char *state, const char *browser,
                             const char *code, char exchange[48], struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    char client_id[68];
    enum rc rc = db_tx_begin(app->web_db, "oauth_callback", DB_SYSTEM, &tx, e);

    if (rc == RC_OK)
        rc = db_oauth_state_use(tx, state, browser, client_id, e);
    if (rc == RC_OK && code != NULL)
        rc = db_oauth_exchange_put(tx, client_id, code, exchange, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    return rc;
}

enum rc oauth_callback_get(void *user, struct http_req *req, struct http_reply *reply,
                           struct err *e)
{
    struct app *app = user;
    char state[LIMIT_STATE_BYTES];
    char browser[LIMIT_STATE_BYTES];
    char code[LIMIT_CODE_BYTES];
    char name[48];
    char exchange[48];
    char address[96];
    bool refusal;
    enum rc rc;

    if (!read_state(req, state, sizeof state))
        return bad_state(reply, req, e);
    cookie_name(app, state, name);
    if (!http_cookie(req, name, browser, sizeof browser))
        return bad_state(reply, req, e);
    refusal = is_refusal(req, code, sizeof code);
    rc = accept_return(app, state, browser, refusal ? NULL : code, exchange, e);
    sign_wipe(code, sizeof code);
    if (rc == RC_NOT_FOUND)
        return bad_state(reply, req, e);
    if (rc != RC_OK)
        return rc;
    http_reply_header(reply, "Set-Cookie", "%s=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax%s", name,
                      public_https(app) ? "; Secure" : "");
    if (refusal)
        return refused(reply, req, e);
    (void)str_fmt(address, sizeof address, "/tiktok/connection/%s", exchange);
    http_reply_header(reply, "Cache-Control", "no-store");
    return http_reply_redirect(reply, 303, address);
}

/* ---- the page that follows ------------------------------------------------------------------------ */

struct failure_text {
    const char *code;
    struct page_text text;
};
static const struct failure_text FAILURES[] = {
    { "code_refused",
      { "A TikTok não aceitou o código de autorização. Comece de novo pelo link que você recebeu.",
        "TikTok did not accept the authorization code. Start again from the link you were given." } },
    { "code_expired",
      { "O código de autorização não pôde ser usado a tempo. Comece de novo pelo link que você recebeu.",
        "The authorization code could not be used in time. Start again from the link you were given." } },
    { "interrupted",
      { "A conexão foi interrompida no meio do caminho. Comece de novo pelo link que você recebeu.",
        "The connection was interrupted half-way. Start again from the link you were given." } },
    { "not_a_seller",
      { "A conta que autorizou não é uma conta de vendedor. Entre na TikTok com a conta da loja e comece de novo.",
        "The account that authorized is not a seller account. Sign in at TikTok with the shop's account and start again." } },
    { "no_shop",
      { "A autorização não inclui nenhuma loja. Verifique a conta no Seller Center e comece de novo.",
        "The authorization covers no shop. Check the account in Seller Center and start again." } },
    { "shop_taken",
      { "Esta loja já está conectada por outro cliente deste serviço. Desconecte-a lá primeiro ou fale com o suporte.",
        "This shop is already connected for another client of this service. Disconnect it there first or ask support." } },
    { "not_allowed",
      { "A TikTok não permitiu ler as lojas da conta. Comece de novo e aceite todas as permissões.",
        "TikTok did not let the app read the account's shops. Start again and accept all permissions." } },
};

static const char *failure_words(const struct exchange *x, bool english)
{
    static const struct page_text OTHER = {
        "A TikTok respondeu de um jeito inesperado. Comece de novo; se continuar assim, fale com o suporte.",
        "TikTok answered in an unexpected way. Start again; if it stays like this, ask support.",
    };
    const char *code = json_string_value(json_object_get(x->problem, "code"));

    for (size_t i = 0; i < sizeof FAILURES / sizeof FAILURES[0]; i++) {
        if (str_eq(code, FAILURES[i].code))
            return page_say(english, &FAILURES[i].text);
    }
    return page_say(english, &OTHER);
}

static void shop_list(const struct exchange *x, struct buf *out)
{
    size_t i;
    json_t *shop;

    buf_str(out, "<ul>\n");
    json_array_foreach(x->shops, i, shop)
    {
        buf_str(out, "<li>");
        str_html(out, json_string_value(json_object_get(shop, "name")));
        buf_str(out, " <small>");
        str_html(out, json_string_value(json_object_get(shop, "shop_id")));
        buf_str(out, "</small></li>\n");
    }
    buf_str(out, "</ul>\n");
}

static void paragraph(struct buf *out, const char *text)
{
    buf_str(out, "<p>");
    str_html(out, text);
    buf_str(out, "</p>\n");
}

static void connected_words(const struct exchange *x, bool english, struct buf *out)
{
    static const struct page_text CLOSE = { "A loja está conectada. Você pode fechar esta página.",
                                            "The shop is connected. You can close this page." };
    static const struct page_text MISSING = {
        "Algumas permissões não foram concedidas e parte do trabalho não vai funcionar:",
        "Some permissions were not granted, so part of the work will not run:",
    };
    const char *missing = json_string_value(json_object_get(x->problem, "detail"));

    paragraph(out, page_say(english, &CLOSE));
    if (missing == NULL)
        return;
    buf_str(out, "<p class=\"note\">");
    str_html(out, page_say(english, &MISSING));
    buf_char(out, ' ');
    str_html(out, missing);
    buf_str(out, "</p>\n");
}

/* Title and words of one language. */
static const char *exchange_words(const struct exchange *x, bool english, struct buf *out)
{
    static const struct page_text DONE = { "Loja conectada", "Shop connected" };
    static const struct page_text FAILED = { "A loja não foi conectada",
                                             "The shop was not connected" };
    static const struct page_text WAITING = { "Conectando a loja…", "Connecting the shop…" };
    static const struct page_text WAIT = {
        "Isto leva alguns segundos. Esta página se atualiza sozinha.",
        "This takes a few seconds. This page updates itself.",
    };
    static const struct page_text SLOW = {
        "Está demorando mais que o normal. Pode fechar esta página e voltar a ela mais tarde.",
        "It is taking longer than usual. You can close this page and come back to it later.",
    };

    if (str_eq(x->status, "connected")) {
        connected_words(x, english, out);
        return page_say(english, &DONE);
    }
    if (str_eq(x->status, "failed")) {
        paragraph(out, failure_words(x, english));
        return page_say(english, &FAILED);
    }
    paragraph(out, page_say(english, x->age_us > SLOW_EXCHANGE_US ? &SLOW : &WAIT));
    return page_say(english, &WAITING);
}

/* The browser's language first, the other one below: whoever helps the seller may read only that. */
static void exchange_page(const struct exchange *x, struct page *page, struct buf *body)
{
    OWN_BUF struct buf other;
    const char *title;

    buf_init(&other, (size_t)16 << 10);
    page->title = exchange_words(x, page->english, body);
    if (str_eq(x->status, "connected")) {
        page->look = PAGE_GOOD;
        shop_list(x, body);
    } else if (str_eq(x->status, "failed")) {
        page->look = PAGE_BAD;
    } else {
        page->refresh_s = x->age_us > SLOW_EXCHANGE_US ? 15 : 1;
    }
    title = exchange_words(x, !page->english, &other);
    page_other(body, page->english, title, buf_text(&other));
}

enum rc oauth_connection_get(void *user, struct http_req *req, struct http_reply *reply,
                             struct err *e)
{
    static const struct page_text TITLE = { "Página não encontrada", "Page not found" };
    static const struct page_text TEXT = { "Este endereço não existe.",
                                           "This address does not exist." };
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    OWN_BUF struct buf body;
    __attribute__((cleanup(db_exchange_done))) struct exchange x = { 0 };
    struct page page = { .english = page_english(req) };
    enum rc rc = db_tx_begin(app->web_db, "oauth_page", DB_SYSTEM, &tx, e);

    buf_init(&body, (size_t)64 << 10);
    if (rc == RC_OK)
        rc = db_oauth_exchange_get(tx, http_param(req, "exchange_id"), &x, e);
    if (rc == RC_NOT_FOUND)
        return page_message(reply, req, 404, PAGE_PLAIN, &TITLE, &TEXT, e);
    if (rc != RC_OK)
        return rc;
    exchange_page(&x, &page, &body);
    page.body = buf_text(&body);
    rc = buf_check(&body, e);
    return rc == RC_OK ? page_reply(reply, 200, &page, e) : rc;
}
