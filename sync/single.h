/* single.h - one worker at a time for the same thing of a shop, so that nothing is asked or uploaded twice at once. */
#ifndef SYNC_SINGLE_H
#define SYNC_SINGLE_H

/* A shop's jobs run in one process (lease), so a lock of this process is enough. Waits while another worker
 * holds (shop_id, what); what: up to 100 bytes. Give back with single_give. Do not nest. */
int single_take(const char *shop_id, const char *what);
void single_give(int held);

#endif
