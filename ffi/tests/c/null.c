/* Every function with NULL: each pointer in turn, all others valid, and all of them. Outputs stay as they were. */

#include "check.h"

#define KEY "aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa"
#define DIGITS "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BYTES ((const uint8_t *)KEY)
#define STANZA "<message from='c@d.example'><body>text</body></message>"

static const uint8_t key[32] = {7};

static void settings_refuse_null(void) {
  omemo_settings *settings = NULL;
  IS(OMEMO_NULL, omemo_settings_new(NULL));
  IS(OMEMO_OK, omemo_settings_new(&settings));
  IS(OMEMO_NULL, omemo_settings_set_protocols(NULL, OMEMO_PROTOCOL_2));
  IS(OMEMO_NULL, omemo_settings_set_policy(NULL, OMEMO_POLICY_MANUAL));
  IS(OMEMO_NULL, omemo_settings_set_label(NULL, "label"));
  IS(OMEMO_NULL, omemo_settings_set_label(NULL, NULL));
  IS(OMEMO_OK, omemo_settings_set_label(settings, NULL));
  IS(OMEMO_NULL, omemo_settings_set_max_stanza_bytes(NULL, 100000));
  IS(OMEMO_NULL, omemo_settings_set_stale(NULL, 90, 60));
  IS(OMEMO_NULL, omemo_settings_set_key_transport(NULL, true));
  IS(OMEMO_NULL, omemo_settings_set_heal_legacy(NULL, true));
  IS(OMEMO_NULL, omemo_settings_set_anchor(NULL, "anchor"));
  IS(OMEMO_OK, omemo_settings_set_anchor(settings, NULL));
  IS(OMEMO_NULL, omemo_settings_set_store_key(NULL, key, sizeof key));
  IS(OMEMO_NULL, omemo_settings_set_store_key(settings, NULL, sizeof key));
  IS(OMEMO_NULL, omemo_settings_set_store_key(NULL, BYTES, 32));
  IS(OMEMO_NULL, omemo_settings_set_store_key(settings, NULL, 32));
  omemo_settings_free(&settings);
}

static void changing_keys_refuses_null(const char *path) {
  IS(OMEMO_NULL, omemo_store_rekey(NULL, BYTES, 32, BYTES, 32));
  IS(OMEMO_NULL, omemo_store_rekey(path, NULL, 32, BYTES, 32));
  IS(OMEMO_NULL, omemo_store_rekey(path, BYTES, 32, NULL, 32));
  IS(OMEMO_NULL, omemo_store_rekey(NULL, NULL, 32, NULL, 32));
}

static void opening_refuses_null(const char *path) {
  omemo_account *account;
  IS(OMEMO_NULL, omemo_store_rekey(NULL, key, sizeof key, key, sizeof key));
  IS(OMEMO_NULL, omemo_store_rekey(path, NULL, sizeof key, key, sizeof key));
  IS(OMEMO_NULL, omemo_store_rekey(path, key, sizeof key, NULL, sizeof key));
  IS(OMEMO_NULL, omemo_store_rekey(NULL, NULL, sizeof key, NULL, sizeof key));
  FAILS(OMEMO_NULL, account, omemo_account_open(NULL, "a@b.example", NULL, &account));
  FAILS(OMEMO_NULL, account, omemo_account_open(path, NULL, NULL, &account));
  IS(OMEMO_NULL, omemo_account_open(path, "a@b.example", NULL, NULL));
  IS(OMEMO_NULL, omemo_account_open(NULL, NULL, NULL, NULL));
}

/* What takes an account and an output, and perhaps texts. */
static void calls_refuse_null(omemo_account *account) {
  omemo_output *output;
  const char *stanza = STANZA, *nothing[] = {STANZA, NULL};

  FAILS(OMEMO_NULL, output, omemo_account_online(NULL, "a@b.example/c", false, &output));
  FAILS(OMEMO_NULL, output, omemo_account_online(account, NULL, false, &output));
  IS(OMEMO_NULL, omemo_account_online(account, "a@b.example/c", false, NULL));
  IS(OMEMO_NULL, omemo_account_offline(NULL));
  FAILS(OMEMO_NULL, output, omemo_account_caught_up(NULL, &output));
  IS(OMEMO_NULL, omemo_account_caught_up(account, NULL));

  FAILS(OMEMO_NULL, output, omemo_account_receive(NULL, STANZA, &output));
  FAILS(OMEMO_NULL, output, omemo_account_receive(account, NULL, &output));
  IS(OMEMO_NULL, omemo_account_receive(account, STANZA, NULL));
  FAILS(OMEMO_NULL, output, omemo_account_receive_all(NULL, &stanza, 1, &output));
  FAILS(OMEMO_NULL, output, omemo_account_receive_all(account, NULL, 1, &output));
  FAILS(OMEMO_NULL, output, omemo_account_receive_all(account, nothing, 2, &output));
  FAILS(OMEMO_NULL, output, omemo_account_receive_all(account, &stanza, SIZE_MAX, &output));
  IS(OMEMO_NULL, omemo_account_receive_all(account, &stanza, 1, NULL));

  FAILS(OMEMO_NULL, output, omemo_account_send_text(NULL, "1", "c@d.example", "text", &output));
  FAILS(OMEMO_NULL, output, omemo_account_send_text(account, NULL, "c@d.example", "text", &output));
  FAILS(OMEMO_NULL, output, omemo_account_send_text(account, "1", NULL, "text", &output));
  FAILS(OMEMO_NULL, output, omemo_account_send_text(account, "1", "c@d.example", NULL, &output));
  IS(OMEMO_NULL, omemo_account_send_text(account, "1", "c@d.example", "text", NULL));
  FAILS(OMEMO_NULL, output, omemo_account_send(NULL, "1", "c@d.example", "<body>x</body>", "<hint/>", &output));
  FAILS(OMEMO_NULL, output, omemo_account_send(account, NULL, "c@d.example", "<body>x</body>", "<hint/>", &output));
  FAILS(OMEMO_NULL, output, omemo_account_send(account, "1", NULL, "<body>x</body>", "<hint/>", &output));
  FAILS(OMEMO_NULL, output, omemo_account_send(account, "1", "c@d.example", NULL, "<hint/>", &output));
  IS(OMEMO_NULL, omemo_account_send(account, "1", "c@d.example", "<body>x</body>", NULL, NULL));

  FAILS(OMEMO_NULL, output, omemo_account_enter(NULL, "room@d.example", &output));
  FAILS(OMEMO_NULL, output, omemo_account_enter(account, NULL, &output));
  IS(OMEMO_NULL, omemo_account_enter(account, "room@d.example", NULL));
  FAILS(OMEMO_NULL, output, omemo_account_leave(NULL, "room@d.example", &output));
  FAILS(OMEMO_NULL, output, omemo_account_leave(account, NULL, &output));
  IS(OMEMO_NULL, omemo_account_leave(account, "room@d.example", NULL));
  omemo_jids *jids;
  FAILS(OMEMO_NULL, jids, omemo_account_members(NULL, "room@d.example", &jids));
  FAILS(OMEMO_NULL, jids, omemo_account_members(account, NULL, &jids));
  IS(OMEMO_NULL, omemo_account_members(account, "room@d.example", NULL));
  CHECK(omemo_jids_get(NULL, 0) == NULL);
  jids = NULL;
  omemo_jids_free(&jids);
  omemo_jids_free(NULL);
  FAILS(OMEMO_NULL, output, omemo_account_send_to_room(NULL, "1", "room@d.example", "<body>x</body>", NULL, &output));
  FAILS(OMEMO_NULL, output, omemo_account_send_to_room(account, NULL, "room@d.example", "<body>x</body>", NULL, &output));
  FAILS(OMEMO_NULL, output, omemo_account_send_to_room(account, "1", NULL, "<body>x</body>", NULL, &output));
  FAILS(OMEMO_NULL, output, omemo_account_send_to_room(account, "1", "room@d.example", NULL, NULL, &output));
  IS(OMEMO_NULL, omemo_account_send_to_room(account, "1", "room@d.example", "<body>x</body>", NULL, NULL));

  uint32_t state = 7;
  FAILS(OMEMO_NULL, output, omemo_account_opt_out(NULL, "1", "c@d.example", "why", &output));
  FAILS(OMEMO_NULL, output, omemo_account_opt_out(account, NULL, "c@d.example", "why", &output));
  FAILS(OMEMO_NULL, output, omemo_account_opt_out(account, "1", NULL, "why", &output));
  IS(OMEMO_NULL, omemo_account_opt_out(account, "1", "c@d.example", "why", NULL));
  IS(OMEMO_NULL, omemo_account_opted_out(NULL, "c@d.example", &state));
  IS(OMEMO_NULL, omemo_account_opted_out(account, NULL, &state));
  CHECK(state == 7);
  IS(OMEMO_NULL, omemo_account_opted_out(account, "c@d.example", NULL));
  FAILS(OMEMO_NULL, output, omemo_account_answer_opt_out(NULL, "c@d.example", true, &output));
  FAILS(OMEMO_NULL, output, omemo_account_answer_opt_out(account, NULL, true, &output));
  IS(OMEMO_NULL, omemo_account_answer_opt_out(account, "c@d.example", true, NULL));

  FAILS(OMEMO_NULL, output, omemo_account_transport_key(NULL, "1", "c@d.example", &output));
  FAILS(OMEMO_NULL, output, omemo_account_transport_key(account, NULL, "c@d.example", &output));
  FAILS(OMEMO_NULL, output, omemo_account_transport_key(account, "1", NULL, &output));
  IS(OMEMO_NULL, omemo_account_transport_key(account, "1", "c@d.example", NULL));

  bool restored = true;
  FAILS(OMEMO_NULL, output, omemo_account_replace_sessions(NULL, "c@d.example", 0, &output));
  FAILS(OMEMO_NULL, output, omemo_account_replace_sessions(account, NULL, 0, &output));
  IS(OMEMO_NULL, omemo_account_replace_sessions(account, "c@d.example", 0, NULL));
  FAILS(OMEMO_NULL, output, omemo_account_replace_all_sessions(NULL, &output));
  IS(OMEMO_NULL, omemo_account_replace_all_sessions(account, NULL));
  size_t replacing = 7;
  IS(OMEMO_NULL, omemo_account_replacing(NULL, &replacing));
  CHECK(replacing == 7);
  IS(OMEMO_NULL, omemo_account_replacing(account, NULL));
  FAILS(OMEMO_NULL, output, omemo_account_put_back(NULL, &output));
  IS(OMEMO_NULL, omemo_account_put_back(account, NULL));
  IS(OMEMO_NULL, omemo_account_restored(NULL, &restored));
  CHECK(restored);
  IS(OMEMO_NULL, omemo_account_restored(account, NULL));
  FAILS(OMEMO_NULL, output, omemo_account_recover(NULL, &output));
  IS(OMEMO_NULL, omemo_account_recover(account, NULL));

  FAILS(OMEMO_NULL, output, omemo_account_verify(NULL, "xmpp:a@b.example?omemo-sid-7=" DIGITS, &output));
  FAILS(OMEMO_NULL, output, omemo_account_verify(account, NULL, &output));
  IS(OMEMO_NULL, omemo_account_verify(account, "xmpp:a@b.example?omemo-sid-7=" DIGITS, NULL));
  IS(OMEMO_NULL, omemo_account_allow_downgrade(NULL, "c@d.example", 7));
  IS(OMEMO_NULL, omemo_account_allow_downgrade(account, NULL, 7));

  size_t length = 7;
  IS(OMEMO_NULL, omemo_account_uri(NULL, NULL, 0, &length));
  CHECK(length == 7);
  IS(OMEMO_NULL, omemo_account_uri(account, NULL, 0, NULL));
  FAILS(OMEMO_NULL, output, omemo_account_rename(NULL, "label", &output));
  IS(OMEMO_NULL, omemo_account_rename(account, "label", NULL));
  IS(OMEMO_NULL, omemo_account_label(NULL, NULL, 0, &length));
  CHECK(length == 7);
  IS(OMEMO_NULL, omemo_account_label(account, NULL, 0, NULL));
  FAILS(OMEMO_NULL, output, omemo_account_remove_device(NULL, 7, &output));
  IS(OMEMO_NULL, omemo_account_remove_device(account, 7, NULL));
  FAILS(OMEMO_NULL, output, omemo_account_repair(NULL, &output));
  IS(OMEMO_NULL, omemo_account_repair(account, NULL));
  FAILS(OMEMO_NULL, output, omemo_account_deactivate(NULL, false, &output));
  IS(OMEMO_NULL, omemo_account_deactivate(account, false, NULL));

  FAILS(OMEMO_NULL, output, omemo_account_tick(NULL, &output));
  IS(OMEMO_NULL, omemo_account_tick(account, NULL));
  FAILS(OMEMO_NULL, output, omemo_account_inspect(NULL, "c@d.example", &output));
  FAILS(OMEMO_NULL, output, omemo_account_inspect(account, NULL, &output));
  IS(OMEMO_NULL, omemo_account_inspect(account, "c@d.example", NULL));
  FAILS(OMEMO_NULL, output, omemo_account_known(NULL, "c@d.example", &output));
  FAILS(OMEMO_NULL, output, omemo_account_known(account, NULL, &output));
  IS(OMEMO_NULL, omemo_account_known(account, "c@d.example", NULL));
}

/* What takes an account and something else. */
static void other_calls_refuse_null(omemo_account *account) {
  omemo_messages *messages;
  omemo_devices *devices;
  uint64_t number = 7;

  IS(OMEMO_NULL, omemo_account_sent(NULL, &number, 1));
  IS(OMEMO_NULL, omemo_account_sent(account, NULL, 1));
  IS(OMEMO_NULL, omemo_account_sent(account, &number, SIZE_MAX));
  IS(OMEMO_OK, omemo_account_sent(account, NULL, 0));
  IS(OMEMO_NULL, omemo_account_acknowledge(NULL, &number, 1));
  IS(OMEMO_NULL, omemo_account_acknowledge(account, NULL, 1));
  IS(OMEMO_NULL, omemo_account_acknowledge(account, &number, SIZE_MAX));
  IS(OMEMO_OK, omemo_account_acknowledge(account, NULL, 0));
  FAILS(OMEMO_NULL, messages, omemo_account_inbox(NULL, &messages));
  IS(OMEMO_NULL, omemo_account_inbox(account, NULL));
  FAILS(OMEMO_NULL, devices, omemo_account_devices(NULL, "c@d.example", &devices));
  FAILS(OMEMO_NULL, devices, omemo_account_devices(account, NULL, &devices));
  IS(OMEMO_NULL, omemo_account_devices(account, "c@d.example", NULL));
  omemo_output *output;
  FAILS(OMEMO_NULL, output, omemo_account_decide(NULL, "c@d.example", KEY, OMEMO_TRUST_VERIFIED, &output));
  FAILS(OMEMO_NULL, output, omemo_account_decide(account, NULL, KEY, OMEMO_TRUST_VERIFIED, &output));
  FAILS(OMEMO_NULL, output, omemo_account_decide(account, "c@d.example", NULL, OMEMO_TRUST_VERIFIED, &output));
  IS(OMEMO_NULL, omemo_account_decide(account, "c@d.example", KEY, OMEMO_TRUST_VERIFIED, NULL));

  char buffer[8] = "canary";
  CHECK(omemo_last_error(NULL, NULL, 0) > 0);
  CHECK(omemo_last_error(NULL, NULL, sizeof buffer) > 0);
  CHECK(omemo_last_error(NULL, buffer, 0) > 0 && strcmp(buffer, "canary") == 0);
  CHECK(omemo_last_error(account, NULL, 0) > 0);
  CHECK(omemo_last_error(account, NULL, sizeof buffer) > 0);
  CHECK(omemo_last_error(account, buffer, 0) > 0 && strcmp(buffer, "canary") == 0);
  CHECK(omemo_account_jid(NULL) == NULL);
  CHECK(omemo_account_device(NULL) == 0);
  CHECK(omemo_account_fingerprint(NULL) == NULL);
  CHECK(omemo_account_feature(NULL, 0) == NULL);
}

static void encrypting_refuses_null(void) {
  omemo_file_encryptor *encryptor = NULL;
  omemo_bytes *bytes;
  omemo_file *file;
  IS(OMEMO_NULL, omemo_file_ciphertext_length(OMEMO_CIPHER_AES_256_GCM, 1, NULL));
  IS(OMEMO_NULL, omemo_file_encryptor_new(OMEMO_CIPHER_AES_256_GCM, NULL));
  IS(OMEMO_OK, omemo_file_encryptor_new(OMEMO_CIPHER_AES_256_GCM, &encryptor));
  FAILS(OMEMO_NULL, bytes, omemo_file_encryptor_update(NULL, BYTES, 8, &bytes));
  FAILS(OMEMO_NULL, bytes, omemo_file_encryptor_update(encryptor, NULL, 8, &bytes));
  FAILS(OMEMO_NULL, bytes, omemo_file_encryptor_update(encryptor, BYTES, SIZE_MAX, &bytes));
  IS(OMEMO_NULL, omemo_file_encryptor_update(encryptor, BYTES, 8, NULL));
  IS(OMEMO_OK, omemo_file_encryptor_update(encryptor, NULL, 0, &bytes));
  CHECK(omemo_bytes_length(bytes) == 0);
  omemo_bytes_free(&bytes);
  FAILS(OMEMO_NULL, bytes, omemo_file_encryptor_finish(NULL, &bytes));
  IS(OMEMO_NULL, omemo_file_encryptor_finish(encryptor, NULL));
  IS(OMEMO_OK, omemo_file_encryptor_finish(encryptor, &bytes));
  CHECK(omemo_bytes_length(bytes) == 16); /* what failed was not encrypted: the tag of nothing */
  omemo_bytes_free(&bytes);
  FAILS(OMEMO_NULL, file, omemo_file_encryptor_file(NULL, "https://a/b", "name", "a/b", &file));
  FAILS(OMEMO_NULL, file, omemo_file_encryptor_file(encryptor, NULL, "name", "a/b", &file));
  IS(OMEMO_NULL, omemo_file_encryptor_file(encryptor, "https://a/b", "name", "a/b", NULL));
  IS(OMEMO_OK, omemo_file_encryptor_file(encryptor, "https://a/b", NULL, NULL, &file));
  CHECK(omemo_file_name(file) == NULL && omemo_file_media_type(file) == NULL);
  omemo_file_free(&file);
  omemo_file_encryptor_free(&encryptor);
}

static void decrypting_refuses_null(void) {
  char link[] = "aesgcm://a/b#00000000000000000000000000000000000000000000"
                "00000000000000000000000000000000000000000000";
  omemo_file_decryptor *decryptor;
  omemo_bytes *bytes;
  omemo_file *file;
  FAILS(OMEMO_NULL, file, omemo_file_of_body(NULL, &file));
  IS(OMEMO_NULL, omemo_file_of_body(link, NULL));
  FAILS(OMEMO_NULL, file, omemo_file_of_element(NULL, &file));
  IS(OMEMO_NULL, omemo_file_of_element("<x/>", NULL));
  IS(OMEMO_OK, omemo_file_of_body(link, &file));
  FAILS(OMEMO_NULL, decryptor, omemo_file_decryptor_new(NULL, &decryptor));
  IS(OMEMO_NULL, omemo_file_decryptor_new(file, NULL));
  IS(OMEMO_OK, omemo_file_decryptor_new(file, &decryptor));
  IS(OMEMO_NULL, omemo_file_decryptor_verify(NULL, BYTES, 8));
  IS(OMEMO_NULL, omemo_file_decryptor_verify(decryptor, NULL, 8));
  IS(OMEMO_NULL, omemo_file_decryptor_verify(decryptor, BYTES, SIZE_MAX));
  IS(OMEMO_OK, omemo_file_decryptor_verify(decryptor, NULL, 0));
  IS(OMEMO_NULL, omemo_file_decryptor_verified(NULL));
  FAILS(OMEMO_NULL, bytes, omemo_file_decryptor_update(NULL, BYTES, 8, &bytes));
  FAILS(OMEMO_NULL, bytes, omemo_file_decryptor_update(decryptor, NULL, 8, &bytes));
  IS(OMEMO_NULL, omemo_file_decryptor_update(decryptor, BYTES, 8, NULL));
  FAILS(OMEMO_NULL, bytes, omemo_file_decryptor_finish(NULL, &bytes));
  IS(OMEMO_NULL, omemo_file_decryptor_finish(decryptor, NULL));
  omemo_file_decryptor_free(&decryptor);
  omemo_file_free(&file);
}

static void accessors_take_null(void) {
  size_t length = 7;
  int64_t seconds = 7;
  uint64_t ticket = 7;

  CHECK(!omemo_output_consumed(NULL));
  CHECK(!omemo_output_wake(NULL, &seconds) && seconds == 7);
  CHECK(!omemo_output_wake(NULL, NULL));
  CHECK(omemo_output_next_stanza(NULL) == NULL);
  CHECK(omemo_output_next_event(NULL) == NULL);
  CHECK(omemo_stanza_xml(NULL) == NULL);
  CHECK(!omemo_stanza_ticket(NULL, &ticket) && ticket == 7);
  CHECK(!omemo_stanza_ticket(NULL, NULL));

  CHECK(omemo_event_kind_of(NULL) == OMEMO_EVENT_OTHER);
  CHECK(omemo_event_message(NULL) == NULL);
  CHECK(omemo_event_jid(NULL) == NULL);
  CHECK(omemo_event_device(NULL) == 0);
  CHECK(omemo_event_protocol(NULL) == OMEMO_PROTOCOL_NONE);
  CHECK(omemo_event_id(NULL) == NULL);
  CHECK(omemo_event_reason(NULL) == OMEMO_REASON_NONE);
  CHECK(omemo_event_text(NULL) == NULL);
  CHECK(omemo_event_fingerprint(NULL) == NULL);
  CHECK(omemo_event_trust(NULL) == OMEMO_TRUST_UNDECIDED);
  CHECK(!omemo_event_maybe_delivered(NULL));
  CHECK(omemo_event_account(NULL, 0) == NULL);
  CHECK(omemo_event_key(NULL, 0) == NULL);
  CHECK(omemo_event_held_key(NULL, 0) == NULL);
  CHECK(omemo_event_transported(NULL, NULL) == NULL);
  CHECK(omemo_event_served(NULL, 0) == NULL);
  CHECK(omemo_event_unserved(NULL, 0) == NULL);
  CHECK(omemo_recipient_jid(NULL) == NULL);
  CHECK(omemo_recipient_device(NULL) == 0);
  CHECK(omemo_recipient_protocol(NULL) == OMEMO_PROTOCOL_NONE);
  CHECK(omemo_recipient_reason(NULL) == OMEMO_REASON_NONE);
  CHECK(omemo_recipient_text(NULL) == NULL);

  CHECK(omemo_messages_get(NULL, 0) == NULL);
  CHECK(omemo_message_inbox_id(NULL) == 0);
  CHECK(omemo_message_id(NULL) == NULL);
  CHECK(omemo_message_from(NULL) == NULL);
  CHECK(omemo_message_device(NULL) == 0);
  CHECK(omemo_message_chat(NULL) == NULL);
  CHECK(!omemo_message_in_room(NULL));
  CHECK(omemo_message_transported(NULL, NULL) == NULL);
  CHECK(omemo_message_protocol(NULL) == OMEMO_PROTOCOL_NONE);
  CHECK(omemo_message_trust(NULL) == OMEMO_TRUST_UNDECIDED);
  CHECK(omemo_message_body(NULL) == NULL);
  CHECK(omemo_message_content(NULL, 0) == NULL);
  CHECK(!omemo_message_delay(NULL, &seconds) && seconds == 7);
  CHECK(!omemo_message_delay(NULL, NULL));
  CHECK(!omemo_message_time_differs(NULL));

  CHECK(omemo_devices_get(NULL, 0) == NULL);
  CHECK(omemo_device_id(NULL) == 0);
  CHECK(omemo_device_listed(NULL) == 0);
  CHECK(omemo_device_sessions(NULL) == 0);
  CHECK(omemo_device_fingerprint(NULL) == NULL);
  CHECK(omemo_device_trust(NULL) == OMEMO_TRUST_UNDECIDED);
  CHECK(omemo_device_label(NULL) == NULL);
  CHECK(omemo_device_failure(NULL) == NULL);
  CHECK(!omemo_device_is_own(NULL));
  CHECK(!omemo_device_heard_at(NULL, NULL));
  CHECK(!omemo_device_is_stale(NULL));

  CHECK(omemo_bytes_data(NULL) == NULL);
  CHECK(omemo_bytes_length(NULL) == 0);
  CHECK(omemo_file_url(NULL, 0) == NULL);
  CHECK(omemo_file_link(NULL) == NULL);
  CHECK(omemo_file_element(NULL) == NULL);
  CHECK(omemo_file_name(NULL) == NULL);
  CHECK(omemo_file_media_type(NULL) == NULL);
  CHECK(!omemo_file_size(NULL, &ticket) && ticket == 7);
  CHECK(!omemo_file_size(NULL, NULL));
  CHECK(omemo_file_thumbnail(NULL, &length) == NULL && length == 7);
  CHECK(omemo_file_thumbnail(NULL, NULL) == NULL);
}

/* A pointer to NULL, and NULL itself. */
static void freeing_takes_null(void) {
  omemo_settings *settings = NULL;
  omemo_account *account = NULL;
  omemo_output *output = NULL;
  omemo_messages *messages = NULL;
  omemo_devices *devices = NULL;
  omemo_settings_free(&settings);
  omemo_settings_free(NULL);
  omemo_account_free(&account);
  omemo_account_free(NULL);
  omemo_output_free(&output);
  omemo_output_free(NULL);
  omemo_messages_free(&messages);
  omemo_messages_free(NULL);
  omemo_devices_free(&devices);
  omemo_devices_free(NULL);
  omemo_bytes *bytes = NULL;
  omemo_file *file = NULL;
  omemo_file_encryptor *encryptor = NULL;
  omemo_file_decryptor *decryptor = NULL;
  omemo_bytes_free(&bytes);
  omemo_bytes_free(NULL);
  omemo_file_free(&file);
  omemo_file_free(NULL);
  omemo_file_encryptor_free(&encryptor);
  omemo_file_encryptor_free(NULL);
  omemo_file_decryptor_free(&decryptor);
  omemo_file_decryptor_free(NULL);
}

/* Functions that cannot fail. */
static void what_takes_no_pointer(void) {
  CHECK(strchr(omemo_version(), '.') != NULL);
  CHECK(strcmp(omemo_status_sentence(OMEMO_OK), "done") == 0);
}

int main(int count, char **arguments) {
  (void)count;
  const char *path = in_folder(arguments, "null.db");
  settings_refuse_null();
  opening_refuses_null(path);
  changing_keys_refuses_null(path);
  omemo_account *account = open_account(path, "a@b.example");
  calls_refuse_null(account);
  other_calls_refuse_null(account);
  omemo_account_free(&account);
  encrypting_refuses_null();
  decrypting_refuses_null();
  accessors_take_null();
  freeing_takes_null();
  what_takes_no_pointer();
  return 0;
}
