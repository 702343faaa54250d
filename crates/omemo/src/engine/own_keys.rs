//! Our own keys: made, published, used once, rotated and deleted (XEP-0384 §4.2, §5.3.2).

use std::time::Duration;

use omemo_ratchet::{
    Bundle, IdentityKeyPair, PreKeyId, PreKeyPair, Randomness, Role, SignedPreKeyId,
    SignedPreKeyPair, Version,
};

use super::Call;
use crate::store::{
    AccountRow, Change, PreKeyRow, PublicationRow, SignedPreKeyRow, Standing, Transaction,
};
use crate::{DeviceId, Error, Timestamp};

/// How many prekeys a bundle holds (XEP-0384 §4.2: around 100).
const PRE_KEYS: usize = 100;
/// How long a used prekey is kept once the server has confirmed a bundle without it: who fetched an older
/// bundle and drew the same one needs this time to deliver. Deleting it at once would lose that message;
/// keeping it longer would let whoever steals our keys in that time read how those sessions began.
const SLACK: Duration = Duration::from_secs(3600);
/// Used prekeys that are kept in one protocol at most, whoever floods us.
const MOST_USED: usize = 1_000;
/// How long a signed prekey is published (XEP-0384 §4.2: one week to one month).
const ROTATION: Duration = Duration::from_secs(7 * 86_400);
/// How long one that was replaced still opens late key exchanges: one period more.
const GRACE: Duration = ROTATION;

/// Makes a device: the rows of an account that has none yet.
pub(crate) fn make_account(
    tx: &mut impl Transaction,
    randomness: &mut dyn Randomness,
) -> Result<AccountRow, Error> {
    let identity = IdentityKeyPair::generate(randomness)?;
    let row = AccountRow {
        device: draw_device_id(randomness)?,
        identity: identity.to_bytes(),
        generation: 1,
        next_number: 1,
        catching_up: None,
        label: None,
        standing: Standing::Active,
        anchored: false,
    };
    tx.write(Change::PutAccount(row.clone()))?;
    Ok(row)
}

/// Makes the keys of one protocol.
pub(crate) fn make_keys(
    tx: &mut impl Transaction,
    version: Version,
    identity: &IdentityKeyPair,
    now: Timestamp,
    randomness: &mut dyn Randomness,
) -> Result<(), Error> {
    let publication = PublicationRow {
        version,
        bundle_revision: 1,
        published_revision: 0,
        announced: false,
        next_pre_key: first_pre_key()?,
        next_signed_pre_key: first_signed_pre_key()?,
    };
    fill_publication(tx, publication, identity, now, randomness)
}

/// Makes all prekeys and a signed prekey, with the next ids.
pub(super) fn fill_publication(
    tx: &mut impl Transaction,
    mut publication: PublicationRow,
    identity: &IdentityKeyPair,
    now: Timestamp,
    randomness: &mut dyn Randomness,
) -> Result<(), Error> {
    for _ in 0..PRE_KEYS {
        let row = next_pre_key(tx, &mut publication, randomness)?;
        tx.write(Change::PutPreKey(row))?;
    }
    let row = next_signed_pre_key(tx, &mut publication, identity, now, randomness)?;
    tx.write(Change::PutSignedPreKey(row))?;
    tx.write(Change::PutPublication(publication))?;
    Ok(())
}

/// A random id, 1 to 2³¹−1.
pub(crate) fn draw_device_id(randomness: &mut dyn Randomness) -> Result<DeviceId, Error> {
    loop {
        let mut bytes = [0; 4];
        randomness.fill(Role::DeviceId, &mut bytes)?;
        if let Ok(id) = DeviceId::new(u32::from_le_bytes(bytes) & DeviceId::MAX) {
            return Ok(id);
        }
    }
}

impl<T: Transaction> Call<'_, T> {
    pub(super) fn publication(&self, version: Version) -> Result<PublicationRow, Error> {
        self.tx
            .publications()?
            .into_iter()
            .find(|row| row.version == version)
            .ok_or(Error::Bug("a protocol without keys"))
    }

    /// Whether the server has confirmed the bundle as it is now.
    pub(super) fn is_bundle_confirmed(&self, version: Version) -> Result<bool, Error> {
        let row = self.publication(version)?;
        Ok(row.bundle_revision == row.published_revision)
    }

    /// The bundle as it has to be published now.
    pub(super) fn own_bundle(&self, version: Version) -> Result<Bundle, Error> {
        let signed = self
            .current_signed_pre_key(version)?
            .ok_or(Error::Bug("no signed prekey"))?;
        let pre_keys: Vec<PreKeyPair> = self
            .tx
            .pre_keys(version)?
            .into_iter()
            .filter(|row| row.used_at.is_none())
            .map(|row| PreKeyPair::from_parts(row.id, *row.secret))
            .collect();
        Ok(Bundle::publish(
            version,
            self.me.identity.public(),
            &signed_pre_key(&signed),
            &pre_keys,
        ))
    }

    /// A key exchange has used this prekey: the next bundle is one without it. Until then others may
    /// draw it too, so that it serves them until [`SLACK`] after that.
    pub(super) fn use_pre_key(&mut self, mut row: PreKeyRow) -> Result<(), Error> {
        if row.used_at.is_some() {
            return Ok(());
        }
        let mut publication = self.publication(row.version)?;
        publication.bundle_revision += 1;
        row.used_at = Some(self.now);
        self.write(Change::PutPreKey(row))?;
        self.write(Change::PutPublication(publication))
    }

    /// Fills the bundle up before it is published. Only here prekeys are made, so that strangers make
    /// us make no more than bundles are published ([`crate::pep`] has the pauses), and only here they
    /// could become too many.
    pub(super) fn refill(&mut self, version: Version) -> Result<(), Error> {
        let mut used = self.tx.used_pre_keys(version)?;
        used.sort_by_key(|row| row.used_at);
        let surplus = used.len().saturating_sub(MOST_USED);
        for row in used.iter().take(surplus) {
            self.write(Change::DeletePreKey(version, row.id))?;
        }
        let all = self.tx.pre_keys(version)?.into_iter();
        let fresh = all.filter(|row| row.used_at.is_none()).count();
        let mut publication = self.publication(version)?;
        for _ in fresh..PRE_KEYS {
            let row = next_pre_key(&self.tx, &mut publication, self.randomness)?;
            self.write(Change::PutPreKey(row))?;
        }
        self.write(Change::PutPublication(publication))
    }

    /// The server has the bundle of this revision, which was sent then: prekeys that were used before are
    /// withdrawn. If it is the newest, older signed prekeys begin their grace.
    pub(super) fn bundle_published(
        &mut self,
        version: Version,
        revision: u64,
        sent_at: Timestamp,
    ) -> Result<(), Error> {
        let mut publication = self.publication(version)?;
        publication.published_revision = publication.published_revision.max(revision);
        let newest = publication.published_revision == publication.bundle_revision;
        self.write(Change::PutPublication(publication))?;
        for mut row in self.tx.used_pre_keys(version)? {
            let is_gone = newest || row.used_at.is_some_and(|at| at < sent_at);
            if is_gone && row.withdrawn_at.is_none() {
                row.withdrawn_at = Some(self.now);
                self.write(Change::PutPreKey(row))?;
            }
        }
        if !newest {
            return Ok(());
        }
        let current = self.current_signed_pre_key(version)?.map(|row| row.id);
        for mut row in self.tx.signed_pre_keys(version)? {
            if Some(row.id) != current && row.retired_at.is_none() {
                row.retired_at = Some(self.now);
                self.write(Change::PutSignedPreKey(row))?;
            }
        }
        Ok(())
    }

    /// Deletes what was used or is past its grace and rotates what is due; all of it waits for
    /// the end of the catch-up.
    pub(super) fn maintain_own_keys(&mut self) -> Result<(), Error> {
        if !self.is_settled() {
            return Ok(());
        }
        for protocol in self.protocols() {
            let version = protocol.version;
            for row in self.tx.used_pre_keys(version)? {
                if row
                    .withdrawn_at
                    .is_some_and(|at| self.now.since(at) >= SLACK)
                {
                    self.write(Change::DeletePreKey(version, row.id))?;
                }
            }
            for row in self.tx.signed_pre_keys(version)? {
                if row.retired_at.is_some_and(|at| self.now.since(at) >= GRACE) {
                    self.write(Change::DeleteSignedPreKey(version, row.id))?;
                }
            }
            let current = self.current_signed_pre_key(version)?;
            if current.is_none_or(|row| self.now.since(row.made_at) >= ROTATION) {
                self.rotate(version)?;
            }
        }
        Ok(())
    }

    /// When a signed prekey is due to be made, or a prekey of either kind to be deleted.
    pub(super) fn next_maintenance(&self) -> Result<Option<Timestamp>, Error> {
        let mut due = Vec::new();
        for protocol in self.protocols() {
            let version = protocol.version;
            let current = self.current_signed_pre_key(version)?;
            due.extend(current.map(|row| row.made_at.after(ROTATION)));
            let retired = self.tx.signed_pre_keys(version)?.into_iter();
            due.extend(retired.filter_map(|row| Some(row.retired_at?.after(GRACE))));
            let used = self.tx.used_pre_keys(version)?.into_iter();
            due.extend(used.filter_map(|row| Some(row.withdrawn_at?.after(SLACK))));
        }
        Ok(due.into_iter().min())
    }

    fn rotate(&mut self, version: Version) -> Result<(), Error> {
        let mut publication = self.publication(version)?;
        let row = next_signed_pre_key(
            &self.tx,
            &mut publication,
            &self.me.identity,
            self.now,
            self.randomness,
        )?;
        publication.bundle_revision += 1;
        self.write(Change::PutSignedPreKey(row))?;
        self.write(Change::PutPublication(publication))
    }

    /// The one that is published: the youngest that was not replaced.
    fn current_signed_pre_key(&self, version: Version) -> Result<Option<SignedPreKeyRow>, Error> {
        Ok(self
            .tx
            .signed_pre_keys(version)?
            .into_iter()
            .filter(|row| row.retired_at.is_none())
            .max_by_key(|row| (row.made_at, row.id)))
    }
}

/// The key pair of a row.
pub(super) fn signed_pre_key(row: &SignedPreKeyRow) -> SignedPreKeyPair {
    SignedPreKeyPair::from_parts(row.id, *row.secret, row.signature)
}

/// Ids come round in the end; one that is still kept is passed over.
fn next_pre_key(
    tx: &impl Transaction,
    publication: &mut PublicationRow,
    randomness: &mut dyn Randomness,
) -> Result<PreKeyRow, Error> {
    let mut id = publication.next_pre_key;
    while tx.pre_key(publication.version, id)?.is_some() {
        id = PreKeyId::parse(successor(id.get())).map_err(bad_id)?;
    }
    publication.next_pre_key = PreKeyId::parse(successor(id.get())).map_err(bad_id)?;
    let pair = PreKeyPair::generate(id, randomness)?;
    Ok(PreKeyRow {
        version: publication.version,
        id,
        secret: pair.secret(),
        used_at: None,
        withdrawn_at: None,
    })
}

fn next_signed_pre_key(
    tx: &impl Transaction,
    publication: &mut PublicationRow,
    identity: &IdentityKeyPair,
    now: Timestamp,
    randomness: &mut dyn Randomness,
) -> Result<SignedPreKeyRow, Error> {
    let mut id = publication.next_signed_pre_key;
    while tx.signed_pre_key(publication.version, id)?.is_some() {
        id = SignedPreKeyId::parse(successor(id.get())).map_err(bad_id)?;
    }
    publication.next_signed_pre_key = SignedPreKeyId::parse(successor(id.get())).map_err(bad_id)?;
    let pair = SignedPreKeyPair::generate(publication.version, identity, id, randomness)?;
    Ok(SignedPreKeyRow {
        version: publication.version,
        id,
        secret: pair.secret(),
        signature: *pair.signature(),
        made_at: now,
        retired_at: None,
    })
}

/// Ids go round below 0xFFFFFF, which some libraries read as "never deleted".
const fn successor(id: u32) -> u32 {
    if id >= 0xff_fffe { 1 } else { id + 1 }
}

fn first_pre_key() -> Result<PreKeyId, Error> {
    PreKeyId::parse(1).map_err(bad_id)
}

fn first_signed_pre_key() -> Result<SignedPreKeyId, Error> {
    SignedPreKeyId::parse(1).map_err(bad_id)
}

pub(super) fn bad_id<E>(_: E) -> Error {
    Error::Bug("a prekey id out of range")
}
