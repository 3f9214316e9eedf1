/* db_upkeep.h - partitions and retention. All within DB_SYSTEM. */
#ifndef DB_UPKEEP_H
#define DB_UPKEEP_H

#include "db.h"

/* Number of partitioned tables. */
int db_upkeep_tables(void);
/* Makes the next months' partitions of table i and drops those older than its retention. */
enum rc db_upkeep_partitions(struct db_tx *tx, int i, int retention_days, struct err *e);

/* Number of retention rules. */
int db_upkeep_rules(void);
/* Deletes one slice of what rule i lets expire; *n rows. Call again (each in a transaction of its own) until 0. */
enum rc db_upkeep_delete(struct db_tx *tx, int i, int retention_days, int64_t *n, struct err *e);

#endif
