/* What the files of this program share. */

#ifndef SHIM_H
#define SHIM_H

#define _POSIX_C_SOURCE 200809L

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json.h>

#include <curve.h>
#include <protocol.h>
#include <ratchet.h>
#include <session_builder.h>
#include <session_cipher.h>
#include <session_pre_key.h>
#include <session_state.h>
#include <signal_protocol.h>

/* The library's result, if it is an error, is the result of the operation: a refusal. */
#define TRY(call) do { int result_ = (call); if (result_ < 0) return result_; } while (0)

typedef struct { uint8_t *data; size_t len; } bytes;

/* request.c */

extern bool legacy;           /* the request's protocol */
extern json_object *output;   /* what the operation says */
extern char last_words[512];  /* what the library logged last */

/* For what is wrong with the request or with this program. What the library does not accept is a refusal. */
_Noreturn void die(const char *format, ...);
void *checked(void *memory);

/* What an operation made is given back when its answer is out, however it ended. */
void *later(void (*release)(void *), void *thing);
void give_back(void);
void unref(void *instance);
void free_buffer(void *buffer);

json_object *field(json_object *from, const char *name);
uint32_t number(json_object *from, const char *name);
const char *text(json_object *from, const char *name);
bytes hex(json_object *from, const char *name);
void say(const char *name, const uint8_t *data, size_t len);
void say_buffer(const char *name, signal_buffer *buffer);

/* provider.c */

extern const signal_crypto_provider provider;

void forget_draws(void);
void give(bytes value);
void give_role(json_object *input, const char *role);

/* While it opens a message the library tries one session after the other and may draw a ratchet key for each; only the
   one that succeeds is kept. With this set, each gets the same. */
extern bool draw_again;

/* device.c */

/* The library's stores hold serialised records. These do too, under the peer's name or the key's id in decimal. */
struct record { struct record *next; char *key; bytes value; };

extern struct device {
    bool legacy;
    uint32_t id;
    uint8_t identity_secret[32];
    struct record *sessions, *pre_keys, *signed_pre_keys;
} device;

extern signal_context *context;
extern signal_protocol_store_context *stores;

struct record **find(struct record **list, const char *key);
void drop(struct record **list, const char *key);
void put(struct record **list, const char *key, const uint8_t *data, size_t len);
const char *decimal(uint32_t id);

int private_key(ec_private_key **key, bytes secret);
int key_pair(ec_key_pair **pair, bytes secret);

void start_library(void);
void stop_library(void);

#endif
