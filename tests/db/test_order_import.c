/* test_order_import.c - one TikTok order makes one VTEX order, whatever is cut, killed or repeated. */
#include "order_rig.h"

/* ---- cases ------------------------------------------------------------------------------------- */

static void a_paid_order_is_placed_and_authorized_once(void)
{
    struct err e;

    reset();
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.places, 1);
    CHECK_INT(W.authorizes, 1);
    CHECK_STR(row_now().vtex_order_id, "TTK-" ORDER);
    CHECK_STR(row_now().vtex_status, "ready-for-handling");
    CHECK_STR(jspec_text(W.placed, "marketplaceServicesEndpoint"),
              "https://conector.exemplo.com.br/vtex/" CLIENT "/hook-secret-1");
    CHECK_INT(fresh_count(P, "SELECT merchant_minor AS n FROM tiktok_orders"), 28470);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM order_timeline"), 7);
    /* asked again: nothing more is sent */
    CHECK_INT(import_once(&e), RC_OK);
    CHECK_INT(W.places, 1);
    CHECK_INT(W.authorizes, 1);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM order_timeline"), 7);
    /* the document is sealed: no name stands in the row */
    CHECK_INT(
        fresh_count(
            P,
            "SELECT count(*) AS n FROM tiktok_orders WHERE position('Mariana'::bytea IN document) > 0"
            " OR items::text LIKE '%Mariana%'"),
        0);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM tiktok_orders WHERE document IS NOT NULL"),
              1);
}

static void orders_that_are_only_stored(void)
{
    static const struct {
        const char *status;
        const char *state;
        int64_t pending;
    } cases[] = {
        { "UNPAID", "received", 2 },     { "ON_HOLD", "on_hold", 2 },
        { "CANCELLED", "cancelled", 0 }, { "CANCEL", "cancelled", 0 },
        { "COMPLETED", "completed", 0 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e;

        reset();
        tiktok_says(cases[i].status, 0);
        json_object_del(W.order, "recipient_address");
        CHECK_INT(import_once(&e), RC_OK);
        check_row(cases[i].state, "none", "");
        CHECK_INT(W.lookups + W.places + W.simulations, 0);
        CHECK_INT(pending_units("1201"), cases[i].pending);
    }
}

static void on_hold_then_paid(void)
{
    struct err e;

    reset();
    tiktok_says("ON_HOLD", 0);
    CHECK_INT(import_once(&e), RC_OK);
    tiktok_says("AWAITING_SHIPMENT", 10);
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(pending_units("1201"), 0);
    /* then the rest of its life, never back */
    tiktok_says("DELIVERED", 20);
    CHECK_INT(import_once(&e), RC_OK);
    check_row("delivered", "authorized", "");
    tiktok_says("IN_TRANSIT", -10);
    CHECK_INT(import_once(&e), RC_OK);
    check_row("delivered", "authorized", "");
    CHECK_STR(row_now().tiktok_status, "DELIVERED");
    CHECK_INT(W.places, 1);
}

static void an_order_that_vtex_has_already_is_adopted(void)
{
    struct err e;

    reset();
    place_apply();
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.places, 0);
    CHECK_INT(W.authorizes, 1);
    reset();
    place_apply();
    authorize_apply();
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.places + W.authorizes, 0);
}

static void a_cut_placement_that_arrived(void)
{
    struct err e;

    reset();
    W.place_mode = CUT_AFTER;
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.places, 1);
}

static void a_cut_placement_that_shows_up_late(void)
{
    struct err e;

    reset();
    W.place_mode = CUT_AFTER;
    W.hidden = true;
    CHECK_INT(import_once(&e), RC_BUSY);
    CHECK(e.retry_after_us > 100 * US_PER_S, "%lld", (long long)e.retry_after_us);
    check_row("in_doubt", "place_sent", "in_doubt");
    CHECK_INT(pending_units("2205"), 1);
    W.hidden = false;
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.places, 1);
}

static void a_cut_placement_that_never_arrived(void)
{
    struct err e;

    reset();
    W.place_mode = CUT_BEFORE;
    CHECK_INT(import_once(&e), RC_BUSY);
    CHECK_INT(row_now().looked_up, 1);
    /* asked again before the settle time: looked up, not sent */
    for (int i = 0; i < 3; i++)
        CHECK_INT(import_once(&e), RC_BUSY);
    CHECK_INT(W.places, 1);
    check_row("in_doubt", "place_sent", "in_doubt");
    settle();
    W.place_mode = GOOD;
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.places, 2);
}

static void killed_while_placing(void)
{
    static const enum mode modes[] = { DIE_BEFORE, DIE_AFTER };

    for (int i = 0; i < 2; i++) {
        struct err e;

        reset();
        W.place_mode = modes[i];
        import_killed();
        check_row("importing", "place_sent", "");
        W.place_mode = GOOD;
        if (modes[i] == DIE_AFTER)
            place_apply();
        if (modes[i] == DIE_BEFORE) {
            CHECK_INT(import_once(&e), RC_BUSY);
            check_row("in_doubt", "place_sent", "in_doubt");
            settle();
            CHECK_INT(W.places, 0);
        }
        CHECK_INT(import_once(&e), RC_OK);
        check_row("authorized", "authorized", "");
        CHECK_INT(W.places, modes[i] == DIE_BEFORE ? 1 : 0);
    }
}

static void first_looked_up_long_after_the_call(void)
{
    struct err e;

    reset();
    W.place_mode = DIE_BEFORE;
    import_killed();
    settle();
    W.place_mode = GOOD;
    CHECK_INT(import_once(&e), RC_BUSY); /* twice, always */
    CHECK(e.retry_after_us < 10 * US_PER_S, "%lld", (long long)e.retry_after_us);
    CHECK_INT(W.places, 0);
    CHECK_INT(import_once(&e), RC_OK);
    CHECK_INT(W.places, 1);
}

static void authorizations_whose_end_is_unknown(void)
{
    struct err e;

    reset();
    W.authorize_mode = CUT_AFTER;
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.authorizes, 1);
    reset();
    W.authorize_mode = CUT_BEFORE;
    CHECK_INT(import_once(&e), RC_BUSY);
    check_row("in_doubt", "authorize_sent", "in_doubt");
    CHECK_INT(import_once(&e), RC_BUSY);
    CHECK_INT(W.authorizes, 1);
    settle();
    W.authorize_mode = GOOD;
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.authorizes, 2);
    CHECK_INT(W.places, 1);
    reset();
    W.authorize_mode = DIE_AFTER;
    import_killed();
    place_apply();
    authorize_apply();
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.authorizes, 0);
}

static void a_call_that_was_not_sent_is_not_in_doubt(void)
{
    struct err e;

    reset();
    W.place_mode = DOWN;
    CHECK_INT(import_once(&e), RC_DOWN);
    check_row("importing", "claimed", "");
    W.place_mode = GOOD;
    W.authorize_mode = DOWN;
    CHECK_INT(import_once(&e), RC_DOWN);
    check_row("imported", "placed", "");
    W.authorize_mode = GOOD;
    CHECK_INT(import_once(&e), RC_OK);
    CHECK_INT(W.places, 2);
    CHECK_INT(W.authorizes, 2);
}

static void stopped_in_the_middle(void)
{
    struct err e;

    reset();
    W.place_mode = STOPPED;
    CHECK_INT(import_once(&e), RC_STOPPED);
    check_row("importing", "place_sent", "");
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.places, 1);
}

static void cases(void)
{
    CASE(a_paid_order_is_placed_and_authorized_once);
    CASE(orders_that_are_only_stored);
    CASE(on_hold_then_paid);
    CASE(an_order_that_vtex_has_already_is_adopted);
    CASE(a_cut_placement_that_arrived);
    CASE(a_cut_placement_that_shows_up_late);
    CASE(a_cut_placement_that_never_arrived);
    CASE(killed_while_placing);
    CASE(first_looked_up_long_after_the_call);
    CASE(authorizations_whose_end_is_unknown);
    CASE(a_call_that_was_not_sent_is_not_in_doubt);
    CASE(stopped_in_the_middle);
}

int main(void)
{
    return rig_main(cases);
}
