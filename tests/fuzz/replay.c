/* replay.c - runs each target over its corpus, and over each file cut and damaged, as a plain test. */
#include "../check.h"
#include "targets.h"

#include <dirent.h>

#define CORPUS "tests/fuzz/corpus"
#define FILE_BYTES_MAX ((size_t)1 << 20)

static size_t files;

/* The file itself, its beginnings, and copies with one byte turned. */
static void file_run(const struct target *t, const char *path)
{
    FILE *in = fopen(path, "rb");
    uint8_t *data = malloc(FILE_BYTES_MAX);
    size_t n = in != NULL && data != NULL ? fread(data, 1, FILE_BYTES_MAX, in) : 0;

    if (in != NULL)
        fclose(in);
    t->run(data, n);
    for (size_t cut = 0; cut < n; cut += 1 + n / 40)
        t->run(data, cut);
    for (size_t at = 0; at < n; at += 1 + n / 60) {
        data[at] ^= (uint8_t)(1U << at % 8);
        t->run(data, n);
        data[at] ^= (uint8_t)(1U << at % 8);
    }
    free(data);
    files++;
}

static void corpus_run(const struct target *t)
{
    char folder[256], path[600];
    DIR *dir;

    snprintf(folder, sizeof folder, CORPUS "/%s", t->name);
    dir = opendir(folder);
    CHECK(dir != NULL, "%s is missing", folder);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        file_run(t, path);
    }
    if (dir != NULL)
        closedir(dir);
}

static void corpus(void)
{
    for (size_t i = 0; i < TARGETS_COUNT; i++) {
        files = 0;
        corpus_run(&TARGETS[i]);
        CHECK(files > 0, "%s has no corpus", TARGETS[i].name);
    }
}

int main(void)
{
    CASE(corpus);
    return CHECK_END();
}
