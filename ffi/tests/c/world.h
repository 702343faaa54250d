/* Accounts that talk over a server in memory: it keeps what they publish, answers their questions and delivers messages. */

#ifndef WORLD_H
#define WORLD_H

#include "omemo.h"

struct client {
  omemo_account *account;
  const char *jid;
  const char *full_jid;
};

/* Called for every event before its output is freed. */
typedef void (*on_event)(struct client *client, const omemo_event *event);

/* Brings clients online, on a server where nothing is published. */
void world_begin(struct client *clients, size_t count, on_event seen);

/* Sends the stanzas of an output, delivers whatever follows from them, and frees the output. */
void world_take(struct client *client, omemo_output **output);

/* Frees what the server keeps. The accounts stay as they are. */
void world_end(void);

#endif
