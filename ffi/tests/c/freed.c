/* Whatever is freed is freed once: the caller's pointer is NULL afterwards, and freeing NULL does nothing. What a call gave
 * out outlives the account. */

#include "check.h"

#define FREED_TWICE(free, object) \
  do {                            \
    free(NULL);                   \
    CHECK((object) != NULL);      \
    free(&(object));              \
    CHECK((object) == NULL);      \
    free(&(object));              \
    CHECK((object) == NULL);      \
  } while (0)

/* What an encryptor gave out outlives it, and so does a decryptor the file that it was made of. */
static void files(void) {
  omemo_file_encryptor *encryptor = NULL;
  omemo_file_decryptor *decryptor = NULL;
  omemo_bytes *ciphertext = NULL, *nothing = NULL;
  omemo_file *file = NULL;
  IS(OMEMO_OK, omemo_file_encryptor_new(OMEMO_CIPHER_AES_256_GCM, &encryptor));
  IS(OMEMO_OK, omemo_file_encryptor_finish(encryptor, &ciphertext));
  IS(OMEMO_OK, omemo_file_encryptor_file(encryptor, "https://a/b", NULL, NULL, &file));
  FREED_TWICE(omemo_file_encryptor_free, encryptor);
  IS(OMEMO_OK, omemo_file_decryptor_new(file, &decryptor));
  FREED_TWICE(omemo_file_free, file);
  IS(OMEMO_OK, omemo_file_decryptor_verify(decryptor, omemo_bytes_data(ciphertext), omemo_bytes_length(ciphertext)));
  IS(OMEMO_OK, omemo_file_decryptor_verified(decryptor));
  IS(OMEMO_OK, omemo_file_decryptor_update(decryptor, omemo_bytes_data(ciphertext), omemo_bytes_length(ciphertext), &nothing));
  CHECK(omemo_bytes_length(nothing) == 0);
  FREED_TWICE(omemo_bytes_free, nothing);
  FREED_TWICE(omemo_bytes_free, ciphertext);
  IS(OMEMO_OK, omemo_file_decryptor_finish(decryptor, &nothing));
  FREED_TWICE(omemo_file_decryptor_free, decryptor);
  CHECK(omemo_bytes_length(nothing) == 0);
  FREED_TWICE(omemo_bytes_free, nothing);
}

int main(int count, char **arguments) {
  (void)count;
  files();
  omemo_settings *settings = NULL;
  IS(OMEMO_OK, omemo_settings_new(&settings));
  IS(OMEMO_OK, omemo_settings_set_label(settings, "a label"));
  omemo_account *account = NULL;
  IS(OMEMO_OK, omemo_account_open(in_folder(arguments, "freed.db"), "a@b.example", settings, &account));
  FREED_TWICE(omemo_settings_free, settings);

  omemo_output *online = NULL, *received = NULL;
  omemo_messages *messages = NULL;
  omemo_devices *devices = NULL;
  omemo_jids *jids = NULL;
  IS(OMEMO_OK, omemo_account_online(account, "a@b.example/c", false, &online));
  IS(OMEMO_OK, omemo_account_receive(account, "<presence/>", &received));
  IS(OMEMO_OK, omemo_account_inbox(account, &messages));
  IS(OMEMO_OK, omemo_account_devices(account, "a@b.example", &devices));
  IS(OMEMO_OK, omemo_account_members(account, "room@b.example", &jids));
  CHECK(omemo_jids_get(jids, 0) == NULL);
  FREED_TWICE(omemo_account_free, account);
  IS(OMEMO_NULL, omemo_account_offline(account));

  const omemo_stanza *stanza = omemo_output_next_stanza(online);
  CHECK(stanza != NULL && strstr(omemo_stanza_xml(stanza), "<iq") != NULL);
  FREED_TWICE(omemo_output_free, online);
  FREED_TWICE(omemo_output_free, received);
  FREED_TWICE(omemo_messages_free, messages);
  FREED_TWICE(omemo_devices_free, devices);
  FREED_TWICE(omemo_jids_free, jids);
  return 0;
}
