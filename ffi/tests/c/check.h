/* What the tests in C share: a check that says where it failed, stores that are gone at the end, and canaries. */

#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "omemo.h"

#define CHECK(what)                                                        \
  do {                                                                     \
    if (!(what)) {                                                         \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what);   \
      exit(1);                                                             \
    }                                                                      \
  } while (0)

/* A status is what it should be; on failure, both are shown. */
#define IS(wanted, call)                                                     \
  do {                                                                       \
    omemo_status is_wanted = (wanted), is_found = (call);                    \
    if (is_wanted != is_found) {                                             \
      fprintf(stderr, "%s:%d: %d instead of %d (%s): %s\n", __FILE__,        \
              __LINE__, (int)is_found, (int)is_wanted,                       \
              omemo_status_sentence((int32_t)is_found), #call);              \
      exit(1);                                                               \
    }                                                                        \
  } while (0)

/* A pointer that no call gives out and nobody may follow. */
#define CANARY(type) ((type *)canary())
static inline void *canary(void) {
  static char here;
  return &here;
}

/* A call fails, and leaves what stands in `place` alone. */
#define FAILS(wanted, place, call)                                         \
  do {                                                                     \
    (place) = canary();                                                    \
    IS(wanted, call);                                                      \
    CHECK((void *)(place) == canary());                                    \
    (place) = NULL;                                                        \
  } while (0)

/* A file of that name in the folder that the test was given: the test's argument. */
static inline const char *in_folder(char **arguments, const char *name) {
  static char path[4][4096];
  static int next;
  char *here = path[next++ % 4];
  CHECK(arguments[1] != NULL);
  CHECK(snprintf(here, sizeof path[0], "%s/%s", arguments[1], name) > 0);
  return here;
}

static inline omemo_account *open_account(const char *path, const char *jid) {
  omemo_account *account = NULL;
  IS(OMEMO_OK, omemo_account_open(path, jid, NULL, &account));
  CHECK(account != NULL);
  return account;
}

#endif
