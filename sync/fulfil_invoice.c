/* fulfil_invoice.c - finds the NF-e of an order in VTEX, checks each, and says which package it belongs to. */
#include "br_document.h"
#include "db_order.h"
#include "fulfil.h"
#include "jspec.h"
#include "problem.h"
#include "str.h"
#include "vtex_invoice.h"

#define INVOICE_TOTAL_MS 20000
#define SKUS_MAX 100

/* ---- the file ---------------------------------------------------------------------------------- */

/* Fetches the file behind invoiceUrl. RC_NOT_FOUND: it cannot be had now. */
static enum rc url_fetch(struct fulfil *f, const char *url, struct buf *out, struct err *e)
{
    struct fetch_reply reply = { 0 };
    const struct fetch_req req = { .method = "GET",
                                   .url = url,
                                   .policy = FETCH_PUBLIC,
                                   .headers = { "Accept: application/xml, text/xml" },
                                   .n_headers = 1,
                                   .total_ms = INVOICE_TOTAL_MS,
                                   .reply_limit_bytes = (int64_t)LIMIT_NFE_BYTES,
                                   .stop = f->ctx->stop };
    enum rc rc = fetch_run(platform_fetch(f->ctx->app->platform), &req, &reply, e);

    if (rc == RC_STOPPED)
        return rc;
    if (rc == RC_OK && reply.status == 200)
        buf_add(out, reply.body.data, reply.body.len);
    if (rc == RC_OK)
        fetch_reply_done(&reply);
    return out->len > 0 && buf_check(out, NULL) == RC_OK
               ? RC_OK
               : err_code(e, RC_NOT_FOUND, "nfe_url", "the address of the NF-e gives no file");
}

static bool is_address(const char *text)
{
    return text != NULL && (str_starts(text, "https://") || str_starts(text, "http://"));
}

/* The file of one VTEX package: embedded, or by its address. RC_NOT_FOUND: there is none; RC_INVALID: none is good,
 * *e says why. */
static enum rc file_read(struct fulfil *f, const json_t *package, struct nfe *nfe, struct buf *xml,
                         struct err *e)
{
    const char *embedded = jspec_text(package, "embeddedInvoice");
    const char *url = jspec_text(package, "invoiceUrl");
    enum rc rc = RC_NOT_FOUND;

    if (!str_blank(embedded)) {
        rc = nfe_clean(embedded, xml, e);
        if (rc == RC_OK)
            rc = nfe_read(xml->data, xml->len, nfe, e);
    }
    if (rc == RC_OK || !is_address(url))
        return rc;
    buf_clear(xml);
    if (rc == RC_NOT_FOUND) {
        rc = url_fetch(f, url, xml, e);
        return rc == RC_OK ? nfe_read(xml->data, xml->len, nfe, e) : rc;
    }
    struct err why = *e;

    rc = url_fetch(f, url, xml, e);
    if (rc == RC_OK)
        rc = nfe_read(xml->data, xml->len, nfe, e);
    if (rc == RC_NOT_FOUND) { /* what is embedded tells more */
        *e = why;
        rc = why.rc;
    }
    return rc;
}

/* ---- checks ------------------------------------------------------------------------------------ */

/* The client names its issuers: it must be one of them. */
static bool issuer_fits(const struct fulfil *f, const struct nfe *nfe)
{
    const json_t *issuers = jspec_get(f->client.policies, "invoice.issuers");
    char digits[BR_DOCUMENT_BYTES];

    for (size_t i = 0; i < json_array_size(issuers); i++) {
        (void)br_document_read(json_string_value(json_array_get(issuers, i)), digits);
        if (str_eq(digits, nfe->issuer))
            return true;
    }
    return json_array_size(issuers) == 0;
}

/* A masked or missing CPF of the buyer says nothing. */
static bool recipient_fits(const struct fulfil *f, const struct nfe *nfe)
{
    char buyer[BR_DOCUMENT_BYTES];

    if (br_document_read(jspec_text(f->detail, "cpf"), buyer) == BR_DOCUMENT_NONE)
        return true;
    return str_eq(buyer, nfe->recipient);
}

const char *fulfil_file_doubt(const struct fulfil *f, const struct nfe *nfe)
{
    if (!issuer_fits(f, nfe))
        return "nfe_issuer";
    return recipient_fits(f, nfe) ? NULL : "nfe_recipient";
}

static void unusable_add(struct fulfil *f, const char *number, const char *code)
{
    const char *action = "issue the NF-e again, or hand in the right file";

    if (str_eq(code, "nfe_incomplete"))
        problem_add(f->problems, code, "invoice",
                    "have the shop system hand on the nfeProc with its protocol",
                    "the NF-e %.20s in VTEX has no protocol of the tax authority", number);
    else if (str_eq(code, "nfe_issuer"))
        problem_add(f->problems, code, "invoice", action,
                    "the issuer of the NF-e %.20s is not the one expected", number);
    else if (str_eq(code, "nfe_recipient"))
        problem_add(f->problems, code, "invoice", action,
                    "the NF-e %.20s is not made out to the buyer of the order", number);
    else if (str_eq(code, "nfe_not_authorized"))
        problem_add(f->problems, code, "invoice", action,
                    "the NF-e %.20s was not authorized by the tax authority", number);
    else if (str_eq(code, "nfe_key"))
        problem_add(f->problems, code, "invoice", action,
                    "the access key of the NF-e %.20s is wrong", number);
    else if (str_eq(code, "nfe_model"))
        problem_add(f->problems, code, "invoice", action,
                    "the invoice %.20s is not an NF-e of model 55", number);
    else if (str_eq(code, "nfe_too_large"))
        problem_add(f->problems, code, "invoice", action,
                    "the file of the NF-e %.20s is larger than TikTok takes", number);
    else if (str_eq(code, "nfe_missing"))
        problem_add(f->problems, code, "invoice",
                    "have the shop system hand on the XML, or hand it in here",
                    "VTEX has the invoice %.20s, but not its XML file", number);
    else
        problem_add(f->problems, "nfe_not_xml", "invoice", action,
                    "the file of the invoice %.20s in VTEX is not an NF-e", number);
}

/* ---- one invoice --------------------------------------------------------------------------------- */

/* What it covers as VTEX SKUs; an index outside of the order is left out. New reference or NULL. */
static json_t *items_new(const struct fulfil *f, const json_t *package)
{
    const json_t *items = jspec_get(package, "items");
    const json_t *all = jspec_get(f->document, "items");
    json_t *out = json_array();

    for (size_t i = 0; out != NULL && i < json_array_size(items); i++) {
        const json_t *one = json_array_get(items, i);
        int64_t at = jspec_int(one, "itemIndex", -1);
        char sku[JSPEC_ID_BYTES];

        if (at < 0 || (size_t)at >= json_array_size(all))
            continue;
        jspec_id(json_array_get(all, (size_t)at), "id", sku);
        (void)json_array_append_new(out, json_pack("{s:s, s:I}", "sku_id", sku, "quantity",
                                                   (json_int_t)jspec_int(one, "quantity", 1)));
    }
    return out;
}

static bool is_known(const struct fulfil *f, const char *number)
{
    for (int i = 0; i < f->n_invoices; i++) {
        const struct invoice *v = &f->invoices[i];

        if (str_eq(v->vtex_number, number) && v->has_xml && !str_eq(v->state, "refused"))
            return true;
    }
    return false;
}

static enum rc invoice_keep(struct fulfil *f, const json_t *package, const struct nfe *nfe,
                            const struct buf *xml, const char *number, struct err *e)
{
    json_auto_t *items = items_new(f, package);
    struct invoice_facts facts = { .client_id = f->order.client_id,
                                   .shop_id = f->order.shop_id,
                                   .order_id = f->order.order_id,
                                   .source = "vtex",
                                   .nfe = nfe,
                                   .vtex_number = number,
                                   .items = items,
                                   .xml = xml->data,
                                   .xml_len = xml->len };
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(f->ctx, "fulfil_invoice", &tx, e);

    if (rc == RC_OK)
        rc = db_invoice_put(tx, &facts, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc package_take(struct fulfil *f, const json_t *package, struct err *e)
{
    OWN_BUF struct buf xml = { 0 };
    struct nfe nfe = { 0 };
    char number[JSPEC_ID_BYTES];
    enum rc rc;

    jspec_id(package, "invoiceNumber", number);
    if (number[0] == '\0' || str_eq(jspec_text(package, "type"), "Input") || is_known(f, number))
        return RC_OK;
    buf_init(&xml, LIMIT_NFE_BYTES);
    rc = file_read(f, package, &nfe, &xml, e);
    if (rc == RC_NOT_FOUND)
        unusable_add(f, number, "nfe_missing");
    else if (rc == RC_INVALID)
        unusable_add(f, number, e->code);
    else if (rc != RC_OK)
        return rc;
    else if (fulfil_file_doubt(f, &nfe) != NULL)
        unusable_add(f, number, fulfil_file_doubt(f, &nfe));
    else
        return invoice_keep(f, package, &nfe, &xml, number, e);
    return RC_OK;
}

/* VTEX may not have the order, or hide it for a while. */
static enum rc document_read(struct fulfil *f, struct err *e)
{
    enum rc rc = RC_OK;

    if (!f->vtex_open) {
        rc = session_vtex_open(f->ctx, &f->vtex, e);
        f->vtex_open = rc == RC_OK;
    }
    if (rc == RC_OK)
        rc = vtex_order_document(&f->vtex, f->order.vtex_order_id, f->order.order_id, &f->document,
                                 e);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc fulfil_invoices_find(struct fulfil *f, struct err *e)
{
    const json_t *packages;
    enum rc rc;

    if (!str_eq(f->order.step, "authorized") || f->order.vtex_order_id[0] == '\0')
        return RC_OK;
    rc = document_read(f, e);
    packages = jspec_get(f->document, "packageAttachment.packages");
    if (rc != RC_OK || !fulfil_needs_invoice(f) || str_eq(f->need, "INVOICE_UPLOADED"))
        return rc;
    for (size_t i = 0; rc == RC_OK && i < json_array_size(packages); i++)
        rc = package_take(f, json_array_get(packages, i), e);
    return rc == RC_OK ? fulfil_reload(f, e) : rc;
}

/* ---- which package ------------------------------------------------------------------------------- */

struct units {
    char sku[SKUS_MAX][64];
    int64_t quantity[SKUS_MAX];
    int n;
};

static void units_add(struct units *u, const char *sku, int64_t quantity)
{
    for (int i = 0; i < u->n; i++) {
        if (str_eq(u->sku[i], sku)) {
            u->quantity[i] += quantity;
            return;
        }
    }
    if (u->n < SKUS_MAX && str_copy(u->sku[u->n], sizeof u->sku[0], sku))
        u->quantity[u->n++] = quantity;
}

static bool units_equal(const struct units *a, const struct units *b)
{
    for (int i = 0; i < a->n; i++) {
        bool found = false;

        for (int k = 0; k < b->n; k++)
            found = found || (str_eq(a->sku[i], b->sku[k]) && a->quantity[i] == b->quantity[k]);
        if (!found)
            return false;
    }
    return a->n == b->n && a->n > 0;
}

/* Units of a TikTok package as VTEX SKUs. */
static enum rc package_units(struct fulfil *f, struct db_tx *tx, const struct package *p,
                             struct units *out, struct err *e)
{
    for (size_t i = 0; i < json_array_size(p->skus); i++) {
        const json_t *one = json_array_get(p->skus, i);
        const json_t *lines = jspec_get(f->detail, "line_items");
        const char *seller_sku = NULL;
        char sku[64] = "";
        enum rc rc;

        for (size_t k = 0; k < json_array_size(lines); k++) {
            if (str_eq(jspec_text(json_array_get(lines, k), "sku_id"), jspec_text(one, "sku_id")))
                seller_sku = jspec_text(json_array_get(lines, k), "seller_sku");
        }
        rc = db_order_sku_find(tx, f->order.client_id, f->order.shop_id, jspec_text(one, "sku_id"),
                               seller_sku, sku, sizeof sku, e);
        if (rc == RC_NOT_FOUND)
            return RC_OK; /* equals no invoice then */
        if (rc != RC_OK)
            return rc;
        units_add(out, sku, jspec_int(one, "quantity", 0));
    }
    return RC_OK;
}

/* Packages of the order that no living invoice is for; `only` is one of them. */
static int packages_free(const struct fulfil *f, const struct package **only)
{
    int n = 0;

    for (int i = 0; i < f->n_packages; i++) {
        const struct invoice *v = fulfil_invoice_of(f, &f->packages[i]);

        if (v != NULL && !str_eq(v->state, "refused"))
            continue;
        *only = &f->packages[i];
        n++;
    }
    return n;
}

/* Invoices that have no package yet and are not refused. */
static int invoices_free(const struct fulfil *f)
{
    int n = 0;

    for (int i = 0; i < f->n_invoices; i++)
        n += f->invoices[i].package_id[0] == '\0' && !str_eq(f->invoices[i].state, "refused");
    return n;
}

/* The package that holds exactly what the invoice covers; stays NULL when none does. */
static enum rc package_match(struct fulfil *f, struct db_tx *tx, const struct invoice *v,
                             const struct package **out, struct err *e)
{
    struct units wanted = { .n = 0 };

    for (size_t i = 0; i < json_array_size(v->items); i++) {
        const json_t *one = json_array_get(v->items, i);

        units_add(&wanted, jspec_text(one, "sku_id"), jspec_int(one, "quantity", 0));
    }
    for (int i = 0; i < f->n_packages; i++) {
        const struct package *p = &f->packages[i];
        const struct invoice *other = fulfil_invoice_of(f, p);
        struct units has = { .n = 0 };
        enum rc rc;

        if (other != NULL && !str_eq(other->state, "refused"))
            continue;
        rc = package_units(f, tx, p, &has, e);
        if (rc != RC_OK)
            return rc;
        if (units_equal(&wanted, &has)) { /* of equal parcels it does not matter which */
            *out = p;
            return RC_OK;
        }
    }
    return RC_OK;
}

static enum rc assign_one(struct fulfil *f, struct invoice *v, struct err *e)
{
    const struct package *p = NULL;
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(f->ctx, "fulfil_assign", &tx, e);

    if (rc == RC_OK && !(packages_free(f, &p) == 1 && invoices_free(f) == 1)) {
        p = NULL;
        rc = package_match(f, tx, v, &p, e);
    }
    if (rc == RC_OK && p == NULL) {
        problem_add(f->problems, "invoice_fits_no_package", "invoice",
                    "split the order in TikTok as it was invoiced, or issue one NF-e per package",
                    "the NF-e ...%.9s covers what no package of the order holds",
                    v->access_key + 25);
        return RC_OK;
    }
    if (rc == RC_OK)
        rc = db_invoice_package_set(tx, f->order.shop_id, f->order.order_id, v->access_key,
                                    p->package_id, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        (void)str_copy(v->package_id, sizeof v->package_id, p->package_id);
    return rc;
}

/* Whether the package that an invoice was for is there still. */
static bool package_lives(const struct fulfil *f, const char *package_id)
{
    for (int i = 0; i < f->n_packages; i++) {
        if (str_eq(f->packages[i].package_id, package_id))
            return true;
    }
    return false;
}

enum rc fulfil_invoices_assign(struct fulfil *f, struct err *e)
{
    enum rc rc = RC_OK;

    if (f->n_packages == 0)
        return RC_OK;
    for (int i = 0; i < f->n_invoices; i++) {
        struct invoice *v = &f->invoices[i];

        /* Split or combined after the upload: the file is for another package now. */
        if (v->package_id[0] != '\0' && str_eq(v->state, "awaiting_invoice") &&
            !package_lives(f, v->package_id))
            v->package_id[0] = '\0';
    }
    for (int i = 0; rc == RC_OK && i < f->n_invoices; i++) {
        struct invoice *v = &f->invoices[i];

        if (v->package_id[0] == '\0' && !str_eq(v->state, "refused"))
            rc = assign_one(f, v, e);
    }
    return rc;
}
