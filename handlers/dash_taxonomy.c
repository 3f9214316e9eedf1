/* dash_taxonomy.c - which TikTok category each category of the merchant means. */
#include "dash_pages.h"

#include "db_dash.h"
#include "jspec.h"
#include "str.h"

#include <string.h>

static void put_mapping_form(struct dash *d, const char *source, const char *category,
                             const json_t *attributes, struct buf *text)
{
    if (!dash_may(d, taxonomy_put))
        return;
    buf_clear(text);
    if (json_object_size(attributes) > 0)
        (void)jspec_dump(attributes, text, NULL); /* does not fit: the field stays empty */
    dash_form(d, "inline", (const char *const[]){ "c", d->client_id, "categorias", NULL });
    html_put(&d->h,
             "<input type=\"hidden\" name=\"source_category\" value=\"%s\">"
             "<input type=\"hidden\" name=\"attributes\" value=\"%s\">"
             "<label>{TikTok category id}<input name=\"tiktok_category_id\" inputmode=\"numeric\" "
             "pattern=\"[0-9]+\" maxlength=\"40\" required value=\"%s\"></label>"
             "<button class=\"main\">{Save}</button></form>",
             source, text->failed ? "" : buf_text(text), category);
}

static void put_mapping(struct dash *d, const json_t *row, struct buf *text)
{
    struct html *h = &d->h;
    const char *path = dash_text(row, "tiktok_category_path");
    const char *chosen = dash_text(row, "chosen_by");

    html_put(h, "<tr><th scope=\"row\">%s<small>%lld {listings}</small></th>",
             dash_text(row, "source_category"), (long long)jspec_int(row, "products", 0));
    html_put(
        h, "<td data-label=\"{On TikTok}\">%s<small>%s</small></td><td data-label=\"{Chosen by}\">",
        path[0] != '\0' ? path : "—", dash_text(row, "tiktok_category_id"));
    if (str_eq(chosen, "mapping"))
        dash_pill(d, "ok", "a person");
    else if (str_eq(chosen, "recommendation"))
        dash_pill(d, "warn", "TikTok's suggestion");
    else
        dash_pill(d, "bad", "nobody yet");
    html_put(h, "</td><td>");
    put_mapping_form(d, dash_text(row, "source_category"), dash_text(row, "tiktok_category_id"),
                     jspec_get(row, "attributes"), text);
    html_put(h, "</td></tr>\n");
}

enum rc page_taxonomy(struct dash *d, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    OWN_BUF struct buf text;
    json_auto_t *page = NULL;
    char cursor[512];
    size_t i;
    json_t *row;
    enum rc rc = db_tx_begin(d->app->web_db, "page_taxonomy", d->client_id, &tx, e);

    buf_init(&text, 20000);
    dash_query(d, "cursor", cursor, sizeof cursor);
    if (rc == RC_OK)
        rc = db_dash_categories(tx, d->client_id, cursor, DASH_ROWS, &page, e);
    if (rc != RC_OK)
        return rc;
    html_put(&d->h,
             "<p>{Each category of the feed stands for one of TikTok's. A suggestion counts "
             "until a person chooses; a change sends the listings of the category again.}</p>\n");
    if (json_array_size(jspec_get(page, "items")) == 0) {
        dash_empty(d, "No category is known yet: read the feed under Runs.");
        return RC_OK;
    }
    html_put(&d->h,
             "<div class=\"table\"><table class=\"stack\"><thead><tr><th scope=\"col\">{Category "
             "of the feed}</th><th scope=\"col\">{On TikTok}</th><th scope=\"col\">{Chosen by}"
             "</th><th scope=\"col\">{Change}</th></tr></thead><tbody>\n");
    json_array_foreach(jspec_get(page, "items"), i, row)
    {
        put_mapping(d, row, &text);
    }
    html_put(&d->h, "</tbody></table></div>\n");
    dash_next(d, page);
    return RC_OK;
}

enum rc act_taxonomy(struct dash *d, struct err *e)
{
    char source[1024], category[64], attributes[20000];
    json_auto_t *parsed = NULL;
    json_auto_t *body = NULL;
    enum rc rc = RC_OK;

    (void)session_field(d->req, "source_category", source, sizeof source);
    (void)session_field(d->req, "tiktok_category_id", category, sizeof category);
    if (session_field(d->req, "attributes", attributes, sizeof attributes) && attributes[0] != '\0')
        rc = jspec_parse(attributes, strlen(attributes), 0, &parsed, e);
    if (rc != RC_OK)
        return rc;
    body = json_pack("{s:s, s:s, s:O*}", "source_category", source, "tiktok_category_id",
                     str_trim(category), "attributes", parsed);
    if (body == NULL)
        return err_set(e, RC_BUG, "no memory for a mapping");
    return dash_call(d, &(struct dash_call){ .handler = taxonomy_put, .body = body }, NULL, e);
}
