/*
 * omemo: end-to-end encryption for XMPP clients, in both OMEMO protocols in use.
 *
 * Hand the account every stanza that arrives, send every stanza that it hands back. Whatever a call returns is already on the
 * disk, so that nothing is lost and no key used twice, whenever the process dies. docs/c.md leads from nothing to a first
 * encrypted message; ffi/examples/ has whole programs.
 *
 * - Functions that can fail return omemo_status; outputs are written only if it is OMEMO_OK. Of a failed call omemo_last_error has
 *   the whole sentence.
 * - An object that a call gives out belongs to the caller and is freed by the function of its type, which takes the address of
 *   the pointer and sets it to NULL. Objects and texts that an accessor gives out (const pointers) belong to the object that was
 *   asked, live as long as that, and are not freed.
 * - Texts are UTF-8 and end with a zero byte. Texts that are handed in are copied.
 * - NULL where something has to stand is OMEMO_NULL, never a crash; asked about NULL, an accessor gives NULL, 0 or false. A pointer
 *   to something else, or to something that was freed, cannot be noticed.
 * - What stands in the place of an output is overwritten, not freed. Begin with NULL there.
 * - Accounts may be used from several threads, and a store from several processes.
 *
 * Licence: MIT or Apache-2.0. This file is generated; do not edit it.
 */

#ifndef OMEMO_H
#define OMEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>


// What a call returns. Numbers and names are for ever; new ones may be added, so treat a number that you do not know as a
// failure.
enum omemo_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // Done.
    OMEMO_OK = 0,
    // A pointer that has to point to something is NULL.
    OMEMO_NULL = 1,
    // A text is not UTF-8.
    OMEMO_NOT_UTF8 = 2,
    // A number stands for nothing that is known here: a protocol, a policy, a level of trust.
    OMEMO_BAD_VALUE = 3,
    // A text is no JID, or a full one where a bare one belongs.
    OMEMO_NOT_JID = 4,
    // A text is not XML as XMPP allows it, or not one element.
    OMEMO_NOT_XML = 5,
    // A text is not a fingerprint of 64 hexadecimal digits.
    OMEMO_NOT_FINGERPRINT = 6,
    // Settings that cannot be followed.
    OMEMO_BAD_SETTINGS = 7,
    // A message that cannot be sent: without any content, too large, or with an unusable id.
    OMEMO_BAD_MESSAGE = 8,
    // A JID of another account than the handle's.
    OMEMO_OTHER_ACCOUNT = 9,
    // The account was never told that it is online.
    OMEMO_OFFLINE = 10,
    // No key with this fingerprint is known for that account.
    OMEMO_UNKNOWN_KEY = 11,
    // Nothing is known of such a device.
    OMEMO_UNKNOWN_DEVICE = 12,
    // It is this device itself, and only others can be meant.
    OMEMO_OWN_DEVICE = 13,
    // This device was removed and its secrets are erased: free the handle; opening the store again makes a new device.
    OMEMO_REMOVED = 14,
    // A text is no URI that verifies keys.
    OMEMO_NOT_URI = 15,
    // The anchor cannot be read or written.
    OMEMO_ANCHOR = 16,
    // Another process holds the store and did not let go.
    OMEMO_STORE_LOCKED = 20,
    // No room on the disk. Nothing was changed.
    OMEMO_STORE_FULL = 21,
    // The store was written by a newer version of this library.
    OMEMO_STORE_NEWER = 22,
    // The store makes no sense.
    OMEMO_STORE_DAMAGED = 23,
    // The store cannot be opened or written.
    OMEMO_STORE_UNUSABLE = 24,
    // The store is encrypted with another key than the given one.
    OMEMO_STORE_WRONG_KEY = 25,
    // A key was given, and the store is not encrypted.
    OMEMO_STORE_NOT_ENCRYPTED = 26,
    // The store is encrypted (or its first page is damaged), and no key was given.
    OMEMO_STORE_ENCRYPTED = 27,
    // A key was given, and this library was built without encryption of stores. Nothing was opened.
    OMEMO_NO_ENCRYPTION = 28,
    // The operating system gave no randomness.
    OMEMO_NO_RANDOMNESS = 30,
    // A bug of this library, which it noticed. Please report it.
    OMEMO_BUG = 31,
    // A bug of this library, which ended the call in the middle. What is on the disk is sound: free the handle and
    // open a new one. Please report it.
    OMEMO_PANIC = 32,
    // A text tells of no encrypted file: it is no body with an `aesgcm` link alone, or no such element.
    OMEMO_NOT_FILE = 40,
    // A text is not an `https://` URL without a fragment.
    OMEMO_NOT_URL = 41,
    // An encrypted file is not the sender's, or nothing proves that it is: throw away what came out of it.
    OMEMO_FILE_REFUSED = 42,
    // A file is larger than its cipher can take.
    OMEMO_FILE_TOO_LARGE = 43,
    // The calls of a file's encryptor or decryptor come in another order than they have to.
    OMEMO_FILE_ORDER = 44,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum omemo_status omemo_status;
#else
typedef int32_t omemo_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What kind of event it is. The comment of each names what can be asked of it; everything else is NULL, 0 or false. New kinds
// may be added: ignore those that you do not know.
enum omemo_event_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // Of a newer version of this library.
    OMEMO_EVENT_OTHER = 0,
    // A decrypted message: `message`. It stays in the inbox until it is acknowledged, and is handed out again, with the same
    // inbox id, if its stanza arrives again before that.
    OMEMO_EVENT_MESSAGE = 1,
    // A message for us that cannot be read: `jid`, `device` (0 if unknown), `protocol`, `id` (of the stanza), `reason`,
    // `text`.
    OMEMO_EVENT_UNDECRYPTABLE = 2,
    // A message was sealed and stands in the outbox: `id` (the app's), `jid` (the chat), `served`, `unserved`.
    OMEMO_EVENT_SEALED = 3,
    // A message was given up, since no device of the recipient can be served; nothing was sent: `id`, `jid`, `unserved`.
    OMEMO_EVENT_REFUSED = 4,
    // A sealed stanza was dropped from the outbox: `id`, `reason`, `text`, `maybe_delivered`. If the message still matters,
    // send it again under a new id.
    OMEMO_EVENT_UNSENT = 5,
    // Our device is published, or its bundle was renewed: `protocol`. It comes in each stream that was not resumed, also if
    // nothing had to be done: from now on others can write to this device.
    OMEMO_EVENT_PUBLISHED = 6,
    // A protocol is off for this stream: `protocol`, `text`.
    OMEMO_EVENT_PROTOCOL_OFF = 7,
    // The server breaks a requirement of XEP-0384 §7: `protocol`, `text`.
    OMEMO_EVENT_SERVER_LACKS = 8,
    // An identity key was seen for the first time: `jid`, `device`, `fingerprint`, `trust`.
    OMEMO_EVENT_NEW_KEY = 9,
    // A device shows another identity key than before, which was refused: `jid`, `device`, `protocol`.
    OMEMO_EVENT_IDENTITY_CHANGED = 10,
    // An account's device list changed: `jid`, `protocol`.
    OMEMO_EVENT_DEVICES_CHANGED = 11,
    // An account's device list was refused; the known one stays in force: `jid`, `protocol`, `text`.
    OMEMO_EVENT_LIST_REFUSED = 12,
    // `omemo_account_inspect` has learnt all it can: `jid`.
    OMEMO_EVENT_INSPECTED = 13,
    // Nobody closed the catch-up for an hour, so it was closed now.
    OMEMO_EVENT_CATCH_UP_EXPIRED = 14,
    // Our device list or bundle had been taken away and was published again: `protocol`.
    OMEMO_EVENT_REANNOUNCED = 15,
    // A device is on a list for the first time: `jid`, `device`, `protocol`.
    OMEMO_EVENT_NEW_DEVICE = 16,
    // One identity key was shown by several accounts, of which at most one has it by right: `fingerprint`, `accounts`.
    OMEMO_EVENT_SHARED_KEY = 17,
    // The trust in a key changed without a decision made now (XEP-0450): `jid`, `fingerprint`, `trust`, `text` (the verified
    // device that said so; `NULL` when it follows from a decision made here before).
    OMEMO_EVENT_TRUST_CHANGED = 18,
    // A device that spoke omemo:2 is only listed for legacy now, and unserved until `omemo_account_allow_downgrade`: `jid`,
    // `device`.
    OMEMO_EVENT_DOWNGRADED = 19,
    // A device that only spoke legacy is listed for omemo:2 now: `jid`, `device`.
    OMEMO_EVENT_UPGRADED = 20,
    // A message that was opened and acknowledged before came again; there is nothing to show: `jid`, `device`, `protocol`, `id`.
    OMEMO_EVENT_DUPLICATE = 21,
    // A contact would like plain text; messages to it are refused until `omemo_account_answer_opt_out`: `jid`, `text` (why, in the
    // contact's words).
    OMEMO_EVENT_OPTED_OUT = 22,
    // A contact that had opted out writes encrypted messages again: `jid`.
    OMEMO_EVENT_OPTED_IN = 23,
    // The members of a room are known, and messages can be sent: `jid` (the room), `accounts` (who gets them), `text` (which
    // lists of members the room does not give, and why).
    OMEMO_EVENT_ROOM_READY = 24,
    // Somebody became a member of a room: `jid` (the room), `accounts` (who).
    OMEMO_EVENT_MEMBER_JOINED = 25,
    // Somebody is no member of a room any more: `jid` (the room), `accounts` (who).
    OMEMO_EVENT_MEMBER_LEFT = 26,
    // No encrypted message can be sent to a room: `jid`, `reason`, `text`.
    OMEMO_EVENT_ROOM_REFUSED = 27,
    // We are in a room no more: `jid`.
    OMEMO_EVENT_ROOM_LEFT = 28,
    // The store is older than what was sent from it; nothing is encrypted before `omemo_account_recover`: `text`.
    OMEMO_EVENT_RESTORED = 29,
    // The account has recovered.
    OMEMO_EVENT_RECOVERED = 30,
    // The anchor could not be written; until it can, a restored store may not be noticed: `text`.
    OMEMO_EVENT_ANCHOR_FAILED = 31,
    // A session was made anew: `jid`, `device`, `protocol`.
    OMEMO_EVENT_SESSION_REPLACED = 32,
    // A session could not be made anew: `jid`, `device`, `protocol`, `text`.
    OMEMO_EVENT_SESSION_NOT_REPLACED = 33,
    // Another device of ours was taken off the list: `device`, `text` (what the server refused to do, if anything).
    OMEMO_EVENT_DEVICE_REMOVED = 34,
    // This device is off the server and its secrets are erased: `text` (what the server refused to do, if anything).
    OMEMO_EVENT_DEACTIVATED = 35,
    // Keys were verified by a URI: `jid`, `key` (those that are decided now), `held_key` (those that were not met yet), `unserved`
    // (devices that are known with another key, and were left as they are).
    OMEMO_EVENT_VERIFIED = 36,
    // A key was handed over, in the message that the `OMEMO_EVENT_SEALED` of the same id is about: `id`, `jid`, `transported`. It is
    // told once.
    OMEMO_EVENT_KEY_SEALED = 37,
    // `omemo_account_repair` has looked: `protocol`, `text` (which bundles were removed, which will be, and which are missing, in words
    // for people; NULL if everything fits together).
    OMEMO_EVENT_REPAIRED = 38,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum omemo_event_kind omemo_event_kind;
#else
typedef uint32_t omemo_event_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A protocol. They are bits, so that a set of them is one number.
enum omemo_protocol
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // None, or unknown.
    OMEMO_PROTOCOL_NONE = 0,
    // `urn:xmpp:omemo:2`.
    OMEMO_PROTOCOL_2 = 1,
    // `eu.siacs.conversations.axolotl`.
    OMEMO_PROTOCOL_LEGACY = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum omemo_protocol omemo_protocol;
#else
typedef uint32_t omemo_protocol;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Why something was not done. Numbers are for ever; new ones may be added.
enum omemo_reason
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // There is nothing to give a reason for.
    OMEMO_REASON_NONE = 0,
    // Of a newer version of this library: see the text.
    OMEMO_REASON_OTHER = 1,
    // Not served: the account has no OMEMO devices.
    OMEMO_REASON_NO_DEVICES = 100,
    // Not served: the device list cannot be had.
    OMEMO_REASON_LIST_UNAVAILABLE = 101,
    // Not served: its bundle is missing, late or unusable.
    OMEMO_REASON_BUNDLE_UNUSABLE = 102,
    // Not served: nobody has decided about its key.
    OMEMO_REASON_UNDECIDED = 103,
    // Not served: its key is distrusted.
    OMEMO_REASON_DISTRUSTED = 104,
    // Not served, or not read: it shows another identity key than before.
    OMEMO_REASON_IDENTITY_CHANGED = 105,
    // Not served: it only speaks legacy, which carries nothing but text.
    OMEMO_REASON_CONTENT_NOT_CARRIED = 106,
    // Not served: our own device could not be published, so that nobody could answer.
    OMEMO_REASON_NOT_PUBLISHED = 107,
    // Not served: it spoke omemo:2 and is only listed for legacy now.
    OMEMO_REASON_DOWNGRADED = 108,
    // Not served: nothing was heard of it for a long time.
    OMEMO_REASON_STALE = 109,
    // Not sent: the contact has opted out of encryption.
    OMEMO_REASON_OPTED_OUT = 110,
    // Not sent: we are not in the room, or its members are not known.
    OMEMO_REASON_NOT_IN_ROOM = 111,
    // Not sent: the room hides who its members are.
    OMEMO_REASON_ROOM_ANONYMOUS = 112,
    // Not sent: the store was put back to an older state.
    OMEMO_REASON_RESTORED = 113,
    // Not sent: it is for our own account, which has no other device.
    OMEMO_REASON_NO_OTHER_DEVICE = 114,
    // Not read: malformed.
    OMEMO_REASON_MALFORMED = 200,
    // Not read: not encrypted for this device.
    OMEMO_REASON_NOT_FOR_THIS_DEVICE = 201,
    // Not read: there is no session.
    OMEMO_REASON_NO_SESSION = 202,
    // Not read: no session opens it.
    OMEMO_REASON_SESSION_REFUSED = 203,
    // Not read: it names a prekey that is not ours, or was used before.
    OMEMO_REASON_UNKNOWN_PREKEY = 204,
    // Not read: its key exchange is invalid.
    OMEMO_REASON_KEY_EXCHANGE_REFUSED = 205,
    // Not read: its key was discarded after too many missing messages.
    OMEMO_REASON_TOO_OLD = 206,
    // Not read: its payload is damaged.
    OMEMO_REASON_PAYLOAD_REFUSED = 207,
    // Not read: its envelope contradicts the stanza.
    OMEMO_REASON_ENVELOPE_REFUSED = 208,
    // Not read: its sender is not known for sure.
    OMEMO_REASON_SENDER_UNKNOWN = 209,
    // Not sent: older than a day.
    OMEMO_REASON_EXPIRED = 300,
    // Not sent: a device that it serves may no longer read it.
    OMEMO_REASON_NO_LONGER_ALLOWED = 301,
    // Not sent: handed out three times and never confirmed.
    OMEMO_REASON_NEVER_CONFIRMED = 302,
    // Not sent: it came back with an error.
    OMEMO_REASON_BOUNCED = 303,
    // Not sent: this device was deactivated before it left.
    OMEMO_REASON_DEACTIVATED = 304,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum omemo_reason omemo_reason;
#else
typedef uint32_t omemo_reason;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How far a key is trusted. Only keys that are blindly trusted or verified receive content.
enum omemo_trust
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // Nobody has decided yet: nothing is encrypted to it.
    OMEMO_TRUST_UNDECIDED = 0,
    // Trusted because it was there before anything of this account was verified.
    OMEMO_TRUST_BLIND = 1,
    // A person compared the fingerprint.
    OMEMO_TRUST_VERIFIED = 2,
    // A person refused it: nothing is encrypted to it.
    OMEMO_TRUST_DISTRUSTED = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum omemo_trust omemo_trust;
#else
typedef uint32_t omemo_trust;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Who decides about a key that is seen for the first time.
enum omemo_policy
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // New keys are trusted until one key of that account has been verified by a person; from then on new ones wait for
    // a decision.
    OMEMO_POLICY_BLIND_BEFORE_VERIFICATION = 0,
    // Every key waits for a decision.
    OMEMO_POLICY_MANUAL = 1,
    // As the first, and verified devices tell each other what they have verified (XEP-0450).
    OMEMO_POLICY_AUTOMATIC = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum omemo_policy omemo_policy;
#else
typedef uint32_t omemo_policy;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Whether a contact has opted out of encryption.
enum omemo_opt_out
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // No.
    OMEMO_OPT_OUT_NONE = 0,
    // It asks for plain text, and nobody has answered: messages to it are refused.
    OMEMO_OPT_OUT_ASKED = 1,
    // A person has agreed: the app sends plain text itself, and messages to it are still refused here.
    OMEMO_OPT_OUT_AGREED = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum omemo_opt_out omemo_opt_out;
#else
typedef uint32_t omemo_opt_out;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How a file is encrypted.
enum omemo_cipher
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // AES-256 in GCM: what every client knows, and the only one for links.
    OMEMO_CIPHER_AES_256_GCM = 0,
    // AES-128 in GCM.
    OMEMO_CIPHER_AES_128_GCM = 1,
    // AES-256 in CBC, which has no tag: hashes protect the file.
    OMEMO_CIPHER_AES_256_CBC = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum omemo_cipher omemo_cipher;
#else
typedef uint32_t omemo_cipher;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// One device of one account, on a store on disk. It may be used from several threads: calls wait for each other. Several
// processes may open the same store: transactions wait for each other, for at most 10 seconds.
typedef struct omemo_account omemo_account;

// Bytes of any value. They are wiped when they are freed.
typedef struct omemo_bytes omemo_bytes;

// One device of an account. It belongs to the list that it was found in.
typedef struct omemo_device omemo_device;

// The devices of an account, by id.
typedef struct omemo_devices omemo_devices;

// Something that happened. It belongs to its output.
typedef struct omemo_event omemo_event;

// What a message tells about an encrypted file: the key, where the ciphertext is, and what the sender says of it. It is wiped when
// it is freed.
typedef struct omemo_file omemo_file;

// Decrypts one file. Only the end of a ciphertext tells whether its beginning is the sender's, so it is handed in twice: first, whole,
// to `omemo_file_decryptor_verify`, then to `omemo_file_decryptor_update`, which gives nothing out before that.
typedef struct omemo_file_decryptor omemo_file_decryptor;

// Encrypts one file under a new key of its own.
typedef struct omemo_file_encryptor omemo_file_encryptor;

// Several bare JIDs.
typedef struct omemo_jids omemo_jids;

// A decrypted message. It stands in the account's inbox until it is acknowledged. It belongs to the output or the list that
// it was found in and is freed, and wiped, with it.
typedef struct omemo_message omemo_message;

// Messages of the inbox, in order of arrival.
typedef struct omemo_messages omemo_messages;

// The result of a call. Everything in it is already durable: what is not sent now is handed out again.
typedef struct omemo_output omemo_output;

// A device, or an account as a whole, that a message was encrypted for, or was not. It belongs to its event.
typedef struct omemo_recipient omemo_recipient;

// What an app may choose, given to `omemo_account_open`. Later versions of this library have more to choose; what is not
// set is as good a choice as any.
typedef struct omemo_settings omemo_settings;

// One stanza to send. It belongs to its output.
typedef struct omemo_stanza omemo_stanza;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the library that is running, as `"1.2.3"`. Functions are only added, and none changes its meaning, as long as
// the shared library keeps the number in its name. It lives for ever and is not freed. Does not touch the disk.
const char *omemo_version(void);

// The sentence of a status, for people; of a number that is none, a sentence that says so. It lives for ever and is
// not freed. Does not touch the disk.
const char *omemo_status_sentence(int32_t status);

// Makes settings: both protocols, blind trust before verification, no label, stanzas of at most 200,000 bytes, a store that is
// not encrypted.
//
// `settings` (out): the new object; free it with `omemo_settings_free`, which may be done as soon as the account is open.
//
// Returns `OMEMO_OK`, or `OMEMO_NULL`. Does not touch the disk.
omemo_status omemo_settings_new(omemo_settings **settings);

// Frees settings, wipes a key from memory, and sets the caller's pointer to NULL. NULL, and a pointer to NULL, are harmless.
void omemo_settings_free(omemo_settings **settings);

// Chooses the protocols to publish and speak.
//
// `protocols`: a sum of `OMEMO_PROTOCOL_...`. With none of them an account cannot be opened (`OMEMO_BAD_SETTINGS`).
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, or `OMEMO_BAD_VALUE` for a number that is no such sum. Does not touch the disk.
omemo_status omemo_settings_set_protocols(omemo_settings *settings, uint32_t protocols);

// Chooses who decides about keys that are seen for the first time.
//
// `policy`: one of `OMEMO_POLICY_...`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL` or `OMEMO_BAD_VALUE`. Does not touch the disk.
omemo_status omemo_settings_set_policy(omemo_settings *settings, uint32_t policy);

// Chooses what people call this device. It is published and signed (XEP-0384 §5.3.1).
//
// `label`: UTF-8, at most 52 code points, and not of exactly 32 bytes; NULL for none. It is copied. An unusable one is
// refused by `omemo_account_open` (`OMEMO_BAD_SETTINGS`).
//
// Returns `OMEMO_OK`, `OMEMO_NULL` or `OMEMO_NOT_UTF8`. Does not touch the disk.
omemo_status omemo_settings_set_label(omemo_settings *settings, const char *label);

// Chooses how large stanzas may be; larger ones are split by recipients.
//
// `bytes`: at least 10,000, or `omemo_account_open` refuses it. Servers close the stream above 262,144.
//
// Returns `OMEMO_OK` or `OMEMO_NULL`. Does not touch the disk.
omemo_status omemo_settings_set_max_stanza_bytes(omemo_settings *settings, size_t bytes);

// Chooses when a device that never answers is served no more: when nothing of it was decrypted for so many days, and so many
// messages were sealed for it since. Its next message ends that. The usual choice is 90 days and 60 messages.
//
// `days`: 0 serves every device for ever.
//
// Returns `OMEMO_OK` or `OMEMO_NULL`. Does not touch the disk.
omemo_status omemo_settings_set_stale(omemo_settings *settings,
                                      uint32_t days,
                                      uint32_t messages);

// Chooses whether legacy messages that hand over a key instead of content are handed out, see `omemo_message_transported`. Most
// of them are answers that mean nothing, and each has to be acknowledged. They are not, usually.
//
// Returns `OMEMO_OK` or `OMEMO_NULL`. Does not touch the disk.
omemo_status omemo_settings_set_key_transport(omemo_settings *settings,
                                              bool wanted);

// Chooses whether a legacy session that is broken is replaced by itself, at most once a day and device. It is not, usually, and never
// in omemo:2, which forbids it (XEP-0384 §8).
//
// Returns `OMEMO_OK` or `OMEMO_NULL`. Does not touch the disk.
omemo_status omemo_settings_set_heal_legacy(omemo_settings *settings,
                                            bool wanted);

// Chooses the file of an anchor, which notices that the store was put back to an older state: it has to lie where backups do not reach,
// and every process that opens the store needs the same one. Without an anchor that cannot always be noticed.
//
// `path`: a file that need not exist, in a directory that does; NULL for no anchor. It is copied.
//
// Returns `OMEMO_OK`, `OMEMO_NULL` or `OMEMO_NOT_UTF8`. Does not touch the disk.
omemo_status omemo_settings_set_anchor(omemo_settings *settings,
                                       const char *path);

// Chooses the key of the store, which is encrypted then; a new one is made with it. An existing store that is not encrypted
// cannot be: `omemo_account_open` refuses it (`OMEMO_STORE_NOT_ENCRYPTED`), as it does any key where this library was built
// without encryption of stores (`OMEMO_NO_ENCRYPTION`).
//
// `key`: bytes that nobody can guess, such as random ones from the system's keyring; a password has to be stretched first.
// They are copied. `length`: 32.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, or `OMEMO_BAD_VALUE` for another length. Does not touch the disk.
omemo_status omemo_settings_set_store_key(omemo_settings *settings,
                                          const uint8_t *key,
                                          size_t length);

// Gives an encrypted store another key. All accounts in it have to be closed, in every process. Afterwards nothing can be read
// with the old key; a process that is killed meanwhile leaves a store that one of the two opens.
//
// `path`: the store's file. `old_key`, `new_key`: 32 bytes each, as for `omemo_settings_set_store_key`, with their lengths.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_BAD_VALUE` for another length, `OMEMO_NO_ENCRYPTION`, or one of
// `OMEMO_STORE_...`: `OMEMO_STORE_LOCKED` if somebody has the store open, `OMEMO_STORE_UNUSABLE` if there is none. Writes the disk.
omemo_status omemo_store_rekey(const char *path,
                               const uint8_t *old_key,
                               size_t old_length,
                               const uint8_t *new_key,
                               size_t new_length);

// Opens an account; on an empty store a new device is made. Nothing is published before `omemo_account_online`.
//
// `path`: the store's file, made if it is not there, which only its owner may read. `jid`: the account's bare JID; one file
// may hold several accounts. `settings`: copied; NULL for the usual ones. `account` (out): the handle; free it with
// `omemo_account_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, `OMEMO_BAD_SETTINGS`, `OMEMO_NO_RANDOMNESS`,
// `OMEMO_NO_ENCRYPTION`, or one of `OMEMO_STORE_...`; after a failure `omemo_last_error` of NULL has the sentence. Reads and
// writes the disk.
omemo_status omemo_account_open(const char *path,
                                const char *jid,
                                const omemo_settings *settings,
                                omemo_account **account);

// Closes an account, wipes its keys from memory and sets the caller's pointer to NULL. What waits in the outbox stays there;
// messages that still wait for keys are forgotten, as in a crash: send them again after the next start. NULL, and a pointer
// to NULL, are harmless. No other thread may use the handle any more. Tidies the store on the disk.
void omemo_account_free(omemo_account **account);

// The account's bare JID, normalised. It lives as long as the handle.
const char *omemo_account_jid(const omemo_account *account);

// This device's id; 0 for NULL. It can only change before the device is published for the first time.
uint32_t omemo_account_device(const omemo_account *account);

// The fingerprint of this device's identity key: eight groups of eight hexadecimal digits (XEP-0384 §8). It lives as long as
// the handle.
const char *omemo_account_fingerprint(const omemo_account *account);

// What the app advertises in its entity capabilities (XEP-0115), so that servers push device lists to it: one feature, by
// position from 0 on; NULL beyond the last. It lives as long as the handle.
const char *omemo_account_feature(const omemo_account *account,
                                  size_t index);

// A stream is up: publishes what has to be published, fetches our own lists, and hands out what was sealed and never
// confirmed as sent. What another handle has handed out in the last two minutes is left to that one, even if its process has
// died meanwhile: it is handed out later, when `omemo_output_wake` says so.
//
// `full_jid`: the JID with the resource that the server bound. `resumed`: whether the server kept the stream (XEP-0198) for
// this handle; if not, a catch-up is opened: call `omemo_account_caught_up` when the archive (XEP-0313) has been read, or at
// once where there is none.
// `output` (out): free it with `omemo_output_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, `OMEMO_OTHER_ACCOUNT`, or one of `OMEMO_STORE_...`. Reads
// and writes the disk.
omemo_status omemo_account_online(omemo_account *account,
                                  const char *full_jid,
                                  bool resumed,
                                  omemo_output **output);

// The stream is gone. Waiting messages stay and go on with the next `omemo_account_online`.
//
// Returns `OMEMO_OK` or `OMEMO_NULL`. Does not touch the disk.
omemo_status omemo_account_offline(omemo_account *account);

// The archive has been read: prekeys that it used are deleted, and answers that are owed go out.
//
// `output` (out): free it with `omemo_output_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
omemo_status omemo_account_caught_up(omemo_account *account, omemo_output **output);

// Takes a stanza, any that arrives: `<message/>`, `<iq/>` or `<presence/>`. Whatever is in it, what it causes are events.
//
// `stanza`: one element as XML; what declares no namespace is in `jabber:client`. `output` (out): free it with
// `omemo_output_free`; if `omemo_output_consumed`, the app neither shows nor routes the stanza.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_XML` (nothing was looked at), or one of `OMEMO_STORE_...`. A
// stanza without anything of OMEMO does not touch the disk.
omemo_status omemo_account_receive(omemo_account *account,
                                   const char *stanza,
                                   omemo_output **output);

// Takes several stanzas in one transaction, as from an archive.
//
// `stanzas`: so many pointers to texts as for `omemo_account_receive`. `output` (out): free it with `omemo_output_free`; it
// says consumed if all of them were.
//
// Returns what `omemo_account_receive` does; after a failure none of them was taken.
omemo_status omemo_account_receive_all(omemo_account *account,
                                       const char *const *stanzas,
                                       size_t count,
                                       omemo_output **output);

// Encrypts a text message and hands it out, or asks for what it lacks first and hands it out with a later call. What becomes of
// it is an event: `OMEMO_EVENT_SEALED` or `OMEMO_EVENT_REFUSED`. Repeating a send with the same id does nothing twice, for a week
// after it was sent: after a crash, repeat every send that you have not noted as sent or refused.
//
// `id`: the app's own id of the message, unlike that of any other; it becomes the id of the stanza. `jid`: the contact's bare
// JID. `body`: the text, not escaped. All are copied. `output` (out): free it with `omemo_output_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, `OMEMO_BAD_MESSAGE`, or one of `OMEMO_STORE_...`. Reads and
// writes the disk.
omemo_status omemo_account_send_text(omemo_account *account,
                                     const char *id,
                                     const char *jid,
                                     const char *body,
                                     omemo_output **output);

// Encrypts a message with any content, as `omemo_account_send_text` does. Devices that only speak the legacy protocol are left
// unserved when there is more than a body.
//
// `content`: the elements to encrypt as XML, side by side; what declares no namespace is in `jabber:client`. `hints`: elements
// that stand beside the encrypted one in the clear, such as XEP-0334 hints; NULL for none.
//
// Returns what `omemo_account_send_text` does, and `OMEMO_NOT_XML`.
omemo_status omemo_account_send(omemo_account *account,
                                const char *id,
                                const char *jid,
                                const char *content,
                                const char *hints,
                                omemo_output **output);

// Hands over a key for something else, such as a file, to the devices of a contact that speak legacy (XEP-0384 0.3.0 §4.6). Ends with
// `OMEMO_EVENT_KEY_SEALED`, which has the key, or `OMEMO_EVENT_REFUSED`.
//
// Parameters and what it returns are those of `omemo_account_send_text`.
omemo_status omemo_account_transport_key(omemo_account *account,
                                         const char *id,
                                         const char *jid,
                                         omemo_output **output);

// Does what is due: rotation, retries, time-outs, and tidying up the store. Call it when the time of `omemo_output_wake` has
// come.
//
// `output` (out): free it with `omemo_output_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
omemo_status omemo_account_tick(omemo_account *account,
                                omemo_output **output);

// The network has these stanzas: acknowledged by stream management (XEP-0198), or the server has answered a ping (XEP-0199) that
// was sent after them, or the stream was closed in good order after them. Unknown tickets are ignored.
//
// `tickets`: so many numbers of `omemo_stanza_ticket`; may be NULL if `count` is 0.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, or one of `OMEMO_STORE_...`. Writes the disk.
omemo_status omemo_account_sent(omemo_account *account,
                                const uint64_t *tickets,
                                size_t count);

// The app has stored these messages: they leave the inbox. Unknown ids are ignored. A program that answers a message
// acknowledges it when the answer is sealed or refused (`OMEMO_EVENT_SEALED`, `OMEMO_EVENT_REFUSED`): an answer that still
// waits for keys is forgotten in a crash, and the message in the inbox is what brings it back.
//
// `ids`: so many numbers of `omemo_message_inbox_id`; may be NULL if `count` is 0.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, or one of `OMEMO_STORE_...`. Writes the disk.
omemo_status omemo_account_acknowledge(omemo_account *account,
                                       const uint64_t *ids,
                                       size_t count);

// All messages that were not acknowledged, in order of arrival; for any process.
//
// `messages` (out): free it with `omemo_messages_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, or one of `OMEMO_STORE_...`. Reads the disk.
omemo_status omemo_account_inbox(omemo_account *account, omemo_messages **messages);

// Fetches an account's lists and bundles without making sessions, so that people can compare fingerprints before the first
// message. Ends with `OMEMO_EVENT_INSPECTED`; then ask `omemo_account_devices`.
//
// `jid`: the bare JID. `output` (out): free it with `omemo_output_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, `OMEMO_OFFLINE`, or one of `OMEMO_STORE_...`. Reads and
// writes the disk.
omemo_status omemo_account_inspect(omemo_account *account,
                                   const char *jid,
                                   omemo_output **output);

// This account may get automatic answers: they complete key exchanges and keep ratchets turning, and show that we are online.
// For contacts; those we write to are known anyway.
//
// `jid`: the bare JID. `output` (out): free it with `omemo_output_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
omemo_status omemo_account_known(omemo_account *account,
                                 const char *jid,
                                 omemo_output **output);

// All known devices of an account, by id; our own account's too.
//
// `jid`: the bare JID. `devices` (out): free it with `omemo_devices_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, or one of `OMEMO_STORE_...`. Reads the disk.
omemo_status omemo_account_devices(omemo_account *account, const char *jid, omemo_devices **devices);

// A person has decided about a key. Only a full fingerprint names one.
//
// With `OMEMO_POLICY_AUTOMATIC` others are told (XEP-0450): now, or as soon as it can be.
//
// `jid`: whose key, a bare JID. `fingerprint`: 64 hexadecimal digits; spaces do not matter. `trust`: one of `OMEMO_TRUST_...`.
// `output` (out): free it with `omemo_output_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, `OMEMO_NOT_FINGERPRINT`, `OMEMO_BAD_VALUE`,
// `OMEMO_UNKNOWN_KEY`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
omemo_status omemo_account_decide(omemo_account *account,
                                  const char *jid,
                                  const char *fingerprint,
                                  uint32_t trust,
                                  omemo_output **output);

// A person believes what a URI says, having scanned it from a screen that it trusts: the keys that it names are verified, now or when
// they are met. `OMEMO_EVENT_VERIFIED` says which was which.
//
// `uri`: `xmpp:JID?omemo-sid-ID=FINGERPRINT;...`, as other clients show it in QR codes, or that of a trust message (XEP-0434). `output`
// (out): free it with `omemo_output_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_URI`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
omemo_status omemo_account_verify(omemo_account *account,
                                  const char *uri,
                                  omemo_output **output);

// What others scan to verify this device, for a QR code.
//
// `buffer`: where the URI is copied to, with a zero byte at its end, cut off where it does not fit; may be NULL if `size` is 0.
// `length` (out): its bytes, without the zero byte.
//
// Returns `OMEMO_OK` or `OMEMO_NULL`. Does not touch the disk.
omemo_status omemo_account_uri(omemo_account *account,
                               char *buffer,
                               size_t size,
                               size_t *length);

// A person agrees that a device is served in legacy although it spoke omemo:2 before, after `OMEMO_EVENT_DOWNGRADED`.
//
// `jid`, `device`: which one.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, `OMEMO_BAD_VALUE` for what is no id, `OMEMO_UNKNOWN_DEVICE` for
// one that was not downgraded, or one of `OMEMO_STORE_...`. Reads and writes the disk.
omemo_status omemo_account_allow_downgrade(omemo_account *account,
                                           const char *jid,
                                           uint32_t device);

// The JID at a position, from 0 on; NULL beyond the last, and where `jids` is NULL. It lives as long as the list.
const char *omemo_jids_get(const omemo_jids *jids, size_t index);

// Frees a list of JIDs and sets the caller's pointer to NULL. NULL, and a pointer to NULL, are harmless.
void omemo_jids_free(omemo_jids **jids);

// The app is about to join a room, with a presence of its own (XEP-0045 §7.2): from now on the room's stanzas are looked at, and
// when it has let us in its members are asked for. Ends with `OMEMO_EVENT_ROOM_READY` or `OMEMO_EVENT_ROOM_REFUSED`. To be
// called again in each stream that was not resumed.
//
// `room`: the room's bare JID. `output` (out): free it with `omemo_output_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
omemo_status omemo_account_enter(omemo_account *account,
                                 const char *room,
                                 omemo_output **output);

// The app has left a room: its stanzas are looked at no more.
//
// Returns what `omemo_account_enter` does.
omemo_status omemo_account_leave(omemo_account *account, const char *room, omemo_output **output);

// Whom messages to a room are encrypted for, ourselves left out; none before `OMEMO_EVENT_ROOM_READY`.
//
// `room`: the room's bare JID. `jids` (out): free it with `omemo_jids_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, or one of `OMEMO_STORE_...`. Reads the disk.
omemo_status omemo_account_members(omemo_account *account, const char *room, omemo_jids **jids);

// Encrypts a message for the members of a room, as `omemo_account_send` does for a contact.
//
// `room`: the room's bare JID.
//
// Returns what `omemo_account_send` does.
omemo_status omemo_account_send_to_room(omemo_account *account,
                                        const char *id,
                                        const char *room,
                                        const char *content,
                                        const char *hints,
                                        omemo_output **output);

// Calls this device something else. The label is published and signed, with the next stream if the account is not online, and kept
// until the next call, unless `omemo_settings_set_label` chooses another.
//
// `label`: as for `omemo_settings_set_label`; NULL for none. `output` (out): free it with `omemo_output_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_BAD_SETTINGS` for an unusable label, `OMEMO_REMOVED`, or one of `OMEMO_STORE_...`. Reads
// and writes the disk.
omemo_status omemo_account_rename(omemo_account *account,
                                  const char *label,
                                  omemo_output **output);

// What this device is called.
//
// `buffer`: where the label is copied to, cut after a whole character where it does not fit, and ended by a zero byte; may be
// NULL if `size` is 0. `length` (out): how many bytes it has, without the zero byte; 0 for no label.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_REMOVED`, or one of `OMEMO_STORE_...`. Reads the disk.
omemo_status omemo_account_label(omemo_account *account,
                                 char *buffer,
                                 size_t size,
                                 size_t *length);

// Takes another device of ours off our lists, and its bundle with it. Ends with `OMEMO_EVENT_DEVICE_REMOVED`. A device that is still
// in somebody's hands puts itself back: distrust its key too.
//
// `device`: its id, not that of this device. `output` (out): free it with `omemo_output_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_BAD_VALUE` for what is no id, `OMEMO_UNKNOWN_DEVICE`, `OMEMO_OWN_DEVICE`,
// `OMEMO_OFFLINE`, `OMEMO_REMOVED`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
omemo_status omemo_account_remove_device(omemo_account *account,
                                         uint32_t device,
                                         omemo_output **output);

// Looks whether what our account has published fits together, and removes the bundles that devices have left behind: those that were on no
// list when they were first looked at and are on none a day later. Ends with `OMEMO_EVENT_REPAIRED`.
//
// `output` (out): free it with `omemo_output_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_OFFLINE`, `OMEMO_REMOVED`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
omemo_status omemo_account_repair(omemo_account *account,
                                  omemo_output **output);

// Takes this device off the server, and then erases its secrets. Ends with `OMEMO_EVENT_DEACTIVATED`, now or in the next stream; then
// the calls of the handle return `OMEMO_REMOVED`, and opening the store again makes a new device.
//
// `whole_account`: all devices of the account, so that nobody encrypts to it any more. `output` (out): free it with
// `omemo_output_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_REMOVED`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
omemo_status omemo_account_deactivate(omemo_account *account,
                                      bool whole_account,
                                      omemo_output **output);

// Makes sessions with an account's devices anew, when one of us cannot read the other (XEP-0384 §6). Each device ends with
// `OMEMO_EVENT_SESSION_REPLACED` or `OMEMO_EVENT_SESSION_NOT_REPLACED`; if the account is not online, in the next stream.
//
// `jid`: whose. `device`: which one; 0 for all. `output` (out): free it with `omemo_output_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, `OMEMO_BAD_VALUE`, or one of `OMEMO_STORE_...`. Reads and writes
// the disk.
omemo_status omemo_account_replace_sessions(omemo_account *account,
                                            const char *jid,
                                            uint32_t device,
                                            omemo_output **output);

// Makes all sessions anew.
//
// `output` (out): free it with `omemo_output_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
omemo_status omemo_account_replace_all_sessions(omemo_account *account, omemo_output **output);

// Whether the store is known to be older than what was sent from it, so that nothing is encrypted before `omemo_account_recover`.
//
// `restored` (out): the answer.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, or one of `OMEMO_STORE_...`. Reads the disk.
omemo_status omemo_account_restored(omemo_account *account,
                                    bool *restored);

// How many sessions are still to be made anew, on demand, after a recovery or to heal a broken one.
//
// `count` (out): the answer.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_REMOVED`, or one of `OMEMO_STORE_...`. Reads the disk.
omemo_status omemo_account_replacing(omemo_account *account, size_t *count);

// The app, or a person, knows that the store was put back from a copy, which cannot always be proven: nothing is encrypted from here on.
// Call it before `omemo_account_online`; receive what the server holds, and then `omemo_account_recover`.
//
// `output` (out): free it with `omemo_output_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_REMOVED`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
omemo_status omemo_account_put_back(omemo_account *account,
                                    omemo_output **output);

// Gets going again after the store was put back to an older state: new keys and sessions under the old fingerprint. Ends with
// `OMEMO_EVENT_RECOVERED`. May be called at any time.
//
// `output` (out): free it with `omemo_output_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
omemo_status omemo_account_recover(omemo_account *account,
                                   omemo_output **output);

// Asks a contact for plain text. It is a message like others: `OMEMO_EVENT_SEALED` or `OMEMO_EVENT_REFUSED`.
//
// `id`: the app's own id of the message. `jid`: the contact. `reason`: why, for the contact to read; may be NULL. `output` (out):
// free it with `omemo_output_free`.
//
// Returns what `omemo_account_send_text` does.
omemo_status omemo_account_opt_out(omemo_account *account,
                                   const char *id,
                                   const char *jid,
                                   const char *reason,
                                   omemo_output **output);

// Whether a contact has opted out.
//
// `state` (out): one of `OMEMO_OPT_OUT_...`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, or one of `OMEMO_STORE_...`. Reads the disk.
omemo_status omemo_account_opted_out(omemo_account *account, const char *jid, uint32_t *state);

// A person has decided about a contact that opted out.
//
// `plain_text`: whether the app will send plain text from now on, which it does itself: this library never does. If not, messages
// are encrypted again. `output` (out): free it with `omemo_output_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_JID`, or one of `OMEMO_STORE_...`. Reads and writes the disk.
omemo_status omemo_account_answer_opt_out(omemo_account *account,
                                          const char *jid,
                                          bool plain_text,
                                          omemo_output **output);

// The sentence of the last call of this account that failed, in any thread: what happened, to whom, and what to do. It holds
// no key and no text of messages, but may name JIDs.
//
// `account`: NULL for the last call of this thread that has no account and failed: `omemo_account_open`, `omemo_store_rekey`,
// those of settings and of files. `buffer` (out): gets the sentence with a zero byte at its end, cut off where it does not fit; may be NULL.
// `size`: the buffer's bytes.
//
// Returns the bytes of the whole sentence without the zero byte; 0, and an empty sentence, if no call has failed. Does not
// touch the disk.
size_t omemo_last_error(const omemo_account *account,
                        char *buffer,
                        size_t size);

// Frees an output with all stanzas and events, wipes their texts, and sets the caller's pointer to NULL. NULL, and a pointer
// to NULL, are harmless.
void omemo_output_free(omemo_output **output);

// Whether the stanza that was handed in was ours: then the app neither shows nor routes it.
bool omemo_output_consumed(const omemo_output *output);

// When `omemo_account_tick` is due.
//
// `seconds` (out): seconds since 1970, written only if it is due at some time; may be NULL.
//
// Returns whether it is. Only the newest output's answer counts.
bool omemo_output_wake(const omemo_output *output, int64_t *seconds);

// The next stanza to send, in order; NULL after the last. It lives as long as the output.
const omemo_stanza *omemo_output_next_stanza(omemo_output *output);

// The next event, in order; NULL after the last. It lives as long as the output.
const omemo_event *omemo_output_next_event(omemo_output *output);

// A stanza as XML, one element in the namespace `jabber:client`; NULL for NULL. It lives as long as the output. The `id` of a
// `<message/>` is the one that was given to `omemo_account_send`; one of the library's own has another.
const char *omemo_stanza_xml(const omemo_stanza *stanza);

// The ticket of a stanza; messages have one. Give it to `omemo_account_sent` once the server has the stanza (XEP-0198, or the
// stream closed in good order after it).
//
// `ticket` (out): written only if there is one; may be NULL.
//
// Returns whether there is.
bool omemo_stanza_ticket(const omemo_stanza *stanza,
                         uint64_t *ticket);

// What kind of event it is; `OMEMO_EVENT_OTHER` for NULL.
omemo_event_kind omemo_event_kind_of(const omemo_event *event);

// The decrypted message; NULL for other kinds. It lives as long as the output.
const omemo_message *omemo_event_message(const omemo_event *event);

// The bare JID that it is about; NULL for kinds without one.
const char *omemo_event_jid(const omemo_event *event);

// The device that it is about; 0 for kinds without one.
uint32_t omemo_event_device(const omemo_event *event);

// The protocol that it is about.
omemo_protocol omemo_event_protocol(const omemo_event *event);

// The id of the message that it is about; NULL for kinds without one.
const char *omemo_event_id(const omemo_event *event);

// Why, as a number for programs.
omemo_reason omemo_event_reason(const omemo_event *event);

// Why, or what, in words for people; NULL for kinds without them.
const char *omemo_event_text(const omemo_event *event);

// The fingerprint that it is about: eight groups of eight hexadecimal digits; NULL for kinds without one.
const char *omemo_event_fingerprint(const omemo_event *event);

// What the policy made of that key.
omemo_trust omemo_event_trust(const omemo_event *event);

// Whether a stanza that was dropped had been handed out before, so that it may have arrived all the same.
bool omemo_event_maybe_delivered(const omemo_event *event);

// The fingerprint of a key that is decided now, by position from 0 on; NULL beyond the last.
const char *omemo_event_key(const omemo_event *event, size_t index);

// The fingerprint of a key that is decided when it is met, by position from 0 on; NULL beyond the last.
const char *omemo_event_held_key(const omemo_event *event, size_t index);

// The key that was handed over, with its initialization vector, as `omemo_message_transported` gives it to the other side.
const uint8_t *omemo_event_transported(const omemo_event *event,
                                       size_t *length);

// An account that it is about, by position from 0 on; NULL beyond the last.
const char *omemo_event_account(const omemo_event *event, size_t index);

// A device that can read the message, by position from 0 on; NULL beyond the last.
const omemo_recipient *omemo_event_served(const omemo_event *event, size_t index);

// A device, or an account as a whole, that cannot, by position from 0 on; NULL beyond the last.
const omemo_recipient *omemo_event_unserved(const omemo_event *event, size_t index);

// Its bare JID.
const char *omemo_recipient_jid(const omemo_recipient *recipient);

// Its device; 0 where the account as a whole is meant.
uint32_t omemo_recipient_device(const omemo_recipient *recipient);

// In which protocol it is served; none for one that is not.
omemo_protocol omemo_recipient_protocol(const omemo_recipient *recipient);

// Why it is not served, as a number for programs.
omemo_reason omemo_recipient_reason(const omemo_recipient *recipient);

// Why it is not served, in words for people; NULL for one that is.
const char *omemo_recipient_text(const omemo_recipient *recipient);

// The message at a position, from 0 on; NULL beyond the last, and where `messages` is NULL. It lives as long as the list.
const omemo_message *omemo_messages_get(const omemo_messages *messages,
                                        size_t index);

// Frees a list of messages, wipes their texts, and sets the caller's pointer to NULL. The inbox stays as it is. NULL, and a
// pointer to NULL, are harmless.
void omemo_messages_free(omemo_messages **messages);

// What `omemo_account_acknowledge` wants once the app has stored the message; 0 for NULL. Later messages have higher ones.
uint64_t omemo_message_inbox_id(const omemo_message *message);

// The `id` of the stanza, which is the sender's own id of the message; NULL if it had none.
const char *omemo_message_id(const omemo_message *message);

// The bare JID of the account that wrote it, proven by its session.
const char *omemo_message_from(const omemo_message *message);

// The id of the device that wrote it; 0 for NULL.
uint32_t omemo_message_device(const omemo_message *message);

// The bare JID of the contact in whose conversation it belongs, also when another device of ours wrote it, or of the room.
const char *omemo_message_chat(const omemo_message *message);

// Whether it was written in a room: `omemo_message_chat` is the room then, and `omemo_message_from` the real JID of who wrote it.
bool omemo_message_in_room(const omemo_message *message);

// In which protocol it came.
omemo_protocol omemo_message_protocol(const omemo_message *message);

// How far the sender's key was trusted when the message was decrypted.
omemo_trust omemo_message_trust(const omemo_message *message);

// The text of its `<body/>`; NULL if it has none.
const char *omemo_message_body(const omemo_message *message);

// One of its content elements as XML, by position from 0 on; NULL beyond the last. Each declares its own namespace.
const char *omemo_message_content(const omemo_message *message, size_t index);

// When the server received it, if it came late (XEP-0203) or from the archive.
//
// `seconds` (out): seconds since 1970, written only if there is such a time; may be NULL.
//
// Returns whether there is.
bool omemo_message_delay(const omemo_message *message, int64_t *seconds);

// Whether the sender's own time differs from the server's by more than a day: a server that reorders, or a wrong clock.
bool omemo_message_time_differs(const omemo_message *message);

// The key that a legacy message without content hands over (XEP-0384 0.3.0 §4.6), with its initialization vector; only with
// `omemo_settings_set_key_transport`.
//
// `length` (out): the number of bytes, written only if there is such a key; may be NULL.
//
// Returns the key of 16 bytes and then the vector of 12 or 16; NULL if there is none. It lives as long as the message.
const uint8_t *omemo_message_transported(const omemo_message *message,
                                         size_t *length);

// The device at a position, from 0 on; NULL beyond the last. It lives as long as the list.
const omemo_device *omemo_devices_get(const omemo_devices *devices, size_t index);

// Frees a list of devices and sets the caller's pointer to NULL. NULL, and a pointer to NULL, are harmless.
void omemo_devices_free(omemo_devices **devices);

// The device's id; 0 for NULL.
uint32_t omemo_device_id(const omemo_device *device);

// The protocols in which it is on its account's list, as a sum of `OMEMO_PROTOCOL_...`; 0 for a device that left.
uint32_t omemo_device_listed(const omemo_device *device);

// The protocols in which there is a session with it, as a sum of `OMEMO_PROTOCOL_...`.
uint32_t omemo_device_sessions(const omemo_device *device);

// Its fingerprint: eight groups of eight hexadecimal digits; NULL before its key was seen.
const char *omemo_device_fingerprint(const omemo_device *device);

// The decision about its key.
omemo_trust omemo_device_trust(const omemo_device *device);

// What its owner calls it, signed by its key; NULL if there is nothing of the kind.
const char *omemo_device_label(const omemo_device *device);

// Why it could not be reached last, in words for people; NULL if nothing was wrong.
const char *omemo_device_failure(const omemo_device *device);

// When a message of it was last decrypted, to the day.
//
// `seconds` (out): seconds since 1970, written only if there was one; may be NULL.
//
// Returns whether there was.
bool omemo_device_heard_at(const omemo_device *device, int64_t *seconds);

// Whether it has been silent for so long that it is served no more, see `omemo_settings_set_stale`.
bool omemo_device_is_stale(const omemo_device *device);

// Whether it is this very device.
bool omemo_device_is_own(const omemo_device *device);

// Where the bytes stand; NULL for NULL. They live as long as the object. Where there are none, nothing may be read there.
const uint8_t *omemo_bytes_data(const omemo_bytes *bytes);

// How many bytes there are; 0 for NULL.
size_t omemo_bytes_length(const omemo_bytes *bytes);

// Frees bytes, wipes them, and sets the caller's pointer to NULL. NULL, and a pointer to NULL, are harmless.
void omemo_bytes_free(omemo_bytes **bytes);

// Reads the body of a decrypted message that is an `aesgcm` link alone, or one with a small image (XEP-0454). All others are texts
// that people wrote: show them as such, and never as a link that can be opened, since that would tell a server the key.
//
// `body`: as `omemo_message_body` gives it. `file` (out): free it with `omemo_file_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, or `OMEMO_NOT_FILE`. Does not touch the disk.
omemo_status omemo_file_of_body(const char *body,
                                omemo_file **file);

// Reads a `<file-sharing/>` element with an encrypted source (XEP-0447, XEP-0448) from the content of a decrypted message. Of several
// encrypted sources the first is taken whose cipher and key make sense.
//
// `xml`: as `omemo_message_content` gives it. `file` (out): free it with `omemo_file_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_XML`, or `OMEMO_NOT_FILE` for another element, a damaged one, or one
// without such a source. Does not touch the disk.
omemo_status omemo_file_of_element(const char *xml,
                                   omemo_file **file);

// Frees what is known of a file, wipes it, and sets the caller's pointer to NULL. NULL, and a pointer to NULL, are harmless.
void omemo_file_free(omemo_file **file);

// Where the ciphertext can be downloaded, by position from 0 on; NULL beyond the last. The sender has chosen it: download only what
// has a scheme that you expect.
const char *omemo_file_url(const omemo_file *file,
                           size_t index);

// The `aesgcm` link, which is the whole body of a message for clients that know no more; NULL for another cipher than AES-256-GCM, or
// a first URL that is not `https://`. As secret as the file.
const char *omemo_file_link(const omemo_file *file);

// The `<file-sharing/>` element, for `omemo_account_send`; NULL for a file that came as a link. As secret as the file.
const char *omemo_file_element(const omemo_file *file);

// What the sender calls the file; NULL if nothing. Never a path to write to as it stands: it may hold `/` and `..`.
const char *omemo_file_name(const omemo_file *file);

// What kind of file it is, as the sender says, such as `image/jpeg`; NULL if nothing was said.
const char *omemo_file_media_type(const omemo_file *file);

// How many bytes the decrypted file should have.
//
// `bytes` (out): written only if that was said; may be NULL.
//
// Returns whether it was.
bool omemo_file_size(const omemo_file *file, uint64_t *bytes);

// The small image that came beside a link. Whatever reads it has to expect anything.
//
// `length` (out): its bytes, written only if there is one; may be NULL.
//
// Returns where it stands, for as long as the file lives; NULL if there is none.
const uint8_t *omemo_file_thumbnail(const omemo_file *file, size_t *length);

// How many bytes the ciphertext of a file has, so how many to ask an upload slot for (XEP-0363).
//
// `cipher`: one of `OMEMO_CIPHER_...`. `size`: the file's bytes. `length` (out): the ciphertext's.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_BAD_VALUE`, or `OMEMO_FILE_TOO_LARGE`. Does not touch the disk.
omemo_status omemo_file_ciphertext_length(uint32_t cipher, uint64_t size, uint64_t *length);

// Begins a file, with a new random key.
//
// `cipher`: one of `OMEMO_CIPHER_...`. `encryptor` (out): free it with `omemo_file_encryptor_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_BAD_VALUE` or `OMEMO_NO_RANDOMNESS`. Does not touch the disk.
omemo_status omemo_file_encryptor_new(uint32_t cipher, omemo_file_encryptor **encryptor);

// Frees an encryptor, wipes its key, and sets the caller's pointer to NULL. NULL, and a pointer to NULL, are harmless.
void omemo_file_encryptor_free(omemo_file_encryptor **encryptor);

// Encrypts the next piece of the file.
//
// `plaintext`, `length`: the piece, of any length; 64 KiB are a good one. `ciphertext` (out): what is ready, to be uploaded in this
// order; free it with `omemo_bytes_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_FILE_TOO_LARGE` for what the cipher cannot take (nothing was done with the piece), or
// `OMEMO_FILE_ORDER` after `omemo_file_encryptor_finish`. Does not touch the disk.
omemo_status omemo_file_encryptor_update(omemo_file_encryptor *encryptor,
                                         const uint8_t *plaintext,
                                         size_t length,
                                         omemo_bytes **ciphertext);

// Ends the file.
//
// `ciphertext` (out): the end of what is to be uploaded; free it with `omemo_bytes_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, or `OMEMO_FILE_ORDER` if it was ended before. Does not touch the disk.
omemo_status omemo_file_encryptor_finish(omemo_file_encryptor *encryptor, omemo_bytes **ciphertext);

// What the recipients need, once the file is encrypted and uploaded: link and element.
//
// `url`: where the ciphertext can be downloaded, `https://` and without a `#`. `name`: what people call the file; NULL for nothing.
// `media_type`: such as `"image/jpeg"`; NULL for nothing. All are copied. `file` (out): free it with `omemo_file_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_NOT_UTF8`, `OMEMO_NOT_URL`, or `OMEMO_FILE_ORDER` before `omemo_file_encryptor_finish`. Does not
// touch the disk.
omemo_status omemo_file_encryptor_file(const omemo_file_encryptor *encryptor,
                                       const char *url,
                                       const char *name,
                                       const char *media_type,
                                       omemo_file **file);

// Begins a file.
//
// `file`: what is known of it; it is copied. `decryptor` (out): free it with `omemo_file_decryptor_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, or `OMEMO_FILE_REFUSED` if nothing could prove whose the file is, as with a cipher without tag and no
// hash that is known here. Does not touch the disk.
omemo_status omemo_file_decryptor_new(const omemo_file *file,
                                      omemo_file_decryptor **decryptor);

// Frees a decryptor, wipes its key, and sets the caller's pointer to NULL. NULL, and a pointer to NULL, are harmless.
void omemo_file_decryptor_free(omemo_file_decryptor **decryptor);

// The first way: takes the next piece of the ciphertext, and gives nothing out.
//
// `ciphertext`, `length`: the piece, of any length.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_FILE_REFUSED`, or `OMEMO_FILE_ORDER` after `omemo_file_decryptor_verified`. Does not touch the
// disk.
omemo_status omemo_file_decryptor_verify(omemo_file_decryptor *decryptor,
                                         const uint8_t *ciphertext,
                                         size_t length);

// Ends the first way: says whether the whole ciphertext is the sender's.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_FILE_REFUSED` (`omemo_last_error` says why; the decryptor is of no more use), or
// `OMEMO_FILE_ORDER` if it was ended before. Does not touch the disk.
omemo_status omemo_file_decryptor_verified(omemo_file_decryptor *decryptor);

// The second way: decrypts the next piece of the same ciphertext.
//
// `ciphertext`, `length`: the piece, of any length. `plaintext` (out): what is ready, in this order; free it with `omemo_bytes_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_FILE_REFUSED`, or `OMEMO_FILE_ORDER` before `omemo_file_decryptor_verified` and after the end.
// Does not touch the disk.
omemo_status omemo_file_decryptor_update(omemo_file_decryptor *decryptor,
                                         const uint8_t *ciphertext,
                                         size_t length,
                                         omemo_bytes **plaintext);

// Ends the second way, in which everything was checked again.
//
// `plaintext` (out): the end of the file; free it with `omemo_bytes_free`.
//
// Returns `OMEMO_OK`, `OMEMO_NULL`, `OMEMO_FILE_ORDER`, or `OMEMO_FILE_REFUSED` if what was handed in is not what was verified: then throw
// away what came out. Does not touch the disk.
omemo_status omemo_file_decryptor_finish(omemo_file_decryptor *decryptor,
                                         omemo_bytes **plaintext);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* OMEMO_H */
