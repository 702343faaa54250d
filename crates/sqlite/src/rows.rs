//! Reading and writing rows: statements with their parameters, and cells that are checked when
//! they are read.

use omemo::store::{
    Fingerprint, IdentityKey, PreKeyId, PublicKey, SignedPreKeyId, StoreError, Version,
};
use omemo::{Address, BareJid, DeviceId, Timestamp, Trust};
use rusqlite::types::{FromSqlResult, ValueRef};
use rusqlite::{CachedStatement, Row, ToSql, Transaction};
use zeroize::Zeroizing;

use crate::error::{Refusal, sqlite};

/// The rows of one account in an open transaction. In every statement `?1` is the account.
pub(crate) struct Rows<'store> {
    pub(crate) transaction: Transaction<'store>,
    pub(crate) account: i64,
}

impl Rows<'_> {
    /// Every row that the statement yields; `table` is for errors.
    pub(crate) fn all<T>(
        &self,
        table: &'static str,
        sql: &str,
        parameters: &[&dyn ToSql],
        read: impl Fn(&Cells<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.prepare(sql, parameters).map_err(sqlite)?;
        let mut rows = statement.raw_query();
        let mut values = Vec::new();
        while let Some(row) = rows.next().map_err(sqlite)? {
            values.push(read(&Cells { row, table })?);
        }
        Ok(values)
    }

    /// The row that the statement yields, if any.
    pub(crate) fn one<T>(
        &self,
        table: &'static str,
        sql: &str,
        parameters: &[&dyn ToSql],
        read: impl Fn(&Cells<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.prepare(sql, parameters).map_err(sqlite)?;
        let mut rows = statement.raw_query();
        let row = rows.next().map_err(sqlite)?;
        row.map(|row| read(&Cells { row, table })).transpose()
    }

    pub(crate) fn write(&self, sql: &str, parameters: &[&dyn ToSql]) -> Result<(), StoreError> {
        let written = self
            .prepare(sql, parameters)
            .and_then(|mut it| it.raw_execute());
        written.map(|_rows| ()).map_err(sqlite)
    }

    fn prepare(
        &self,
        sql: &str,
        parameters: &[&dyn ToSql],
    ) -> rusqlite::Result<CachedStatement<'_>> {
        let mut statement = self.transaction.prepare_cached(sql)?;
        statement.raw_bind_parameter(1, self.account)?;
        for (index, parameter) in (2..).zip(parameters) {
            statement.raw_bind_parameter(index, parameter)?;
        }
        Ok(statement)
    }
}

/// The cells of one row, by column. What this crate cannot have written is
/// [`StoreError::Damaged`].
pub(crate) struct Cells<'row> {
    row: &'row Row<'row>,
    table: &'static str,
}

impl<'row> Cells<'row> {
    /// `None` for NULL.
    pub(crate) fn optional<T>(
        &self,
        column: &'static str,
        read: impl Fn(&Self, &'static str) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match self.value(column)? {
            ValueRef::Null => Ok(None),
            _ => read(self, column).map(Some),
        }
    }

    /// Two columns that are NULL together.
    pub(crate) fn pair<A, B>(
        &self,
        one: Option<A>,
        column: &'static str,
        other: Option<B>,
    ) -> Result<Option<(A, B)>, StoreError> {
        let pair = match (one, other) {
            (Some(one), Some(other)) => Some(Some((one, other))),
            (None, None) => Some(None),
            _ => None,
        };
        self.checked(column, "there exactly when its other half is", pair)
    }

    pub(crate) fn text(&self, column: &'static str) -> Result<&'row str, StoreError> {
        self.typed(column, "text", |value| value.as_str())
    }

    pub(crate) fn string(&self, column: &'static str) -> Result<String, StoreError> {
        self.text(column).map(Into::into)
    }

    pub(crate) fn bytes(&self, column: &'static str) -> Result<&'row [u8], StoreError> {
        self.typed(column, "bytes", |value| value.as_blob())
    }

    pub(crate) fn integer(&self, column: &'static str) -> Result<i64, StoreError> {
        self.typed(column, "an integer", |value| value.as_i64())
    }

    pub(crate) fn number<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T, StoreError> {
        self.checked(
            column,
            "a number in range",
            T::try_from(self.integer(column)?).ok(),
        )
    }

    pub(crate) fn flag(&self, column: &'static str) -> Result<bool, StoreError> {
        let flag = match self.integer(column)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        };
        self.checked(column, "0 or 1", flag)
    }

    pub(crate) fn moment(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.integer(column).map(Timestamp::from_seconds)
    }

    pub(crate) fn signature(&self, column: &'static str) -> Result<[u8; 64], StoreError> {
        self.checked(column, "64 bytes", self.bytes(column)?.try_into().ok())
    }

    pub(crate) fn secret(&self, column: &'static str) -> Result<Zeroizing<[u8; 32]>, StoreError> {
        let bytes: Option<&[u8; 32]> = self.bytes(column)?.try_into().ok();
        let mut secret = Zeroizing::new([0; 32]);
        secret.copy_from_slice(self.checked(column, "32 bytes", bytes)?);
        Ok(secret)
    }

    pub(crate) fn public_key(&self, column: &'static str) -> Result<PublicKey, StoreError> {
        self.checked(
            column,
            "a public key",
            PublicKey::parse(self.bytes(column)?).ok(),
        )
    }

    pub(crate) fn identity_key(&self, column: &'static str) -> Result<IdentityKey, StoreError> {
        self.checked(
            column,
            "an identity key",
            IdentityKey::from_bytes(self.bytes(column)?).ok(),
        )
    }

    /// The Curve25519 value of an identity key.
    pub(crate) fn fingerprint(&self, column: &'static str) -> Result<Fingerprint, StoreError> {
        let bytes = self.bytes(column)?.try_into().ok();
        self.checked(column, "32 bytes", bytes.map(Fingerprint::new))
    }

    pub(crate) fn pre_key_id(&self, column: &'static str) -> Result<PreKeyId, StoreError> {
        self.checked(
            column,
            "a prekey id",
            PreKeyId::parse(self.number(column)?).ok(),
        )
    }

    pub(crate) fn signed_pre_key_id(
        &self,
        column: &'static str,
    ) -> Result<SignedPreKeyId, StoreError> {
        let id = SignedPreKeyId::parse(self.number(column)?);
        self.checked(column, "a signed prekey id", id.ok())
    }

    pub(crate) fn jid(&self, column: &'static str) -> Result<BareJid, StoreError> {
        self.checked(
            column,
            "a bare JID",
            BareJid::parse(self.text(column)?).ok(),
        )
    }

    pub(crate) fn device(&self, column: &'static str) -> Result<DeviceId, StoreError> {
        self.checked(
            column,
            "a device id",
            DeviceId::new(self.number(column)?).ok(),
        )
    }

    /// From the columns `jid` and `device`.
    pub(crate) fn address(&self) -> Result<Address, StoreError> {
        Ok(Address {
            jid: self.jid("jid")?,
            device: self.device("device")?,
        })
    }

    /// From the column `version`.
    pub(crate) fn version(&self) -> Result<Version, StoreError> {
        let version = Version::from_byte(self.number("version")?);
        self.checked("version", "a protocol version", version)
    }

    pub(crate) fn trust(&self, column: &'static str) -> Result<Trust, StoreError> {
        self.checked(
            column,
            "a level of trust",
            Trust::from_name(self.text(column)?),
        )
    }

    /// The value, unless it is none: then the column is not what it should be.
    pub(crate) fn checked<T>(
        &self,
        column: &'static str,
        expected: &'static str,
        value: Option<T>,
    ) -> Result<T, StoreError> {
        let Self { table, .. } = *self;
        value.ok_or_else(|| {
            Refusal::Misread {
                table,
                column,
                expected,
            }
            .into()
        })
    }

    fn typed<T>(
        &self,
        column: &'static str,
        expected: &'static str,
        read: impl Fn(ValueRef<'row>) -> FromSqlResult<T>,
    ) -> Result<T, StoreError> {
        self.checked(column, expected, read(self.value(column)?).ok())
    }

    fn value(&self, column: &'static str) -> Result<ValueRef<'row>, StoreError> {
        self.row.get_ref(column).map_err(sqlite)
    }
}

/// A number as SQLite keeps it.
pub(crate) fn number(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| Refusal::TooLarge.into())
}
