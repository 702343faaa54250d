/* The device that the shim holds, and the library's stores, which are that device. */

#include "shim.h"

struct device device;
signal_context *context;
signal_protocol_store_context *stores;

struct record **find(struct record **list, const char *key)
{
    while (*list && strcmp((*list)->key, key)) list = &(*list)->next;
    return list;
}

void drop(struct record **list, const char *key)
{
    struct record **place = find(list, key), *record = *place;
    if (!record) return;
    *place = record->next;
    free(record->key);
    free(record->value.data);
    free(record);
}

void put(struct record **list, const char *key, const uint8_t *data, size_t len)
{
    drop(list, key);
    struct record *record = checked(malloc(sizeof *record));
    record->key = checked(strdup(key));
    record->value.data = checked(malloc(len + 1));
    record->value.len = len;
    memcpy(record->value.data, data, len);
    record->next = *list;
    *list = record;
}

const char *decimal(uint32_t id)
{
    static char digits[11];
    snprintf(digits, sizeof digits, "%lu", (unsigned long)id);
    return digits;
}

static int load_session(signal_buffer **record, signal_buffer **user, const signal_protocol_address *address,
                        void *data)
{
    struct record *found = *find(&device.sessions, address->name);
    (void)user, (void)data;
    if (found) *record = checked(signal_buffer_create(found->value.data, found->value.len));
    return found != NULL;
}

static int store_session(const signal_protocol_address *address, uint8_t *record, size_t len, uint8_t *user,
                         size_t user_len, void *data)
{
    (void)user, (void)user_len, (void)data;
    put(&device.sessions, address->name, record, len);
    return 0;
}

static int contains_session(const signal_protocol_address *address, void *data)
{
    (void)data;
    return *find(&device.sessions, address->name) != NULL;
}

static int load_key(struct record **list, signal_buffer **record, uint32_t id)
{
    struct record *found = *find(list, decimal(id));
    if (!found) return SG_ERR_INVALID_KEY_ID;
    *record = checked(signal_buffer_create(found->value.data, found->value.len));
    return SG_SUCCESS;
}

static int load_pre_key(signal_buffer **record, uint32_t id, void *data)
{
    (void)data;
    return load_key(&device.pre_keys, record, id);
}

static int contains_pre_key(uint32_t id, void *data)
{
    (void)data;
    return *find(&device.pre_keys, decimal(id)) != NULL;
}

/* The library removes a prekey when it was used. In the protocol of the shims it stays until `forget-pre-key`. */
static int keep_pre_key(uint32_t id, void *data)
{
    (void)id, (void)data;
    return 0;
}

static int load_signed_pre_key(signal_buffer **record, uint32_t id, void *data)
{
    (void)data;
    return load_key(&device.signed_pre_keys, record, id);
}

/* Secrets are clamped when the library generates them, not when it uses them. */
int private_key(ec_private_key **key, bytes secret)
{
    if (secret.len != 32) die("a secret has 32 bytes");
    uint8_t clamped[32];
    memcpy(clamped, secret.data, 32);
    clamped[0] &= 248;
    clamped[31] = (uint8_t)((clamped[31] & 127) | 64);
    TRY(curve_decode_private_point(key, clamped, sizeof clamped, context));
    later(unref, *key);
    return 0;
}

int key_pair(ec_key_pair **pair, bytes secret)
{
    ec_private_key *private;
    ec_public_key *public;
    TRY(private_key(&private, secret));
    TRY(curve_generate_public_key(&public, private));
    later(unref, public);
    TRY(ec_key_pair_create(pair, public, private));
    later(unref, *pair);
    return 0;
}

static int load_identity(signal_buffer **public_data, signal_buffer **private_data, void *data)
{
    ec_key_pair *pair;
    (void)data;
    TRY(key_pair(&pair, (bytes){device.identity_secret, sizeof device.identity_secret}));
    TRY(ec_public_key_serialize(public_data, ec_key_pair_get_public(pair)));
    return ec_private_key_serialize(private_data, ec_key_pair_get_private(pair));
}

static int load_registration_id(void *data, uint32_t *id)
{
    (void)data;
    *id = device.id;
    return 0;
}

/* Trust is not what is compared here. */
static int save_identity(const signal_protocol_address *address, uint8_t *key, size_t len, void *data)
{
    (void)address, (void)key, (void)len, (void)data;
    return 0;
}

static int trust_identity(const signal_protocol_address *address, uint8_t *key, size_t len, void *data)
{
    (void)address, (void)key, (void)len, (void)data;
    return 1;
}

static void take_words(int level, const char *message, size_t len, void *user_data)
{
    (void)level, (void)user_data;
    snprintf(last_words, sizeof last_words, "%.*s", (int)len, message);
}

void start_library(void)
{
    const signal_protocol_session_store sessions = {
        .load_session_func = load_session,
        .store_session_func = store_session,
        .contains_session_func = contains_session,
    };
    const signal_protocol_pre_key_store pre_keys = {
        .load_pre_key = load_pre_key,
        .contains_pre_key = contains_pre_key,
        .remove_pre_key = keep_pre_key,
    };
    const signal_protocol_signed_pre_key_store signed_pre_keys = {.load_signed_pre_key = load_signed_pre_key};
    const signal_protocol_identity_key_store identities = {
        .get_identity_key_pair = load_identity,
        .get_local_registration_id = load_registration_id,
        .save_identity = save_identity,
        .is_trusted_identity = trust_identity,
    };
    if (signal_context_create(&context, NULL) < 0
        || signal_context_set_crypto_provider(context, &provider) < 0
        || signal_context_set_log_function(context, take_words) < 0
        || signal_protocol_store_context_create(&stores, context) < 0
        || signal_protocol_store_context_set_session_store(stores, &sessions) < 0
        || signal_protocol_store_context_set_pre_key_store(stores, &pre_keys) < 0
        || signal_protocol_store_context_set_signed_pre_key_store(stores, &signed_pre_keys) < 0
        || signal_protocol_store_context_set_identity_key_store(stores, &identities) < 0)
        die("the library does not start");
}

void stop_library(void)
{
    signal_protocol_store_context_destroy(stores);
    signal_context_destroy(context);
}
