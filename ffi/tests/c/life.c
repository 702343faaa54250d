/* A device's life: it is verified, renamed, opted out of, recovered and removed. */

#include "check.h"
#include "world.h"

static unsigned kinds[64];
static omemo_reason refused;

static void remember(struct client *client, const omemo_event *event) {
  (void)client;
  omemo_event_kind kind = omemo_event_kind_of(event);
  CHECK(kind < 64);
  kinds[kind]++;
  if (kind == OMEMO_EVENT_REFUSED) refused = omemo_recipient_reason(omemo_event_unserved(event, 0));
  if (kind == OMEMO_EVENT_VERIFIED) {
    CHECK(omemo_event_key(event, 0) != NULL && omemo_event_key(event, 1) == NULL);
    CHECK(omemo_event_held_key(event, 0) == NULL && omemo_event_unserved(event, 0) == NULL);
  }
}

/* How often something has happened since the last time. */
static unsigned happened(omemo_event_kind kind) {
  unsigned count = kinds[kind];
  kinds[kind] = 0;
  return count;
}

static void say(struct client *client, const char *id, const char *to) {
  omemo_output *output = NULL;
  IS(OMEMO_OK, omemo_account_send_text(client->account, id, to, "text", &output));
  world_take(client, &output);
}

static void verify(struct client *client, struct client *other) {
  char uri[200];
  size_t length = 0;
  omemo_output *output = NULL;
  IS(OMEMO_OK, omemo_account_uri(other->account, uri, sizeof uri, &length));
  CHECK(length == strlen(uri) && strstr(uri, "xmpp:") == uri);
  IS(OMEMO_OK, omemo_account_verify(client->account, uri, &output));
  world_take(client, &output);
  CHECK(happened(OMEMO_EVENT_VERIFIED) == 1);
}

static void rename_it(struct client *client) {
  char label[20];
  size_t length = 7;
  omemo_output *output = NULL;
  IS(OMEMO_OK, omemo_account_label(client->account, NULL, 0, &length));
  CHECK(length == 0);
  IS(OMEMO_OK, omemo_account_rename(client->account, "Balcony", &output));
  world_take(client, &output);
  IS(OMEMO_OK, omemo_account_label(client->account, label, sizeof label, &length));
  CHECK(length == 7 && strcmp(label, "Balcony") == 0);
  FAILS(OMEMO_BAD_SETTINGS, output, omemo_account_rename(client->account, "", &output));
}

static void opt_out(struct client *asks, struct client *asked) {
  uint32_t state = 7;
  omemo_output *output = NULL;
  IS(OMEMO_OK, omemo_account_opt_out(asks->account, "opt-out", asked->jid, "why", &output));
  world_take(asks, &output);
  CHECK(happened(OMEMO_EVENT_OPTED_OUT) == 1);
  IS(OMEMO_OK, omemo_account_opted_out(asked->account, asks->jid, &state));
  CHECK(state == OMEMO_OPT_OUT_ASKED);
  say(asked, "refused", asks->jid);
  CHECK(happened(OMEMO_EVENT_REFUSED) == 1 && refused == OMEMO_REASON_OPTED_OUT);
  IS(OMEMO_OK, omemo_account_answer_opt_out(asked->account, asks->jid, true, &output));
  world_take(asked, &output);
  IS(OMEMO_OK, omemo_account_opted_out(asked->account, asks->jid, &state));
  CHECK(state == OMEMO_OPT_OUT_AGREED);
  IS(OMEMO_OK, omemo_account_answer_opt_out(asked->account, asks->jid, false, &output));
  world_take(asked, &output);
  IS(OMEMO_OK, omemo_account_opted_out(asked->account, asks->jid, &state));
  CHECK(state == OMEMO_OPT_OUT_NONE);
  (void)happened(OMEMO_EVENT_SEALED);
  say(asked, "sealed", asks->jid);
  CHECK(happened(OMEMO_EVENT_SEALED) == 1);
}

static void begin_anew(struct client *client, struct client *other) {
  bool restored = true;
  omemo_output *output = NULL;
  IS(OMEMO_OK, omemo_account_replace_sessions(client->account, other->jid, 0, &output));
  world_take(client, &output);
  CHECK(happened(OMEMO_EVENT_SESSION_REPLACED) > 0);
  IS(OMEMO_BAD_VALUE, omemo_account_replace_sessions(client->account, other->jid, UINT32_MAX, &output));
  IS(OMEMO_OK, omemo_account_restored(client->account, &restored));
  CHECK(!restored);
  size_t replacing = 7;
  IS(OMEMO_OK, omemo_account_replacing(client->account, &replacing));
  CHECK(replacing == 0);
  IS(OMEMO_OK, omemo_account_put_back(client->account, &output));
  world_take(client, &output);
  CHECK(happened(OMEMO_EVENT_RESTORED) == 1);
  IS(OMEMO_OK, omemo_account_restored(client->account, &restored));
  CHECK(restored);
  say(client, "refused", other->jid);
  CHECK(happened(OMEMO_EVENT_REFUSED) == 1 && refused == OMEMO_REASON_RESTORED);
  IS(OMEMO_OK, omemo_account_recover(client->account, &output));
  world_take(client, &output);
  CHECK(happened(OMEMO_EVENT_RECOVERED) == 1);
  (void)happened(OMEMO_EVENT_MESSAGE);
  say(client, "after", other->jid);
  CHECK(happened(OMEMO_EVENT_MESSAGE) == 1);
}

static void end(struct client *client) {
  omemo_output *output = NULL;
  uint32_t own = omemo_account_device(client->account);
  IS(OMEMO_OK, omemo_account_repair(client->account, &output));
  world_take(client, &output);
  CHECK(happened(OMEMO_EVENT_REPAIRED) == 1);
  FAILS(OMEMO_OWN_DEVICE, output, omemo_account_remove_device(client->account, own, &output));
  FAILS(OMEMO_UNKNOWN_DEVICE, output, omemo_account_remove_device(client->account, own ^ 1, &output));
  IS(OMEMO_UNKNOWN_DEVICE, omemo_account_allow_downgrade(client->account, client->jid, own ^ 1));
  output = NULL;
  IS(OMEMO_OK, omemo_account_deactivate(client->account, false, &output));
  world_take(client, &output);
  CHECK(happened(OMEMO_EVENT_DEACTIVATED) == 1);
  FAILS(OMEMO_REMOVED, output, omemo_account_tick(client->account, &output));
}

int main(int count, char **arguments) {
  (void)count;
  struct client clients[] = {
      {open_account(in_folder(arguments, "juliet.db"), "juliet@b.example"), "juliet@b.example", "juliet@b.example/c"},
      {open_account(in_folder(arguments, "romeo.db"), "romeo@b.example"), "romeo@b.example", "romeo@b.example/c"},
  };
  struct client *juliet = &clients[0], *romeo = &clients[1];
  world_begin(clients, 2, remember);
  say(juliet, "1", romeo->jid);
  say(romeo, "2", juliet->jid);
  CHECK(happened(OMEMO_EVENT_MESSAGE) == 2);
  verify(juliet, romeo);
  rename_it(juliet);
  opt_out(juliet, romeo);
  begin_anew(romeo, juliet);
  end(juliet);
  world_end();
  omemo_account_free(&juliet->account);
  omemo_account_free(&romeo->account);
  return 0;
}
