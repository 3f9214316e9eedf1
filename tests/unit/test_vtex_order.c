/* test_vtex_order.c - where an order stands by the words of VTEX's workflow. */
#include "vtex_order.h"

#include "check.h"

static void stages(void)
{
    static const struct {
        const char *status;
        enum vtex_stage stage;
    } cases[] = {
        { "order-created", VTEX_STAGE_WAITING },
        { "on-order-completed-ffm", VTEX_STAGE_WAITING },
        { "waiting-ffmt-authorization", VTEX_STAGE_WAITING },
        { "waiting-for-manual-authorization", VTEX_STAGE_MANUAL },
        { "authorize-fulfillment", VTEX_STAGE_GOING },
        { "window-to-cancel", VTEX_STAGE_GOING },
        { "ready-for-handling", VTEX_STAGE_GOING },
        { "start-handling", VTEX_STAGE_GOING },
        { "handling", VTEX_STAGE_GOING },
        { "invoice", VTEX_STAGE_GOING },
        { "invoiced", VTEX_STAGE_GOING },
        { "cancellation-requested", VTEX_STAGE_CANCELLING },
        { "cancel", VTEX_STAGE_CANCELLING },
        { "canceled", VTEX_STAGE_CANCELLED },
        { "order-create-error", VTEX_STAGE_ERROR },
        { "something-new", VTEX_STAGE_WAITING },
        { "", VTEX_STAGE_WAITING },
        { NULL, VTEX_STAGE_WAITING },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK(vtex_order_stage(cases[i].status) == cases[i].stage, "case %zu", i);
}

static void ids(void)
{
    struct vtex_session s = { .affiliate_id = "TTK" };
    char id[96];
    char long_id[128];

    CHECK_INT(vtex_order_id(&s, "580211640037914825", id, NULL), RC_OK);
    CHECK_STR(id, "TTK-580211640037914825");
    memset(long_id, '1', sizeof long_id - 1);
    long_id[sizeof long_id - 1] = '\0';
    CHECK_INT(vtex_order_id(&s, long_id, id, NULL), RC_INVALID);
    s.affiliate_id[0] = '\0';
    CHECK_INT(vtex_order_id(&s, "1", id, NULL), RC_INVALID);
}

int main(void)
{
    CASE(stages);
    CASE(ids);
    return CHECK_END();
}
