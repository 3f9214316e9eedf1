/* fulfil_state.c - what is stored of an order, its packages and invoices, and the questions that all steps ask. */
#include "fulfil.h"

#include "clock.h"
#include "db_order.h"
#include "jspec.h"
#include "str.h"

static void lists_free(struct fulfil *f)
{
    db_package_list_free(f->packages, f->n_packages);
    db_invoice_list_free(f->invoices, f->n_invoices);
    db_fulfil_order_done(&f->order);
    f->packages = NULL;
    f->invoices = NULL;
    f->n_packages = f->n_invoices = 0;
}

void fulfil_done(struct fulfil *f)
{
    lists_free(f);
    session_tiktok_done(&f->tiktok);
    session_vtex_done(&f->vtex);
    db_client_done(&f->client);
    json_decref(f->detail);
    json_decref(f->document);
    json_decref(f->problems);
}

enum rc fulfil_reload(struct fulfil *f, struct err *e)
{
    const struct job *job = f->ctx->job;
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(f->ctx, "fulfil_load", &tx, e);

    lists_free(f);
    if (rc == RC_OK)
        rc = db_fulfil_order_get(tx, job->shop_id, job->entity, &f->order, e);
    if (rc == RC_OK && f->client.client_id[0] == '\0')
        rc = db_client_get(tx, f->order.client_id, &f->client, e);
    if (rc == RC_OK)
        rc = db_package_list(tx, job->shop_id, job->entity, &f->packages, &f->n_packages, e);
    if (rc == RC_OK)
        rc = db_invoice_list(tx, job->shop_id, job->entity, &f->invoices, &f->n_invoices, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

enum rc fulfil_event(struct fulfil *f, const char *event, const char *detail, const char *outcome,
                     const char *platform_code, struct err *e)
{
    const struct fulfil_order *o = &f->order;
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(f->ctx, "fulfil_event", &tx, e);

    if (rc == RC_OK)
        rc = db_order_timeline_add(tx, o->client_id, o->shop_id, o->order_id, event, detail, "job",
                                   f->request_id, e);
    if (rc == RC_OK)
        rc = db_order_log(tx, o->client_id, o->shop_id, o->order_id, o->state, o->state, outcome,
                          platform_code, f->request_id, f->ctx->job->run_id, detail, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

void fulfil_again(struct fulfil *f, int64_t wait_us)
{
    if (wait_us < US_PER_S)
        wait_us = US_PER_S;
    if (f->next_us == 0 || wait_us < f->next_us)
        f->next_us = wait_us;
}

int64_t fulfil_polls_us(const struct fulfil *f, int n)
{
    return (int64_t)f->ctx->app->cfg.order_poll_seconds * US_PER_S * n;
}

int64_t fulfil_settle_us(const struct fulfil *f)
{
    return (int64_t)f->ctx->app->cfg.in_doubt_settle_seconds * US_PER_S;
}

bool fulfil_needs_invoice(const struct fulfil *f)
{
    return f->need[0] != '\0' && !str_eq(f->need, "NO_NEED");
}

struct invoice *fulfil_invoice_of(const struct fulfil *f, const struct package *p)
{
    struct invoice *found = NULL;

    for (int i = 0; i < f->n_invoices; i++) {
        struct invoice *v = &f->invoices[i];

        if (!str_eq(v->package_id, p->package_id))
            continue;
        if (str_eq(v->state, "accepted"))
            return v;
        if (found == NULL)
            found = v;
    }
    return found;
}

bool fulfil_invoice_done(const struct fulfil *f, const struct package *p)
{
    const struct invoice *v = fulfil_invoice_of(f, p);

    if (!fulfil_needs_invoice(f) || (v != NULL && str_eq(v->state, "accepted")))
        return true;
    /* Uploaded by somebody else; with several packages it says nothing of each one. */
    return str_eq(f->need, "INVOICE_UPLOADED") && f->n_packages == 1;
}

bool fulfil_arranged(const struct package *p)
{
    return str_eq(p->state, "PROCESSING") || str_eq(p->state, "FULFILLING") ||
           str_eq(p->state, "COMPLETED");
}

bool fulfil_to_ship(const struct fulfil *f)
{
    const char *status = jspec_text(f->detail, "status");

    return str_eq(status, "AWAITING_SHIPMENT") || str_eq(status, "PARTIALLY_SHIPPING");
}
