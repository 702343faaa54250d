//! Questions of the app's own that wait for their answers.

use std::collections::HashMap;

use omemo::{BareJid, Element};
use tokio::sync::oneshot;
use tokio_xmpp::minidom::rxml::{Namespace, xml_ncname};

use crate::stanza;

/// Those that are open.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    open: HashMap<String, Request>,
}

#[derive(Debug)]
struct Request {
    /// Whom it was asked: the answer has to come from there.
    to: Option<String>,
    answer: oneshot::Sender<Element>,
}

impl Requests {
    /// Gives a question an id and notes who wants the answer.
    pub(crate) fn open(&mut self, mut iq: Element, answer: oneshot::Sender<Element>) -> Element {
        let id = stanza::random_id();
        iq.set_attr(Namespace::NONE, xml_ncname!("id").into(), id.as_str());
        let to = iq.attr("to").map(str::to_owned);
        self.open.insert(id, Request { to, answer });
        iq
    }

    /// Takes an answer; `false` when nobody waits for it.
    pub(crate) fn answered(&mut self, iq: &Element, own: &BareJid) -> bool {
        let Some(id) = stanza::answered_id(iq) else {
            return false;
        };
        let fits = self.open.get(id).is_some_and(|request| {
            let from = iq.attr("from");
            match &request.to {
                Some(to) => from == Some(to),
                None => from.is_none_or(|from| BareJid::of(from).is_ok_and(|from| from == *own)),
            }
        });
        let request = fits.then(|| self.open.remove(id)).flatten();
        request.is_some_and(|request| request.answer.send(iq.clone()).is_ok())
    }

    /// No answer comes any more.
    pub(crate) fn forget(&mut self) {
        self.open.clear();
    }
}
