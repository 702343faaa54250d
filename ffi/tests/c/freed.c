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

int main(int count, char **arguments) {
  (void)count;
  omemo_settings *settings = NULL;
  IS(OMEMO_OK, omemo_settings_new(&settings));
  IS(OMEMO_OK, omemo_settings_set_label(settings, "a label"));
  omemo_account *account = NULL;
  IS(OMEMO_OK, omemo_account_open(in_folder(arguments, "freed.db"), "a@b.example", settings, &account));
  FREED_TWICE(omemo_settings_free, settings);

  omemo_output *online = NULL, *received = NULL;
  omemo_messages *messages = NULL;
  omemo_devices *devices = NULL;
  IS(OMEMO_OK, omemo_account_online(account, "a@b.example/c", false, &online));
  IS(OMEMO_OK, omemo_account_receive(account, "<presence/>", &received));
  IS(OMEMO_OK, omemo_account_inbox(account, &messages));
  IS(OMEMO_OK, omemo_account_devices(account, "a@b.example", &devices));
  FREED_TWICE(omemo_account_free, account);
  IS(OMEMO_NULL, omemo_account_offline(account));

  const omemo_stanza *stanza = omemo_output_next_stanza(online);
  CHECK(stanza != NULL && strstr(omemo_stanza_xml(stanza), "<iq") != NULL);
  FREED_TWICE(omemo_output_free, online);
  FREED_TWICE(omemo_output_free, received);
  FREED_TWICE(omemo_messages_free, messages);
  FREED_TWICE(omemo_devices_free, devices);
  return 0;
}
