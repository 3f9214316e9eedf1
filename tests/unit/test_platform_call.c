/* test_platform_call.c - what goes out to TikTok, byte by byte, and what its answers mean. */
#include "call_rig.h"

static void tiktok_request(void)
{
    struct tiktok_session s = session_new("shop-request");
    struct tiktok_req req = { .operation = "search_orders",
                              .method = "POST",
                              .path = "/order/202309/orders/search",
                              .with_cipher = true,
                              .query = { { "page_size", "50" },
                                         { "page_token", "a/b+c=" },
                                         { "empty", "" },
                                         { "none", NULL } } };
    struct tiktok_reply reply;
    struct err e = { 0 };
    char text[256];
    json_auto_t *body = json_pack("{s:s,s:i}", "name", "São Paulo", "n", 1);

    atomic_store(&script_name, "good");
    req.body = body;
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_OK);
    CHECK_STR(jspec_text(reply.data, "product_id"), "1729592969712207008");
    CHECK_STR(reply.request_id, "R1");
    tiktok_reply_done(&reply);
    check_signed(5);
    CHECK_STR(last.body, "{\"name\":\"São Paulo\",\"n\":1}");
    CHECK(strstr(last.target, "page_token=a%2Fb%2Bc%3D&") != NULL, "%s", last.target);
    CHECK(strstr(last.target, "shop_cipher=ROW_abc%2F%2B%3D&") != NULL, "%s", last.target);
    CHECK(peer_header(&last, "x-tts-access-token", text, sizeof(text)), "token");
    CHECK_STR(text, "old");
    CHECK(peer_header(&last, "content-type", text, sizeof(text)), "type");
    CHECK_STR(text, "application/json");
    CHECK_INT(n_before, 0);
    CHECK_INT(n_after, 1);
    CHECK_STR(recorded_text[0], "R1|");
    session_free(&s);
}

static void tiktok_get_and_empty_post(void)
{
    struct tiktok_session s = session_new("shop-get");
    struct tiktok_req req = { .operation = "get_authorized_shops",
                              .method = "GET",
                              .path = "/authorization/202309/shops" };
    struct tiktok_reply reply;
    struct err e = { 0 };
    char text[64];

    atomic_store(&script_name, "good");
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_OK);
    tiktok_reply_done(&reply);
    check_signed(2); /* no cipher where the contract says none */
    CHECK_INT(last.body_len, 0);
    CHECK(!peer_header(&last, "content-length", text, sizeof(text)), "no length on GET");
    req.operation = "approve_cancellation";
    req.method = "POST";
    req.path = "/return_refund/202309/cancellations/1/approve";
    req.with_cipher = req.writes = true;
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_OK);
    tiktok_reply_done(&reply);
    check_signed(3);
    CHECK_INT(last.body_len, 0);
    CHECK_INT(n_before, 1);
    free(s.cipher);
    s.cipher = NULL;
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_BUG);
    CHECK_INT(atomic_load(&served), 2);
    session_free(&s);
}

static void tiktok_multipart(void)
{
    static const char PNG[] = "\x89PNG\r\n--data";
    struct tiktok_session s = session_new("shop-image");
    struct tiktok_req req = { .operation = "upload_product_image",
                              .method = "POST",
                              .path = "/product/202309/images/upload",
                              .writes = true,
                              .part_fields = { { "use_case", "MAIN_IMAGE" } },
                              .file = PNG,
                              .file_len = sizeof(PNG) - 1,
                              .file_name = "a\"b\r\n.png",
                              .file_type = "image/png" };
    struct tiktok_reply reply;
    struct err e = { 0 };
    char type[256], want[1024];

    atomic_store(&script_name, "good");
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_OK);
    tiktok_reply_done(&reply);
    check_signed(2);
    CHECK(peer_header(&last, "content-type", type, sizeof(type)), "type");
    CHECK(str_starts(type, "multipart/form-data; boundary="), "%s", type);
    snprintf(
        want, sizeof(want),
        "--%s\r\nContent-Disposition: form-data; name=\"use_case\"\r\n\r\nMAIN_IMAGE\r\n--%s\r\n"
        "Content-Disposition: form-data; name=\"data\"; filename=\"a_b__.png\"\r\n"
        "Content-Type: image/png\r\n\r\n%s\r\n--%s--\r\n",
        type + 30, type + 30, PNG, type + 30);
    CHECK_STR(last.body, want);
    session_free(&s);
}

static void tiktok_outcomes(void)
{
    for (size_t i = 0; i < 2 * sizeof(TIKTOK_OUTCOMES) / sizeof(TIKTOK_OUTCOMES[0]); i++) {
        const struct outcome_row *row = &TIKTOK_OUTCOMES[i / 2];
        char shop[32];
        bool writes = i % 2 == 1;
        struct tiktok_req req = { .operation = "create_product",
                                  .method = writes ? "POST" : "GET",
                                  .path = "/product/202309/products",
                                  .writes = writes };
        struct tiktok_reply reply;
        struct tiktok_session s;
        struct err e = { 0 };
        enum rc rc;

        snprintf(shop, sizeof(shop), "shop-%zu", i);
        s = session_new(shop);
        atomic_store(&script_name, row->script);
        rc = tiktok_call(&s, &req, &reply, &e);
        CHECK(rc == (writes ? row->writes : row->reads), "%s (%s): %s, %s", row->script, req.method,
              rc_name(rc), e.text);
        CHECK_INT(rc == RC_OK ? 0 : e.platform_code, row->code);
        CHECK(atomic_load(&served) == 1 || (!writes && atomic_load(&served) == 2),
              "a used connection that dies may repeat a read, never a write");
        CHECK_INT(n_before, writes);
        CHECK_INT(n_after, 1);
        CHECK_INT(recorded[0].rc, rc);
        if (str_eq(row->script, "503"))
            CHECK_INT(e.retry_after_us, 3 * US_PER_S);
        if (str_eq(row->script, "invalid")) {
            CHECK_STR(e.text, "Falta o peso é claro");
            CHECK_STR(e.request_id, "R2");
            CHECK(reply.root != NULL, "the envelope is there to be read");
        }
        tiktok_reply_done(&reply);
        session_free(&s);
    }
}

static void token_is_renewed_once(void)
{
    struct tiktok_session s = session_new("shop-token");
    struct tiktok_req req = { .operation = "update_inventory",
                              .method = "POST",
                              .path = "/product/202309/products/1/inventory/update",
                              .writes = true };
    struct tiktok_reply reply;
    struct err e = { 0 };

    atomic_store(&script_name, "expired");
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_DENIED); /* nobody can renew */
    CHECK_INT(e.platform_code, 105002);
    tiktok_reply_done(&reply);
    s.refresh = renew;
    refreshes = 0;
    atomic_store(&served, 0);
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_OK);
    tiktok_reply_done(&reply);
    CHECK_INT(refreshes, 1);
    CHECK_INT(atomic_load(&served), 2);
    check_signed(2);
    atomic_store(&script_name, "always expired");
    refreshes = 0;
    atomic_store(&served, 0);
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_DENIED);
    tiktok_reply_done(&reply);
    CHECK_INT(refreshes, 1);
    CHECK_INT(atomic_load(&served), 2);
    session_free(&s);
}

static void cipher_is_reloaded_once(void)
{
    static const struct {
        const char *script;
        bool reload;
        enum rc rc;
        int reloads, served;
    } T[] = {
        { "cipher", false, RC_BUG, 0, 1 }, /* nobody can read it again */
        { "cipher", true, RC_OK, 1, 2 },
        { "always cipher", true, RC_BUG, 1, 2 },
    };

    for (size_t i = 0; i < sizeof(T) / sizeof(T[0]); i++) {
        struct tiktok_session s = session_new("shop-cipher");
        struct tiktok_req req = { .operation = "update_inventory",
                                  .method = "POST",
                                  .path = "/product/202309/products/1/inventory/update",
                                  .with_cipher = true,
                                  .writes = true };
        struct tiktok_reply reply;
        struct err e = { 0 };

        reloads = 0;
        s.reload_cipher = T[i].reload ? reload_cipher : NULL;
        atomic_store(&script_name, T[i].script);
        CHECK_INT(tiktok_call(&s, &req, &reply, &e), T[i].rc);
        CHECK_INT(T[i].rc == RC_OK ? 0 : e.platform_code, T[i].rc == RC_OK ? 0 : 101000);
        CHECK_INT(reloads, T[i].reloads);
        CHECK_INT(atomic_load(&served), T[i].served);
        tiktok_reply_done(&reply);
        session_free(&s);
    }
}

static void cases(void)
{
    CASE(tiktok_request);
    CASE(tiktok_get_and_empty_post);
    CASE(tiktok_multipart);
    CASE(tiktok_outcomes);
    CASE(token_is_renewed_once);
    CASE(cipher_is_reloaded_once);
}

int main(void)
{
    return rig_main(cases);
}
