//! Faults that are planted, at least one a rule: a watch that does not find them has watched nothing. The library is not made to
//! misbehave; what the observer is shown is, or what it was told to expect.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use minidom::Element;
use omemo::{CallerError, Settings, Trust, TrustPolicy, Version};
use omemo_tests::hub::set;
use omemo_tests::wire;

use crate::room::ROOM;
use crate::rows::{MOST_BYTES, MOST_SESSIONS, Sizes};
use crate::run::attempt;
use crate::schedule::{JULIET, ROMEO};
use crate::shape::{PUBSUB, xml};
use crate::strike::check_unchanged;
use crate::world::World;

/// A control: its name, and whether the fault was found.
pub type Control = (&'static str, fn() -> bool);

pub const ALL: &[Control] = &[
    ("control_a_text_in_the_clear", || {
        found("PLAINTEXT", |play| {
            let text = play.text.clone();
            let stanza = format!(
                "<message xmlns='jabber:client' to='{ROMEO}'><body>{text}</body></message>"
            );
            play.world.observer.stanza(0, &stanza, &xml(&stanza));
        })
    }),
    ("control_a_key_that_is_not_allowed", || {
        found("NOT ALLOWED", |play| {
            for level in play.world.observer.watches[0].view.trust.values_mut() {
                *level = Trust::Undecided;
            }
            play.send_again();
        })
    }),
    ("control_a_false_key_that_was_verified", || {
        found("NOT ALLOWED", |play| {
            for level in play.world.observer.watches[0].view.trust.values_mut() {
                *level = Trust::Verified;
            }
            play.world.observer.true_keys.clear();
            play.send_again();
        })
    }),
    ("control_a_device_that_is_not_listed", || {
        found("UNLISTED", |play| {
            for known in play.world.observer.watches[0].view.devices.values_mut() {
                known.listed = false;
            }
            play.send_again();
        })
    }),
    ("control_a_session_with_another_key", || {
        found("READER", |play| {
            for known in play.world.observer.watches[0].view.devices.values_mut() {
                known.identity = Some([7; 32]);
            }
            play.send_again();
        })
    }),
    ("control_a_key_for_somebody_who_is_no_member", || {
        found("READER", |play| {
            set(&mut play.sent, "to", ROOM);
            play.send_again();
        })
    }),
    ("control_a_message_in_spite_of_an_opt_out", || {
        found("OPT-OUT", |play| {
            let view = &mut play.world.observer.watches[0].view;
            view.opted_out.insert(ROMEO.into(), false);
            play.send_again();
        })
    }),
    ("control_a_message_key_that_is_used_twice", || {
        found("REUSE", |play| {
            let stanza = with_another_ciphertext(&play.sent);
            let text = String::from(&stanza);
            play.world.observer.stanza(0, &text, &stanza);
        })
    }),
    ("control_a_key_that_is_trusted_by_itself", || {
        found("POLICY", |play| {
            play.world.observer.watches[0].policy = TrustPolicy::Manual;
            let mut view = play.world.observer.watches[0].view.clone();
            view.trust.insert((ROMEO.into(), [7; 32]), Trust::Blind);
            play.world.observer.rows(0, view, &[].into());
        })
    }),
    ("control_a_device_that_trusts_more_than_its_policy", || {
        outcome("POLICY", || {
            let mut world = World::new(1);
            let (juliet, _) = join(&mut world);
            world.observer.watches[juliet].policy = TrustPolicy::Manual;
            world.write(juliet, ROMEO);
            world.settle();
        })
    }),
    ("control_a_key_that_is_forgotten", || {
        found("TRUST", |play| {
            let mut view = play.world.observer.watches[0].view.clone();
            view.trust.clear();
            play.world.observer.rows(0, view, &[].into());
        })
    }),
    ("control_a_list_that_a_stranger_has_changed", || {
        found("LISTS", |play| {
            let mut view = play.world.observer.watches[0].view.clone();
            view.devices.clear();
            play.world
                .observer
                .rows(0, view, &["mallory@x".to_owned()].into());
        })
    }),
    ("control_an_identity_key_that_is_replaced", || {
        found("IDENTITY", |play| {
            let mut view = play.world.observer.watches[0].view.clone();
            for known in view.devices.values_mut() {
                known.identity = Some([7; 32]);
            }
            let concerns = [JULIET.to_owned(), ROMEO.to_owned()].into();
            play.world.observer.rows(0, view, &concerns);
        })
    }),
    ("control_an_author_who_has_not_written_it", || {
        outcome("AUTHOR", || {
            let mut play = Play::new();
            let text = play.world.write(0, ROMEO);
            play.world.observer.texts.get_mut(&text).unwrap().key = [7; 32];
            play.world.settle();
        })
    }),
    ("control_a_text_that_nobody_has_written", || {
        outcome("AUTHOR", || {
            let mut play = Play::new();
            let text = play.world.write(0, ROMEO);
            play.world.observer.texts.remove(&text);
            play.world.settle();
        })
    }),
    ("control_a_message_in_the_wrong_chat", || {
        outcome("CHAT", || {
            let mut play = Play::new();
            let more = play.world.add(JULIET, Settings::default());
            play.world.go_online(more, true);
            play.world.settle();
            let text = play.world.write(0, ROMEO);
            play.world.observer.texts.get_mut(&text).unwrap().to = Some(JULIET.into());
            play.world.settle();
        })
    }),
    ("control_a_message_that_is_shown_twice", || {
        outcome("TWICE", || {
            let mut play = Play::new();
            play.world.write(0, ROMEO);
            play.world.settle();
            let events = play.world.devices[1].last_events.clone();
            for event in events {
                if let omemo::Event::Message(message) = event {
                    play.world.observer.shown(1, &message);
                }
            }
        })
    }),
    ("control_a_refusal_that_changes_rows", || {
        outcome("REFUSED", || {
            check_unchanged(0, &[], &["a row".into()], &[])
        })
    }),
    ("control_a_session_that_is_too_large", || {
        outcome("SIZE", || {
            let sizes = Sizes {
                largest: MOST_BYTES + 1,
                ..Sizes::default()
            };
            sizes.check(0);
        })
    }),
    ("control_too_many_sessions", || {
        outcome("SIZE", || {
            let sizes = Sizes {
                sessions_of_a_device: MOST_SESSIONS + 1,
                ..Sizes::default()
            };
            sizes.check(0);
        })
    }),
    ("control_a_bundle_with_24_prekeys", || {
        found("BUNDLE", |play| {
            let stanza = short_bundle(&play.world);
            let text = String::from(&stanza);
            play.world.observer.stanza(0, &text, &stanza);
        })
    }),
    ("control_a_device_that_cannot_be_reached_any_more", || {
        outcome("STUCK", || {
            let mut world = World::new(1);
            let mut settings = Settings::default();
            settings.versions = vec![Version::Omemo2];
            let juliet = world.add(JULIET, settings.clone());
            settings.versions = vec![Version::Legacy];
            let romeo = world.add(ROMEO, settings);
            for at in [juliet, romeo] {
                world.go_online(at, true);
            }
            world.devices[romeo].versions = vec![Version::Omemo2];
            world.end();
        })
    }),
    ("control_a_call_that_fails", || {
        found("ERROR", |play| {
            play.world.call(0, |_| Err(CallerError::Offline.into()));
        })
    }),
];

/// Two who have talked.
struct Play {
    world: World,
    text: String,
    /// A message of the first one's, as it left.
    sent: Element,
}

fn join(world: &mut World) -> (usize, usize) {
    let juliet = world.add(JULIET, Settings::default());
    let romeo = world.add(ROMEO, Settings::default());
    for at in [juliet, romeo] {
        world.go_online(at, true);
    }
    world.settle();
    (juliet, romeo)
}

impl Play {
    fn new() -> Self {
        let mut world = World::new(1);
        let (juliet, romeo) = join(&mut world);
        let text = world.write(juliet, ROMEO);
        world.settle();
        assert!(world.devices[romeo].read.contains(&text), "NOBODY TALKS");
        let (_, sent) = world
            .history
            .iter()
            .find(|(_, sent)| sent.contains("<payload"))
            .unwrap();
        let sent = xml(sent);
        Self { world, text, sent }
    }

    /// The observer sees the message again, as when the outbox hands it out once more.
    fn send_again(&mut self) {
        let text = String::from(&self.sent);
        self.world.observer.stanza(0, &text, &self.sent);
    }
}

/// Whether the watch speaks of this rule, and only after the fault.
fn found(rule: &str, fault: impl FnOnce(&mut Play)) -> bool {
    let Ok(mut play) = attempt(|| {
        let mut play = Play::new();
        play.send_again();
        play
    }) else {
        return false;
    };
    outcome(rule, move || fault(&mut play))
}

fn outcome(rule: &str, fault: impl FnOnce()) -> bool {
    let Err(broken) = attempt(fault) else {
        println!("nobody has noticed: {rule}");
        return false;
    };
    let said = broken.contains(&format!("{rule}: "));
    if !said {
        println!("not {rule}, but {broken}");
    }
    said
}

/// The same message with one more bit in what a message key has encrypted.
fn with_another_ciphertext(stanza: &Element) -> Element {
    let key = wire::wrapped_keys(stanza, JULIET).remove(0);
    let text = String::from(stanza);
    let start = text.find("<key ").unwrap();
    let start = start + text[start..].find('>').unwrap() + 1;
    let end = start + text[start..].find('<').unwrap();
    let mut bytes = BASE64.decode(&text[start..end]).unwrap();
    let length = key.ciphertext.len();
    let place = bytes
        .windows(length)
        .position(|window| window == key.ciphertext)
        .unwrap();
    bytes[place] ^= 1;
    xml(&format!(
        "{}{}{}",
        &text[..start],
        BASE64.encode(bytes),
        &text[end..]
    ))
}

/// The publication of a bundle that has lost all but 24 prekeys.
fn short_bundle(world: &World) -> Element {
    let node = "urn:xmpp:omemo:2:bundles";
    let item = world.id(0).to_string();
    let bundle = world.server.truth(JULIET, node, &item).unwrap();
    let mut text = String::from(bundle);
    let parts: Vec<usize> = text.match_indices("<pk ").map(|(at, _)| at).collect();
    let end = text.find("</prekeys>").unwrap();
    text.replace_range(parts[24]..end, "");
    xml(&format!(
        "<iq xmlns='jabber:client' type='set' id='x'><pubsub xmlns='{PUBSUB}'><publish node='{node}'>\
         <item id='{item}'>{text}</item></publish></pubsub></iq>"
    ))
}
