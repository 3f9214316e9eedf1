/* Signed calls through the connector's own engine: connector PORT IN_FLIGHT SECONDS, one blocking thread a call. */
#include "clock.h"
#include "fetch.h"
#include "platform.h"
#include "str.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define PATH "/product/202309/products/1729592969712207008/inventory/update"
#define SAMPLES 4000000

static struct fetch *engine;
static int64_t end_us;
static int port;
static _Atomic int64_t sequence, done, bad;
static int32_t *samples_us;

static void build(int64_t n, char url[1024], char body[512])
{
    char timestamp[24], sign[65];
    struct tiktok_pair pairs[] = { { "app_key", "6abcdef" },
                                   { "shop_cipher", "GCP_XF90igAAAABh00qsWgtvOiGFNqyubMt3" },
                                   { "timestamp", timestamp } };

    snprintf(timestamp, sizeof(timestamp), "%lld", (long long)(1700000000 + n / 1000));
    snprintf(
        body, 512,
        "{\"skus\":[{\"id\":\"%lld\",\"inventory\":[{\"warehouse_id\":\"7068517275539719942\","
        "\"quantity\":%lld}]},{\"id\":\"1729592969712207013\",\"inventory\":[{\"warehouse_id\":"
        "\"7068517275539719942\",\"quantity\":12}]},{\"id\":\"1729592969712207014\","
        "\"inventory\":[{\"warehouse_id\":\"7068517275539719942\",\"quantity\":7}]}]}",
        (long long)(1729592969712207012 + n), (long long)(n % 1000));
    if (tiktok_sign("peersecret", PATH, pairs, 3, "application/json", body, strlen(body), sign,
                    NULL) != RC_OK)
        abort();
    snprintf(
        url, 1024,
        "http://127.0.0.1:%d" PATH
        "?app_key=6abcdef&shop_cipher=GCP_XF90igAAAABh00qsWgtvOiGFNqyubMt3&timestamp=%s&sign=%s",
        port, timestamp, sign);
}

static void *work(void *arg)
{
    (void)arg;
    while (clock_mono_us() < end_us) {
        char url[1024], body[512];
        struct fetch_req req = { .method = "POST", .url = url, .body = body };
        struct fetch_reply reply = { 0 };
        int64_t from_us, n;

        build(++sequence, url, body);
        req.body_len = strlen(body);
        req.headers[req.n_headers++] = "content-type: application/json";
        req.headers[req.n_headers++] =
            "x-tts-access-token: TTP_abcdefghijklmnopqrstuvwxyz0123456789";
        from_us = clock_mono_us();
        if (fetch_run(engine, &req, &reply, NULL) != RC_OK || reply.status != 200 ||
            reply.body.len == 0)
            bad++;
        n = done++;
        if (n < SAMPLES)
            samples_us[n] = (int32_t)(clock_mono_us() - from_us);
        fetch_reply_done(&reply);
    }
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int in_flight = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 64;
    double seconds = argc > 3 ? strtod(argv[3], NULL) : 3, took_s;
    pthread_t t[512];
    struct rusage used;
    int64_t from_us = clock_mono_us(), n;

    if (argc < 2 || in_flight > 512 || fetch_new(true, &engine, NULL) != RC_OK)
        return 2;
    port = (int)strtol(argv[1], NULL, 10);
    samples_us = calloc(SAMPLES, sizeof(*samples_us));
    if (samples_us == NULL)
        return 2;
    end_us = from_us + (int64_t)(seconds * (double)US_PER_S);
    for (int i = 0; i < in_flight; i++)
        if (pthread_create(&t[i], NULL, work, NULL) != 0)
            return 2;
    for (int i = 0; i < in_flight; i++)
        pthread_join(t[i], NULL);
    took_s = (double)(clock_mono_us() - from_us) / (double)US_PER_S;
    n = done < SAMPLES ? done : SAMPLES;
    qsort(samples_us, (size_t)n, sizeof(*samples_us), by_size);
    getrusage(RUSAGE_SELF, &used);
    printf("connector %.0f %d %d %.1f %lld\n", (double)done / took_s, samples_us[n / 2],
           samples_us[n * 99 / 100],
           ((double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
            (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6) *
               1e6 / (double)done,
           (long long)bad);
    fetch_free(engine);
    return bad > 0;
}
