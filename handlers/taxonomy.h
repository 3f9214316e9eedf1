/* taxonomy.h - what the handlers of mappings share. */
#ifndef TAXONOMY_H
#define TAXONOMY_H

#include "rest.h"

#define TAXONOMY_CATEGORY_CHARS 500

/* RC_INVALID when the category trees of the client's shops say that it cannot take products. */
enum rc taxonomy_check_category(struct db_tx *tx, const char *client_id, const char *category_id,
                                struct err *e);
/* {"100107": {"value_id": "..."}} or value_name, or both. RC_INVALID names the field. */
enum rc taxonomy_check_attributes(const json_t *attributes, struct err *e);
/* All mappings as text/csv. */
enum rc taxonomy_export(struct app *app, struct http_req *req, struct http_reply *reply,
                        struct err *e);

#endif
