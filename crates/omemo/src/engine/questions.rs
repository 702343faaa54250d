//! Questions to servers: random ids, deadlines, and answers that count only when id and sender
//! both match.

use std::time::Duration;

use super::Call;
use crate::stanza::iq::Iq;
use crate::stanza::stanza_error::StanzaError;
use crate::store::Transaction;
use crate::stream::{Ask, Question};
use crate::{BareJid, Element, Error, Stanza};

/// How long a server may take.
pub(super) const ANSWER_TIME: Duration = Duration::from_secs(30);

impl<T: Transaction> Call<'_, T> {
    /// Sends a question, unless the very same is open. `question` makes the IQ from its id and
    /// addressee, which is none for our own account.
    pub(super) fn ask(
        &mut self,
        to: &BareJid,
        ask: Ask,
        question: impl FnOnce(&str, Option<&BareJid>) -> Element,
    ) -> Result<(), Error> {
        if self.stream.is_asking(&ask) {
            return Ok(());
        }
        let id = self.random_id()?;
        let addressee = (*to != self.me.jid).then_some(to);
        self.output.stanzas.push(Stanza {
            element: question(&id, addressee),
            ticket: None,
        });
        self.stream.questions.insert(
            id,
            Question {
                to: to.clone(),
                ask,
                deadline: self.now.after(ANSWER_TIME),
            },
        );
        Ok(())
    }

    /// Takes an answer; `false` when it answers nothing that we asked.
    pub(super) fn answer(&mut self, iq: &Iq<'_>) -> Result<bool, Error> {
        let fits = self
            .stream
            .questions
            .get(iq.id)
            .is_some_and(|question| iq.is_answer_from(&question.to, &self.me.jid));
        if !fits {
            return Ok(false);
        }
        if let Some(question) = self.stream.questions.remove(iq.id) {
            let reply = match iq.error() {
                Some(error) => Reply::Refused(error),
                None => Reply::Given(iq.stanza),
            };
            self.answered(question.ask, reply)?;
        }
        Ok(true)
    }

    /// Gives up on questions past their deadline.
    pub(super) fn drop_overdue_questions(&mut self) -> Result<(), Error> {
        let now = self.now;
        let overdue: Vec<String> = self
            .stream
            .questions
            .iter()
            .filter(|(_, question)| question.deadline <= now)
            .map(|(id, _)| id.clone())
            .collect();
        for id in overdue {
            if let Some(question) = self.stream.questions.remove(&id) {
                self.answered(question.ask, Reply::Nothing)?;
            }
        }
        Ok(())
    }

    fn answered(&mut self, ask: Ask, reply: Reply<'_>) -> Result<(), Error> {
        match ask {
            Ask::Publish(version) => self.publishing_answered(version, &reply),
            Ask::List(version, jid) => self.list_answered(version, &jid, &reply),
            Ask::Bundle(version, address) => self.bundle_answered(version, &address, &reply),
            Ask::RemoveBundle(version, device) => {
                self.bundle_removed(version, device, &reply);
                Ok(())
            }
            Ask::Subscribe(..) => Ok(()),
            Ask::OwnBundles(version) => self.own_bundles_answered(version, &reply),
            Ask::Features => {
                self.features_answered(&reply);
                Ok(())
            }
            Ask::Leave(parting) => self.parting_answered(parting, &reply),
            Ask::RoomInfo(room) => {
                self.room_configured(&room, &reply);
                Ok(())
            }
            Ask::RoomList(room, which) => {
                self.room_listed(&room, which, &reply);
                Ok(())
            }
        }
    }
}

/// What became of a question.
pub(super) enum Reply<'a> {
    /// The answer: the whole `<iq/>`.
    Given(&'a Element),
    /// An error.
    Refused(StanzaError),
    /// No answer in time.
    Nothing,
}
