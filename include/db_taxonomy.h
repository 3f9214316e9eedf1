/* db_taxonomy.h - TikTok's category tree of a shop, and which products a change of it touches. */
#ifndef DB_TAXONOMY_H
#define DB_TAXONOMY_H

#include "db.h"

#define LIMIT_CATEGORIES_USED 5000 /* categories of one shop whose rules are kept fresh */

/* What the tree says of one category. Names that do not fit are cut: they are for people. */
struct category_node {
    bool tree_known; /* a tree was read; otherwise nothing else can be told */
    bool found;
    bool leaf;
    bool available;
    char path[512];
    char permissions[128];
};
/* True when the tree forbids products in the category; false also while no tree is known. */
bool db_category_unusable(const struct category_node *node);
/* The category in the tree of one shop, or, shop_id NULL, in the most willing one of the client's connected shops. */
enum rc db_category_node(struct db_tx *tx, const char *client_id, const char *shop_id,
                         const char *category_id, struct category_node *out, struct err *e);

struct category_tree_counts {
    int64_t total, created, updated, removed;
};
/* Replaces the tree: an array of {"id", "parent_id", "name", "is_leaf", "available", "permissions"}. */
enum rc db_category_tree_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                             const json_t *nodes, struct category_tree_counts *out, struct err *e);
/* Asks for the products whose category can be used no more, and for those that can be listed again. */
enum rc db_category_recheck_unusable(struct db_tx *tx, const char *client_id, const char *shop_id,
                                     struct err *e);
/* Asks for the products of the shop in a category. */
enum rc db_category_recheck(struct db_tx *tx, const char *client_id, const char *shop_id,
                            const char *category_id, struct err *e);
/* Ids of the categories that products or mappings use, as rows (category_id). */
enum rc db_categories_used(struct db_tx *tx, const char *client_id, const char *shop_id,
                           struct db_rows **rows, struct err *e);
/* Forgets the rules of a category that TikTok refuses now; *known: there were some. */
enum rc db_category_forget(struct db_tx *tx, const char *shop_id, const char *category_id,
                           bool *known, struct err *e);

/* Asks for the products of the given source categories and of those below them. */
enum rc db_taxonomy_republish(struct db_tx *tx, const char *client_id,
                              const char *const *source_categories, size_t n, struct err *e);
/* Sets many mappings, [{"source", "category", "attributes"}], each source once; products of those that changed are
 * asked for. *changed counts them. */
enum rc db_taxonomy_import(struct db_tx *tx, const char *client_id, const json_t *rows,
                           const char *who, int64_t *changed, struct err *e);
/* TikTok's proposal for a source category. RC_NOT_FOUND. */
enum rc db_taxonomy_proposal(struct db_tx *tx, const char *client_id, const char *source_category,
                             char category_id[64], struct err *e);

#endif
