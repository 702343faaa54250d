//! libsignal-protocol-c, which the crates of libsignal-protocol bundle.
//!
//! The safe crate wraps encrypting only and keeps its pointers to itself, so that this is written on the bindings; all
//! `unsafe` of this package is in this folder. The library keeps no state between calls but what its stores hold, and ours hold bytes:
//! every call reads the record of the peer and writes it back.
//!
//! What every SAFETY note takes for granted: pointers to the library's objects come from its own constructors, which have
//! returned 0, and live in `Owned` until after the call; `user_data` is the `Store` of the device, which lives as long
//! as the contexts that name it; no reference into the store is alive while the library runs, so that its calls back have
//! it for themselves; and the library calls back only from within our calls, on the same thread.

mod cryptography;
mod stores;

use std::collections::BTreeMap;
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;
use std::slice;

use libsignal_protocol_sys as sys;
use sys::{signal_buffer, signal_context, signal_protocol_address, signal_protocol_store_context};

use crate::device::{Bundle, Chance, Keys, Oracle, Refusal, Sealed, Secret};

const OK: c_int = 0;
/// What the library's predicates return.
const YES: c_int = 1;
const NO: c_int = 0;

/// What the library's calls back work on.
struct Store {
    keys: Keys,
    /// One serialised record a peer, which holds all sessions with it.
    sessions: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The first identity key that each peer had.
    identities: BTreeMap<Vec<u8>, Vec<u8>>,
    chance: Chance,
}

/// A device of the library.
pub struct CLibrary {
    global: Global,
    stores: *mut signal_protocol_store_context,
    /// Made from a box; the contexts name it, too.
    store: *mut Store,
}

impl Drop for CLibrary {
    fn drop(&mut self) {
        // SAFETY: all three were made in `attach` and are not used again; the library frees nothing of the store, whose
        // destructors are none.
        unsafe {
            sys::signal_protocol_store_context_destroy(self.stores);
            self.global.destroy();
            drop(Box::from_raw(self.store));
        }
    }
}

impl CLibrary {
    fn attach(store: Store) -> Result<Self, Refusal> {
        let store = Box::into_raw(Box::new(store));
        let data: *mut c_void = store.cast();
        let global = Global::new(data)?;
        let mut context = null_mut();
        // SAFETY: the tables are copied by the library; see the top for the rest.
        unsafe {
            done(sys::signal_protocol_store_context_create(
                &mut context,
                global.0,
            ))?;
            done(sys::signal_protocol_store_context_set_session_store(
                context,
                &stores::sessions(data),
            ))?;
            done(sys::signal_protocol_store_context_set_pre_key_store(
                context,
                &stores::pre_keys(data),
            ))?;
            done(sys::signal_protocol_store_context_set_signed_pre_key_store(
                context,
                &stores::signed_pre_keys(data),
            ))?;
            done(sys::signal_protocol_store_context_set_identity_key_store(
                context,
                &stores::identities(data),
            ))?;
        }
        Ok(Self {
            global,
            stores: context,
            store,
        })
    }

    const fn store(&mut self) -> &mut Store {
        // SAFETY: the reference ends before the next call into the library.
        unsafe { &mut *self.store }
    }

    /// A cipher for one peer, and what has to be freed after it.
    fn cipher(&self, address: &signal_protocol_address) -> Result<Cipher, Refusal> {
        let mut cipher = null_mut();
        // SAFETY: the address outlives the cipher, which its callers keep for one call.
        done(unsafe {
            sys::session_cipher_create(&mut cipher, self.stores, address, self.global.0)
        })?;
        Ok(Cipher(cipher))
    }
}

impl Oracle for CLibrary {
    const NAME: (&str, &str) = ("libsignal-protocol", "0.1.0 (libsignal-protocol-c 2.3.2)");

    fn new(keys: Keys) -> Result<Self, Refusal> {
        Self::attach(Store {
            keys,
            sessions: BTreeMap::new(),
            identities: BTreeMap::new(),
            chance: Chance::default(),
        })
    }

    fn keys(&mut self) -> &mut Keys {
        &mut self.store().keys
    }

    fn initiate(&mut self, peer: &str, bundle: &Bundle, randomness: Chance) -> Result<(), Refusal> {
        self.store().chance = randomness;
        let global = self.global.0;
        let identity_key = point(global, &bundle.identity_key)?;
        let signed_pre_key = point(global, &bundle.signed_pre_key)?;
        let pre_key = point(global, &bundle.pre_key)?;
        let address = address(peer);
        let mut made = null_mut();
        let mut builder = null_mut();
        // SAFETY: see the top; the bundle takes its own references to the keys.
        unsafe {
            done(sys::session_pre_key_bundle_create(
                &mut made,
                // The peer's own; nothing reads it.
                0,
                1,
                bundle.pre_key_id,
                pre_key.0,
                bundle.signed_pre_key_id,
                signed_pre_key.0,
                bundle.signature.as_ptr(),
                bundle.signature.len(),
                identity_key.0,
            ))?;
            let made = Owned(made);
            done(sys::session_builder_create(
                &mut builder,
                self.stores,
                &address,
                global,
            ))?;
            let code = sys::session_builder_process_pre_key_bundle(builder, made.0);
            sys::session_builder_free(builder);
            done(code)
        }
    }

    fn seal(&mut self, peer: &str, plaintext: &[u8]) -> Result<Sealed, Refusal> {
        let address = address(peer);
        let cipher = self.cipher(&address)?;
        let mut message = null_mut();
        // SAFETY: see the top; the serialised form belongs to the message and is copied before that goes.
        unsafe {
            done(sys::session_cipher_encrypt(
                cipher.0,
                plaintext.as_ptr(),
                plaintext.len(),
                &mut message,
            ))?;
            let message = Owned(message);
            let kind = sys::ciphertext_message_get_type(message.0);
            let frame = bytes_of(sys::ciphertext_message_get_serialized(message.0)).to_vec();
            Ok(Sealed {
                frame,
                key_exchange: u32::try_from(kind) == Ok(sys::CIPHERTEXT_PREKEY_TYPE),
            })
        }
    }

    fn open(&mut self, peer: &str, frame: &[u8], randomness: Chance) -> Result<Vec<u8>, Refusal> {
        self.store().chance = randomness;
        let address = address(peer);
        let cipher = self.cipher(&address)?;
        let global = self.global.0;
        let (mut exchange, mut message, mut plaintext) = (null_mut(), null_mut(), null_mut());
        // What begins a key exchange is a varint, what begins a message is a key: no frame can be read as both.
        //
        // SAFETY: see the top; the plaintext is set where the code says that all went well.
        unsafe {
            if sys::pre_key_signal_message_deserialize(
                &mut exchange,
                frame.as_ptr(),
                frame.len(),
                global,
            ) == OK
            {
                let exchange = Owned(exchange);
                done(sys::session_cipher_decrypt_pre_key_signal_message(
                    cipher.0,
                    exchange.0,
                    null_mut(),
                    &mut plaintext,
                ))?;
            } else {
                done(sys::signal_message_deserialize(
                    &mut message,
                    frame.as_ptr(),
                    frame.len(),
                    global,
                ))?;
                let message = Owned(message);
                done(sys::session_cipher_decrypt_signal_message(
                    cipher.0,
                    message.0,
                    null_mut(),
                    &mut plaintext,
                ))?;
            }
            Ok(taken(plaintext))
        }
    }

    /// Sessions are bytes already; the contexts that go are all that the library holds.
    fn restart(mut self) -> Result<Self, Refusal> {
        let store = self.store();
        let kept = Store {
            keys: store.keys.clone(),
            sessions: store.sessions.clone(),
            identities: store.identities.clone(),
            chance: Chance::default(),
        };
        drop(self);
        Self::attach(kept)
    }

    fn public_key(secret: &Secret) -> Result<Vec<u8>, Refusal> {
        let mut global = Global::new(null_mut())?;
        let public = public_of(global.0, secret);
        global.destroy();
        public.ok_or_else(|| "not a secret".to_owned())
    }

    fn verify(identity_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Refusal> {
        let mut global = Global::new(null_mut())?;
        let verified = point(global.0, identity_key).map(|key| {
            // SAFETY: see the top.
            unsafe {
                sys::curve_verify_signature(
                    key.0,
                    message.as_ptr(),
                    message.len(),
                    signature.as_ptr(),
                    signature.len(),
                )
            }
        });
        global.destroy();
        match verified? {
            YES => Ok(()),
            NO => Err("the signature does not verify".to_owned()),
            code => done(code),
        }
    }
}

/// The library's words are its codes.
fn done(code: c_int) -> Result<(), Refusal> {
    let words = match code {
        OK.. => return Ok(()),
        sys::SG_ERR_DUPLICATE_MESSAGE => "duplicate message",
        sys::SG_ERR_INVALID_KEY => "invalid key",
        sys::SG_ERR_INVALID_KEY_ID => "invalid key id",
        sys::SG_ERR_INVALID_MAC => "invalid MAC",
        sys::SG_ERR_INVALID_MESSAGE => "invalid message",
        sys::SG_ERR_INVALID_VERSION => "invalid version",
        sys::SG_ERR_LEGACY_MESSAGE => "legacy message",
        sys::SG_ERR_NO_SESSION => "no session",
        sys::SG_ERR_STALE_KEY_EXCHANGE => "stale key exchange",
        sys::SG_ERR_UNTRUSTED_IDENTITY => "untrusted identity",
        sys::SG_ERR_INVALID_PROTO_BUF => "invalid protobuf",
        sys::SG_ERR_NOMEM => "out of memory",
        sys::SG_ERR_INVAL => "invalid argument",
        _ => return Err(format!("error {code}")),
    };
    Err(words.to_owned())
}

/// The library's global context. Dropping does nothing, since what is made with it must go first.
struct Global(*mut signal_context);

impl Global {
    fn new(data: *mut c_void) -> Result<Self, Refusal> {
        let mut global = null_mut();
        // SAFETY: the table is copied by the library.
        unsafe {
            done(sys::signal_context_create(&mut global, data))?;
            done(sys::signal_context_set_crypto_provider(
                global,
                &cryptography::provider(data),
            ))?;
        }
        Ok(Self(global))
    }

    fn destroy(&mut self) {
        // SAFETY: made by `new`; the library takes null as nothing, should it be called again.
        unsafe { sys::signal_context_destroy(std::mem::replace(&mut self.0, null_mut())) }
    }
}

/// Freed at its end, which is a function of its own.
struct Cipher(*mut sys::session_cipher);

impl Drop for Cipher {
    fn drop(&mut self) {
        // SAFETY: made by `CLibrary::cipher`, freed once.
        unsafe { sys::session_cipher_free(self.0) }
    }
}

/// An object of the library, of which we hold one reference. All of its types begin with the counter.
struct Owned<T>(*mut T);

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: see the top; one reference is ours.
        unsafe { sys::signal_type_unref(self.0.cast()) }
    }
}

fn address(peer: &str) -> signal_protocol_address {
    signal_protocol_address {
        name: peer.as_ptr().cast(),
        name_len: peer.len(),
        device_id: 1,
    }
}

/// A public key of 33 bytes.
fn point(global: *mut signal_context, key: &[u8]) -> Result<Owned<sys::ec_public_key>, Refusal> {
    let mut point = null_mut();
    // SAFETY: see the top.
    done(unsafe { sys::curve_decode_point(&mut point, key.as_ptr(), key.len(), global) })?;
    Ok(Owned(point))
}

/// The library clamps secrets where it draws them, and not where it uses them.
const fn clamped(secret: &Secret) -> Secret {
    let mut clamped = *secret;
    clamped[0] &= 0xf8;
    clamped[31] = clamped[31] & 0x7f | 0x40;
    clamped
}

fn pair_of(global: *mut signal_context, secret: &Secret) -> Option<Owned<sys::ec_key_pair>> {
    let secret = clamped(secret);
    let (mut private, mut public, mut pair) = (null_mut(), null_mut(), null_mut());
    // SAFETY: see the top; the pair takes its own references to the keys.
    unsafe {
        done(sys::curve_decode_private_point(
            &mut private,
            secret.as_ptr(),
            secret.len(),
            global,
        ))
        .ok()?;
        let private = Owned(private);
        done(sys::curve_generate_public_key(&mut public, private.0)).ok()?;
        let public = Owned(public);
        done(sys::ec_key_pair_create(&mut pair, public.0, private.0)).ok()?;
    }
    Some(Owned(pair))
}

fn public_of(global: *mut signal_context, secret: &Secret) -> Option<Vec<u8>> {
    let pair = pair_of(global, secret)?;
    let mut written = null_mut();
    // SAFETY: see the top; the key belongs to the pair.
    unsafe {
        let public = sys::ec_key_pair_get_public(pair.0);
        done(sys::ec_public_key_serialize(&mut written, public)).ok()?;
        Some(taken(written))
    }
}

/// # Safety
///
/// The buffer lives as long as what is returned is used.
unsafe fn bytes_of<'a>(buffer: *mut signal_buffer) -> &'a [u8] {
    // SAFETY: the library's buffers have that many bytes.
    unsafe {
        bytes(
            sys::signal_buffer_data(buffer),
            sys::signal_buffer_len(buffer),
        )
    }
}

/// # Safety
///
/// The buffer is ours, and is not used again.
unsafe fn taken(buffer: *mut signal_buffer) -> Vec<u8> {
    // SAFETY: copied before it is freed.
    unsafe {
        let copy = bytes_of(buffer).to_vec();
        sys::signal_buffer_free(buffer);
        copy
    }
}

/// # Safety
///
/// There are that many bytes, for as long as what is returned is used. The library writes no bytes as null.
unsafe fn bytes<'a>(data: *const u8, length: usize) -> &'a [u8] {
    if data.is_null() {
        &[]
    } else {
        // SAFETY: promised by the caller.
        unsafe { slice::from_raw_parts(data, length) }
    }
}

/// # Safety
///
/// `output` can be written to.
unsafe fn give(output: *mut *mut signal_buffer, data: &[u8]) -> c_int {
    // SAFETY: promised by the caller; the library copies the data.
    unsafe {
        *output = sys::signal_buffer_create(data.as_ptr(), data.len());
        if (*output).is_null() {
            sys::SG_ERR_NOMEM
        } else {
            OK
        }
    }
}

/// # Safety
///
/// `data` is the store of a device.
unsafe fn store<'a>(data: *mut c_void) -> &'a mut Store {
    // SAFETY: see the top.
    unsafe { &mut *data.cast::<Store>() }
}

/// # Safety
///
/// The library's own address, while it calls.
unsafe fn name(address: *const signal_protocol_address) -> Vec<u8> {
    // SAFETY: promised by the caller.
    unsafe { bytes((*address).name.cast(), (*address).name_len).to_vec() }
}
