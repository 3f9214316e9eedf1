/* single.c - a small table of names that workers hold, with one lock and one condition. */
#include "single.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "str.h"

#define HELD_ROWS 256

static struct {
    bool used;
    char shop_id[72];
    char what[104];
} held_rows[HELD_ROWS];
static pthread_mutex_t held_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t held_changed = PTHREAD_COND_INITIALIZER;

/* A free row, or -1 when somebody holds the name or the table is full. */
static int free_row(const char *shop_id, const char *what)
{
    int row = -1;

    for (int i = 0; i < HELD_ROWS; i++) {
        if (!held_rows[i].used)
            row = i;
        else if (strcmp(held_rows[i].shop_id, shop_id) == 0 && strcmp(held_rows[i].what, what) == 0)
            return -1;
    }
    return row;
}

int single_take(const char *shop_id, const char *what)
{
    char name[sizeof(held_rows[0].what)];
    int row;

    str_copy_cut(name, sizeof(name), what);
    pthread_mutex_lock(&held_lock);
    for (row = free_row(shop_id, name); row < 0; row = free_row(shop_id, name))
        pthread_cond_wait(&held_changed, &held_lock);
    held_rows[row].used = true;
    str_copy_cut(held_rows[row].shop_id, sizeof(held_rows[row].shop_id), shop_id);
    memcpy(held_rows[row].what, name, sizeof(name));
    pthread_mutex_unlock(&held_lock);
    return row;
}

void single_give(int held)
{
    pthread_mutex_lock(&held_lock);
    held_rows[held].used = false;
    pthread_cond_broadcast(&held_changed);
    pthread_mutex_unlock(&held_lock);
}
