//! Our device on the server: asks what the publish plan ([`crate::pep`]) wants to know next and
//! does what it says.

use omemo_ratchet::Version;

use super::Call;
use super::bundles::{bundle_item, bundle_query};
use super::lists::read_list;
use super::own_keys::draw_device_id;
use super::questions::Reply;
use crate::pep::{
    Answer, BundleFound, Effect, Options, Ours, Publishing, Refusal, RefusalKind, Step,
};
use crate::protocol::{self, Protocol};
use crate::stanza::devices::{DeviceList, SignedLabel};
use crate::stanza::pubsub;
use crate::stanza::stanza_error::StanzaError;
use crate::store::{Change, Transaction};
use crate::stream::Ask;
use crate::{Element, Error, Event};

/// A field of a node's configuration.
pub(super) type Field = (&'static str, &'static str);

/// Both nodes can be read by everybody (XEP-0384 §5.3.1, §5.3.2).
pub(super) const OPEN: Field = ("pubsub#access_model", "open");
pub(super) const PERSIST: Field = ("pubsub#persist_items", "true");
const MAX_ITEMS: &str = "pubsub#max_items";

impl<T: Transaction> Call<'_, T> {
    /// Starts publishing every protocol afresh.
    pub(crate) fn start_publishing(&mut self) {
        self.stream
            .questions
            .retain(|_, question| !matches!(question.ask, Ask::Publish(_)));
        self.stream.publishing = self
            .protocols()
            .map(|protocol| (protocol.version, Publishing::start()))
            .collect();
    }

    /// Asks the next question of every protocol.
    pub(super) fn go_on_publishing(&mut self) -> Result<(), Error> {
        for protocol in self.protocols() {
            let version = protocol.version;
            let confirmed = self.is_bundle_confirmed(version)?;
            let now = self.now;
            let Some(publishing) = self.stream.publishing.get_mut(&version) else {
                continue;
            };
            publishing.resume(now, confirmed);
            let asking = self.stream.is_asking(&Ask::Publish(version));
            let Some(publishing) = self.stream.publishing.get(&version) else {
                continue;
            };
            if publishing.has_question() && !asking {
                let publishing = publishing.clone();
                self.ask_publishing(protocol, &publishing)?;
            }
        }
        Ok(())
    }

    fn ask_publishing(
        &mut self,
        protocol: &'static Protocol,
        publishing: &Publishing,
    ) -> Result<(), Error> {
        let me = self.me.jid.clone();
        let ask = Ask::Publish(protocol.version);
        let device = self.account.device;
        let place = protocol.shape.bundle_place(device);
        let list_node = protocol.devices_node;
        match publishing.step() {
            Step::Settled | Step::Paused { .. } | Step::Off => Ok(()),
            Step::FetchList | Step::RefetchList => {
                self.ask(&me, ask, |id, to| pubsub::fetch_newest(id, to, list_node))
            }
            Step::CheckId | Step::VerifyBundle { .. } => self.ask(&me, ask, |id, to| {
                bundle_query(id, to, protocol.version, device)
            }),
            Step::PublishBundle => {
                self.refill(protocol.version)?;
                let revision = self.publication(protocol.version)?.bundle_revision;
                let now = self.now;
                if let Some(publishing) = self.stream.publishing.get_mut(&protocol.version) {
                    publishing.sends(revision, now);
                }
                let bundle = self.own_bundle(protocol.version)?;
                let element = protocol.shape.build_bundle(&bundle);
                let options = bundle_options(protocol, publishing.options());
                self.ask(&me, ask, |id, to| {
                    pubsub::publish(id, to, &place.node, &place.item, element, &options)
                })
            }
            Step::ConfigureBundle { max_items, .. } => {
                let mut fields = vec![OPEN, PERSIST];
                if protocol.bundles_share_a_node {
                    fields.push((MAX_ITEMS, max_items));
                }
                self.ask(&me, ask, |id, _| {
                    pubsub::configure(id, &place.node, &fields)
                })
            }
            Step::PublishList => {
                let list = self.merged_list(&publishing.list)?;
                let element = protocol.shape.build_devices(&list);
                if let Some(publishing) = self.stream.publishing.get_mut(&protocol.version) {
                    publishing.list = list;
                }
                self.ask(&me, ask, |id, to| {
                    pubsub::publish(id, to, list_node, "current", element, &[OPEN, PERSIST])
                })
            }
            Step::ConfigureList => self.ask(&me, ask, |id, _| {
                pubsub::configure(id, list_node, &[OPEN, PERSIST])
            }),
        }
    }

    /// The answer to the open question of a plan.
    pub(super) fn publishing_answered(
        &mut self,
        version: Version,
        reply: &Reply<'_>,
    ) -> Result<(), Error> {
        let Some(mut publishing) = self.stream.publishing.get(&version).cloned() else {
            return Ok(());
        };
        let answer = self.read_answer(version, publishing.step(), reply)?;
        if let Answer::List(list) = &answer {
            self.keep_list(version, &self.me.jid.clone(), list)?;
        }
        let list = match &answer {
            Answer::List(list) => list,
            _ => &publishing.list,
        };
        let ours = self.ours(version, list)?;
        let now = self.now;
        let effects = publishing.answered(answer, ours, now);
        self.stream.publishing.insert(version, publishing);
        for effect in effects {
            self.publish_effect(version, effect)?;
        }
        Ok(())
    }

    /// Somebody published our list: another device of ours, or somebody who took us off.
    pub(super) fn own_list_pushed(&mut self, version: Version, list: &DeviceList) {
        let listed = list.contains(self.account.device);
        let now = self.now;
        if let Some(publishing) = self.stream.publishing.get_mut(&version) {
            publishing.pushed(list.clone(), listed, now);
        }
    }

    fn ours(&self, version: Version, list: &DeviceList) -> Result<Ours, Error> {
        let publication = self.publication(version)?;
        Ok(Ours {
            listed: list.contains(self.account.device)
                && self.has_own_label(version, list)
                && !self.stream.removing.keys().any(|id| list.contains(*id)),
            id_taken: list.contains(self.account.device),
            announced: publication.announced,
            bundle_confirmed: publication.bundle_revision == publication.published_revision,
            shared_node: protocol::of(version).bundles_share_a_node,
        })
    }

    fn read_answer(
        &self,
        version: Version,
        step: &Step,
        reply: &Reply<'_>,
    ) -> Result<Answer, Error> {
        let fetches_list = matches!(step, Step::FetchList | Step::RefetchList);
        let fetches_bundle = matches!(step, Step::CheckId | Step::VerifyBundle { .. });
        Ok(match reply {
            Reply::Nothing => Answer::Nothing,
            Reply::Refused(error) if error.is_item_not_found() && fetches_list => {
                Answer::List(DeviceList::default())
            }
            Reply::Refused(error) if error.is_item_not_found() && fetches_bundle => {
                Answer::Bundle(BundleFound::Missing)
            }
            Reply::Refused(error) => Answer::Refused(refusal(error)),
            Reply::Given(answer) if fetches_list => match read_list(version, answer) {
                Ok(list) => Answer::List(list),
                // publishing over a list that we cannot read could wipe other devices
                Err(text) => Answer::Refused(Refusal {
                    kind: RefusalKind::Other,
                    text: format!("our own device list cannot be read: {text}"),
                }),
            },
            Reply::Given(answer) if fetches_bundle => {
                Answer::Bundle(self.whose_bundle(version, answer)?)
            }
            Reply::Given(_) => Answer::Confirmed,
        })
    }

    fn whose_bundle(&self, version: Version, answer: &Element) -> Result<BundleFound, Error> {
        let Ok(Some(element)) = bundle_item(version, self.account.device, answer) else {
            return Ok(BundleFound::Missing);
        };
        let Ok(found) = protocol::of(version).shape.parse_bundle(element) else {
            return Ok(BundleFound::Foreign);
        };
        let own = self.own_bundle(version)?;
        Ok(if found.identity_key != own.identity_key {
            BundleFound::Foreign
        } else if found.signed_pre_key == own.signed_pre_key
            && same_pre_keys(&found.pre_keys, &own.pre_keys)
        {
            BundleFound::Current
        } else {
            BundleFound::Stale
        })
    }

    fn publish_effect(&mut self, version: Version, effect: Effect) -> Result<(), Error> {
        match effect {
            Effect::DrawNewId => self.draw_new_id(version),
            Effect::BundlePublished => {
                let sent = self.stream.publishing.get(&version);
                match sent.and_then(Publishing::sent) {
                    Some((revision, at)) => self.bundle_published(version, revision, at),
                    None => Ok(()),
                }
            }
            Effect::Announced => {
                let mut row = self.publication(version)?;
                if row.announced {
                    return Ok(());
                }
                row.announced = true;
                self.write(Change::PutPublication(row))
            }
            Effect::Published { again } => {
                self.event(if again {
                    Event::Reannounced { version }
                } else {
                    Event::Published { version }
                });
                self.stream.outbox_due = Some(self.now);
                Ok(())
            }
            Effect::Lacks(requirement) => {
                self.event(Event::ServerLacks {
                    version,
                    requirement,
                });
                Ok(())
            }
            Effect::Off(reason) => {
                self.event(Event::ProtocolOff { version, reason });
                Ok(())
            }
        }
    }

    /// Our id is somebody else's (XEP-0384 §6): take another, unless it was announced in another
    /// protocol, where it is surely ours.
    fn draw_new_id(&mut self, version: Version) -> Result<(), Error> {
        if self.tx.publications()?.iter().any(|row| row.announced) {
            if let Some(publishing) = self.stream.publishing.get_mut(&version) {
                publishing.give_up();
            }
            return self.publish_effect(
                version,
                Effect::Off("our device id belongs to another device in this protocol".into()),
            );
        }
        self.account.device = draw_device_id(self.randomness)?;
        self.written = true;
        self.start_publishing();
        Ok(())
    }

    /// The list with us on it, without those that are being removed, and everybody else's entry as
    /// it was.
    fn merged_list(&mut self, list: &DeviceList) -> Result<DeviceList, Error> {
        let label = match self.account.label.clone() {
            Some(text) => {
                let signature = self.me.identity.sign(text.as_bytes(), self.randomness)?;
                Some(SignedLabel {
                    text,
                    signature: signature.to_vec(),
                })
            }
            None => None,
        };
        let removing = self.stream.removing.keys();
        let list = removing.fold(list.clone(), |list, id| list.without(*id));
        Ok(list.with_own(self.account.device, label))
    }

    fn has_own_label(&self, version: Version, list: &DeviceList) -> bool {
        let listed = list
            .devices
            .iter()
            .find(|entry| entry.id == self.account.device)
            .and_then(|entry| entry.label.as_ref());
        match (listed, &self.account.label) {
            (None, None) => true,
            (Some(listed), Some(own)) => {
                listed.text == *own
                    && self
                        .me
                        .identity
                        .public()
                        .verify(own.as_bytes(), &listed.signature)
                        .is_ok()
            }
            (None, Some(_)) => !protocol::of(version).has_labels,
            (Some(_), None) => false,
        }
    }
}

fn bundle_options(protocol: &Protocol, options: Options) -> Vec<Field> {
    match options {
        Options::All if protocol.bundles_share_a_node => vec![OPEN, PERSIST, (MAX_ITEMS, "max")],
        Options::All | Options::WithoutMaxItems => vec![OPEN, PERSIST],
        Options::None => Vec::new(),
    }
}

fn refusal(error: &StanzaError) -> Refusal {
    let kind = if error.is_precondition_not_met() {
        RefusalKind::PreconditionNotMet
    } else if error.is_item_not_found() {
        RefusalKind::NotFound
    } else if error.is_option_refused() {
        RefusalKind::OptionUnknown
    } else {
        RefusalKind::Other
    };
    Refusal {
        kind,
        text: error.to_string(),
    }
}

fn same_pre_keys(found: &[(u32, Vec<u8>)], own: &[(u32, Vec<u8>)]) -> bool {
    let sorted = |keys: &[(u32, Vec<u8>)]| {
        let mut keys = keys.to_vec();
        keys.sort();
        keys
    };
    sorted(found) == sorted(own)
}
