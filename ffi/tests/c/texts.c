/* Texts that are short, empty, oversized, not UTF-8, and the same pointer in several places: a status, never more. A call
 * that fails leaves its output alone, and the account goes on working. */

#include "check.h"

/* A megabyte, unless the second argument says something else: some ways of running this are slow. */
static size_t oversized = 1024 * 1024;

#define KEY "aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa"

static omemo_account *account;
static const char *path;
static const uint8_t key[32] = {7};

/* Something that is repeated until it is oversized. */
static char *much(const char *what) {
  size_t length = strlen(what);
  char *text = malloc(oversized + 1);
  CHECK(text != NULL);
  for (size_t i = 0; i < oversized; i++) text[i] = what[i % length];
  text[oversized] = '\0';
  return text;
}

/* A call either fails and leaves its output alone, or gives one. */
static omemo_status settled(omemo_status status, omemo_output **output) {
  CHECK(status != OMEMO_PANIC && status != OMEMO_BUG && status != OMEMO_NULL);
  if (status == OMEMO_OK) {
    CHECK(*output != NULL && *output != CANARY(omemo_output));
    omemo_output_free(output);
  } else {
    CHECK(*output == CANARY(omemo_output));
  }
  *output = CANARY(omemo_output);
  return status;
}

static omemo_output *output;
#define SETTLED(call) (output = CANARY(omemo_output), settled(call, &output))

/* One text in every place where one can stand, all others valid, and in all places at once. */
static void everywhere(const char *text) {
  const char *both[] = {"<presence/>", text}, *same[] = {text, text};

  (void)SETTLED(omemo_account_online(account, text, true, &output));
  (void)SETTLED(omemo_account_receive(account, text, &output));
  (void)SETTLED(omemo_account_receive_all(account, both, 2, &output));
  (void)SETTLED(omemo_account_receive_all(account, same, 2, &output));
  (void)SETTLED(omemo_account_send_text(account, text, "c@d.example", "body", &output));
  (void)SETTLED(omemo_account_send_text(account, "id", text, "body", &output));
  (void)SETTLED(omemo_account_send_text(account, "id", "c@d.example", text, &output));
  (void)SETTLED(omemo_account_send_text(account, text, text, text, &output));
  (void)SETTLED(omemo_account_send(account, text, "c@d.example", "<body/>", "<hint/>", &output));
  (void)SETTLED(omemo_account_send(account, "id", text, "<body/>", "<hint/>", &output));
  (void)SETTLED(omemo_account_send(account, "id", "c@d.example", text, "<hint/>", &output));
  (void)SETTLED(omemo_account_send(account, "id", "c@d.example", "<body/>", text, &output));
  (void)SETTLED(omemo_account_send(account, text, text, text, text, &output));
  (void)SETTLED(omemo_account_enter(account, text, &output));
  (void)SETTLED(omemo_account_leave(account, text, &output));
  (void)SETTLED(omemo_account_send_to_room(account, "id", text, "<body/>", NULL, &output));
  (void)SETTLED(omemo_account_opt_out(account, text, text, text, &output));
  (void)SETTLED(omemo_account_answer_opt_out(account, text, true, &output));
  (void)SETTLED(omemo_account_replace_sessions(account, text, 0, &output));
  (void)SETTLED(omemo_account_transport_key(account, text, text, &output));
  (void)SETTLED(omemo_account_verify(account, text, &output));
  (void)SETTLED(omemo_account_inspect(account, text, &output));
  (void)SETTLED(omemo_account_known(account, text, &output));

  omemo_devices *devices = CANARY(omemo_devices);
  if (omemo_account_devices(account, text, &devices) == OMEMO_OK) omemo_devices_free(&devices);
  else CHECK(devices == CANARY(omemo_devices));
  CHECK(SETTLED(omemo_account_decide(account, text, KEY, OMEMO_TRUST_VERIFIED, &output)) != OMEMO_OK);
  CHECK(SETTLED(omemo_account_decide(account, "c@d.example", text, OMEMO_TRUST_VERIFIED, &output)) != OMEMO_OK);
  CHECK(SETTLED(omemo_account_decide(account, text, text, OMEMO_TRUST_VERIFIED, &output)) != OMEMO_OK);
}

/* The same for opening an account. None of these texts is a JID, nor a path in a folder that is there. */
static void opening(const char *text) {
  omemo_account *other = CANARY(omemo_account);
  CHECK(omemo_account_open(path, text, NULL, &other) != OMEMO_OK);
  CHECK(omemo_account_open(text, text, NULL, &other) != OMEMO_OK);
  CHECK(omemo_store_rekey(text, key, sizeof key, key, sizeof key) != OMEMO_OK);
  CHECK(other == CANARY(omemo_account));
  omemo_settings *settings = NULL;
  IS(OMEMO_OK, omemo_settings_new(&settings));
  if (omemo_settings_set_label(settings, text) == OMEMO_OK) {
    omemo_status status = omemo_account_open(path, "a@b.example", settings, &other);
    CHECK(status == OMEMO_OK || (status == OMEMO_BAD_SETTINGS && other == CANARY(omemo_account)));
    if (status == OMEMO_OK) omemo_account_free(&other);
  }
  omemo_settings_free(&settings);
}

static void what_is_not_utf8(void) {
  static const char *const bad[] = {"\xff", "a\xff", "\xc3", "\xc3\x28", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\x80",
                                    "<a>\xfe</a>"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    const char *text = bad[i], *both[] = {"<presence/>", text};
    omemo_devices *devices;
    omemo_account *other;
    omemo_settings *settings = NULL;
    FAILS(OMEMO_NOT_UTF8, output, omemo_account_online(account, text, false, &output));
    FAILS(OMEMO_NOT_UTF8, output, omemo_account_receive(account, text, &output));
    FAILS(OMEMO_NOT_UTF8, output, omemo_account_receive_all(account, both, 2, &output));
    FAILS(OMEMO_NOT_UTF8, output, omemo_account_send_text(account, text, "c@d.example", "body", &output));
    FAILS(OMEMO_NOT_UTF8, output, omemo_account_send_text(account, "id", text, "body", &output));
    FAILS(OMEMO_NOT_UTF8, output, omemo_account_send_text(account, "id", "c@d.example", text, &output));
    FAILS(OMEMO_NOT_UTF8, output, omemo_account_send(account, text, "c@d.example", "<body/>", NULL, &output));
    FAILS(OMEMO_NOT_UTF8, output, omemo_account_send(account, "id", text, "<body/>", NULL, &output));
    FAILS(OMEMO_NOT_UTF8, output, omemo_account_send(account, "id", "c@d.example", text, NULL, &output));
    FAILS(OMEMO_NOT_UTF8, output, omemo_account_send(account, "id", "c@d.example", "<body/>", text, &output));
    FAILS(OMEMO_NOT_UTF8, output, omemo_account_inspect(account, text, &output));
    FAILS(OMEMO_NOT_UTF8, output, omemo_account_known(account, text, &output));
    FAILS(OMEMO_NOT_UTF8, devices, omemo_account_devices(account, text, &devices));
    FAILS(OMEMO_NOT_UTF8, output, omemo_account_decide(account, text, KEY, OMEMO_TRUST_VERIFIED, &output));
    FAILS(OMEMO_NOT_UTF8, output, omemo_account_decide(account, "c@d.example", text, OMEMO_TRUST_VERIFIED, &output));
    FAILS(OMEMO_NOT_UTF8, output, omemo_account_verify(account, text, &output));
    FAILS(OMEMO_NOT_UTF8, output, omemo_account_rename(account, text, &output));
    FAILS(OMEMO_NOT_UTF8, other, omemo_account_open(text, "a@b.example", NULL, &other));
    FAILS(OMEMO_NOT_UTF8, other, omemo_account_open(path, text, NULL, &other));
    IS(OMEMO_NOT_UTF8, omemo_store_rekey(text, key, sizeof key, key, sizeof key));
    IS(OMEMO_OK, omemo_settings_new(&settings));
    IS(OMEMO_NOT_UTF8, omemo_settings_set_label(settings, text));
    omemo_settings_free(&settings);
    everywhere(text);
    opening(text);
  }
}

static void what_is_short_or_empty(void) {
  static const char *const brief[] = {"", " ", "\n", "a", "<", ">", "&", "@", "/", "a@", "@b", "<a", "<a/><b/>", "a b", "\x01"};
  for (size_t i = 0; i < sizeof brief / sizeof *brief; i++) {
    everywhere(brief[i]);
    CHECK(SETTLED(omemo_account_receive(account, brief[i], &output)) == OMEMO_NOT_XML);
    FAILS(OMEMO_NOT_FINGERPRINT, output,
          omemo_account_decide(account, "c@d.example", brief[i], OMEMO_TRUST_VERIFIED, &output));
    FAILS(OMEMO_NOT_URI, output, omemo_account_verify(account, brief[i], &output));
  }
  opening("");
  FAILS(OMEMO_NOT_JID, output, omemo_account_inspect(account, "", &output));
  FAILS(OMEMO_NOT_JID, output, omemo_account_online(account, "a@b.example", false, &output));
  FAILS(OMEMO_BAD_MESSAGE, output, omemo_account_send_text(account, "", "c@d.example", "body", &output));
  FAILS(OMEMO_BAD_MESSAGE, output, omemo_account_send(account, "id", "c@d.example", "", NULL, &output));
  IS(OMEMO_OK, omemo_account_receive_all(account, NULL, 0, &output));
  omemo_output_free(&output);
  omemo_account *other;
  FAILS(OMEMO_STORE_UNUSABLE, other, omemo_account_open("", "a@b.example", NULL, &other));
}

static void what_is_oversized(void) {
  static const char *const repeated[] = {"a", "<a>", "<a/>", "<a b='", "&lt;", "&a;", "a@b/", "<!DOCTYPE a [", "\xe2\x82\xac",
                                         "<a xmlns='b'>", "]]>", "\xf0\x9f\x98\x80", " "};
  for (size_t i = 0; i < sizeof repeated / sizeof *repeated; i++) {
    char *text = much(repeated[i]);
    everywhere(text);
    opening(text);
    free(text);
  }
  /* As large a text inside a good element. */
  char *inside = much("a"), *stanza = malloc(oversized + 100);
  CHECK(stanza != NULL);
  snprintf(stanza, oversized + 100, "<message from='c@d.example'><body>%s</body></message>", inside);
  IS(OMEMO_OK, SETTLED(omemo_account_receive(account, stanza, &output)));
  (void)SETTLED(omemo_account_send(account, "id", "c@d.example", stanza, NULL, &output));
  snprintf(stanza, oversized + 100, "<message from='%s'><body/></message>", inside);
  (void)SETTLED(omemo_account_receive(account, stanza, &output));
  free(stanza);
  free(inside);
}

/* The same pointer in several places, also a pointer that the account itself gave out. */
static void what_is_aliased(void) {
  const char *own = omemo_account_jid(account), *same[] = {"<presence/>", "<presence/>", "<presence/>"};
  for (size_t i = 0; i < 3; i++) same[i] = same[0];
  CHECK(SETTLED(omemo_account_receive_all(account, same, 3, &output)) == OMEMO_OK);
  CHECK(SETTLED(omemo_account_send_text(account, own, own, own, &output)) == OMEMO_OK);
  CHECK(SETTLED(omemo_account_inspect(account, own, &output)) != OMEMO_NULL);
  CHECK(SETTLED(omemo_account_known(account, own, &output)) == OMEMO_OK);
  FAILS(OMEMO_UNKNOWN_KEY, output,
        omemo_account_decide(account, own, omemo_account_fingerprint(account), OMEMO_TRUST_VERIFIED, &output));
  omemo_account *other = NULL;
  IS(OMEMO_OK, omemo_account_open(path, own, NULL, &other));
  CHECK(omemo_account_device(other) == omemo_account_device(account));
  omemo_account_free(&other);
  uint64_t numbers[] = {7, 7, 7};
  IS(OMEMO_OK, omemo_account_sent(account, numbers, 3));
  IS(OMEMO_OK, omemo_account_acknowledge(account, numbers, 3));
}

int main(int count, char **arguments) {
  if (count > 2) oversized = strtoul(arguments[2], NULL, 10);
  path = in_folder(arguments, "texts.db");
  account = open_account(path, "a@b.example");
  what_is_not_utf8();
  what_is_short_or_empty();
  what_is_oversized();
  what_is_aliased();

  /* After all of that it still does its work. */
  IS(OMEMO_OK, omemo_account_online(account, "a@b.example/c", false, &output));
  CHECK(omemo_output_next_stanza(output) != NULL);
  omemo_output_free(&output);
  omemo_account_free(&account);
  return 0;
}
