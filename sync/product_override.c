/* product_override.c - values that an undo or an approved proposal holds against what the source says.
 *
 * An override knows what the source gave when it was set. As long as the source gives the same, the held value stands
 * in for it; anything else is news of the merchant, and the override is over. */
#include "product_job.h"

#include <string.h>

#include "db_proposal.h"
#include "jspec.h"
#include "map_text.h"
#include "money.h"
#include "price_rule.h"
#include "str.h"

#define ENDED_SOURCE "the source says something else now"
#define ENDED_SAME "the source says the same now"
#define ENDED_REFUSED "TikTok refused it"
#define ENDED_EMPTY "nothing of the text is left in the form that TikTok takes"
#define TEXT_BYTES ((size_t)1 << 17)
#define ENDED_RANGE "the price is outside the client's price rules now"

static int find(const struct publish *p, const char *seller_sku, const char *field)
{
    for (int i = 0; i < p->n_overrides; i++)
        if (str_eq(p->overrides[i].seller_sku, seller_sku) &&
            str_eq(p->overrides[i].field, field) && p->override_states[i].ended == NULL)
            return i;
    return -1;
}

enum rc publish_overrides_load(struct publish *p, struct db_tx *tx, struct err *e)
{
    enum rc rc = db_overrides_get(tx, p->product.shop_id, p->product.source_id, &p->overrides,
                                  &p->n_overrides, e);

    if (rc != RC_OK)
        return rc;
    p->override_states = calloc((size_t)p->n_overrides + 1, sizeof *p->override_states);
    return p->override_states != NULL ? RC_OK : err_set(e, RC_DOWN, "out of memory for overrides");
}

void publish_overrides_done(struct publish *p)
{
    db_overrides_free(p->overrides, p->n_overrides);
    free(p->override_states);
}

/* The held value as TikTok takes it: what a person wrote for a text is put in that form first. New reference. */
static enum rc sendable(const struct product_override *o, json_t **out, struct err *e)
{
    OWN_BUF struct buf text;
    const char *written = json_string_value(o->value);
    enum rc rc = RC_OK;

    buf_init(&text, TEXT_BYTES);
    if (written == NULL) {
        *out = json_incref(o->value);
        return RC_OK;
    }
    rc = strcmp(o->field, "title") == 0 ? map_text_plain(written, TITLE_CHARS_BR, &text, e)
                                        : map_text_html(written, DESCRIPTION_CHARS, &text, e);
    if (rc != RC_OK)
        return rc;
    /* what was published before was in that form; pictures in it would be lost */
    *out =
        strcmp(o->reason, "proposal") == 0 ? json_string(buf_text(&text)) : json_incref(o->value);
    return *out != NULL ? RC_OK : err_set(e, RC_DOWN, "out of memory for a text");
}

enum rc publish_overrides(struct publish *p, struct err *e)
{
    for (int i = 0; p->body != NULL && i < p->n_overrides; i++) {
        const struct product_override *o = &p->overrides[i];
        const char *member = db_override_member(o->field);
        const json_t *now = member != NULL ? json_object_get(p->body, member) : NULL;

        if (member == NULL)
            continue;
        if (now != NULL && json_equal(now, o->value)) {
            p->override_states[i].ended = ENDED_SAME;
        } else if (now == NULL || !json_equal(now, o->source_value)) {
            p->override_states[i].ended = ENDED_SOURCE;
        } else {
            json_auto_t *value = NULL;
            enum rc rc = sendable(o, &value, e);

            if (rc != RC_OK)
                return rc;
            if (json_is_string(value) && !map_text_has_word(json_string_value(value))) {
                p->override_states[i].ended = ENDED_EMPTY;
                continue;
            }
            p->override_states[i].applied = true;
            if (json_object_set(p->body, member, value) != 0)
                return err_set(e, RC_DOWN, "out of memory for an override");
        }
    }
    return RC_OK;
}

void publish_overrides_refused(struct publish *p)
{
    size_t held = 0;

    for (size_t k = 0; k < json_array_size(p->changes); k++) {
        int i = find(p, "", jspec_text(json_array_get(p->changes, k), "field"));

        if (i < 0 || !p->override_states[i].applied)
            continue;
        p->override_states[i].ended = ENDED_REFUSED;
        held++;
    }
    p->hold_refused = held > 0 && held == json_array_size(p->changes);
}

bool publish_has_override(const struct publish *p, const char *seller_sku, const char *field)
{
    return find(p, seller_sku, field) >= 0;
}

static bool amount(const json_t *value, int64_t *minor)
{
    return json_is_string(value) &&
           money_decimal_read(json_string_value(value), minor, NULL) == RC_OK;
}

int64_t publish_override_price(struct publish *p, const char *seller_sku, int64_t source_minor)
{
    int i = find(p, seller_sku, "price");
    int64_t held = 0, source = 0;

    if (i < 0)
        return 0;
    if (!amount(p->overrides[i].value, &held) || !amount(p->overrides[i].source_value, &source) ||
        source != source_minor) {
        p->override_states[i].ended = ENDED_SOURCE;
        return 0;
    }
    if (!price_rule_allows(&p->client.price, held)) {
        p->override_states[i].ended = ENDED_RANGE;
        return 0;
    }
    p->override_states[i].applied = true;
    return held;
}

const char *publish_override_rule(const struct publish *p, const char *seller_sku,
                                  const char *field)
{
    int i = find(p, seller_sku, field);

    if (i < 0 || !p->override_states[i].applied)
        return NULL;
    return str_eq(p->overrides[i].reason, "proposal") ? "override: proposal" : "override: revert";
}

static enum rc log_end(const struct publish *p, struct db_tx *tx, int i, struct err *e)
{
    const struct product_override *o = &p->overrides[i];
    char words[200];

    (void)str_fmt(words, sizeof words, "%s: %s", o->field, p->override_states[i].ended);

    const struct log_row row = {
        .client_id = p->client.client_id,
        .shop_id = p->shop.shop_id,
        .entity = p->product.source_id,
        .old_value = o->seller_sku[0] != '\0' ? o->seller_sku : NULL,
        .outcome = "override_ended",
        .run_id = p->ctx->job->run_id,
        .message = words,
    };

    return db_log(tx, LOG_TABLE_PRODUCT, &row, e);
}

static enum rc end_one(struct publish *p, struct db_tx *tx, int i, const char *request_id,
                       struct err *e)
{
    const struct product_override *o = &p->overrides[i];
    bool refused = strcmp(p->override_states[i].ended, ENDED_REFUSED) == 0;
    enum rc rc = db_override_delete(tx, p->client.client_id, o->id, NULL, NULL, e);

    if (rc == RC_NOT_FOUND) /* a person was faster */
        return RC_OK;
    if (rc == RC_OK)
        rc = log_end(p, tx, i, e);
    if (rc == RC_OK && o->proposal_id != 0)
        rc = db_proposal_close(tx, p->client.client_id, o->proposal_id,
                               refused ? "refused" : "outdated", p->ctx->job->run_id,
                               refused ? request_id : NULL,
                               refused ? json_array_get(p->problems, 0) : NULL, NULL, e);
    return rc;
}

/* Proposals that nobody decided about were made for values that are gone now. */
static enum rc outdate(struct publish *p, struct db_tx *tx, struct err *e)
{
    const char *fields[32];
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(p->changes) && n < 32; i++)
        fields[n++] = jspec_text(json_array_get(p->changes, i), "field");
    return n == 0 ? RC_OK
                  : db_proposals_outdate(tx, p->shop.shop_id, p->product.source_id, fields, n, e);
}

enum rc publish_overrides_end(struct publish *p, struct db_tx *tx, const char *word,
                              const char *request_id, struct err *e)
{
    bool there = strcmp(word, "published") == 0 || strcmp(word, "unchanged") == 0;
    enum rc rc = RC_OK;

    for (int i = 0; rc == RC_OK && i < p->n_overrides; i++) {
        const struct product_override *o = &p->overrides[i];

        if (p->override_states[i].ended != NULL)
            rc = end_one(p, tx, i, request_id, e);
        else if (there && p->override_states[i].applied && o->proposal_id != 0)
            rc = db_proposal_close(tx, p->client.client_id, o->proposal_id, "sent",
                                   p->ctx->job->run_id, request_id, NULL, NULL, e);
    }
    return rc == RC_OK && strcmp(word, "published") == 0 ? outdate(p, tx, e) : rc;
}
