/* faults.c - planted faults, and the record of what was asked. */
#include "state.h"

#include "clock.h"
#include "jspec.h"
#include "log.h"
#include "str.h"

#include <stdlib.h>
#include <string.h>

#define HANG_MS 60000
#define SBX_REFUSED_MAX 100

static const char *const WHERE[] = { "tiktok", "vtex", "webhook", NULL };
static const char *const KINDS[] = { "429",  "500",  "503",  "cut",       "cut_before",    "hang",
                                     "slow", "html", "lost", "duplicate", "token_expired", NULL };
static const struct jspec_field FAULT_FIELDS[] = {
    { .name = "where", .type = JSPEC_TEXT, .required = true, .words = WHERE },
    { .name = "operation", .type = JSPEC_TEXT, .min = 1, .max = 40 },
    { .name = "kind", .type = JSPEC_TEXT, .required = true, .words = KINDS },
    { .name = "count", .type = JSPEC_INT, .min = 1, .max = 1000000 },
    { .name = "ms", .type = JSPEC_INT, .min = 1, .max = 600000 },
    { 0 },
};

enum rc sbx_fault_add(struct sandbox *sb, const json_t *spec, struct err *e)
{
    enum rc rc = jspec_check(spec, FAULT_FIELDS, e);

    if (rc != RC_OK)
        return rc;
    if (sb->n_faults == SBX_FAULTS_MAX)
        return err_set(e, RC_INVALID, "There are %d faults already; DELETE /sandbox/faults first",
                       SBX_FAULTS_MAX);
    struct sbx_fault fault = { .left = jspec_int(spec, "count", 1),
                               .ms = jspec_int(spec, "ms", 0) };
    const char *operation = jspec_text(spec, "operation");
    (void)str_copy(fault.where, sizeof fault.where, jspec_text(spec, "where")); /* checked above */
    (void)str_copy(fault.kind, sizeof fault.kind, jspec_text(spec, "kind"));
    (void)str_copy(fault.operation, sizeof fault.operation, operation == NULL ? "*" : operation);
    bool for_webhook = str_eq(fault.where, "webhook");
    if (str_eq(fault.kind, "duplicate") && !for_webhook)
        return err_field(e, "kind", "duplicate fits webhooks only");
    if (str_eq(fault.kind, "token_expired") && !str_eq(fault.where, "tiktok"))
        return err_field(e, "kind", "token_expired fits tiktok only");
    if (for_webhook && !str_eq(fault.kind, "lost") && !str_eq(fault.kind, "duplicate") &&
        !str_eq(fault.kind, "slow"))
        return err_field(e, "kind", "a webhook can be lost, duplicate or slow");
    sb->faults[sb->n_faults++] = fault;
    return RC_OK;
}

bool sbx_fault_take(struct sandbox *sb, const char *where, const char *operation,
                    struct sbx_fault *out)
{
    for (int i = 0; i < sb->n_faults; i++) {
        struct sbx_fault *f = &sb->faults[i];

        if (!str_eq(f->where, where) ||
            (!str_eq(f->operation, "*") && !str_eq(f->operation, operation)))
            continue;
        f->left--;
        *out = *f;
        if (f->left == 0) {
            for (int k = i + 1; k < sb->n_faults; k++)
                sb->faults[k - 1] = sb->faults[k];
            sb->n_faults--;
        }
        return true;
    }
    return false;
}

static enum sbx_gate hold(struct http_req *req, struct http_reply *reply,
                          const struct sbx_fault *fault, int64_t ms)
{
    struct sbx_fault *kept = sbx_need(malloc(sizeof *kept));

    *kept = *fault;
    req->state = kept;
    reply->again_ms = (int)ms;
    return SBX_STOP;
}

enum sbx_gate sbx_fault_before(struct sandbox *sb, struct http_req *req, struct http_reply *reply,
                               const char *where, struct sbx_fault *fault)
{
    static const char html[] = "<html><body><h1>502 Bad Gateway</h1></body></html>";

    *fault = (struct sbx_fault){ 0 };
    if (req->state != NULL) { /* the wait of an earlier call is over */
        *fault = *(struct sbx_fault *)req->state;
        free(req->state);
        req->state = NULL;
        if (str_eq(fault->kind, "slow"))
            return SBX_GO;
        reply->drop = true;
        return SBX_STOP;
    }
    (void)pthread_mutex_lock(&sb->lock);
    bool found = sbx_fault_take(sb, where, req->route->operation, fault);
    if (found)
        sbx_note(sb, req, 0, 0, fault->kind);
    (void)pthread_mutex_unlock(&sb->lock);
    if (!found || str_eq(fault->kind, "cut") || str_eq(fault->kind, "lost"))
        return SBX_GO;
    if (str_eq(fault->kind, "slow"))
        return hold(req, reply, fault, fault->ms > 0 ? fault->ms : 1000);
    if (str_eq(fault->kind, "hang"))
        return hold(req, reply, fault, fault->ms > 0 ? fault->ms : HANG_MS);
    if (str_eq(fault->kind, "cut_before")) {
        reply->drop = true;
        return SBX_STOP;
    }
    if (str_eq(fault->kind, "html")) {
        reply->status = 200;
        reply->content_type = "text/html; charset=utf-8";
        buf_str(&reply->body, html);
        return SBX_STOP;
    }
    return SBX_KIND;
}

void sbx_fault_after(const struct sbx_fault *fault, struct http_reply *reply)
{
    if (str_eq(fault->kind, "cut")) {
        reply->drop = true;
        reply->drop_after_bytes = reply->body.len / 2;
    } else if (str_eq(fault->kind, "lost")) {
        reply->drop = true;
        reply->drop_after_bytes = 0;
    }
}

static const char *method_name(enum http_method method)
{
    static const char *const names[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };

    return names[method];
}

void sbx_note(struct sandbox *sb, const struct http_req *req, int status, int64_t code,
              const char *fault)
{
    const char *operation =
        req->route != NULL && req->route->operation != NULL ? req->route->operation : "";
    json_t *entry = sbx_need(json_object());
    char at[CLOCK_TEXT_BYTES];
    char path[512];

    if (fault[0] == '\0' || status != 0)
        sbx_set_int(sb->calls, operation, sbx_int(sb->calls, operation) + 1);
    clock_write(clock_now_us(), at);
    str_copy_cut(path, sizeof path, req->path);
    sbx_set_text(entry, "at", at);
    sbx_set_text(entry, "method", method_name(req->method));
    sbx_set(entry, "path",
            str_utf8_valid(path, strlen(path)) ? json_string(path) : json_string("?"));
    sbx_set_text(entry, "operation", operation);
    sbx_set_int(entry, "status", status);
    sbx_set_int(entry, "code", code);
    sbx_set_text(entry, "fault", fault);
    sbx_append(sb->exchanges, entry);
    if (json_array_size(sb->exchanges) > SBX_EXCHANGES_MAX)
        (void)json_array_remove(sb->exchanges, 0);
    if (sb->cfg.verbose)
        LOG(LOG_INFO, "sandbox", "request", LF_S("method", method_name(req->method)),
            LF_S("path", req->path), LF_I("status", status), LF_I("code", code),
            LF_S("fault", fault));
}

void sbx_note_refused(struct sandbox *sb, const char *where, const char *operation,
                      const char *code, const char *text)
{
    json_t *entry = sbx_need(json_object());
    char at[CLOCK_TEXT_BYTES];

    clock_write(clock_now_us(), at);
    sbx_set_text(entry, "at", at);
    sbx_set_text(entry, "where", where);
    sbx_set_text(entry, "operation", operation);
    sbx_set_text(entry, "code", code);
    sbx_set(entry, "text",
            str_utf8_valid(text, strlen(text)) ? json_string(text) : json_string("?"));
    sbx_append(sb->refused, entry);
    sb->refused_total++;
    if (json_array_size(sb->refused) > SBX_REFUSED_MAX)
        (void)json_array_remove(sb->refused, 0);
}
