//! A store with a pane of glass in it: whoever watches sees every row, and changes none.

use std::sync::{Arc, Mutex};

use omemo::BareJid;
use omemo::store::{MemoryStore, MemoryTransaction, Store, StoreError};

/// What is done with the rows at the next look.
type Look = Box<dyn FnOnce(&MemoryTransaction<'_>) + Send>;

/// Where a look is asked for.
#[derive(Clone, Default)]
pub struct Pane(Arc<Mutex<Option<Look>>>);

/// The store that an account works on.
pub struct Glass {
    inner: MemoryStore,
    pane: Pane,
}

impl Pane {
    /// Looks at the rows with the next transaction, which `begin` has to bring about.
    ///
    /// # Panics
    ///
    /// When it did not.
    pub fn look<R: Send + 'static>(
        &self,
        what: impl FnOnce(&MemoryTransaction<'_>) -> R + Send + 'static,
        begin: impl FnOnce(),
    ) -> R {
        let seen = Arc::new(Mutex::new(None));
        let place = Arc::clone(&seen);
        *self.0.lock().unwrap() = Some(Box::new(move |tx| {
            *place.lock().unwrap() = Some(what(tx));
        }));
        begin();
        seen.lock().unwrap().take().expect("nobody looked")
    }
}

impl Glass {
    /// A store behind this pane.
    #[must_use]
    pub fn new(inner: MemoryStore, pane: &Pane) -> Self {
        Self {
            inner,
            pane: pane.clone(),
        }
    }

    /// The store, for another handle.
    #[must_use]
    pub fn into_inner(self) -> MemoryStore {
        self.inner
    }
}

impl Store for Glass {
    type Transaction<'store> = MemoryTransaction<'store>;

    fn begin(&mut self, account: &BareJid) -> Result<MemoryTransaction<'_>, StoreError> {
        let look = self.pane.0.lock().unwrap().take();
        let tx = self.inner.begin(account)?;
        if let Some(look) = look {
            look(&tx);
        }
        Ok(tx)
    }

    fn tidy(&mut self) -> Result<(), StoreError> {
        self.inner.tidy()
    }
}
