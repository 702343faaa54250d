/* A conversation, in which everything that can be asked is asked of everything there is, beyond the last position too. */

#include "check.h"
#include "world.h"

#define BEYOND 3

static unsigned kinds[64];

/* A text that an accessor gave out: it can be read to its end. */
static void read_text(const char *text) {
  CHECK(text == NULL || strlen(text) < 100000);
}

static void ask_message(const omemo_message *message) {
  int64_t seconds = 7;
  if (!omemo_message_delay(message, &seconds)) CHECK(seconds == 7);
  (void)omemo_message_delay(message, NULL);
  (void)omemo_message_time_differs(message);
  read_text(omemo_message_id(message));
  read_text(omemo_message_from(message));
  read_text(omemo_message_chat(message));
  read_text(omemo_message_body(message));
  CHECK(message == NULL || (omemo_message_inbox_id(message) > 0 && omemo_message_device(message) > 0));
  CHECK(message == NULL || omemo_message_protocol(message) != OMEMO_PROTOCOL_NONE);
  CHECK(message == NULL || omemo_message_trust(message) == OMEMO_TRUST_BLIND);
  size_t count = 0;
  while (omemo_message_content(message, count) != NULL) read_text(omemo_message_content(message, count++));
  CHECK(omemo_message_content(message, count + BEYOND) == NULL);
  CHECK(omemo_message_content(message, SIZE_MAX) == NULL);
}

static void ask_recipient(const omemo_recipient *recipient) {
  read_text(omemo_recipient_jid(recipient));
  read_text(omemo_recipient_text(recipient));
  CHECK(omemo_recipient_jid(recipient) != NULL);
  CHECK((omemo_recipient_protocol(recipient) == OMEMO_PROTOCOL_NONE) ==
        (omemo_recipient_reason(recipient) != OMEMO_REASON_NONE));
  (void)omemo_recipient_device(recipient);
}

static void ask_event(struct client *client, const omemo_event *event) {
  (void)client;
  omemo_event_kind kind = omemo_event_kind_of(event);
  CHECK(kind != OMEMO_EVENT_OTHER && kind < 64);
  kinds[kind]++;
  CHECK((omemo_event_message(event) != NULL) == (kind == OMEMO_EVENT_MESSAGE));
  ask_message(omemo_event_message(event));
  read_text(omemo_event_jid(event));
  read_text(omemo_event_id(event));
  read_text(omemo_event_text(event));
  read_text(omemo_event_fingerprint(event));
  CHECK(kind != OMEMO_EVENT_NEW_KEY ||
        (omemo_event_device(event) > 0 && omemo_event_trust(event) == OMEMO_TRUST_BLIND));
  CHECK(kind != OMEMO_EVENT_PUBLISHED || omemo_event_protocol(event) != OMEMO_PROTOCOL_NONE);
  CHECK(kind != OMEMO_EVENT_UNDECRYPTABLE || omemo_event_reason(event) != OMEMO_REASON_NONE);
  CHECK(!omemo_event_maybe_delivered(event));
  size_t served = 0, unserved = 0;
  while (omemo_event_served(event, served) != NULL) ask_recipient(omemo_event_served(event, served++));
  while (omemo_event_unserved(event, unserved) != NULL) ask_recipient(omemo_event_unserved(event, unserved++));
  CHECK((served > 0) == (kind == OMEMO_EVENT_SEALED));
  CHECK((unserved > 0) == (kind == OMEMO_EVENT_REFUSED));
  CHECK(omemo_event_served(event, served + BEYOND) == NULL && omemo_event_served(event, SIZE_MAX) == NULL);
  CHECK(omemo_event_unserved(event, unserved + BEYOND) == NULL && omemo_event_unserved(event, SIZE_MAX) == NULL);
}

static void say(struct client *client, const char *id, const char *to, const char *body) {
  omemo_output *output = NULL;
  IS(OMEMO_OK, omemo_account_send_text(client->account, id, to, body, &output));
  world_take(client, &output);
}

static void ask_outputs(struct client *client) {
  omemo_output *output = NULL;
  int64_t seconds = 7;
  IS(OMEMO_OK, omemo_account_tick(client->account, &output));
  bool wakes = omemo_output_wake(output, &seconds);
  CHECK(wakes == (seconds != 7) && wakes == omemo_output_wake(output, NULL));
  while (omemo_output_next_stanza(output) != NULL) continue;
  while (omemo_output_next_event(output) != NULL) continue;
  for (int i = 0; i < BEYOND; i++) {
    CHECK(omemo_output_next_stanza(output) == NULL);
    CHECK(omemo_output_next_event(output) == NULL);
  }
  CHECK(!omemo_output_consumed(output));
  omemo_output_free(&output);

  /* Stanzas without a ticket. */
  IS(OMEMO_OK, omemo_account_inspect(client->account, "nobody@b.example", &output));
  const omemo_stanza *stanza = omemo_output_next_stanza(output);
  uint64_t ticket = 7;
  CHECK(stanza != NULL && !omemo_stanza_ticket(stanza, &ticket) && ticket == 7);
  world_take(client, &output);
  IS(OMEMO_OK, omemo_account_known(client->account, "nobody@b.example", &output));
  world_take(client, &output);
}

static void ask_lists(struct client *client, const char *other) {
  omemo_messages *messages = NULL;
  IS(OMEMO_OK, omemo_account_inbox(client->account, &messages));
  size_t count = 0;
  uint64_t ids[8];
  const omemo_message *message;
  while ((message = omemo_messages_get(messages, count)) != NULL) {
    CHECK(count < 8);
    ids[count++] = omemo_message_inbox_id(message);
    ask_message(message);
  }
  CHECK(count > 0);
  CHECK(omemo_messages_get(messages, count + BEYOND) == NULL && omemo_messages_get(messages, SIZE_MAX) == NULL);
  omemo_messages_free(&messages);
  IS(OMEMO_OK, omemo_account_acknowledge(client->account, ids, count));
  IS(OMEMO_OK, omemo_account_inbox(client->account, &messages));
  CHECK(omemo_messages_get(messages, 0) == NULL);
  omemo_messages_free(&messages);

  const char *jids[] = {client->jid, other, "nobody@b.example"};
  for (size_t i = 0; i < 3; i++) {
    omemo_devices *devices = NULL;
    IS(OMEMO_OK, omemo_account_devices(client->account, jids[i], &devices));
    const omemo_device *device = omemo_devices_get(devices, 0);
    CHECK((device != NULL) == (i < 2));
    CHECK(omemo_device_is_own(device) == (i == 0));
    CHECK((omemo_device_id(device) == omemo_account_device(client->account)) == (i == 0));
    CHECK((omemo_device_sessions(device) != 0) == (i == 1));
    CHECK(omemo_device_listed(device) == (i == 2 ? 0u : (uint32_t)OMEMO_PROTOCOL_2 + OMEMO_PROTOCOL_LEGACY));
    CHECK(i != 1 || omemo_device_trust(device) == OMEMO_TRUST_BLIND);
    read_text(omemo_device_fingerprint(device));
    read_text(omemo_device_label(device));
    read_text(omemo_device_failure(device));
    CHECK(omemo_device_heard_at(device, NULL) == (i == 1) && !omemo_device_is_stale(device));
    if (i == 1) {
      omemo_output *output = NULL;
      const char *fingerprint = omemo_device_fingerprint(device);
      IS(OMEMO_OK, omemo_account_decide(client->account, other, fingerprint, OMEMO_TRUST_BLIND, &output));
      world_take(client, &output);
    }
    CHECK(omemo_devices_get(devices, 1) == NULL && omemo_devices_get(devices, SIZE_MAX) == NULL);
    omemo_devices_free(&devices);
  }
}

static void ask_account(struct client *client) {
  CHECK(strcmp(omemo_account_jid(client->account), client->jid) == 0);
  CHECK(strlen(omemo_account_fingerprint(client->account)) == 71);
  CHECK(omemo_account_feature(client->account, 1) != NULL);
  CHECK(omemo_account_feature(client->account, 2) == NULL && omemo_account_feature(client->account, SIZE_MAX) == NULL);
}

/* The sentence of a failure, in buffers of every size. */
static void ask_error(omemo_account *account) {
  char whole[1000], part[1000];
  omemo_output *output;
  FAILS(OMEMO_OTHER_ACCOUNT, output, omemo_account_online(account, "g\xc3\xbcnther@b.example/c", false, &output));
  size_t length = omemo_last_error(account, whole, sizeof whole);
  CHECK(length > 10 && length == strlen(whole) && strstr(whole, "g\xc3\xbcnther") != NULL);
  for (size_t size = 1; size <= length + 2; size++) {
    memset(part, 0x7f, sizeof part);
    CHECK(omemo_last_error(account, part, size) == length);
    size_t kept = strlen(part);
    CHECK(kept < size && part[kept + 1] == 0x7f && memcmp(part, whole, kept) == 0);
    CHECK(kept + 1 == size || kept == length || ((unsigned char)whole[kept] == 0xc3 && kept + 2 == size));
    CHECK(kept == 0 || (unsigned char)part[kept - 1] != 0xc3);
  }
}

/* Of a call that makes no account, the sentence is asked without one, in the thread that called. */
static void ask_error_of_opening(void) {
  char sentence[1000];
  omemo_account *account;
  CHECK(omemo_last_error(NULL, sentence, sizeof sentence) == 0 && sentence[0] == '\0');
  FAILS(OMEMO_STORE_UNUSABLE, account, omemo_account_open("/nowhere/at/all.db", "alice@a.example", NULL, &account));
  CHECK(omemo_last_error(NULL, sentence, sizeof sentence) == strlen(sentence) && strstr(sentence, "/nowhere/at/all.db"));
}

int main(int count, char **arguments) {
  (void)count;
  ask_error_of_opening();
  struct client clients[] = {
      {open_account(in_folder(arguments, "alice.db"), "alice@a.example"), "alice@a.example", "alice@a.example/1"},
      {open_account(in_folder(arguments, "bob.db"), "bob@b.example"), "bob@b.example", "bob@b.example/2"},
  };
  world_begin(clients, 2, ask_event);
  say(&clients[0], "1", "bob@b.example", "hello");
  say(&clients[1], "2", "alice@a.example", "hello yourself");
  say(&clients[0], "3", "nobody@b.example", "is anybody there?");
  say(&clients[0], "4", "bob@b.example", "bye");
  omemo_output *output = NULL;
  IS(OMEMO_OK, omemo_account_send(clients[1].account, "5", "alice@a.example",
                                  "<body>a</body><x xmlns='urn:example'>b</x>", "<store xmlns='urn:xmpp:hints'/>", &output));
  world_take(&clients[1], &output);
  CHECK(kinds[OMEMO_EVENT_MESSAGE] == 4 && kinds[OMEMO_EVENT_SEALED] == 4 && kinds[OMEMO_EVENT_REFUSED] == 1);
  CHECK(kinds[OMEMO_EVENT_NEW_KEY] >= 2 && kinds[OMEMO_EVENT_PUBLISHED] >= 4);
  const char *others[] = {"bob@b.example", "alice@a.example"};
  for (size_t i = 0; i < 2; i++) {
    ask_outputs(&clients[i]);
    ask_lists(&clients[i], others[i]);
    ask_account(&clients[i]);
    ask_error(clients[i].account);
    IS(OMEMO_OK, omemo_account_offline(clients[i].account));
    omemo_account_free(&clients[i].account);
  }
  world_end();
  return 0;
}
