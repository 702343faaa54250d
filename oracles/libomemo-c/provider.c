/* What the library asks its user for: randomness, and the cryptography that is not on the curve, by OpenSSL. */

#include "shim.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

/* Given values, in the order in which the library draws. One without bytes stands for the system's randomness. */
static bytes draws[2];
static size_t draw_count, draw_next;
bool draw_again;

void forget_draws(void)
{
    draw_count = draw_next = 0;
    draw_again = false;
}

void give(bytes value)
{
    draws[draw_count++] = value;
}

void give_role(json_object *input, const char *role)
{
    json_object *randomness, *value;
    bytes given = {NULL, 0};
    if (json_object_object_get_ex(input, "randomness", &randomness)
        && json_object_object_get_ex(randomness, role, &value))
        given = hex(randomness, role);
    give(given);
}

static int draw(uint8_t *data, size_t len, void *user_data)
{
    (void)user_data;
    if (draw_next < draw_count) {
        bytes given = draws[draw_next];
        if (!draw_again) draw_next++;
        if (given.len == len) {
            memcpy(data, given.data, len);
            return 0;
        }
    }
    return RAND_bytes(data, (int)len) == 1 ? 0 : SG_ERR_UNKNOWN;
}

static int hmac_init(void **context, const uint8_t *key, size_t key_len, void *user_data)
{
    static EVP_MAC *hmac;
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0),
        OSSL_PARAM_construct_end(),
    };
    (void)user_data;
    if (!hmac) hmac = checked(EVP_MAC_fetch(NULL, "HMAC", NULL));
    *context = checked(EVP_MAC_CTX_new(hmac));
    return EVP_MAC_init(*context, key, key_len, parameters) == 1 ? 0 : SG_ERR_UNKNOWN;
}

static int hmac_update(void *context, const uint8_t *data, size_t len, void *user_data)
{
    (void)user_data;
    return EVP_MAC_update(context, data, len) == 1 ? 0 : SG_ERR_UNKNOWN;
}

static int hmac_final(void *context, signal_buffer **buffer, void *user_data)
{
    uint8_t mac[32];
    size_t len;
    (void)user_data;
    if (EVP_MAC_final(context, mac, &len, sizeof mac) != 1) return SG_ERR_UNKNOWN;
    *buffer = checked(signal_buffer_create(mac, len));
    return 0;
}

static void hmac_cleanup(void *context, void *user_data)
{
    (void)user_data;
    EVP_MAC_CTX_free(context);
}

static int sha512_init(void **context, void *user_data)
{
    (void)user_data;
    *context = checked(EVP_MD_CTX_new());
    return EVP_DigestInit_ex(*context, EVP_sha512(), NULL) == 1 ? 0 : SG_ERR_UNKNOWN;
}

static int sha512_update(void *context, const uint8_t *data, size_t len, void *user_data)
{
    (void)user_data;
    return EVP_DigestUpdate(context, data, len) == 1 ? 0 : SG_ERR_UNKNOWN;
}

static int sha512_final(void *context, signal_buffer **buffer, void *user_data)
{
    uint8_t digest[64];
    (void)user_data;
    if (EVP_DigestFinal_ex(context, digest, NULL) != 1) return SG_ERR_UNKNOWN;
    *buffer = checked(signal_buffer_create(digest, sizeof digest));
    return 0;
}

static void sha512_cleanup(void *context, void *user_data)
{
    (void)user_data;
    EVP_MD_CTX_free(context);
}

static int aes_cbc(bool seal, signal_buffer **buffer, int cipher, const uint8_t *key, size_t key_len,
                   const uint8_t *iv, size_t iv_len, const uint8_t *input, size_t input_len)
{
    if (cipher != SG_CIPHER_AES_CBC_PKCS5 || key_len != 32 || iv_len != 16) return SG_ERR_UNKNOWN;
    uint8_t *result = checked(malloc(input_len + 16));
    EVP_CIPHER_CTX *context = checked(EVP_CIPHER_CTX_new());
    int len = 0, rest = 0;
    bool good = EVP_CipherInit_ex(context, EVP_aes_256_cbc(), NULL, key, iv, seal) == 1
        && EVP_CipherUpdate(context, result, &len, input, (int)input_len) == 1
        && EVP_CipherFinal_ex(context, result + len, &rest) == 1;
    EVP_CIPHER_CTX_free(context);
    if (good) *buffer = checked(signal_buffer_create(result, (size_t)(len + rest)));
    free(result);
    return good ? 0 : SG_ERR_UNKNOWN;
}

static int aes_encrypt(signal_buffer **buffer, int cipher, const uint8_t *key, size_t key_len, const uint8_t *iv,
                       size_t iv_len, const uint8_t *input, size_t input_len, void *user_data)
{
    (void)user_data;
    return aes_cbc(true, buffer, cipher, key, key_len, iv, iv_len, input, input_len);
}

static int aes_decrypt(signal_buffer **buffer, int cipher, const uint8_t *key, size_t key_len, const uint8_t *iv,
                       size_t iv_len, const uint8_t *input, size_t input_len, void *user_data)
{
    (void)user_data;
    return aes_cbc(false, buffer, cipher, key, key_len, iv, iv_len, input, input_len);
}

const signal_crypto_provider provider = {
    .random_func = draw,
    .hmac_sha256_init_func = hmac_init,
    .hmac_sha256_update_func = hmac_update,
    .hmac_sha256_final_func = hmac_final,
    .hmac_sha256_cleanup_func = hmac_cleanup,
    .sha512_digest_init_func = sha512_init,
    .sha512_digest_update_func = sha512_update,
    .sha512_digest_final_func = sha512_final,
    .sha512_digest_cleanup_func = sha512_cleanup,
    .encrypt_func = aes_encrypt,
    .decrypt_func = aes_decrypt,
};
