/* test_routes.c - the route table and docs/openapi.yaml say the same; every route has a rule. */
#include "check.h"

#include "handlers.h"
#include "str.h"

/* Operations of the document: "METHOD path operationId". */
static char OPERATIONS[200][300];
static int N_OPERATIONS;

static void read_document(void)
{
    static const char *const METHODS[] = { "get:", "post:", "put:", "patch:", "delete:" };
    static const char *const NAMES[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };
    FILE *f = fopen("docs/openapi.yaml", "r");
    char line[1000], path[200] = "";
    const char *method = "";
    bool in_paths = false;

    CHECK(f != NULL, "run from the root of the project");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != ' ' && line[0] != '\0')
            in_paths = strcmp(line, "paths:") == 0;
        if (!in_paths)
            continue;
        if (str_starts(line, "  /"))
            (void)snprintf(path, sizeof path, "%.*s", (int)strcspn(line + 2, ":"), line + 2);
        for (int i = 0; i < 5; i++) {
            if (str_starts(line, "    ") && strcmp(line + 4, METHODS[i]) == 0)
                method = NAMES[i];
        }
        if (str_starts(line, "      operationId: ") && N_OPERATIONS < 200)
            CHECK(str_fmt(OPERATIONS[N_OPERATIONS++], sizeof OPERATIONS[0], "%s %s %s", method,
                          path, line + strlen("      operationId: ")));
    }
    if (f != NULL)
        (void)fclose(f);
    CHECK(N_OPERATIONS > 20);
}

static void route_text(const struct http_route *r, char out[300])
{
    static const char *const NAMES[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };

    (void)snprintf(out, 300, "%s %s %s", NAMES[r->method], r->pattern, r->operation);
}

static void document_and_routes_agree(void)
{
    read_document();
    for (int i = 0; i < ROUTES_COUNT; i++) {
        char text[300];
        bool found = false;

        route_text(&ROUTES[i], text);
        for (int k = 0; k < N_OPERATIONS; k++)
            found = found || strcmp(OPERATIONS[k], text) == 0;
        CHECK(found, "not in the document: %s", text);
    }
    for (int k = 0; k < N_OPERATIONS; k++) {
        bool found = false;

        for (int i = 0; i < ROUTES_COUNT; i++) {
            char text[300];

            route_text(&ROUTES[i], text);
            found = found || strcmp(OPERATIONS[k], text) == 0;
        }
        CHECK(found, "no such route: %s", OPERATIONS[k]);
    }
}

static void only_doors_with_own_checks_are_open(void)
{
    for (int i = 0; i < ROUTES_COUNT; i++) {
        const struct http_route *r = &ROUTES[i];

        if (r->access == HTTP_OPEN)
            CHECK(str_starts(r->pattern, "/tiktok/") || str_starts(r->pattern, "/2015-03-31/") ||
                      str_starts(r->pattern, "/vtex/{client_hash}/{secret}/") ||
                      str_eq(r->pattern, "/vtex/{client_hash}/order-hook"),
                  "%s", r->pattern);
        else
            CHECK(str_starts(r->pattern, "/v1/"), "%s", r->pattern);
        if (r->method != HTTP_GET && r->access != HTTP_OPEN)
            CHECK(r->access >= HTTP_SYNC, "%s", r->pattern);
        CHECK(r->handler != NULL);
        for (int k = 0; k < i; k++)
            CHECK(strcmp(ROUTES[k].operation, r->operation) != 0, "%s", r->operation);
    }
}

int main(void)
{
    CASE(document_and_routes_agree);
    CASE(only_doors_with_own_checks_are_open);
    return CHECK_END();
}
