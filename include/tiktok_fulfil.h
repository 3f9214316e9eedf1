/* tiktok_fulfil.h - what we ask TikTok Shop about invoices, packages, carriers and labels. Each call blocks; outcomes as
 * tiktok_call. One thread per session. */
#ifndef TIKTOK_FULFIL_H
#define TIKTOK_FULFIL_H

#include "platform.h"

#define TIKTOK_BATCH_PACKAGES 20

/* What TikTok said to one item of a call that it refused; code 0 = nothing. */
struct tiktok_item_error {
    int64_t code;
    char message[256];
    enum rc rc; /* what the code means for a write */
};

/* Hands over the NF-e of one package. order_ids: array of texts; base64: the file. RC_OK with error->code 0:
 * taken, its outcome comes later. With a code: this package was refused, error->rc says what that means. */
enum rc tiktok_invoice_upload(struct tiktok_session *s, const char *package_id,
                              const json_t *order_ids, const char *base64,
                              struct tiktok_item_error *error, char request_id[96], struct err *e);

/* One package in full. *package: new reference. */
enum rc tiktok_package_get(struct tiktok_session *s, const char *package_id, json_t **package,
                           struct err *e);
/* Offered collection windows and methods ({"can_pickup", "can_drop_off", "pickup_slots"}). *slots: new reference. */
enum rc tiktok_handover_slots(struct tiktok_session *s, const char *package_id, json_t **slots,
                              struct err *e);
/* Carriers of a delivery option. *providers: new array of {"id", "name"}. */
enum rc tiktok_shipping_providers(struct tiktok_session *s, const char *delivery_option_id,
                                  json_t **providers, struct err *e);

/* Arranges the shipment of one package; how: {"handover_method", "pickup_slot", "self_shipment"}, the members that
 * are not null are sent. error as above; the call itself answers RC_OK also when the package was refused. */
enum rc tiktok_package_ship(struct tiktok_session *s, const char *package_id, const json_t *how,
                            struct tiktok_item_error *error, char request_id[96], struct err *e);
/* The same for 2 to TIKTOK_BATCH_PACKAGES packages in one call; how[i] and errors[i] belong to ids[i]. */
enum rc tiktok_packages_ship(struct tiktok_session *s, const char *const *ids,
                             const json_t *const *how, size_t n, struct tiktok_item_error *errors,
                             char request_id[96], struct err *e);
/* Corrects carrier and tracking number of a shipped package. error as above. */
enum rc tiktok_package_correct(struct tiktok_session *s, const char *package_id,
                               const char *tracking_number, const char *provider_id,
                               struct tiktok_item_error *error, char request_id[96], struct err *e);
/* Whether a code says that the shipment was arranged before. */
bool tiktok_already_shipped(int64_t code);
/* Whether a code says that the invoice has to be accepted first. */
bool tiktok_invoice_missing(int64_t code);

/* Where the shipping label is, for 24 h. format: "PDF" or "ZPL". *url: heap text, caller frees. */
enum rc tiktok_label_url(struct tiktok_session *s, const char *package_id, const char *format,
                         char **url, struct tiktok_item_error *error, struct err *e);
/* Carrier events of an order. *events: new array of {"description", "update_time_millis"}. */
enum rc tiktok_tracking(struct tiktok_session *s, const char *order_id, json_t **events,
                        struct err *e);

#endif
