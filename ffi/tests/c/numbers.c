/* Numbers that stand for nothing are refused, and change nothing. */

#include "check.h"

#define KEY "aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa aaaaaaaa"

static const uint32_t numbers[] = {4, 5, 7, 8, 99, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff};
#define EACH(number, numbers) size_t number = 0; number < sizeof(numbers) / sizeof *(numbers); number++

/* A key has 32 bytes: of another length, none is read. */
static void keys_have_one_length(const char *path) {
  static const size_t lengths[] = {0, 1, 16, 31, 33, 64, SIZE_MAX / 2, SIZE_MAX};
  uint8_t key[32] = {7};
  omemo_settings *settings = NULL;
  omemo_account *account = NULL;
  IS(OMEMO_OK, omemo_settings_new(&settings));
  for (EACH(i, lengths)) {
    IS(OMEMO_BAD_VALUE, omemo_settings_set_store_key(settings, key, lengths[i]));
    IS(OMEMO_BAD_VALUE, omemo_settings_set_store_key(settings, NULL, lengths[i]));
    IS(OMEMO_BAD_VALUE, omemo_store_rekey(path, key, lengths[i], key, sizeof key));
    IS(OMEMO_BAD_VALUE, omemo_store_rekey(path, key, sizeof key, key, lengths[i]));
  }
  /* None was chosen. */
  IS(OMEMO_OK, omemo_account_open(path, "a@b.example", settings, &account));
  omemo_account_free(&account);
  omemo_settings_free(&settings);
}

int main(int count, char **arguments) {
  (void)count;
  keys_have_one_length(in_folder(arguments, "plain.db"));
  omemo_settings *settings = NULL;
  IS(OMEMO_OK, omemo_settings_new(&settings));
  omemo_output *output = NULL;
  omemo_account *account = open_account(in_folder(arguments, "numbers.db"), "a@b.example");
  omemo_file_encryptor *encryptor;
  uint64_t length = 7;
  for (EACH(i, numbers)) {
    IS(OMEMO_BAD_VALUE, omemo_settings_set_protocols(settings, numbers[i]));
    IS(OMEMO_BAD_VALUE, omemo_settings_set_policy(settings, numbers[i]));
    FAILS(OMEMO_BAD_VALUE, output, omemo_account_decide(account, "a@b.example", KEY, numbers[i], &output));
    CHECK(omemo_status_sentence((int32_t)numbers[i] | 0x40) != NULL);
    FAILS(OMEMO_BAD_VALUE, encryptor, omemo_file_encryptor_new(numbers[i], &encryptor));
    IS(OMEMO_BAD_VALUE, omemo_file_ciphertext_length(numbers[i], 1, &length));
  }
  IS(OMEMO_BAD_VALUE, omemo_settings_set_policy(settings, 3));
  IS(OMEMO_FILE_TOO_LARGE, omemo_file_ciphertext_length(OMEMO_CIPHER_AES_128_GCM, UINT64_MAX, &length));
  CHECK(length == 7);
  CHECK(strstr(omemo_status_sentence(-1), "newer version") != NULL);
  CHECK(strstr(omemo_status_sentence(INT32_MIN), "newer version") != NULL);
  for (uint32_t trust = OMEMO_TRUST_UNDECIDED; trust <= OMEMO_TRUST_DISTRUSTED; trust++)
    FAILS(OMEMO_UNKNOWN_KEY, output, omemo_account_decide(account, "a@b.example", KEY, trust, &output));
  omemo_account_free(&account);

  /* The settings are what they were: good ones. */
  IS(OMEMO_OK, omemo_account_open(in_folder(arguments, "numbers.db"), "a@b.example", settings, &account));
  CHECK(omemo_account_feature(account, 0) != NULL && omemo_account_feature(account, 1) != NULL);
  omemo_account_free(&account);

  /* Numbers that are none of an enumeration: sizes and tickets of any value. */
  IS(OMEMO_OK, omemo_settings_set_max_stanza_bytes(settings, SIZE_MAX));
  IS(OMEMO_OK, omemo_account_open(in_folder(arguments, "numbers.db"), "a@b.example", settings, &account));
  uint64_t any[] = {0, 1, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
  IS(OMEMO_OK, omemo_account_sent(account, any, sizeof any / sizeof *any));
  IS(OMEMO_OK, omemo_account_acknowledge(account, any, sizeof any / sizeof *any));
  omemo_account_free(&account);
  IS(OMEMO_OK, omemo_settings_set_max_stanza_bytes(settings, 0));
  FAILS(OMEMO_BAD_SETTINGS, account,
        omemo_account_open(in_folder(arguments, "numbers.db"), "a@b.example", settings, &account));
  IS(OMEMO_OK, omemo_settings_set_max_stanza_bytes(settings, 200000));
  IS(OMEMO_OK, omemo_settings_set_protocols(settings, OMEMO_PROTOCOL_NONE));
  FAILS(OMEMO_BAD_SETTINGS, account,
        omemo_account_open(in_folder(arguments, "numbers.db"), "a@b.example", settings, &account));
  omemo_settings_free(&settings);
  return 0;
}
