/*
 * libomemo-c behind the protocol of test-vectors/PROTOCOL.md: message version 4 is omemo:2, version 3 legacy.
 *
 * libomemo-c is GPL-3.0. This program is linked with it and so is a test program only: it is built on the machine that
 * runs the oracles, never shipped, and nothing that is shipped is linked with it.
 *
 * Debian: libomemo-c-dev, libjson-c-dev, libssl-dev, pkg-config. In this folder:
 *
 *   cc -std=c11 -Wall -Wextra -O1 -DLIBOMEMO_C_VERSION="$(pkg-config --modversion libomemo-c)" *.c -o shim \
 *       $(pkg-config --cflags --libs libomemo-c json-c libcrypto)
 */

#include "shim.h"

#ifndef LIBOMEMO_C_VERSION
#define LIBOMEMO_C_VERSION unknown
#endif
#define TEXT_OF(tokens) #tokens
#define TEXT(macro) TEXT_OF(macro)

static void free_builder(void *builder) { session_builder_free(builder); }
static void free_cipher(void *cipher) { session_cipher_free(cipher); }

/* --- Keys ---------------------------------------------------------------------------------------------------- */

static uint32_t version(void)
{
    return legacy ? CIPHERTEXT_CURRENT_VERSION : CIPHERTEXT_OMEMO_VERSION;
}

static int curve_key(ec_public_key **key, bytes wire)
{
    TRY(legacy ? curve_decode_point(key, wire.data, wire.len, context)
               : curve_decode_point_mont(key, wire.data, wire.len, context));
    later(unref, *key);
    return 0;
}

static int identity_key(ec_public_key **key, bytes wire)
{
    TRY(legacy ? curve_decode_point(key, wire.data, wire.len, context)
               : curve_decode_point_ed(key, wire.data, wire.len, context));
    later(unref, *key);
    return 0;
}

static void say_public(ec_public_key *key)
{
    say_buffer("public", later(free_buffer, checked(ec_public_key_get_mont(key))));
}

static int public_key(json_object *input)
{
    ec_key_pair *pair;
    TRY(key_pair(&pair, hex(input, "secret")));
    say_public(ec_key_pair_get_public(pair));
    return 0;
}

static int diffie_hellman(json_object *input)
{
    ec_private_key *secret;
    ec_public_key *public;
    uint8_t *shared;
    bytes wire = hex(input, "public");
    TRY(private_key(&secret, hex(input, "secret")));
    TRY(curve_decode_point_mont(&public, wire.data, wire.len, context));
    later(unref, public);
    int len = curve_calculate_agreement(&shared, public, secret);
    TRY(len);
    say("shared", later(free, shared), (size_t)len);
    return 0;
}

static int decode_key(json_object *input)
{
    ec_public_key *key;
    TRY(curve_key(&key, hex(input, "key")));
    say_public(key);
    return 0;
}

static int decode_identity(json_object *input)
{
    ec_public_key *key;
    TRY(identity_key(&key, hex(input, "key")));
    say_public(key);
    return 0;
}

static int encode_identity(json_object *input)
{
    ec_key_pair *pair;
    signal_buffer *key;
    TRY(key_pair(&pair, hex(input, "secret")));
    if (legacy)
        TRY(ec_public_key_serialize(&key, ec_key_pair_get_public(pair)));
    else
        key = checked(ec_public_key_get_ed(ec_key_pair_get_public(pair)));
    say_buffer("key", later(free_buffer, key));
    return 0;
}

static int sign(json_object *input)
{
    ec_private_key *secret;
    signal_buffer *signature;
    bytes message = hex(input, "message");
    TRY(private_key(&secret, hex(input, "secret")));
    give(hex(input, "nonce"));
    TRY(curve_calculate_signature(context, &signature, secret, message.data, message.len));
    say_buffer("signature", later(free_buffer, signature));
    return 0;
}

static int verify(json_object *input)
{
    ec_public_key *key;
    bytes message = hex(input, "message"), signature = hex(input, "signature");
    TRY(identity_key(&key, hex(input, "identity_key")));
    int good = curve_verify_signature(key, message.data, message.len, signature.data, signature.len);
    TRY(good);
    if (!good) snprintf(last_words, sizeof last_words, "curve_verify_signature says that the signature is wrong");
    return good ? 0 : SG_ERR_INVALID_KEY;
}

/* Of X3DH's two sides only this one leaves the key as it was agreed: the other makes its first ratchet step at once. */
static int x3dh_respond(json_object *input)
{
    ec_key_pair *identity, *signed_pre_key, *pre_key;
    ec_public_key *their_identity, *their_ephemeral;
    ratchet_identity_key_pair *own;
    bob_signal_protocol_parameters *parameters;
    session_state *state;
    signal_buffer *root_key;
    TRY(key_pair(&identity, hex(input, "identity_secret")));
    TRY(key_pair(&signed_pre_key, hex(input, "signed_pre_key_secret")));
    TRY(key_pair(&pre_key, hex(input, "pre_key_secret")));
    TRY(identity_key(&their_identity, hex(input, "identity_key")));
    TRY(curve_key(&their_ephemeral, hex(input, "ephemeral_key")));
    TRY(ratchet_identity_key_pair_create(&own, ec_key_pair_get_public(identity), ec_key_pair_get_private(identity)));
    later(unref, own);
    TRY(bob_signal_protocol_parameters_create(&parameters, own, signed_pre_key, pre_key, signed_pre_key, their_identity,
                                              their_ephemeral));
    later(unref, parameters);
    TRY(session_state_create(&state, context));
    later(unref, state);
    session_state_set_session_version(state, version());
    TRY(ratcheting_session_bob_initialize(state, parameters, context));
    TRY(ratchet_root_key_get_key(session_state_get_root_key(state), &root_key));
    say_buffer("root_key", later(free_buffer, root_key));
    return 0;
}

/* --- Conversations ------------------------------------------------------------------------------------------- */

static int add_signed_pre_key(json_object *input)
{
    ec_key_pair *pair;
    session_signed_pre_key *key;
    signal_buffer *record;
    bytes signature = hex(input, "signature");
    TRY(key_pair(&pair, hex(input, "secret")));
    TRY(session_signed_pre_key_create(&key, number(input, "id"), 0, pair, signature.data, signature.len,
                                      signature.data, signature.len));
    later(unref, key);
    TRY(session_signed_pre_key_serialize(&record, key));
    later(free_buffer, record);
    put(&device.signed_pre_keys, decimal(number(input, "id")), signal_buffer_data(record), signal_buffer_len(record));
    return 0;
}

static int add_pre_key(json_object *input)
{
    ec_key_pair *pair;
    session_pre_key *key;
    signal_buffer *record;
    TRY(key_pair(&pair, hex(input, "secret")));
    TRY(session_pre_key_create(&key, number(input, "id"), pair));
    later(unref, key);
    TRY(session_pre_key_serialize(&record, key));
    later(free_buffer, record);
    put(&device.pre_keys, decimal(number(input, "id")), signal_buffer_data(record), signal_buffer_len(record));
    return 0;
}

static int begin_device(json_object *input)
{
    while (device.sessions) drop(&device.sessions, device.sessions->key);
    while (device.pre_keys) drop(&device.pre_keys, device.pre_keys->key);
    while (device.signed_pre_keys) drop(&device.signed_pre_keys, device.signed_pre_keys->key);
    bytes secret = hex(input, "identity_secret");
    if (secret.len != 32) die("a secret has 32 bytes");
    memcpy(device.identity_secret, secret.data, 32);
    device.legacy = legacy;
    device.id = number(input, "device_id");
    give_back();

    json_object *list = field(input, "signed_pre_keys");
    for (size_t i = 0; i < json_object_array_length(list); i++, give_back())
        TRY(add_signed_pre_key(json_object_array_get_idx(list, i)));
    list = field(input, "pre_keys");
    for (size_t i = 0; i < json_object_array_length(list); i++, give_back())
        TRY(add_pre_key(json_object_array_get_idx(list, i)));
    return 0;
}

static int forget_signed_pre_key(json_object *input)
{
    drop(&device.signed_pre_keys, decimal(number(input, "id")));
    return 0;
}

static int forget_pre_key(json_object *input)
{
    drop(&device.pre_keys, decimal(number(input, "id")));
    return 0;
}

/* The library keeps all sessions with an address in one record: the shim has one address a peer. */
static signal_protocol_address address_of(json_object *input)
{
    const char *peer = text(input, "peer");
    return (signal_protocol_address){.name = peer, .name_len = strlen(peer), .device_id = 1};
}

static int initiate(json_object *input)
{
    json_object *fields = field(input, "bundle");
    signal_protocol_address address = address_of(input);
    ec_public_key *identity, *signed_pre_key, *pre_key;
    session_pre_key_bundle *bundle;
    session_builder *builder;
    bytes signature = hex(fields, "signature");
    TRY(identity_key(&identity, hex(fields, "identity_key")));
    TRY(curve_key(&signed_pre_key, hex(fields, "signed_pre_key")));
    TRY(curve_key(&pre_key, hex(fields, "pre_key")));
    TRY(session_pre_key_bundle_create(&bundle, 1, address.device_id, number(fields, "pre_key_id"), pre_key,
                                      number(fields, "signed_pre_key_id"), signed_pre_key, signature.data,
                                      signature.len, identity));
    later(unref, bundle);
    TRY(session_builder_create(&builder, stores, &address, context));
    later(free_builder, builder);
    session_builder_set_version(builder, version());
    give_role(input, "ephemeral-key");
    give_role(input, "ratchet-key");
    return session_builder_process_pre_key_bundle(builder, bundle);
}

static int new_cipher(session_cipher **cipher, const signal_protocol_address *address)
{
    TRY(session_cipher_create(cipher, stores, address, context));
    later(free_cipher, *cipher);
    session_cipher_set_version(*cipher, version());
    return 0;
}

static int seal(json_object *input)
{
    signal_protocol_address address = address_of(input);
    bytes plaintext = hex(input, "plaintext");
    session_cipher *cipher;
    ciphertext_message *message;
    if (!*find(&device.sessions, address.name)) return SG_ERR_NO_SESSION;
    TRY(new_cipher(&cipher, &address));
    TRY(session_cipher_encrypt(cipher, plaintext.data, plaintext.len, &message));
    later(unref, message);
    bool key_exchange = ciphertext_message_get_type(message) == CIPHERTEXT_PREKEY_TYPE;
    say_buffer("frame", ciphertext_message_get_serialized(message));
    json_object_object_add(output, "key_exchange", json_object_new_boolean(key_exchange));
    return 0;
}

static bool varint(bytes *rest, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && rest->len > 0; shift += 7) {
        uint8_t byte = *rest->data;
        rest->data++, rest->len--;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

/* The protobuf wire type of the first field with this number, -1 if there is none. */
static int wire_type(bytes rest, uint64_t wanted)
{
    uint64_t tag, skip;
    while (varint(&rest, &tag)) {
        if (tag >> 3 == wanted) return (int)(tag & 7);
        switch (tag & 7) {
        case 0: if (!varint(&rest, &skip)) return -1; skip = 0; break;
        case 1: skip = 8; break;
        case 2: if (!varint(&rest, &skip)) return -1; break;
        case 5: skip = 4; break;
        default: return -1;
        }
        if (skip > rest.len) return -1;
        rest.data += skip, rest.len -= skip;
    }
    return -1;
}

/* omemo:2: field 1 is a number in OMEMOKeyExchange, bytes in OMEMOAuthenticatedMessage. Legacy, after the version byte:
   field 2 is bytes in PreKeySignalMessage, a number in SignalMessage. */
static bool is_exchange(bytes frame)
{
    if (!legacy) return wire_type(frame, 1) == 0;
    return frame.len > 0 && wire_type((bytes){frame.data + 1, frame.len - 1}, 2) == 2;
}

static int open_frame(json_object *input)
{
    signal_protocol_address address = address_of(input);
    bytes frame = hex(input, "frame");
    session_cipher *cipher;
    signal_buffer *plaintext;
    TRY(new_cipher(&cipher, &address));
    give_role(input, "ratchet-key");
    draw_again = true;
    if (is_exchange(frame)) {
        pre_key_signal_message *message;
        /* The registration id of the sender is not in omemo:2's frames. The library notes it and does no more. */
        TRY(legacy ? pre_key_signal_message_deserialize(&message, frame.data, frame.len, context)
                   : pre_key_signal_message_deserialize_omemo(&message, frame.data, frame.len, 1, context));
        later(unref, message);
        TRY(session_cipher_decrypt_pre_key_signal_message(cipher, message, NULL, &plaintext));
    } else {
        signal_message *message;
        TRY(legacy ? signal_message_deserialize(&message, frame.data, frame.len, context)
                   : signal_message_deserialize_omemo(&message, frame.data, frame.len, context));
        later(unref, message);
        TRY(session_cipher_decrypt_signal_message(cipher, message, NULL, &plaintext));
    }
    say_buffer("plaintext", later(free_buffer, plaintext));
    return 0;
}

/* Between two operations a device is nothing but records that the library serialised; each operation reads them anew.
   What is left to drop is the library itself. */
static int restart(json_object *input)
{
    (void)input;
    stop_library();
    start_library();
    return 0;
}

/* --- The loop ------------------------------------------------------------------------------------------------ */

static int hello(json_object *input)
{
    (void)input;
    json_object *protocols = json_object_new_array();
    json_object_array_add(protocols, json_object_new_string("omemo:2"));
    json_object_array_add(protocols, json_object_new_string("legacy"));
    json_object_object_add(output, "name", json_object_new_string("libomemo-c"));
    json_object_object_add(output, "version", json_object_new_string(TEXT(LIBOMEMO_C_VERSION)));
    json_object_object_add(output, "protocols", protocols);
    return 0;
}

static const struct { const char *name; int (*run)(json_object *input); bool on_device; } operations[] = {
    {"hello", hello, false},
    {"public-key", public_key, false},
    {"diffie-hellman", diffie_hellman, false},
    {"decode-key", decode_key, false},
    {"decode-identity", decode_identity, false},
    {"encode-identity", encode_identity, false},
    {"sign", sign, false},
    {"verify", verify, false},
    {"x3dh-respond", x3dh_respond, false},
    {"device", begin_device, false},
    {"initiate", initiate, true},
    {"seal", seal, true},
    {"open", open_frame, true},
    {"restart", restart, true},
    {"add-signed-pre-key", add_signed_pre_key, true},
    {"forget-signed-pre-key", forget_signed_pre_key, true},
    {"forget-pre-key", forget_pre_key, true},
};

static const char *name_of(int error)
{
    switch (error) {
    case SG_ERR_NOMEM: return "SG_ERR_NOMEM";
    case SG_ERR_INVAL: return "SG_ERR_INVAL";
    case SG_ERR_UNKNOWN: return "SG_ERR_UNKNOWN";
    case SG_ERR_DUPLICATE_MESSAGE: return "SG_ERR_DUPLICATE_MESSAGE";
    case SG_ERR_INVALID_KEY: return "SG_ERR_INVALID_KEY";
    case SG_ERR_INVALID_KEY_ID: return "SG_ERR_INVALID_KEY_ID";
    case SG_ERR_INVALID_MAC: return "SG_ERR_INVALID_MAC";
    case SG_ERR_INVALID_MESSAGE: return "SG_ERR_INVALID_MESSAGE";
    case SG_ERR_INVALID_VERSION: return "SG_ERR_INVALID_VERSION";
    case SG_ERR_LEGACY_MESSAGE: return "SG_ERR_LEGACY_MESSAGE";
    case SG_ERR_NO_SESSION: return "SG_ERR_NO_SESSION";
    case SG_ERR_UNTRUSTED_IDENTITY: return "SG_ERR_UNTRUSTED_IDENTITY";
    case SG_ERR_INVALID_PROTO_BUF: return "SG_ERR_INVALID_PROTO_BUF";
    default: return "an error without a name";
    }
}

static void answer(json_object *request, json_object *reply)
{
    const char *operation = text(request, "operation"), *protocol = text(request, "protocol");
    char words[600];
    legacy = !strcmp(protocol, "legacy");
    if (!legacy && strcmp(protocol, "omemo:2")) die("no such protocol: %s", protocol);
    forget_draws();
    last_words[0] = 0;

    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        if (strcmp(operations[i].name, operation)) continue;
        if (operations[i].on_device && device.legacy != legacy) die("the device is one of the other protocol");
        output = json_object_new_object();
        int result = operations[i].run(field(request, "input"));
        if (result >= 0) {
            json_object_object_add(reply, "output", output);
        } else {
            json_object_put(output);
            snprintf(words, sizeof words, "%s (%d)%s%s", name_of(result), result, *last_words ? ": " : "", last_words);
            json_object_object_add(reply, "refused", json_object_new_string(words));
        }
        return;
    }
    snprintf(words, sizeof words, "libomemo-c has no %s", operation);
    json_object_object_add(reply, "unsupported", json_object_new_string(words));
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    start_library();
    while (getline(&line, &room, stdin) > 0) {
        json_object *request = json_tokener_parse(line), *reply = json_object_new_object();
        if (!request) die("not JSON: %s", line);
        json_object_object_add(reply, "id", json_object_get(field(request, "id")));
        answer(request, reply);
        puts(json_object_to_json_string_ext(reply, JSON_C_TO_STRING_PLAIN));
        fflush(stdout);
        give_back();
        json_object_put(reply);
        json_object_put(request);
    }
    free(line);
    stop_library();
    return 0;
}
