//! Plaintext and secrets show nowhere: not in logs of any level, not in the `Debug` of what an app gets, not in errors.

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use omemo::store::{Store, Transaction};
use omemo::{BareJid, Chat, Outgoing, Trust, Version};
use omemo_tests::hub::{At, Hub};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::over::Stores;
use crate::puppet::Puppet;
use crate::stage::*;

/// What nobody else would write.
const CANARY: &str = "sesquipedalian";

/// Writes down everything that is logged.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<String>>);

impl Visit for Listener {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        writeln!(self.0.lock().unwrap(), "{field}={value:?}").unwrap();
    }
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut self.clone());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The secrets of a device's store.
fn secrets<S: Store>(store: &mut S, jid: &str, version: Version, peers: &[&str]) -> Vec<Vec<u8>> {
    let tx = store.begin(&BareJid::parse(jid).unwrap()).unwrap();
    let mut all = vec![tx.account().unwrap().unwrap().identity.to_vec()];
    let pre_keys = tx.pre_keys(version).unwrap();
    all.extend(pre_keys.iter().map(|row| row.secret.to_vec()));
    let signed = tx.signed_pre_keys(version).unwrap();
    all.extend(signed.iter().map(|row| row.secret.to_vec()));
    for peer in peers {
        let peer = BareJid::parse(peer).unwrap();
        for device in tx.devices(version, &peer).unwrap() {
            for session in tx.sessions(version, &device.address).unwrap() {
                // root key, our ratchet's secret, the sending chain's key
                for start in [131, 163, 227] {
                    all.push(session.state[start..start + 32].to_vec());
                }
            }
        }
    }
    all
}

/// Whether bytes show in a text: as hexadecimal, as base64, or as the numbers of a list.
fn shows(text: &str, secret: &[u8]) -> bool {
    let head = &secret[..12];
    let hex: String = head.iter().map(|byte| format!("{byte:02x}")).collect();
    let list = format!("{head:?}");
    let list = list.trim_matches(['[', ']']);
    let lines: String = text.split_whitespace().collect();
    text.to_lowercase().contains(&hex)
        || text.contains(&BASE64.encode(head))
        || text.contains(list)
        || lines.contains(&list.replace(' ', ""))
}

/// A conversation in which much goes wrong; gives what an app could print of it.
fn converse<S: Stores>(stores: &mut S, version: Version) -> (Hub<S::Store>, At, At, String) {
    let (mut hub, juliet, romeo) = friends(stores, version);
    let mut printed = String::new();
    let mut puppet = Puppet::new(version, MALLORY, 5);
    puppet.meet(&hub, JULIET, hub.id(juliet));
    // a bundle that is none is logged
    hub.plant(
        MALLORY,
        devices_node(version),
        "current",
        list(version, [5, 6]),
    );
    hub.send(juliet, MALLORY, "nobody", CANARY);
    hub.send(juliet, ROMEO, "1", CANARY);
    hub.send(romeo, JULIET, "2", CANARY);
    let good = puppet.text(CANARY);
    let damaged = String::from(&good).replacen("<payload>", "<payload>AAAA", 1);
    hub.deliver(juliet, &xml(&damaged));
    hub.deliver(juliet, &good);
    hub.deliver(juliet, &good);
    let key = puppet.seal(&[7; 16]);
    hub.deliver(juliet, &puppet.stanza(&key, None, Some(CANARY.as_bytes())));
    hub.deliver(juliet, &puppet.say(CANARY.as_bytes()));
    hub.pass(15 * 86_400);

    let romeos = BareJid::parse(ROMEO).unwrap();
    let mallorys = BareJid::parse(MALLORY).unwrap();
    let account = hub.devices[juliet.0].account.as_mut().unwrap();
    let mine = account.fingerprint();
    let large = CANARY.repeat(100_000);
    for text in [CANARY, &large, "\u{0}sesquipedalian"] {
        for id in ["", "odd"] {
            let outgoing = Outgoing::text(id, Chat::Direct(romeos.clone()), text);
            writeln!(printed, "{outgoing:?}").unwrap();
            match account.send(outgoing) {
                Ok(output) => writeln!(printed, "{output:?}").unwrap(),
                Err(error) => writeln!(printed, "{error} {error:?}").unwrap(),
            }
        }
    }
    let error = account
        .decide(&mallorys, &mine, Trust::Verified)
        .unwrap_err();
    writeln!(printed, "{error} {error:?} {account:?}").unwrap();
    writeln!(printed, "{:?}", account.devices(&romeos).unwrap()).unwrap();
    hub.settle();
    for device in &hub.devices {
        writeln!(printed, "{:?} {:?}", device.events, device.messages).unwrap();
    }
    for crossed in &hub.wire {
        writeln!(printed, "{}", crossed.text).unwrap();
    }
    (hub, juliet, romeo, printed)
}

/// A28
fn a28_plaintext_and_secrets_show_nowhere<S: Stores>(mut stores: S, version: Version) {
    let listener = Listener::default();
    let (mut hub, juliet, romeo, printed) =
        tracing::subscriber::with_default(listener.clone(), || converse(&mut stores, version));
    let logged = listener.0.lock().unwrap().clone();
    assert!(logged.contains("message="), "nothing was logged: {logged}");
    assert!(hub.bodies(romeo).contains(&CANARY.to_owned()));
    assert!(hub.bodies(juliet).contains(&CANARY.to_owned()));
    for text in [&printed, &logged] {
        assert!(!text.contains(CANARY), "{text}");
    }
    // logs name no account either
    for jid in [JULIET, ROMEO, MALLORY] {
        assert!(!logged.contains(jid), "{logged}");
    }
    for (at, jid) in [(juliet, JULIET), (romeo, ROMEO)] {
        let mut store = hub.leave(at);
        let all = secrets(&mut store, jid, version, &[JULIET, ROMEO, MALLORY]);
        assert!(all.len() > 100, "{}", all.len());
        for secret in all {
            for text in [&printed, &logged] {
                assert!(!shows(text, &secret), "a secret shows");
            }
            // and would be seen if it did
            assert!(shows(&format!("{secret:?}"), &secret));
            assert!(shows(&format!("{secret:#?}"), &secret));
            assert!(shows(&BASE64.encode(&secret), &secret));
            assert!(shows(&format!("{secret:02X?}").replace(", ", ""), &secret));
        }
    }
}

over_versions!(a28_plaintext_and_secrets_show_nowhere);
