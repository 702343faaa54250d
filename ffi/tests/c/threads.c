/* One handle, eight threads, every kind of call at once. What they send arrives once each. Their stacks are as small as those
 * of secondary threads are on Apple's systems. */

#include <pthread.h>

#include "check.h"
#include "world.h"

#define THREADS 8
#define ROUNDS 12
#define STACK_BYTES (512 * 1024)
#define DEPTH 60

static struct client clients[2];
static const char *const others[] = {"bob@b.example", "alice@a.example"};

/* The server is one for all: stanzas are carried by one thread at a time. The calls themselves run side by side. */
static pthread_mutex_t line = PTHREAD_MUTEX_INITIALIZER;
static unsigned received, sealed;

static void count_events(struct client *client, const omemo_event *event) {
  (void)client;
  received += omemo_event_kind_of(event) == OMEMO_EVENT_MESSAGE;
  sealed += omemo_event_kind_of(event) == OMEMO_EVENT_SEALED;
  CHECK(omemo_event_kind_of(event) != OMEMO_EVENT_UNDECRYPTABLE);
}

static void carry(struct client *client, omemo_output **output) {
  pthread_mutex_lock(&line);
  world_take(client, output);
  pthread_mutex_unlock(&line);
}

static void look(omemo_account *account, const char *other) {
  omemo_devices *devices = NULL;
  omemo_messages *messages = NULL;
  omemo_output *output;
  char sentence[200];
  IS(OMEMO_OK, omemo_account_devices(account, other, &devices));
  CHECK(omemo_device_id(omemo_devices_get(devices, 0)) > 0);
  omemo_devices_free(&devices);
  FAILS(OMEMO_NOT_XML, output, omemo_account_receive(account, "<", &output));
  CHECK(omemo_last_error(account, sentence, sizeof sentence) > 0 && sentence[0] != '\0');
  IS(OMEMO_OK, omemo_account_inbox(account, &messages));
  omemo_messages_free(&messages);
  CHECK(omemo_account_device(account) > 0);
  IS(OMEMO_OK, omemo_account_receive(account, "<presence/>", &output));
  omemo_output_free(&output);
}

/* As deep as elements may be within each other. */
static void look_deep(omemo_account *account) {
  char stanza[DEPTH * 8 + 1] = "";
  for (size_t i = 0; i < DEPTH; i++) memcpy(stanza + i * 3, "<a>", 3);
  for (size_t i = 0; i < DEPTH; i++) memcpy(stanza + DEPTH * 3 + i * 4, "</a>", 5);
  omemo_output *output = NULL;
  IS(OMEMO_OK, omemo_account_receive(account, stanza, &output));
  omemo_output_free(&output);
}

static void start(pthread_t *thread, void *(*run)(void *), void *argument) {
  pthread_attr_t small;
  CHECK(pthread_attr_init(&small) == 0);
  CHECK(pthread_attr_setstacksize(&small, STACK_BYTES) == 0);
  CHECK(pthread_create(thread, &small, run, argument) == 0);
  CHECK(pthread_attr_destroy(&small) == 0);
}

static void *work(void *argument) {
  unsigned number = *(unsigned *)argument;
  struct client *client = &clients[number % 2];
  for (unsigned round = 0; round < ROUNDS; round++) {
    omemo_output *output = NULL;
    char id[32];
    snprintf(id, sizeof id, "%u-%u", number, round);
    IS(OMEMO_OK, omemo_account_send_text(client->account, id, others[number % 2], id, &output));
    carry(client, &output);
    look(client->account, others[number % 2]);
    look_deep(client->account);
    IS(OMEMO_OK, omemo_account_tick(client->account, &output));
    carry(client, &output);
  }
  return NULL;
}

/* An output is read by several threads: each stanza goes to one of them. */
static omemo_output *shared;

static void *drain(void *argument) {
  unsigned *found = argument;
  *found = 0;
  while (omemo_output_next_stanza(shared) != NULL) ++*found;
  return NULL;
}

static void one_output_for_all(omemo_account *account) {
  pthread_t threads[THREADS];
  unsigned found[THREADS], together = 0, alone = 0;
  IS(OMEMO_OK, omemo_account_online(account, "alice@a.example/3", false, &shared));
  for (int i = 0; i < THREADS; i++) start(&threads[i], drain, &found[i]);
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_join(threads[i], NULL) == 0);
    together += found[i];
  }
  omemo_output_free(&shared);
  IS(OMEMO_OK, omemo_account_online(account, "alice@a.example/3", false, &shared));
  drain(&alone);
  omemo_output_free(&shared);
  CHECK(together == alone && alone > 0);
}

/* A handle may be made on one thread and freed on another. */
static const char *third_path;

static void *make(void *argument) {
  *(omemo_account **)argument = open_account(third_path, "carol@c.example");
  return NULL;
}

static void *release(void *argument) {
  omemo_account_free(argument);
  return NULL;
}

int main(int count, char **arguments) {
  (void)count;
  clients[0] = (struct client){open_account(in_folder(arguments, "alice.db"), "alice@a.example"), "alice@a.example",
                               "alice@a.example/1"};
  clients[1] = (struct client){open_account(in_folder(arguments, "bob.db"), "bob@b.example"), "bob@b.example",
                               "bob@b.example/2"};
  world_begin(clients, 2, count_events);
  omemo_output *output = NULL;
  for (size_t i = 0; i < 2; i++) {
    IS(OMEMO_OK, omemo_account_send_text(clients[i].account, "first", others[i], "first", &output));
    world_take(&clients[i], &output);
  }

  pthread_t threads[THREADS];
  unsigned numbers[THREADS];
  for (unsigned i = 0; i < THREADS; i++) {
    numbers[i] = i;
    start(&threads[i], work, &numbers[i]);
  }
  for (unsigned i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  CHECK(sealed == THREADS * ROUNDS + 2);
  CHECK(received == THREADS * ROUNDS + 2);

  one_output_for_all(clients[0].account);
  omemo_account *third = NULL;
  third_path = in_folder(arguments, "carol.db");
  start(&threads[0], make, &third);
  CHECK(pthread_join(threads[0], NULL) == 0);
  omemo_account_free(&third);
  for (size_t i = 0; i < 2; i++) {
    start(&threads[i], release, &clients[i].account);
    CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(clients[i].account == NULL);
  }
  world_end();
  return 0;
}
