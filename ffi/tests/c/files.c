/* Files of chats: they come back as they went, and nothing comes out of one that is not the sender's, or before that is known. */

#include "check.h"

#define URL "https://upload.example/1/photo.jpg"
#define SIZE 100000
#define PIECE 7777

static uint8_t photo[SIZE], ciphertext[SIZE + 32], plaintext[SIZE + 32];

/* Takes over what a call gave out; how many bytes are there then. */
static size_t add(uint8_t *place, size_t length, omemo_bytes **bytes) {
  memcpy(place + length, omemo_bytes_data(*bytes), omemo_bytes_length(*bytes));
  length += omemo_bytes_length(*bytes);
  omemo_bytes_free(bytes);
  return length;
}

static size_t piece_at(size_t at, size_t length) { return length - at < PIECE ? length - at : PIECE; }

static size_t encrypt(uint32_t cipher, omemo_file **file) {
  omemo_file_encryptor *encryptor = NULL;
  omemo_bytes *out = NULL;
  size_t length = 0;
  uint64_t announced = 0;
  IS(OMEMO_OK, omemo_file_encryptor_new(cipher, &encryptor));
  FAILS(OMEMO_FILE_ORDER, *file, omemo_file_encryptor_file(encryptor, URL, NULL, NULL, file));
  for (size_t at = 0; at < SIZE; at += PIECE) {
    IS(OMEMO_OK, omemo_file_encryptor_update(encryptor, photo + at, piece_at(at, SIZE), &out));
    length = add(ciphertext, length, &out);
  }
  IS(OMEMO_OK, omemo_file_encryptor_finish(encryptor, &out));
  length = add(ciphertext, length, &out);
  IS(OMEMO_OK, omemo_file_ciphertext_length(cipher, SIZE, &announced));
  CHECK(announced == length);

  /* It has ended, and stays ended. */
  FAILS(OMEMO_FILE_ORDER, out, omemo_file_encryptor_update(encryptor, photo, 1, &out));
  FAILS(OMEMO_FILE_ORDER, out, omemo_file_encryptor_finish(encryptor, &out));
  FAILS(OMEMO_NOT_URL, *file, omemo_file_encryptor_file(encryptor, "http://a/b", NULL, NULL, file));
  FAILS(OMEMO_NOT_URL, *file, omemo_file_encryptor_file(encryptor, URL "#x", NULL, NULL, file));
  FAILS(OMEMO_NOT_UTF8, *file, omemo_file_encryptor_file(encryptor, URL, "\xff", NULL, file));
  IS(OMEMO_OK, omemo_file_encryptor_file(encryptor, URL, "photo.jpg", "image/jpeg", file));
  omemo_file_encryptor_free(&encryptor);
  return length;
}

/* Both ways; the status of the first that fails. */
static omemo_status decrypt(const omemo_file *file, size_t length) {
  omemo_file_decryptor *decryptor = NULL;
  omemo_bytes *out = NULL;
  size_t found = 0;
  IS(OMEMO_OK, omemo_file_decryptor_new(file, &decryptor));
  FAILS(OMEMO_FILE_ORDER, out, omemo_file_decryptor_update(decryptor, ciphertext, 1, &out));
  FAILS(OMEMO_FILE_ORDER, out, omemo_file_decryptor_finish(decryptor, &out));
  for (size_t at = 0; at < length; at += PIECE)
    IS(OMEMO_OK, omemo_file_decryptor_verify(decryptor, ciphertext + at, piece_at(at, length)));
  omemo_status status = omemo_file_decryptor_verified(decryptor);
  IS(OMEMO_FILE_ORDER, omemo_file_decryptor_verify(decryptor, ciphertext, 1));
  IS(OMEMO_FILE_ORDER, omemo_file_decryptor_verified(decryptor));
  if (status != OMEMO_OK) {
    FAILS(OMEMO_FILE_ORDER, out, omemo_file_decryptor_update(decryptor, ciphertext, 1, &out));
    FAILS(OMEMO_FILE_ORDER, out, omemo_file_decryptor_finish(decryptor, &out));
    omemo_file_decryptor_free(&decryptor);
    return status;
  }
  for (size_t at = 0; at < length; at += PIECE) {
    IS(OMEMO_OK, omemo_file_decryptor_update(decryptor, ciphertext + at, piece_at(at, length), &out));
    found = add(plaintext, found, &out);
  }
  IS(OMEMO_OK, omemo_file_decryptor_finish(decryptor, &out));
  found = add(plaintext, found, &out);
  CHECK(found == SIZE && memcmp(plaintext, photo, SIZE) == 0);
  FAILS(OMEMO_FILE_ORDER, out, omemo_file_decryptor_finish(decryptor, &out));
  omemo_file_decryptor_free(&decryptor);
  return OMEMO_OK;
}

/* What is another file the second time is noticed at its end. */
static void another_file_the_second_time(const omemo_file *file, size_t length) {
  omemo_file_decryptor *decryptor = NULL;
  omemo_bytes *out = NULL;
  IS(OMEMO_OK, omemo_file_decryptor_new(file, &decryptor));
  IS(OMEMO_OK, omemo_file_decryptor_verify(decryptor, ciphertext, length));
  IS(OMEMO_OK, omemo_file_decryptor_verified(decryptor));
  IS(OMEMO_OK, omemo_file_decryptor_update(decryptor, ciphertext, length - 1, &out));
  omemo_bytes_free(&out);
  FAILS(OMEMO_FILE_REFUSED, out, omemo_file_decryptor_finish(decryptor, &out));
  omemo_file_decryptor_free(&decryptor);
}

static void there_and_back(uint32_t cipher) {
  omemo_file *sent = NULL, *received = NULL;
  uint64_t size = 0;
  size_t length = encrypt(cipher, &sent);
  IS(OMEMO_OK, omemo_file_of_element(omemo_file_element(sent), &received));
  CHECK(strcmp(omemo_file_element(received), omemo_file_element(sent)) == 0);
  CHECK(strcmp(omemo_file_url(received, 0), URL) == 0 && omemo_file_url(received, 1) == NULL);
  CHECK(strcmp(omemo_file_name(received), "photo.jpg") == 0);
  CHECK(strcmp(omemo_file_media_type(received), "image/jpeg") == 0);
  CHECK(omemo_file_size(received, &size) && size == SIZE);
  CHECK(omemo_file_thumbnail(received, NULL) == NULL);
  IS(OMEMO_OK, decrypt(received, length));
  another_file_the_second_time(received, length);

  CHECK((omemo_file_link(sent) != NULL) == (cipher == OMEMO_CIPHER_AES_256_GCM));
  if (omemo_file_link(sent) != NULL) {
    omemo_file *linked = NULL;
    IS(OMEMO_OK, omemo_file_of_body(omemo_file_link(sent), &linked));
    CHECK(strcmp(omemo_file_url(linked, 0), URL) == 0);
    CHECK(omemo_file_element(linked) == NULL && !omemo_file_size(linked, NULL));
    IS(OMEMO_OK, decrypt(linked, length));
    ciphertext[5] ^= 1;
    IS(OMEMO_FILE_REFUSED, decrypt(linked, length));
    ciphertext[5] ^= 1;
    omemo_file_free(&linked);
  }
  ciphertext[SIZE / 2] ^= 1;
  IS(OMEMO_FILE_REFUSED, decrypt(received, length));
  char sentence[200];
  CHECK(omemo_last_error(NULL, sentence, sizeof sentence) > 0);
  omemo_file_free(&sent);
  omemo_file_free(&received);
}

static void bodies(void) {
  static const char link[] = "aesgcm://a.example/b#000102030405060708090a0b"
                             "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  char body[300];
  size_t length = 7;
  omemo_file *file = NULL;
  CHECK(snprintf(body, sizeof body, "%s\ndata:image/jpeg,/9j/4AAQSkZJRg==", link) > 0);
  IS(OMEMO_OK, omemo_file_of_body(body, &file));
  const uint8_t *image = omemo_file_thumbnail(file, &length);
  CHECK(length == 10 && image != NULL && image[0] == 0xff && image[9] == 'F');
  CHECK(strcmp(omemo_file_link(file), link) == 0);
  omemo_file_free(&file);
  CHECK(snprintf(body, sizeof body, "Look: %s", link) > 0);
  FAILS(OMEMO_NOT_FILE, file, omemo_file_of_body(body, &file));
  FAILS(OMEMO_NOT_FILE, file, omemo_file_of_body("", &file));
  FAILS(OMEMO_NOT_UTF8, file, omemo_file_of_body("\xff", &file));
  FAILS(OMEMO_NOT_XML, file, omemo_file_of_element("<", &file));
  FAILS(OMEMO_NOT_FILE, file, omemo_file_of_element("<x/>", &file));
  FAILS(OMEMO_NOT_FILE, file,
        omemo_file_of_element("<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'/></file-sharing>", &file));
}

/* A cipher without tag, and no hash: nothing would prove whose file it is. */
static void without_proof(void) {
  omemo_file *file = NULL;
  omemo_file_decryptor *decryptor;
  IS(OMEMO_OK, omemo_file_of_element(
                   "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'/><sources>"
                   "<encrypted xmlns='urn:xmpp:esfs:0' cipher='urn:xmpp:ciphers:aes-256-cbc-pkcs7:0'>"
                   "<key>AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=</key><iv>AAAAAAAAAAAAAAAAAAAAAA==</iv>"
                   "<sources xmlns='urn:xmpp:sfs:0'/></encrypted></sources></file-sharing>",
                   &file));
  FAILS(OMEMO_FILE_REFUSED, decryptor, omemo_file_decryptor_new(file, &decryptor));
  omemo_file_free(&file);
}

int main(int count, char **arguments) {
  (void)count;
  (void)arguments;
  for (size_t i = 0; i < SIZE; i++) photo[i] = (uint8_t)(i * 7 + i / 256);
  for (uint32_t cipher = OMEMO_CIPHER_AES_256_GCM; cipher <= OMEMO_CIPHER_AES_256_CBC; cipher++) there_and_back(cipher);
  bodies();
  without_proof();
  return 0;
}
